#include "server/data_folder.h"

#include <filesystem>
#include <unistd.h>

#include <gtest/gtest.h>

namespace gyre::server {
namespace {

TEST(DataFolder, belongs_to_one_server_at_a_time) {
    const std::string path = ::testing::TempDir() + "/data_" + std::to_string(::getpid()) + "/deep";
    {
        const auto first = DataFolder::open(path);
        ASSERT_TRUE(first);
        EXPECT_EQ(read_file(path + "/format").value_or(""), "1\n");
        const auto second = DataFolder::open(path);
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().code(), ErrorCode::conflict);
    }
    EXPECT_TRUE(DataFolder::open(path));
    std::filesystem::remove_all(path);
}

TEST(DataFolder, a_relative_path_becomes_absolute) {
    const std::string root = ::testing::TempDir() + "/relative_" + std::to_string(::getpid());
    ASSERT_TRUE(make_directories(root));
    const std::string relative = std::filesystem::relative(root + "/data").string();
    const auto folder = DataFolder::open(relative);
    ASSERT_TRUE(folder);
    EXPECT_EQ(folder->path(), std::filesystem::canonical(root).string() + "/data");
    std::filesystem::remove_all(root);
}

TEST(DataFolder, a_newer_or_damaged_format_is_refused) {
    const std::string path = ::testing::TempDir() + "/format_" + std::to_string(::getpid());
    ASSERT_TRUE(make_directories(path));
    ASSERT_TRUE(write_file_atomic(path + "/format", "2\n"));
    const auto newer = DataFolder::open(path);
    ASSERT_FALSE(newer);
    EXPECT_EQ(newer.error().code(), ErrorCode::conflict);
    ASSERT_TRUE(write_file_atomic(path + "/format", "x"));
    const auto damaged = DataFolder::open(path);
    ASSERT_FALSE(damaged);
    EXPECT_EQ(damaged.error().code(), ErrorCode::data_loss);
    std::filesystem::remove_all(path);
}

}  // namespace
}  // namespace gyre::server
