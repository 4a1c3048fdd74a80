#pragma once
// What the module's tests share.
#include <filesystem>
#include <string>

#include "base/id.h"
#include "monitoring/score_store.h"

namespace gyre::monitoring {

struct TempDir {
    std::string path = (std::filesystem::temp_directory_path() / ("gyre-mon-" + make_hex_id())).string();
    TempDir() { std::filesystem::create_directories(path); }
    ~TempDir() { std::filesystem::remove_all(path); }
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
};

}  // namespace gyre::monitoring
