#include "inference/repository.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>

#include "base/model_ref.h"
#include "base/text.h"

namespace gyre::inference {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 2> kModelFiles{"model.json", "model.ubj"};

class Scan {
 public:
    explicit Scan(fs::path root) : root_(std::move(root)) {}

    Result<RepositoryListing> run() {
        GYRE_TRY(const auto names, folders(root_));
        for (const fs::path& model : names) {
            const std::string name = model.filename().string();
            if (auto valid = check_model_name(name); !valid) {
                out_.problems.push_back("'" + name + "': " + valid.error().message());
                continue;
            }
            GYRE_TRY(const auto versions, folders(model));
            for (const fs::path& version : versions) {
                add(name, version);
            }
        }
        std::sort(out_.models.begin(), out_.models.end(),
                  [](const RepositoryModel& a, const RepositoryModel& b) { return a.key < b.key; });
        return std::move(out_);
    }

 private:
    /// The folders directly inside, by name. Hidden ones and plain files are left out silently.
    Result<std::vector<fs::path>> folders(const fs::path& parent) {
        std::vector<fs::path> out;
        std::error_code ec;
        fs::directory_iterator at(parent, ec);
        for (; !ec && at != fs::directory_iterator(); at.increment(ec)) {
            if (++seen_ > kRepositoryEntriesMax) {
                return resource_exhausted("the model repository has more than " +
                                          std::to_string(kRepositoryEntriesMax) + " entries");
            }
            std::error_code entry_ec;
            if (!at->path().filename().string().starts_with('.') && at->is_directory(entry_ec)) {
                out.push_back(at->path());
            }
        }
        if (ec) {
            out_.problems.push_back("'" + fs::relative(parent, root_, ec).string() + "' cannot be listed");
        }
        std::sort(out.begin(), out.end());
        return out;
    }

    void add(const std::string& name, const fs::path& folder) {
        const std::string text = folder.filename().string();
        const std::string label = "'" + name + "/" + text + "'";
        const auto version = parse_integer(text);
        if (!version || *version < 1 || std::to_string(*version) != text) {
            out_.problems.push_back(label + ": the version is not a positive whole number");
            return;
        }
        auto path = model_path(folder);
        if (!path) {
            out_.problems.push_back(label + ": " + path.error().message());
            return;
        }
        out_.models.push_back(
            {.key = {.source = ModelSource::repository, .name = name, .version = *version}, .path = *path});
    }

    /// A package folder, or the one model file in it; links are followed and must end inside the repository.
    [[nodiscard]] Result<std::string> model_path(const fs::path& folder) const {
        std::error_code ec;
        fs::path found;
        if (fs::exists(folder / "MLmodel", ec)) {
            found = folder;
        } else {
            for (const std::string_view file : kModelFiles) {
                if (found.empty() && fs::is_regular_file(folder / file, ec)) {
                    found = folder / file;
                }
            }
        }
        if (found.empty()) {
            return not_found("holds no MLmodel, model.json or model.ubj");
        }
        const fs::path real = fs::canonical(found, ec);
        const auto [root_end, ignored] = std::mismatch(root_.begin(), root_.end(), real.begin(), real.end());
        if (ec || root_end != root_.end()) {
            return invalid_argument("is a link that leaves the repository");
        }
        return real.string();
    }

    fs::path root_;
    RepositoryListing out_;
    std::size_t seen_ = 0;
};

}  // namespace

Result<RepositoryListing> scan_repository(const std::string& root) {
    std::error_code ec;
    const fs::path real = fs::canonical(root, ec);
    if (ec || !fs::is_directory(real, ec)) {
        return not_found("model repository '" + root + "' is not a folder");
    }
    return Scan(real).run();
}

}  // namespace gyre::inference
