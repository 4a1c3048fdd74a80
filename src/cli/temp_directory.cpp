#include "cli/temp_directory.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "base/file.h"

namespace gyre::cli {

Result<TempDirectory> TempDirectory::create(const std::string& parent) {
    std::error_code failure;
    std::string path = parent.empty() ? std::filesystem::temp_directory_path(failure).string() : parent;
    if (failure) {
        return unavailable("find a folder for temporary files: " + failure.message());
    }
    path += "/.gyre-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) {
        return errno_error("make a temporary folder '" + path + "'", errno);
    }
    return TempDirectory(std::move(path));
}

TempDirectory::~TempDirectory() {
    if (!path_.empty()) {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
}

}  // namespace gyre::cli
