#include "storage/blob/blob_path.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"
#include "storage/blob/blob_store.h"

namespace gyre::storage {

namespace {

constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;

Error bad_path(std::string_view why) {
    return invalid_argument("invalid path: " + std::string(why));
}

Result<void> check_part(std::string_view part) {
    if (part.empty()) {
        return bad_path("it must be relative, without empty parts");
    }
    if (part == "." || part == "..") {
        return bad_path("'.' and '..' are not allowed");
    }
    if (part.size() > kBlobNameBytesMax) {
        return bad_path("a part is longer than " + std::to_string(kBlobNameBytesMax) + " bytes");
    }
    return {};
}

}  // namespace

Result<void> check_blob_path(std::string_view path) {
    if (path.empty() || path.size() > kBlobPathBytesMax) {
        return bad_path("it must have 1 to " + std::to_string(kBlobPathBytesMax) + " bytes");
    }
    const auto forbidden = [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7F || c == '\\';
    };
    if (std::any_of(path.begin(), path.end(), forbidden)) {
        return bad_path("control characters and backslashes are not allowed");
    }
    if (path.starts_with(".gyre")) {
        return bad_path("names that start with '.gyre' are reserved");
    }
    const auto parts = split(path, '/');
    if (parts.size() > kBlobDepthMax) {
        return bad_path("it is deeper than " + std::to_string(kBlobDepthMax) + " folders");
    }
    for (const std::string_view part : parts) {
        GYRE_TRY_VOID(check_part(part));
    }
    return {};
}

SplitPath split_path(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string_view::npos) {
        return {"", std::string(path)};
    }
    return {path.substr(0, slash), std::string(path.substr(slash + 1))};
}

Result<Fd> detail::open_folder_by_parts(const Fd& root, std::string_view path) {
    Fd folder(::openat(root.get(), ".", kFolderFlags));
    for (const std::string_view part : split(path, '/')) {
        if (folder.valid() && !path.empty()) {
            folder = Fd(::openat(folder.get(), std::string(part).c_str(), kFolderFlags));
        }
    }
    if (!folder.valid()) {
        const int code = errno == ELOOP ? ENOTDIR : errno;
        return errno_error("open folder '" + std::string(path) + "'", code);
    }
    return folder;
}

Result<Fd> open_folder_beneath(const Fd& root, std::string_view path) {
    if (path.empty()) {
        return detail::open_folder_by_parts(root, path);
    }
    open_how how{};
    how.flags = static_cast<std::uint64_t>(kFolderFlags);
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    const long fd = ::syscall(SYS_openat2, root.get(), std::string(path).c_str(), &how, sizeof how);
    if (fd >= 0) {
        return Fd(static_cast<int>(fd));
    }
    if (errno == ENOSYS || errno == EPERM) {  // an old kernel, or a sandbox that hides the call
        return detail::open_folder_by_parts(root, path);
    }
    const int code = errno == ELOOP || errno == EXDEV ? ENOTDIR : errno;
    return errno_error("open folder '" + std::string(path) + "'", code);
}

}  // namespace gyre::storage
