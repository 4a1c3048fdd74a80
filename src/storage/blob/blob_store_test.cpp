#include "storage/blob/blob_store.h"

#include <thread>

#include <gtest/gtest.h>

#include "storage/blob/blob_path.h"
#include "storage/testing.h"

namespace gyre::storage {
namespace {

class BlobStoreTest : public ::testing::Test {
 protected:
    std::unique_ptr<BlobStore> open() {
        auto store = BlobStore::open(folder_.file("blobs"), files_);
        EXPECT_TRUE(store) << store.error().message();
        return *std::move(store);
    }
    TempFolder folder_;
    FaultyFileSystem files_;
};

TEST_F(BlobStoreTest, what_was_put_is_read_listed_and_removed) {
    auto store = open();
    ASSERT_TRUE(store->put("0/run/model/MLmodel", "flavors"));
    ASSERT_TRUE(store->put("0/run/plot.png", std::string("\0\1", 2)));
    EXPECT_EQ(*store->get("0/run/model/MLmodel"), "flavors");
    EXPECT_EQ(store->get("0/run/plot.png")->size(), 2U);
    auto entries = store->list("0/run");
    ASSERT_EQ(entries->size(), 2U);
    EXPECT_TRUE(entries->at(0).is_folder);
    EXPECT_EQ(entries->at(1).name, "plot.png");
    EXPECT_EQ(entries->at(1).size_bytes, 2U);
    ASSERT_TRUE(store->remove("0/run"));
    EXPECT_EQ(store->stat("0/run").error().code(), ErrorCode::not_found);
    EXPECT_EQ(store->list("0/run").error().code(), ErrorCode::not_found);
    EXPECT_EQ(store->remove("0/run").error().code(), ErrorCode::not_found);
    EXPECT_EQ(store->list("")->size(), 1U);  // "0"; the folder for temporaries is not shown
}

TEST_F(BlobStoreTest, a_writer_that_is_not_committed_leaves_nothing) {
    auto store = open();
    {
        auto writer = store->writer("a/b");
        ASSERT_TRUE(writer);
        ASSERT_TRUE(writer->write("half"));
    }
    EXPECT_EQ(store->get("a/b").error().code(), ErrorCode::not_found);
    EXPECT_TRUE(folder_entries(*open_folder(folder_.file("blobs/.gyre-incoming")), 10)->empty());
}

TEST_F(BlobStoreTest, a_range_reads_only_its_bytes) {
    auto store = open();
    ASSERT_TRUE(store->put("x", "0123456789"));
    auto reader = store->reader("x", {.offset = 3, .length = 4});
    ASSERT_TRUE(reader);
    EXPECT_EQ(reader->range_bytes(), 4U);
    std::string out(10, ' ');
    EXPECT_EQ(*reader->read(out), 4U);
    EXPECT_EQ(out.substr(0, 4), "3456");
    EXPECT_EQ(*reader->read(out), 0U);
    EXPECT_EQ(store->reader("x", {.offset = 10})->range_bytes(), 0U);
    EXPECT_EQ(store->reader("x", {.offset = 11}).error().code(), ErrorCode::invalid_argument);
    EXPECT_EQ(store->get("x", 9).error().code(), ErrorCode::resource_exhausted);
}

TEST_F(BlobStoreTest, paths_that_could_escape_are_refused) {
    auto store = open();
    std::string deep = "a";
    for (std::size_t i = 0; i < kBlobDepthMax; ++i) {
        deep += "/a";
    }
    const std::vector<std::string> bad = {"",
                                          "/etc/passwd",
                                          "..",
                                          "a/../b",
                                          "a/./b",
                                          "a//b",
                                          "a/",
                                          "a\\b",
                                          std::string("a\0b", 3),
                                          "a\nb",
                                          ".gyre-incoming/x",
                                          deep,
                                          std::string(kBlobNameBytesMax + 1, 'a'),
                                          std::string(kBlobPathBytesMax + 1, 'a')};
    for (const std::string& path : bad) {
        EXPECT_EQ(store->put(path, "x").error().code(), ErrorCode::invalid_argument) << path;
        EXPECT_FALSE(store->get(path)) << path;
        EXPECT_FALSE(store->remove(path)) << path;
    }
    EXPECT_TRUE(store->put("a b/%2e%2e/c..d", "x"));  // decoding is the router's work, done once
}

TEST_F(BlobStoreTest, symbolic_links_are_not_followed) {
    auto store = open();
    ASSERT_TRUE(store->put("in/file", "x"));
    std::filesystem::create_directory_symlink("/etc", folder_.file("blobs/out"));
    std::filesystem::create_symlink("/etc/passwd", folder_.file("blobs/in/link"));
    for (const char* path : {"out/passwd", "in/link"}) {
        EXPECT_FALSE(store->get(path)) << path;
    }
    EXPECT_FALSE(store->list("out"));
    EXPECT_FALSE(store->put("out/file", "x"));
    EXPECT_EQ(store->list("in")->size(), 1U);
    const Fd root = *open_folder(folder_.file("blobs"));
    EXPECT_FALSE(detail::open_folder_by_parts(root, "out"));
    EXPECT_FALSE(detail::open_folder_by_parts(root, "in/link"));
    EXPECT_TRUE(detail::open_folder_by_parts(root, "in"));
}

TEST_F(BlobStoreTest, files_and_folders_do_not_replace_each_other) {
    auto store = open();
    ASSERT_TRUE(store->put("a", "file"));
    EXPECT_EQ(store->put("a/b", "x").error().code(), ErrorCode::conflict);
    ASSERT_TRUE(store->put("c/d", "x"));
    EXPECT_EQ(store->put("c", "x").error().code(), ErrorCode::conflict);
    EXPECT_EQ(*store->get("a"), "file");
}

TEST_F(BlobStoreTest, a_full_disk_is_resource_exhausted_and_shows_nothing) {
    auto store = open();
    files_.bytes_left(3);
    EXPECT_EQ(store->put("a", "12345").error().code(), ErrorCode::resource_exhausted);
    EXPECT_EQ(store->get("a").error().code(), ErrorCode::not_found);
    files_.bytes_left(100);
    EXPECT_TRUE(store->put("a", "12345"));
}

TEST_F(BlobStoreTest, no_room_for_an_entry_is_resource_exhausted_and_keeps_what_was_there) {
    auto store = open();
    ASSERT_TRUE(store->put("run/a", "before"));
    for (std::int64_t left = 0; left < 3; ++left) {  // no file; a file but no folder; one folder of two
        files_.entries_left(left);
        EXPECT_EQ(store->put("new" + std::to_string(left) + "/deep/b", "x").error().code(),
                  ErrorCode::resource_exhausted)
            << left;
    }
    files_.entries_left(1);
    ASSERT_TRUE(store->put("run/a", "after"));  // replaces: no entry but the temporary's
    files_.entries_left(1000);
    EXPECT_EQ(*store->get("run/a"), "after");
    ASSERT_TRUE(store->put("new2/deep/b", "y"));
    store.reset();
    files_.power_cut(11);
    store = open();
    EXPECT_EQ(*store->get("run/a"), "after");
    EXPECT_EQ(*store->get("new2/deep/b"), "y");
}

TEST_F(BlobStoreTest, a_power_cut_keeps_every_acknowledged_blob_whole) {
    for (std::uint64_t tail = 0; tail < 8; ++tail) {
        const std::string run = "run" + std::to_string(tail);
        {
            auto store = open();
            for (int i = 0; i < 5; ++i) {
                ASSERT_TRUE(store->put(run + "/f" + std::to_string(i), std::string(1000, 'x')));
            }
            ASSERT_TRUE(store->put(run + "/f0", "second"));
            files_.fail_syncs(true);
            EXPECT_FALSE(store->put(run + "/f1", "never acknowledged"));
            EXPECT_FALSE(store->put(run + "/new/f", "never acknowledged"));
            files_.fail_syncs(false);
            auto unfinished = store->writer(run + "/g");
            ASSERT_TRUE(unfinished->write("half"));
        }
        files_.power_cut(tail * 37);
        auto store = open();
        EXPECT_EQ(*store->get(run + "/f0"), "second");
        for (int i = 1; i < 5; ++i) {
            EXPECT_EQ(store->get(run + "/f" + std::to_string(i))->size(), 1000U) << i;
        }
        EXPECT_FALSE(store->get(run + "/g"));
    }
}

TEST_F(BlobStoreTest, many_writers_of_one_path_leave_one_whole_blob) {
    auto store = open();
    std::vector<std::thread> threads;
    for (char c = 'a'; c < 'e'; ++c) {
        threads.emplace_back([&, c] {
            for (int i = 0; i < 20; ++i) {
                EXPECT_TRUE(store->put("deep/er/x", std::string(4096, c)));
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    const std::string bytes = *store->get("deep/er/x");
    EXPECT_EQ(bytes, std::string(4096, bytes[0]));
}

}  // namespace
}  // namespace gyre::storage
