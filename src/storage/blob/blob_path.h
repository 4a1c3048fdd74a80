#pragma once
// Resolving checked paths beneath a root. Private to storage/blob.
#include <string>
#include <string_view>

#include "base/file.h"

namespace gyre::storage {

struct SplitPath {
    std::string_view parent;  // "" for the root
    std::string name;
};
SplitPath split_path(std::string_view path);

/// Opens the folder `path` (checked; "" is the root itself) beneath `root`, following no symbolic link.
Result<Fd> open_folder_beneath(const Fd& root, std::string_view path);

namespace detail {
/// What open_folder_beneath does on a kernel without openat2.
Result<Fd> open_folder_by_parts(const Fd& root, std::string_view path);
}  // namespace detail

}  // namespace gyre::storage
