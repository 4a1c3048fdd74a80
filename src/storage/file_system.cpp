#include "storage/file_system.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gyre::storage {

namespace {

constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

Result<void> check(int outcome, std::string_view what, const std::string& name) {
    if (outcome != 0) {
        return errno_error(std::string(what) + " '" + name + "'", errno);
    }
    return {};
}

int flags_of(OpenMode mode) {
    const int common = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    switch (mode) {
        case OpenMode::read:
            return common | O_RDONLY;
        case OpenMode::create_new:
            return common | O_RDWR | O_CREAT | O_EXCL;
        case OpenMode::read_write:
            return common | O_RDWR;
    }
    return common;
}

}  // namespace

Result<Fd> PosixFileSystem::open_file(const Fd& folder, const std::string& name, OpenMode mode) {
    Fd fd(::openat(folder.get(), name.c_str(), flags_of(mode), 0644));
    struct stat status{};
    if (!fd.valid() || ::fstat(fd.get(), &status) != 0) {
        return errno_error("open '" + name + "'", errno);
    }
    if (!S_ISREG(status.st_mode)) {
        return not_found("open '" + name + "': not a file");
    }
    return fd;
}

Result<void> PosixFileSystem::write(const Fd& file, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t wrote = ::write(file.get(), bytes.data(), bytes.size());
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote < 0) {
            return errno_error("write", errno);
        }
        bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return {};
}

Result<std::size_t> PosixFileSystem::read_at(const Fd& file, std::uint64_t offset, std::span<char> out) {
    std::size_t done = 0;
    while (done < out.size()) {
        const ssize_t got =
            ::pread(file.get(), out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return errno_error("read", errno);
        }
        if (got == 0) {
            break;
        }
        done += static_cast<std::size_t>(got);
    }
    return done;
}

Result<void> PosixFileSystem::truncate(const Fd& file, std::uint64_t size) {
    GYRE_TRY_VOID(check(::ftruncate(file.get(), static_cast<off_t>(size)), "truncate", "file"));
    return check(::lseek(file.get(), static_cast<off_t>(size), SEEK_SET) < 0 ? -1 : 0, "seek in", "file");
}

Result<void> PosixFileSystem::sync_file(const Fd& file) {
    return check(::fdatasync(file.get()), "sync", "file");
}

Result<void> PosixFileSystem::sync_folder(const Fd& folder) {
    return check(::fsync(folder.get()), "sync", "folder");
}

Result<void> PosixFileSystem::rename(const Fd& from_folder, const std::string& from, const Fd& to_folder,
                                     const std::string& to) {
    return check(::renameat(from_folder.get(), from.c_str(), to_folder.get(), to.c_str()), "rename to", to);
}

Result<void> PosixFileSystem::unlink(const Fd& folder, const std::string& name) {
    return check(::unlinkat(folder.get(), name.c_str(), 0), "remove", name);
}

Result<void> PosixFileSystem::make_folder(const Fd& folder, const std::string& name) {
    return check(::mkdirat(folder.get(), name.c_str(), 0755), "create folder", name);
}

Result<void> PosixFileSystem::remove_folder(const Fd& folder, const std::string& name) {
    return check(::unlinkat(folder.get(), name.c_str(), AT_REMOVEDIR), "remove folder", name);
}

FileSystem& posix_file_system() {
    static PosixFileSystem files;
    return files;
}

Result<Fd> open_folder(const std::string& path) {
    Fd fd(::open(path.c_str(), kFolderFlags));
    if (!fd.valid()) {
        return errno_error("open folder '" + path + "'", errno);
    }
    return fd;
}

Result<std::vector<std::string>> folder_entries(const Fd& folder, std::size_t entries_max) {
    const int copy = ::openat(folder.get(), ".", kFolderFlags);
    DIR* stream = copy < 0 ? nullptr : ::fdopendir(copy);
    if (stream == nullptr) {
        return errno_error("list folder", errno);
    }
    const std::unique_ptr<DIR, int (*)(DIR*)> closer(stream, &::closedir);
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(stream)) {  // NOLINT(concurrency-mt-unsafe): the stream is ours
        const std::string_view name = entry->d_name;
        if (name == "." || name == "..") {
            continue;
        }
        if (names.size() >= entries_max) {
            return resource_exhausted("a folder has more than " + std::to_string(entries_max) + " entries");
        }
        names.emplace_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace gyre::storage
