#pragma once
// A folder of its own for each test, and a session in it.
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/id.h"
#include "table/session.h"

namespace gyre::table {

class TableTest : public ::testing::Test {
 protected:
    void SetUp() override { std::filesystem::create_directories(folder_); }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::string write(const std::string& name, std::string_view bytes) {
        const std::string path = folder_ + "/" + name;
        std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
        return path;
    }
    SessionOptions options() const {
        SessionOptions out;
        out.engine.temp_directory = folder_ + "/temp";
        out.engine.memory_bytes = 256LL << 20;
        out.output_directory = folder_ + "/out";
        std::filesystem::create_directories(out.output_directory);
        return out;
    }
    std::unique_ptr<Session> open() { return open(options()); }
    static std::unique_ptr<Session> open(const SessionOptions& with) {
        auto session = Session::open(with, system_clock());
        EXPECT_TRUE(session) << (session ? "" : session.error().message());
        return session ? *std::move(session) : nullptr;
    }

    const std::string folder_ =
        (std::filesystem::temp_directory_path() / ("gyre-table-" + make_hex_id())).string();
};

}  // namespace gyre::table
