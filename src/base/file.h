#pragma once
// Files with bounds and Results. Paths are the caller's own; untrusted ones go through storage/blob.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gyre {

/// An open file descriptor that closes itself.
class Fd {
 public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    ~Fd() { reset(); }
    Fd(Fd&& other) noexcept : fd_(other.release()) {}
    Fd& operator=(Fd&& other) noexcept {
        if (this != &other) {
            reset();
            fd_ = other.release();
        }
        return *this;
    }
    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] bool valid() const { return fd_ >= 0; }
    int release() {
        const int fd = fd_;
        fd_ = -1;
        return fd;
    }
    void reset();

 private:
    int fd_ = -1;
};

inline constexpr std::uint64_t kReadFileBytesMax = 1ULL << 30U;

/// The whole file. Errors: not_found, resource_exhausted above `bytes_max`, unavailable.
Result<std::string> read_file(const std::string& path, std::uint64_t bytes_max = kReadFileBytesMax);
/// Replaces the file: a temporary beside it, fsync, rename, fsync of the folder.
Result<void> write_file_atomic(const std::string& path, std::string_view bytes);
Result<void> make_directories(const std::string& path);
/// Flushes a folder's entries to the disk.
Result<void> sync_directory(const std::string& path);

/// What the last failed system call says, as an Error: "open 'x': No such file or directory".
Error errno_error(std::string_view what, int error_number);

}  // namespace gyre
