#include "storage/log/segment_log.h"

#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "storage/testing.h"

namespace gyre::storage {
namespace {

class SegmentLogTest : public ::testing::Test {
 protected:
    std::unique_ptr<SegmentLog> open(const SegmentLogOptions& options = {}) {
        auto log = SegmentLog::open(folder_.file("log"), options, files_);
        EXPECT_TRUE(log) << log.error().message();
        return *std::move(log);
    }
    static std::vector<std::string> all(const SegmentLog& log) {
        std::vector<std::string> out;
        for (LogPosition at = log.begin();;) {
            auto page = log.read(at, 7);
            EXPECT_TRUE(page) << page.error().message();
            if (!page || page->records.empty()) {
                return out;
            }
            for (auto& record : page->records) {
                out.push_back(std::move(record.payload));
            }
            at = page->next;
        }
    }
    TempFolder folder_;
    FaultyFileSystem files_;
};

TEST_F(SegmentLogTest, records_come_back_in_order_over_segments_and_restarts) {
    std::vector<std::string> expected;
    {
        auto log = open({.segment_bytes_max = 100});
        for (int i = 0; i < 50; ++i) {
            expected.push_back("record " + std::to_string(i));
            ASSERT_TRUE(log->append(expected.back()));
        }
        EXPECT_EQ(all(*log), expected);
        EXPECT_GT(log->segments().size(), 5U);
    }
    auto log = open({.segment_bytes_max = 100});
    EXPECT_EQ(log->recovered_cut_bytes(), 0U);
    expected.emplace_back("after");
    ASSERT_TRUE(log->append("after"));
    EXPECT_EQ(all(*log), expected);
}

TEST_F(SegmentLogTest, the_bounds_of_a_record_hold) {
    auto log = open({.record_bytes_max = 10});
    EXPECT_EQ(log->append("").error().code(), ErrorCode::invalid_argument);
    EXPECT_TRUE(log->append("0123456789"));
    EXPECT_EQ(log->append("0123456789x").error().code(), ErrorCode::invalid_argument);
    EXPECT_EQ(all(*log).size(), 1U);
}

TEST_F(SegmentLogTest, a_page_is_bounded_in_bytes) {
    auto log = open();
    const std::string large(kLogReadBytesMax / 2 + 1, 'x');
    for (int i = 0; i < 4; ++i) {
        ASSERT_TRUE(log->append_nosync(large));
    }
    EXPECT_EQ(log->read(0, 100)->records.size(), 2U);
}

// Cuts the power at many places; garbage of every length may follow what was synced.
TEST_F(SegmentLogTest, a_power_cut_loses_nothing_acknowledged_and_corrupts_nothing) {
    Rng rng(7);
    std::vector<std::string> acknowledged;
    for (int round = 0; round < 30; ++round) {
        {
            auto log = open({.segment_bytes_max = 2000});
            const auto seen = all(*log);
            ASSERT_GE(seen.size(), acknowledged.size());
            ASSERT_TRUE(std::equal(acknowledged.begin(), acknowledged.end(), seen.begin()));
            acknowledged = seen;
            for (std::uint64_t i = rng.below(20); i > 0; --i) {
                acknowledged.push_back(
                    std::string(1 + rng.below(300), static_cast<char>('a' + rng.below(26))));
                ASSERT_TRUE(log->append(acknowledged.back()));
            }
            files_.fail_syncs(true);  // what follows never reaches the disk
            for (std::uint64_t i = rng.below(5); i > 0; --i) {
                static_cast<void>(log->append_nosync(std::string(1 + rng.below(300), 'z')));
            }
        }
        files_.power_cut(rng.next());
        files_.fail_syncs(false);
        auto log = open({.segment_bytes_max = 2000});
        ASSERT_EQ(all(*log), acknowledged) << round;
    }
}

TEST_F(SegmentLogTest, a_torn_record_is_cut_and_the_place_is_used_again) {
    {
        auto log = open();
        ASSERT_TRUE(log->append("whole"));
        ASSERT_TRUE(log->append("torn soon"));
    }
    const std::string path = folder_.file("log/0000000000000000.log");
    std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
    auto log = open();
    EXPECT_EQ(log->recovered_cut_bytes(), 16U);  // 8 of header + 8 of 9 bytes
    ASSERT_TRUE(log->append("next"));
    EXPECT_EQ(all(*log), (std::vector<std::string>{"whole", "next"}));
}

TEST_F(SegmentLogTest, damage_in_a_sealed_segment_is_data_loss) {
    auto log = open();
    ASSERT_TRUE(log->append("first"));
    ASSERT_TRUE(log->seal());
    ASSERT_TRUE(log->append("second"));
    const std::string path = log->segments().front().path;
    EXPECT_TRUE(log->segments().front().sealed);
    std::string bytes = *read_file(path);
    bytes.back() = '?';
    ASSERT_TRUE(write_file_atomic(path, bytes));
    EXPECT_EQ(log->read(0, 10).error().code(), ErrorCode::data_loss);
}

TEST_F(SegmentLogTest, a_full_disk_refuses_and_the_log_goes_on_when_there_is_room) {
    auto log = open();
    ASSERT_TRUE(log->append("before"));
    files_.bytes_left(12);
    EXPECT_EQ(log->append("too long for the disk").error().code(), ErrorCode::resource_exhausted);
    files_.bytes_left(1000);
    ASSERT_TRUE(log->append("after"));
    EXPECT_EQ(all(*log), (std::vector<std::string>{"before", "after"}));
    log.reset();
    EXPECT_EQ(all(*open()), (std::vector<std::string>{"before", "after"}));
}

TEST_F(SegmentLogTest, no_room_for_a_new_segment_refuses_and_loses_nothing) {
    const SegmentLogOptions options{.segment_bytes_max = 60};
    std::vector<std::string> acknowledged;
    auto log = open(options);
    files_.entries_left(2);
    for (int i = 0; i < 40; ++i) {
        const std::string record = "record " + std::to_string(i);
        auto appended = log->append(record);
        if (appended) {
            acknowledged.push_back(record);
        } else {
            EXPECT_EQ(appended.error().code(), ErrorCode::resource_exhausted);
            EXPECT_NE(appended.error().message().find("free some space"), std::string::npos);
        }
        if (i == 30) {
            files_.entries_left(1000);
        }
    }
    EXPECT_GT(acknowledged.size(), 10U);
    EXPECT_LT(acknowledged.size(), 40U);
    EXPECT_EQ(acknowledged.back(), "record 39");
    EXPECT_EQ(all(*log), acknowledged);
    log.reset();
    files_.power_cut(5);
    EXPECT_EQ(all(*open(options)), acknowledged);
}

TEST_F(SegmentLogTest, after_a_failed_sync_nothing_is_acknowledged_until_it_is_opened_again) {
    auto log = open();
    ASSERT_TRUE(log->append("kept"));
    files_.fail_syncs(true);
    EXPECT_FALSE(log->append("lost"));
    files_.fail_syncs(false);
    EXPECT_EQ(log->append("also refused").error().code(), ErrorCode::unavailable);
    log.reset();
    files_.power_cut(3);
    EXPECT_EQ(all(*open()), std::vector<std::string>{"kept"});
}

TEST_F(SegmentLogTest, appenders_that_wait_together_share_syncs) {
    auto log = open();
    const int before = files_.syncs();
    std::vector<std::thread> threads;
    for (int t = 0; t < 16; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 50; ++i) {
                EXPECT_TRUE(log->append(std::to_string(t) + ":" + std::to_string(i)));
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    const auto records = all(*log);
    EXPECT_EQ(std::set<std::string>(records.begin(), records.end()).size(), 800U);
    EXPECT_LT(files_.syncs() - before, 800);
}

TEST_F(SegmentLogTest, retention_removes_sealed_segments_only) {
    auto log = open({.segment_bytes_max = 64});
    for (int i = 0; i < 20; ++i) {
        ASSERT_TRUE(log->append("record of some length " + std::to_string(i)));
    }
    const LogPosition keep_from = log->segments().at(3).begin;
    EXPECT_EQ(*log->remove_before(keep_from), 3U);
    EXPECT_EQ(log->begin(), keep_from);
    EXPECT_EQ(log->read(0, 1).error().code(), ErrorCode::not_found);
    EXPECT_TRUE(log->read(keep_from, 1));
    static_cast<void>(*log->remove_before(log->end()));
    EXPECT_EQ(log->segments().size(), 1U);
    EXPECT_TRUE(log->append("still works"));
}

}  // namespace
}  // namespace gyre::storage
