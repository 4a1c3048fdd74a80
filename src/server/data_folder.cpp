#include "server/data_folder.h"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

namespace gyre::server {
namespace {

Result<void> check_format(const std::string& folder) {
    const std::string path = folder + "/format";
    const auto text = read_file(path, 64);
    if (!text && text.error().code() == ErrorCode::not_found) {
        return write_file_atomic(path, std::to_string(kDataFormat) + "\n");
    }
    GYRE_TRY_VOID(text);
    const auto found = parse_integer(trim(*text));
    if (!found || *found < 1) {
        return data_loss("'" + path + "' is damaged: expected a format number");
    }
    if (*found > kDataFormat) {
        return conflict("data folder '" + folder + "' has format " + std::to_string(*found) +
                        ", this gyre knows up to " + std::to_string(kDataFormat) + "; use a newer gyre");
    }
    return {};
}

constexpr mode_t kOthersRights = S_IRWXG | S_IRWXO;

/// A folder of somebody else whom the server may write for (a mounted volume) stays as it is.
void make_private(const std::string& folder) {
    struct stat status{};
    if (::stat(folder.c_str(), &status) != 0 || (status.st_mode & kOthersRights) == 0) {
        return;
    }
    if (::chmod(folder.c_str(), status.st_mode & ~kOthersRights & 07777U) != 0) {
        log_warn(
            "data_folder_not_private",
            {{"folder", folder},
             {"next_step", "its owner should run chmod go-rwx on it: it holds predictions in the clear"}});
    }
}

}  // namespace

Result<DataFolder> DataFolder::open(const std::string& path) {
    static_cast<void>(
        ::umask(kOthersRights));  // one rule for SQLite's files and those of child processes too
    GYRE_TRY_VOID(make_directories(path));
    make_private(path);
    const std::string lock_path = path + "/lock";
    constexpr int kMode = 0600;
    DataFolder folder;
    std::error_code failure;
    folder.path_ = std::filesystem::canonical(path, failure).string();
    if (failure) {
        return errno_error("find '" + path + "'", failure.value());
    }
    folder.lock_ = Fd(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kMode));
    if (!folder.lock_.valid()) {
        return errno_error("open '" + lock_path + "'", errno);
    }
    if (::flock(folder.lock_.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            return conflict("data folder '" + path +
                            "' is in use by another server; stop it or choose another with --data");
        }
        return errno_error("lock '" + lock_path + "'", errno);
    }
    GYRE_TRY_VOID(check_format(path));
    return folder;
}

}  // namespace gyre::server
