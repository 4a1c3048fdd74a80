#pragma once
// The data folder: one server at a time (flock on DIR/lock), one format version (DIR/format), for its owner
// alone.
#include <string>

#include "base/file.h"
#include "base/result.h"

namespace gyre::server {

inline constexpr int kDataFormat = 1;

/// Holds the lock while alive.
class DataFolder {
 public:
    /// Makes the folder when missing and takes the rights of group and others from it, but from nothing in
    /// it. From now on what the process and its children create is for their user alone (0600, 0700): call it
    /// before there are threads. Errors: conflict (another server has it, or a newer format),
    /// data_loss (unreadable format file), unavailable.
    static Result<DataFolder> open(const std::string& path);
    /// Absolute: what is stored of it must hold wherever a child process starts.
    [[nodiscard]] const std::string& path() const { return path_; }

 private:
    std::string path_;
    Fd lock_;
};

}  // namespace gyre::server
