#pragma once
// TempDirectory: a folder of this process that goes away with it.
#include <string>

#include "base/result.h"

namespace gyre::cli {

class TempDirectory {
 public:
    /// A new folder in `parent`; "" means the system's place for such.
    static Result<TempDirectory> create(const std::string& parent = "");
    /// Removes the folder and all in it.
    ~TempDirectory();
    TempDirectory(TempDirectory&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
    TempDirectory& operator=(TempDirectory&&) = delete;
    TempDirectory(const TempDirectory&) = delete;
    TempDirectory& operator=(const TempDirectory&) = delete;

    [[nodiscard]] const std::string& path() const { return path_; }

 private:
    explicit TempDirectory(std::string path) : path_(std::move(path)) {}
    std::string path_;
};

}  // namespace gyre::cli
