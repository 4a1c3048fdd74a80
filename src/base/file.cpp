#include "base/file.h"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#include "base/no_space.h"

namespace gyre {

void Fd::reset() {
    if (fd_ >= 0) {
        ::close(fd_);
        fd_ = -1;
    }
}

Error errno_error(std::string_view what, int error_number) {
    ErrorCode code = ErrorCode::unavailable;
    if (error_number == ENOENT || error_number == ENOTDIR) {
        code = ErrorCode::not_found;
    } else if (error_number == EACCES || error_number == EPERM) {
        code = ErrorCode::permission_denied;
    } else if (error_number == ENOSPC || error_number == EDQUOT || error_number == EMFILE) {
        code = ErrorCode::resource_exhausted;
    } else if (error_number == EEXIST) {
        code = ErrorCode::already_exists;
    }
    char buffer[128];
    std::string message = std::string(what) + ": " + ::strerror_r(error_number, buffer, sizeof buffer);
    if (error_number == ENOSPC || error_number == EDQUOT) {
        message += kNoSpaceAdvice;
    } else if (error_number == EMFILE) {
        message += "; raise the limit of open files (ulimit -n)";
    }
    return {code, std::move(message)};
}

Result<std::string> read_file(const std::string& path, std::uint64_t bytes_max) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status{};
    if (!fd.valid() || ::fstat(fd.get(), &status) != 0) {
        return errno_error("read '" + path + "'", errno);
    }
    if (S_ISDIR(status.st_mode)) {
        return invalid_argument("read '" + path + "': is a directory");
    }
    std::string bytes;
    bytes.reserve(static_cast<std::size_t>(status.st_size) + 1);
    char block[65536];
    for (;;) {
        const ssize_t got = ::read(fd.get(), block, sizeof block);
        if (got == 0) {
            return bytes;
        }
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return errno_error("read '" + path + "'", errno);
        }
        bytes.append(block, static_cast<std::size_t>(got));
        if (bytes.size() > bytes_max) {
            return resource_exhausted("read '" + path + "': larger than the limit of " +
                                      std::to_string(bytes_max) + " bytes");
        }
    }
}

namespace {

Result<void> write_all(int fd, std::string_view bytes, const std::string& path) {
    while (!bytes.empty()) {
        const ssize_t wrote = ::write(fd, bytes.data(), bytes.size());
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote < 0) {
            return errno_error("write '" + path + "'", errno);
        }
        bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return {};
}

}  // namespace

Result<void> sync_directory(const std::string& path) {
    const Fd fd(::open(path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd.valid() || ::fsync(fd.get()) != 0) {
        return errno_error("sync folder '" + path + "'", errno);
    }
    return {};
}

Result<void> write_file_atomic(const std::string& path, std::string_view bytes) {
    static std::atomic<std::uint64_t> serial{0};
    const std::string temporary =
        path + ".tmp" + std::to_string(::getpid()) + "." + std::to_string(serial.fetch_add(1));
    Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!fd.valid()) {
        return errno_error("create '" + temporary + "'", errno);
    }
    Result<void> done = write_all(fd.get(), bytes, temporary);
    if (done && ::fsync(fd.get()) != 0) {
        done = errno_error("sync '" + temporary + "'", errno);
    }
    fd.reset();
    if (done && ::rename(temporary.c_str(), path.c_str()) != 0) {
        done = errno_error("rename to '" + path + "'", errno);
    }
    if (!done) {
        ::unlink(temporary.c_str());
        return done;
    }
    return sync_directory(std::filesystem::path(path).parent_path().string());
}

Result<void> make_directories(const std::string& path) {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) {
        return errno_error("create folder '" + path + "'", error.value());
    }
    return {};
}

}  // namespace gyre
