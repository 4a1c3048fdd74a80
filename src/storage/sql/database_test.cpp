#include "storage/sql/database.h"

#include <atomic>
#include <filesystem>
#include <future>
#include <limits>
#include <thread>

#include <gtest/gtest.h>

#include "storage/testing.h"

namespace gyre::storage {
namespace {

constexpr Migration kTable[] = {
    {1, "things", "CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT UNIQUE, x REAL)"}};

class DatabaseTest : public ::testing::Test {
 protected:
    std::unique_ptr<Database> open(const DatabaseOptions& options = {}) {
        auto opened = Database::open(folder_.file("x.db"), kTable, options);
        EXPECT_TRUE(opened) << opened.error().message();
        return *std::move(opened);
    }
    static Result<std::int64_t> insert(Transaction& tx, std::string_view name) {
        GYRE_TRY_VOID(tx.run("INSERT INTO things (name) VALUES (?)", name));
        return tx.last_insert_id();
    }
    static Result<std::int64_t> level(Transaction& tx) {
        GYRE_TRY(Statement row, tx.query("PRAGMA synchronous"));
        GYRE_TRY_VOID(row.step());
        return row.integer(0);
    }
    static std::int64_t count(Database& database) {
        return *database.read([](Reader& reader) -> Result<std::int64_t> {
            GYRE_TRY(Statement row, reader.query("SELECT count(*) FROM things"));
            GYRE_TRY_VOID(row.step());
            return row.integer(0);
        });
    }
    TempFolder folder_;
};

TEST_F(DatabaseTest, what_a_write_returned_is_read_back_by_a_new_process) {
    {
        auto database = open();
        EXPECT_EQ(*database->write([](Transaction& tx) { return insert(tx, "a"); }), 1);
    }
    EXPECT_EQ(count(*open()), 1);
}

TEST_F(DatabaseTest, a_write_is_as_durable_as_it_asks_to_be) {
    auto database = open();
    constexpr std::int64_t kNormal = 1;
    constexpr std::int64_t kFull = 2;
    EXPECT_EQ(*database->write(level), kFull);
    EXPECT_EQ(*database->write(level, Durability::kill), kNormal);
    EXPECT_EQ(*database->write(level, Durability::kill), kNormal);
    EXPECT_EQ(*database->write(level), kFull);
    ASSERT_TRUE(database->write([](Transaction& tx) { return insert(tx, "a"); }, Durability::kill));
    // What a killed process leaves: the files as they are, nothing closed.
    std::filesystem::copy(folder_.file("x.db"), folder_.file("killed.db"));
    std::filesystem::copy(folder_.file("x.db-wal"), folder_.file("killed.db-wal"));
    EXPECT_EQ(count(**Database::open(folder_.file("killed.db"), kTable)), 1);
}

TEST_F(DatabaseTest, a_batch_is_as_durable_as_its_strictest_write) {
    auto database = open();
    std::promise<void> started;
    std::promise<void> go;
    auto first = std::async(std::launch::async, [&] {
        return database->write([&](Transaction&) -> Result<std::int64_t> {
            started.set_value();
            go.get_future().wait();
            return 0;
        });
    });
    started.get_future().wait();
    std::vector<std::future<Result<std::int64_t>>> writes;
    for (const Durability durability : {Durability::kill, Durability::power_failure}) {
        writes.push_back(
            std::async(std::launch::async, [&, durability] { return database->write(level, durability); }));
    }
    while (database->stats().queued < writes.size()) {
        std::this_thread::yield();
    }
    go.set_value();
    EXPECT_TRUE(first.get());
    for (auto& write : writes) {
        EXPECT_EQ(*write.get(), 2);
    }
}

TEST_F(DatabaseTest, an_error_undoes_its_own_closure_only) {
    auto database = open();
    // All wait for the first, so they share one commit.
    std::promise<void> entered;
    std::promise<void> gate;
    std::vector<std::thread> threads;
    std::atomic<int> good{0};
    threads.emplace_back([&] {
        static_cast<void>(database->write([&](Transaction&) -> Result<void> {
            entered.set_value();
            gate.get_future().wait();
            return {};
        }));
    });
    entered.get_future().wait();
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&, i] {
            auto result = database->write([i](Transaction& tx) -> Result<void> {
                GYRE_TRY_VOID(insert(tx, "n" + std::to_string(i)));
                tx.signal("things");
                return i % 2 == 0 ? Result<void>() : Result<void>(conflict("odd"));
            });
            good += result ? 1 : 0;
        });
    }
    while (database->stats().queued < 8) {
        std::this_thread::yield();
    }
    gate.set_value();
    for (auto& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(good, 4);
    EXPECT_EQ(count(*database), 4);
    EXPECT_EQ(database->stats().commits, 2U);
    EXPECT_EQ(database->stats().undone, 4U);
}

TEST_F(DatabaseTest, a_full_queue_and_a_long_wait_are_refused) {
    auto database = open({.write_queue_max = 2, .write_wait_max_ms = 50});
    std::promise<void> entered;
    std::promise<void> gate;
    auto blocker = std::async(std::launch::async, [&] {
        return database->write([&](Transaction&) -> Result<void> {
            entered.set_value();
            gate.get_future().wait();
            return {};
        });
    });
    entered.get_future().wait();
    std::vector<std::future<Result<std::int64_t>>> waiting;
    for (int i = 0; i < 3; ++i) {
        waiting.push_back(std::async(std::launch::async, [&, i] {
            return database->write([i](Transaction& tx) { return insert(tx, std::to_string(i)); });
        }));
    }
    std::size_t refused = 0;
    for (auto& result : waiting) {
        auto got = result.get();
        refused += !got && got.error().code() == ErrorCode::resource_exhausted ? 1U : 0U;
    }
    gate.set_value();
    EXPECT_TRUE(blocker.get());
    EXPECT_EQ(refused, 3U);
    EXPECT_EQ(refused, database->stats().refused);
    EXPECT_EQ(count(*database), 0);
}

TEST_F(DatabaseTest, a_closure_that_throws_is_an_error_and_is_undone) {
    auto database = open();
    auto result = database->write([](Transaction& tx) -> Result<void> {
        GYRE_TRY_VOID(insert(tx, "a"));
        throw std::runtime_error("boom");
    });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::internal);
    EXPECT_EQ(count(*database), 0);
}

TEST_F(DatabaseTest, constraints_and_nan_have_their_codes) {
    auto database = open();
    ASSERT_TRUE(database->write([](Transaction& tx) { return insert(tx, "a"); }));
    auto twice = database->write([](Transaction& tx) { return insert(tx, "a"); });
    EXPECT_EQ(twice.error().code(), ErrorCode::already_exists);
    auto nan = database->write([](Transaction& tx) {
        return tx.run("INSERT INTO things (x) VALUES (?)", std::numeric_limits<double>::quiet_NaN());
    });
    EXPECT_EQ(nan.error().code(), ErrorCode::internal);
    EXPECT_EQ(count(*database), 1);
}

TEST_F(DatabaseTest, a_full_disk_is_an_answer_and_the_database_goes_on) {
    auto database = open({.pages_max = 20});
    const std::string large(50'000, 'x');
    auto filled = database->write([&](Transaction& tx) -> Result<void> {
        GYRE_TRY_VOID(insert(tx, large));
        return insert(tx, large + "2") ? Result<void>() : Result<void>(resource_exhausted("full"));
    });
    EXPECT_EQ(filled.error().code(), ErrorCode::resource_exhausted);
    EXPECT_TRUE(database->write([](Transaction& tx) { return insert(tx, "small"); }));
    EXPECT_EQ(count(*database), 1);
}

TEST_F(DatabaseTest, a_reader_keeps_its_snapshot_and_cannot_write) {
    auto database = open();
    auto seen = database->read([&](Reader& reader) -> Result<std::int64_t> {
        GYRE_TRY(Statement row, reader.query("SELECT count(*) FROM things"));
        GYRE_TRY_VOID(row.step());
        std::thread([&] {
            EXPECT_TRUE(database->write([](Transaction& tx) { return insert(tx, "a"); }));
        }).join();
        GYRE_TRY(Statement again, reader.query("SELECT count(*) FROM things"));
        GYRE_TRY_VOID(again.step());
        EXPECT_FALSE(reader.query("INSERT INTO things (name) VALUES ('b')")->run());
        return again.integer(0);
    });
    EXPECT_EQ(*seen, 0);
    EXPECT_EQ(count(*database), 1);
}

TEST_F(DatabaseTest, busy_readers_are_refused_after_the_wait) {
    auto database = open({.readers = 1, .read_wait_max_ms = 20});
    auto outer = database->read([&](Reader&) -> Result<void> {
        auto inner = std::async(std::launch::async,
                                [&] { return database->read([](Reader&) -> Result<void> { return {}; }); });
        return inner.get();
    });
    EXPECT_EQ(outer.error().code(), ErrorCode::resource_exhausted);
}

TEST_F(DatabaseTest, listeners_hear_commits_and_nothing_that_was_undone) {
    auto database = open();
    int heard = 0;
    {
        const Listener listener = database->listen("things", [&] { ++heard; });
        ASSERT_TRUE(database->write([](Transaction& tx) {
            tx.signal("things");
            tx.signal("things");
            return insert(tx, "a");
        }));
        EXPECT_EQ(heard, 1);
        static_cast<void>(database->write([](Transaction& tx) -> Result<void> {
            tx.signal("things");
            return conflict("no");
        }));
        EXPECT_EQ(heard, 1);
    }
    ASSERT_TRUE(database->write([](Transaction& tx) {
        tx.signal("things");
        return insert(tx, "b");
    }));
    EXPECT_EQ(heard, 1);
}

TEST_F(DatabaseTest, one_statement_can_be_used_inside_itself_and_more_are_prepared_than_kept) {
    auto database = open();
    for (const char* name : {"a", "b", "c"}) {
        ASSERT_TRUE(database->write([&](Transaction& tx) { return insert(tx, name); }));
    }
    auto pairs = database->read([](Reader& reader) -> Result<int> {
        constexpr std::string_view kSql = "SELECT name FROM things ORDER BY name";
        int seen = 0;
        GYRE_TRY(Statement outer, reader.query(kSql));
        while (*outer.step()) {
            GYRE_TRY(Statement inner, reader.query(kSql));
            while (*inner.step()) {
                ++seen;
            }
        }
        for (std::size_t i = 0; i < kStatementsKeptMax + 10; ++i) {
            GYRE_TRY(Statement one, reader.query("SELECT " + std::to_string(i)));
            GYRE_TRY_VOID(one.step());
            EXPECT_EQ(one.integer(0), static_cast<std::int64_t>(i));
        }
        return seen;
    });
    EXPECT_EQ(*pairs, 9);
}

}  // namespace
}  // namespace gyre::storage
