#include "inference/repository.h"

#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"

namespace gyre::inference {
namespace {

namespace fs = std::filesystem;

class RepositoryTest : public testing::Test {
 protected:
    RepositoryTest() {
        std::string pattern = (fs::temp_directory_path() / "gyre_repository_XXXXXX").string();
        outside_ = mkdtemp(pattern.data());
        root_ = fs::canonical(outside_) / "models";
    }
    ~RepositoryTest() override {
        std::error_code ec;
        fs::remove_all(outside_, ec);
    }
    void put(const std::string& file) const {
        fs::create_directories((root_ / file).parent_path());
        std::ofstream(root_ / file) << "{}";
    }
    fs::path outside_;
    fs::path root_;
};

TEST_F(RepositoryTest, ListsModelsByNameAndNumericVersion) {
    put("flights/10/model.json");
    put("flights/9/model.ubj");
    put("adult/1/MLmodel");
    put("adult/1/model.ubj");
    put("notes.txt");
    put(".hidden/1/model.json");
    const auto listing = scan_repository(root_.string());
    ASSERT_TRUE(listing);
    EXPECT_THAT(listing->problems, testing::IsEmpty());
    ASSERT_EQ(listing->models.size(), 3U);
    EXPECT_EQ(listing->models[0].key.str(), "adult/1");
    EXPECT_EQ(listing->models[0].path, (root_ / "adult/1").string());
    EXPECT_EQ(listing->models[1].path, (root_ / "flights/9/model.ubj").string());
    EXPECT_EQ(listing->models[2].key.version, 10);
    EXPECT_EQ(listing->models[2].key.source, ModelSource::repository);
}

TEST_F(RepositoryTest, SaysWhyAnEntryIsLeftOut) {
    put("a/one/model.json");
    put("a/01/model.json");
    put("a/0/model.json");
    put("a/2/other.bin");
    put("b@d/1/model.json");
    const auto listing = scan_repository(root_.string());
    ASSERT_TRUE(listing);
    EXPECT_TRUE(listing->models.empty());
    EXPECT_EQ(listing->problems.size(), 5U);
    EXPECT_THAT(listing->problems, testing::Contains(testing::HasSubstr("'a/2': holds no MLmodel")));
}

TEST_F(RepositoryTest, LeavesOutLinksThatLeadOut) {
    put("good/1/model.json");
    fs::create_directories(outside_ / "secret/1");
    std::ofstream(outside_ / "secret/1/model.json") << "{}";
    fs::create_directory_symlink(outside_ / "secret", root_ / "evil");
    fs::create_directories(root_ / "sly/1");
    fs::create_symlink(outside_ / "secret/1/model.json", root_ / "sly/1/model.json");
    const auto listing = scan_repository(root_.string());
    ASSERT_TRUE(listing);
    ASSERT_EQ(listing->models.size(), 1U);
    EXPECT_EQ(listing->models[0].key.name, "good");
    EXPECT_THAT(listing->problems, testing::Each(testing::HasSubstr("leaves the repository")));
    EXPECT_EQ(listing->problems.size(), 2U);
}

TEST_F(RepositoryTest, BoundsTheScanAndNeedsAFolder) {
    EXPECT_EQ(scan_repository(root_.string()).error().code(), ErrorCode::not_found);
    fs::create_directories(root_);
    for (std::size_t i = 0; i <= kRepositoryEntriesMax; ++i) {
        std::ofstream(root_ / std::to_string(i));
    }
    EXPECT_EQ(scan_repository(root_.string()).error().code(), ErrorCode::resource_exhausted);
}

}  // namespace
}  // namespace gyre::inference
