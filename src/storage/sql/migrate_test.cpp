#include <cstdlib>

#include <gtest/gtest.h>

#include "base/file.h"
#include "storage/sql/database.h"
#include "storage/testing.h"

namespace gyre::storage {
namespace {

constexpr Migration kFirst{1, "one", "CREATE TABLE one (id INTEGER)"};
constexpr Migration kSecond{2, "two", "CREATE TABLE two (id INTEGER)"};
constexpr Migration kBroken{2, "two", "CREATE TABLE two (id INTEGER); INSERT INTO nowhere VALUES (1)"};
constexpr Migration kEdited{1, "one", "CREATE TABLE one (id TEXT)"};

class MigrateTest : public ::testing::Test {
 protected:
    Result<std::string> open(std::vector<Migration> migrations) {
        GYRE_TRY(auto database, Database::open(folder_.file("x.db"), migrations));
        return database->schema();
    }
    TempFolder folder_;
};

TEST_F(MigrateTest, what_is_missing_is_applied_once) {
    EXPECT_TRUE(open({kFirst}));
    auto schema = open({kFirst, kSecond});
    ASSERT_TRUE(schema);
    EXPECT_NE(schema->find("CREATE TABLE two"), std::string::npos);
    EXPECT_TRUE(open({kFirst, kSecond}));
}

TEST_F(MigrateTest, a_newer_database_is_refused) {
    ASSERT_TRUE(open({kFirst, kSecond}));
    auto refused = open({kFirst});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::conflict);
    EXPECT_NE(refused.error().message().find("schema is version 2, this binary knows 1"), std::string::npos);
}

TEST_F(MigrateTest, an_edited_migration_is_refused) {
    ASSERT_TRUE(open({kFirst}));
    auto refused = open({kEdited});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message().find("migration 1_one was edited"), std::string::npos);
}

TEST_F(MigrateTest, a_migration_that_fails_leaves_nothing_of_itself) {
    EXPECT_FALSE(open({kFirst, kBroken}));
    auto schema = open({kFirst});
    ASSERT_TRUE(schema);
    EXPECT_EQ(schema->find("two"), std::string::npos);
}

// GYRE_UPDATE_SCHEMA=1 writes the file instead.
TEST(Schema, schema_sql_is_what_the_migrations_make) {
    TestDatabase database;
    auto schema = database->schema();
    ASSERT_TRUE(schema);
    const std::string expected =
        "-- The schema that migrations/sqlite make. Checked by gyre_storage_test; to write it again:\n"
        "-- GYRE_UPDATE_SCHEMA=1 gyre_storage_test --gtest_filter='Schema.*'\n\n" +
        *schema;
    const std::string path = std::string(GYRE_SOURCE_DIR) + "/schema.sql";
    if (std::getenv("GYRE_UPDATE_SCHEMA") != nullptr) {  // NOLINT(concurrency-mt-unsafe)
        ASSERT_TRUE(write_file_atomic(path, expected));
    }
    auto checked_in = read_file(path);
    ASSERT_TRUE(checked_in);
    EXPECT_EQ(*checked_in, expected) << "schema.sql is not what the migrations make; see its first lines";
}

}  // namespace
}  // namespace gyre::storage
