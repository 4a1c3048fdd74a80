#include "storage/blob/blob_store.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "storage/blob/blob_path.h"

namespace gyre::storage {

namespace {

constexpr const char* kIncoming = ".gyre-incoming";

Result<BlobInfo> info_of(const Fd& folder, const std::string& name) {
    struct stat status{};
    if (::fstatat(folder.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno_error("'" + name + "'", errno);
    }
    if (S_ISDIR(status.st_mode)) {
        return BlobInfo{name, true, 0};
    }
    if (!S_ISREG(status.st_mode)) {
        return not_found("'" + name + "' is neither a file nor a folder");
    }
    return BlobInfo{name, false, static_cast<std::uint64_t>(status.st_size)};
}

Error blob_not_found(std::string_view path) {
    return not_found("no such file: '" + std::string(path) + "'");
}

}  // namespace

BlobStore::BlobStore(std::string root, Fd folder, Fd incoming, FileSystem& files)
    : root_(std::move(root)), folder_(std::move(folder)), incoming_(std::move(incoming)), files_(files) {}

Result<std::unique_ptr<BlobStore>> BlobStore::open(const std::string& root, FileSystem& files) {
    GYRE_TRY_VOID(make_directories(root));
    GYRE_TRY(Fd folder, open_folder(root));
    if (auto made = files.make_folder(folder, kIncoming);
        !made && made.error().code() != ErrorCode::already_exists) {
        return std::move(made).error();
    }
    GYRE_TRY(Fd incoming, open_folder_beneath(folder, kIncoming));
    GYRE_TRY(const auto leftovers, folder_entries(incoming, kBlobListMax));
    std::unique_ptr<BlobStore> store(
        new BlobStore(root, std::move(folder), std::move(incoming), files));  // NOLINT: private constructor
    for (const std::string& name : leftovers) {
        GYRE_TRY_VOID(store->remove_entry(store->incoming_, name, 0));
    }
    return store;
}

Result<void> BlobStore::put(std::string_view path, std::string_view bytes) {
    GYRE_TRY(BlobWriter out, writer(path));
    GYRE_TRY_VOID(out.write(bytes));
    return out.commit();
}

Result<BlobWriter> BlobStore::writer(std::string_view path) {
    GYRE_TRY_VOID(check_blob_path(path));
    std::string temporary = "put" + std::to_string(serial_.fetch_add(1));
    GYRE_TRY(Fd file, files_.open_file(incoming_, temporary, OpenMode::create_new));
    return BlobWriter(*this, std::string(path), std::move(temporary), std::move(file));
}

Result<std::string> BlobStore::get(std::string_view path, std::uint64_t bytes_max) {
    GYRE_TRY(BlobReader in, reader(path));
    if (in.blob_bytes() > bytes_max) {
        return resource_exhausted("'" + std::string(path) + "' has " + human_bytes(in.blob_bytes()) +
                                  ", more than " + human_bytes(bytes_max));
    }
    std::string bytes(in.blob_bytes(), '\0');
    std::size_t done = 0;
    while (done < bytes.size()) {
        GYRE_TRY(const std::size_t got, in.read(std::span(bytes).subspan(done)));
        if (got == 0) {
            return data_loss("'" + std::string(path) + "' is shorter than it was");
        }
        done += got;
    }
    return bytes;
}

Result<BlobReader> BlobStore::reader(std::string_view path, const BlobRange& range) {
    GYRE_TRY_VOID(check_blob_path(path));
    const SplitPath parts = split_path(path);
    auto parent = open_parent(path, Missing::fail);
    auto file = parent ? files_.open_file(*parent, parts.name, OpenMode::read) : Result<Fd>(parent.error());
    if (!file) {
        return file.error().code() == ErrorCode::not_found ? blob_not_found(path) : std::move(file).error();
    }
    BlobReader out(files_, *std::move(file));
    struct stat status{};
    if (::fstat(out.file_.get(), &status) != 0) {
        return errno_error("read '" + std::string(path) + "'", errno);
    }
    out.blob_bytes_ = static_cast<std::uint64_t>(status.st_size);
    if (range.offset > out.blob_bytes_) {
        return invalid_argument("the range starts at byte " + std::to_string(range.offset) +
                                ", the file has " + std::to_string(out.blob_bytes_));
    }
    const std::uint64_t rest = out.blob_bytes_ - range.offset;
    out.offset_ = range.offset;
    out.left_ = out.range_bytes_ = std::min(rest, range.length.value_or(rest));
    return out;
}

Result<std::size_t> BlobReader::read(std::span<char> out) {
    const std::size_t want = std::min<std::uint64_t>(out.size(), left_);
    GYRE_TRY(const std::size_t got, files_->read_at(file_, offset_, out.first(want)));
    offset_ += got;
    left_ = got < want ? 0 : left_ - got;
    return got;
}

Result<BlobInfo> BlobStore::stat(std::string_view path) {
    GYRE_TRY_VOID(check_blob_path(path));
    auto parent = open_parent(path, Missing::fail);
    auto info = parent ? info_of(*parent, split_path(path).name) : Result<BlobInfo>(parent.error());
    if (!info && info.error().code() == ErrorCode::not_found) {
        return blob_not_found(path);
    }
    return info;
}

Result<std::vector<BlobInfo>> BlobStore::list(std::string_view folder) {
    if (!folder.empty()) {
        GYRE_TRY_VOID(check_blob_path(folder));
    }
    auto opened = open_folder_beneath(folder_, folder);
    if (!opened) {
        return opened.error().code() == ErrorCode::not_found
                   ? not_found("no such folder: '" + std::string(folder) + "'")
                   : std::move(opened).error();
    }
    GYRE_TRY(const auto names, folder_entries(*opened, kBlobListMax));
    std::vector<BlobInfo> out;
    out.reserve(names.size());
    for (const std::string& name : names) {
        auto info = info_of(*opened, name);
        if (info && !(folder.empty() && name.starts_with(".gyre"))) {
            out.push_back(*std::move(info));
        }
    }
    return out;
}

Result<void> BlobStore::remove(std::string_view path) {
    GYRE_TRY(const BlobInfo info, stat(path));
    GYRE_TRY(const Fd parent, open_parent(path, Missing::fail));
    const std::string temporary = "removed" + std::to_string(serial_.fetch_add(1));
    GYRE_TRY_VOID(files_.rename(parent, info.name, incoming_, temporary));  // gone at once, whatever its size
    GYRE_TRY_VOID(files_.sync_folder(parent));
    return remove_entry(incoming_, temporary, 0);
}

Result<std::string> BlobStore::local_path(std::string_view path) const {
    GYRE_TRY_VOID(check_blob_path(path));
    return root_ + "/" + std::string(path);
}

Result<void> BlobStore::remove_entry(const Fd& parent, const std::string& name, std::size_t depth) {
    struct stat status{};
    if (::fstatat(parent.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno_error("remove '" + name + "'", errno);
    }
    if (!S_ISDIR(status.st_mode)) {
        return files_.unlink(parent, name);
    }
    if (depth > kBlobDepthMax) {
        return resource_exhausted("folder '" + name + "' is too deep to remove");
    }
    GYRE_TRY(const Fd folder, open_folder_beneath(parent, name));
    GYRE_TRY(const auto names, folder_entries(folder, kBlobListMax));
    for (const std::string& child : names) {
        GYRE_TRY_VOID(remove_entry(folder, child, depth + 1));
    }
    return files_.remove_folder(parent, name);
}

Result<Fd> BlobStore::open_parent(std::string_view path, Missing missing) {
    const std::string_view parent = split_path(path).parent;
    {
        const std::shared_lock lock(folders_mutex_);
        auto opened = open_folder_beneath(folder_, parent);
        if (opened || missing == Missing::fail || opened.error().code() != ErrorCode::not_found) {
            return opened;
        }
    }
    const std::unique_lock lock(folders_mutex_);
    return create_folders(parent);
}

Result<Fd> BlobStore::create_folders(std::string_view path) {
    GYRE_TRY(Fd folder, open_folder_beneath(folder_, ""));
    for (const std::string_view part : split(path, '/')) {
        const std::string name(part);
        auto made = files_.make_folder(folder, name);
        if (!made && made.error().code() != ErrorCode::already_exists) {
            return std::move(made).error();
        }
        if (made) {
            GYRE_TRY_VOID(files_.sync_folder(folder));
        }
        auto next = open_folder_beneath(folder, name);
        if (!next) {
            return conflict("'" + name + "' in path '" + std::string(path) + "' is not a folder");
        }
        folder = *std::move(next);
    }
    return folder;
}

Result<void> BlobStore::publish(const std::string& temporary, const std::string& path) {
    GYRE_TRY(const Fd parent, open_parent(path, Missing::create));
    const std::string name = split_path(path).name;
    if (auto there = info_of(parent, name); there && there->is_folder) {
        return conflict("'" + path + "' is a folder");
    }
    GYRE_TRY_VOID(files_.rename(incoming_, temporary, parent, name));
    return files_.sync_folder(parent);
}

BlobWriter::BlobWriter(BlobStore& store, std::string path, std::string temporary, Fd file)
    : store_(&store), path_(std::move(path)), temporary_(std::move(temporary)), file_(std::move(file)) {}

BlobWriter::BlobWriter(BlobWriter&& other) noexcept
    : store_(other.store_),
      path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      file_(std::move(other.file_)),
      size_bytes_(other.size_bytes_) {}

BlobWriter::~BlobWriter() {
    if (!temporary_.empty()) {
        static_cast<void>(store_->files_.unlink(store_->incoming_, temporary_));  // open() drops what stays
    }
}

Result<void> BlobWriter::write(std::string_view bytes) {
    GYRE_TRY_VOID(store_->files_.write(file_, bytes));
    size_bytes_ += bytes.size();
    return {};
}

Result<void> BlobWriter::commit() {
    GYRE_CHECK(!temporary_.empty(), "a blob is committed once");
    GYRE_TRY_VOID(store_->files_.sync_file(file_));
    GYRE_TRY_VOID(store_->publish(temporary_, path_));
    temporary_.clear();
    return {};
}

}  // namespace gyre::storage
