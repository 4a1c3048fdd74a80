// What becomes of the working files of runs that have ended.
#include <algorithm>
#include <filesystem>
#include <set>

#include "base/file.h"
#include "base/id.h"
#include "base/log.h"
#include "pipelines/engine_impl.h"

namespace gyre::pipelines {
namespace {

namespace fs = std::filesystem;

/// Folders of runs below the root, oldest first (run ids sort by time). What has another name is not ours.
Result<std::vector<std::string>> folders_in(const std::string& root) {
    std::vector<std::string> names;
    std::error_code failed;
    fs::directory_iterator entries(root, failed);
    for (; !failed && entries != fs::directory_iterator(); entries.increment(failed)) {
        if (is_uuid(entries->path().filename().string())) {
            names.push_back(entries->path().filename().string());
        }
    }
    if (failed && failed != std::errc::no_such_file_or_directory) {
        return errno_error("list '" + root + "'", failed.value());
    }
    std::ranges::sort(names);
    return names;
}

}  // namespace

/// Folders are made by this thread alone, so none of a new run can appear between the two looks.
Result<void> Engine::Impl::collect_work() {
    GYRE_TRY(std::vector<std::string> ended, folders_in(options.work_root));
    GYRE_TRY(const auto live,
             database.read([](storage::Reader& reader) { return store::live_runs(reader); }));
    std::set<std::string> used(live.begin(), live.end());
    {
        const std::lock_guard lock(mutex);
        for (const auto& [token, flight] : in_flight) {
            used.insert(flight->run_id);  // a cancelled step that has not noticed yet
        }
    }
    const auto busy = std::erase_if(ended, [&](const std::string& run) { return used.contains(run); });
    if (ended.size() > options.work_runs_kept) {
        ended.resize(ended.size() - options.work_runs_kept);
        for (const std::string& run : ended) {
            std::error_code failed;
            fs::remove_all(options.work_root + "/" + run, failed);
            if (failed) {
                return errno_error("remove the working files of run '" + run + "'", failed.value());
            }
        }
        log_info("pipeline_work_collected", {{"runs", static_cast<std::uint64_t>(ended.size())},
                                             {"in_use", static_cast<std::uint64_t>(busy)}});
    }
    return {};
}

}  // namespace gyre::pipelines
