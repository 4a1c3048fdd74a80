#include "table/session.h"

#include "table/limits.h"
#include "table/table_test_support.h"

namespace gyre::table {
namespace {

using SessionTest = TableTest;

std::string message_of(const Result<Batch>& result) {
    return result ? "" : result.error().message();
}

TEST_F(SessionTest, every_type_arrives_as_one_of_the_five) {
    auto session = open();
    const auto batch = session->query(
        "SELECT true AS b, 7::TINYINT AS i, 1.25::DECIMAL(9,2) AS d, 0.5::FLOAT AS f, sum(3) AS s, 'x' AS t, "
        "DATE '1970-01-02' AS day, TIMESTAMPTZ '2013-03-10 02:30:00-05' AS at, TIMESTAMP_NS '1969-12-31 "
        "23:59:59.9999995' AS ns, NULL AS n");
    ASSERT_TRUE(batch) << message_of(batch);
    EXPECT_EQ(batch->row_json(0).dump(),
              R"({"b":true,"i":7,"d":1.25,"f":0.5,"s":3.0,"t":"x","day":"1970-01-02T00:00:00Z",)"
              R"("at":"2013-03-10T07:30:00Z","ns":"1969-12-31T23:59:59.999999Z","n":null})");
}

TEST_F(SessionTest, parameters_are_bound_and_never_spliced) {
    auto session = open();
    const std::string hostile = "'; DROP TABLE x; --";
    const auto batch =
        session->query("SELECT $1 AS a, $2::BIGINT + 1 AS b, $3::DOUBLE AS c, $4 AS d, $5 AS e",
                       {hostile, std::int64_t{41}, 0.5, Timestamp{0}, std::monostate{}});
    ASSERT_TRUE(batch) << message_of(batch);
    EXPECT_EQ(batch->columns[0].text(0), hostile);
    EXPECT_EQ(batch->columns[1].int64s()[0], 42);
    EXPECT_EQ(batch->columns[3].type(), ColumnType::timestamp);
    EXPECT_FALSE(batch->columns[4].valid(0));
    EXPECT_EQ(session->query("SELECT $1", {}).error().code(), ErrorCode::invalid_argument);
}

TEST_F(SessionTest, only_one_select_is_accepted) {
    auto session = open();
    for (const char* sql :
         {"CREATE TABLE t (a INT)", "COPY (SELECT 1) TO 'x.csv'", "INSTALL httpfs", "LOAD httpfs",
          "ATTACH 'x.db'", "SET threads=1", "PRAGMA memory_limit='1GB'", "DELETE FROM t"}) {
        EXPECT_FALSE(session->query(sql)) << sql;
    }
    EXPECT_EQ(session->query("CREATE TABLE t (a INT)").error().code(), ErrorCode::permission_denied);
    EXPECT_EQ(session->query("SELECT 1; SELECT 2").error().message(), "sql: expected one statement, got 2");
    EXPECT_EQ(session->query("  ").error().code(), ErrorCode::invalid_argument);
}

TEST_F(SessionTest, sql_reaches_no_file_that_is_not_a_source) {
    const std::string secret = write("secret.csv", "a\n1\n");
    auto session = open();
    for (const std::string& sql :
         {"SELECT * FROM read_csv('" + secret + "')", "SELECT * FROM '" + secret + "'",
          std::string("SELECT * FROM read_text('/etc/passwd')"), std::string("SELECT * FROM glob('/etc/*')"),
          std::string("SELECT * FROM read_blob('/proc/self/environ')")}) {
        EXPECT_FALSE(session->query(sql)) << sql;
    }
}

TEST_F(SessionTest, errors_are_one_line_in_our_words) {
    auto session = open();
    const auto batch = session->query("SELECT nope FROM (SELECT 1 AS a)");
    ASSERT_FALSE(batch);
    EXPECT_EQ(batch.error().code(), ErrorCode::invalid_argument);
    EXPECT_TRUE(batch.error().message().starts_with("sql: ")) << batch.error().message();
    EXPECT_EQ(batch.error().message().find('\n'), std::string::npos);
    EXPECT_EQ(session->query("SELECT CAST('x' AS INTEGER)").error().code(), ErrorCode::invalid_argument);
}

TEST_F(SessionTest, a_statement_that_runs_too_long_is_stopped) {
    SessionOptions slow = options();
    slow.engine.timeout_ms = 50;
    auto session = open(slow);
    const auto batch = session->query(
        "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range % 7 = b.range % 5");
    ASSERT_FALSE(batch);
    EXPECT_EQ(batch.error().code(), ErrorCode::deadline_exceeded);
    EXPECT_TRUE(session->query("SELECT 1")) << "the session lives on";
}

TEST_F(SessionTest, memory_has_a_bound) {
    SessionOptions small = options();
    small.engine.memory_bytes = 20LL << 20;
    small.engine.temp_bytes_max = 1LL << 20;
    auto session = open(small);
    const auto batch = session->query("SELECT list(range) IS NULL AS x FROM range(20000000)");
    ASSERT_FALSE(batch);
    EXPECT_EQ(batch.error().code(), ErrorCode::resource_exhausted) << batch.error().message();
}

TEST_F(SessionTest, work_larger_than_memory_spills_behind_the_closed_door) {
    SessionOptions small = options();
    small.engine.memory_bytes = 64LL << 20;
    auto session = open(small);
    const auto batch = session->query(
        "SELECT sum(hash(range) % 10) AS s FROM (SELECT range FROM range(6000000) "
        "ORDER BY hash(range))");
    EXPECT_TRUE(batch) << message_of(batch);
}

TEST_F(SessionTest, a_statement_longer_than_the_bound_is_refused) {
    auto session = open();
    const std::string sql = "SELECT 1 --" + std::string(kSqlBytesMax, 'x');
    EXPECT_EQ(session->query(sql).error().code(), ErrorCode::resource_exhausted);
}

TEST_F(SessionTest, a_column_type_that_tables_lack_says_what_to_do) {
    auto session = open();
    const auto batch = session->query("SELECT [1, 2] AS pair");
    ASSERT_FALSE(batch);
    EXPECT_EQ(batch.error().message(),
              "column 'pair' has a type that tables do not hold; cast it to VARCHAR");
}

TEST_F(SessionTest, a_batch_becomes_a_table_and_comes_back_through_parquet) {
    auto session = open();
    const auto made = session->query(
        "SELECT range AS i, range / 4.0 AS x, 'r' || range AS t, range % 2 = 0 AS b, "
        "TIMESTAMP '2013-01-01' + INTERVAL (range) HOUR AS at FROM range(5000)");
    ASSERT_TRUE(made) << message_of(made);
    ASSERT_TRUE(session->add_batch("copy", *made));
    const std::string path = folder_ + "/out/copy.parquet";
    const auto rows = session->write_parquet("SELECT * FROM copy; ", path);
    ASSERT_TRUE(rows) << rows.error().message();
    EXPECT_EQ(*rows, 5000);
    auto second = open();
    const auto report = second->add_source({.name = "back", .path = path});
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->rows, 5000);
    const auto back = second->query("SELECT * FROM back");
    ASSERT_TRUE(back) << message_of(back);
    EXPECT_EQ(digest_of(*back), digest_of(*made));
}

TEST_F(SessionTest, a_table_grows_by_further_batches) {
    auto session = open();
    const auto made = session->query("SELECT range AS i, 'r' || range AS t FROM range(3000)");
    ASSERT_TRUE(made) << message_of(made);
    EXPECT_EQ(session->append_batch("rows", *made).error().code(), ErrorCode::not_found);
    ASSERT_TRUE(session->add_batch("rows", *made));
    ASSERT_TRUE(session->append_batch("rows", *made));
    const auto counted = session->query("SELECT count(*) AS n, count(DISTINCT t) AS texts FROM rows");
    ASSERT_TRUE(counted) << message_of(counted);
    EXPECT_EQ(counted->columns[0].int64s()[0], 6000);
    EXPECT_EQ(counted->columns[1].int64s()[0], 3000);
}

TEST_F(SessionTest, a_batch_keeps_its_nulls_and_its_order) {
    auto session = open();
    // More rows than the database takes at once; every third value is missing, the first and the last too.
    const std::string values =
        "SELECT range AS i, CASE WHEN range % 3 > 0 THEN range END AS n, CASE WHEN range % 3 > 0 THEN "
        "range % 2 = 0 END AS b, CASE WHEN range % 3 > 0 THEN range / 8 END AS x, CASE WHEN range % 3 > 0 "
        "THEN 'a text of its own ' || range END AS t, CASE WHEN range % 3 > 0 THEN make_timestamp(range) "
        "END AS at FROM range(5002)";
    const auto made = session->query(values);
    ASSERT_TRUE(made) << message_of(made);
    ASSERT_TRUE(session->add_batch("rows", *made));
    const auto back = session->query("SELECT * FROM rows");
    ASSERT_TRUE(back) << message_of(back);
    EXPECT_EQ(digest_of(*back), digest_of(*made));
    EXPECT_EQ(back->columns[4].null_count(), 1668U);
}

TEST_F(SessionTest, writing_stays_in_the_output_folder) {
    auto session = open();
    EXPECT_EQ(session->write_csv("SELECT 1 AS a", folder_ + "/elsewhere.csv").error().code(),
              ErrorCode::permission_denied);
    EXPECT_EQ(session->write_csv("SELECT 1 AS a", folder_ + "/out/../elsewhere.csv").error().code(),
              ErrorCode::permission_denied);
    EXPECT_FALSE(session->write_csv("SELECT 1) TO '" + folder_ + "/x.csv' --", folder_ + "/out/y.csv"));
    ASSERT_TRUE(session->write_csv("SELECT 1 AS a -- the end", folder_ + "/out/y.csv"));
    EXPECT_EQ(*read_file(folder_ + "/out/y.csv"), "a\n1\n");
}

TEST_F(SessionTest, a_source_by_sql_sees_the_sources_before_it) {
    auto session = open();
    ASSERT_TRUE(session->add_source({.name = "raw", .path = write("raw.csv", "a,b\n1,x\n2,y\n")}));
    const auto report = session->add_source({.name = "twice", .sql = "SELECT a * 2 AS a2 FROM raw;"});
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->rows, 2);
    EXPECT_EQ(session->query("SELECT max(a2) FROM twice")->columns[0].int64s()[0], 4);
    EXPECT_FALSE(session->add_source({.name = "bad", .sql = "DROP TABLE raw"}));
    EXPECT_EQ(session->add_source({.name = "late", .path = folder_ + "/raw.csv"}).error().code(),
              ErrorCode::conflict);
}

TEST_F(SessionTest, a_missing_library_says_how_to_get_it) {
    SessionOptions without = options();
    without.engine.library_path = folder_ + "/libduckdb.so";
    const auto session = Session::open(without, system_clock());
    ASSERT_FALSE(session);
    EXPECT_EQ(session.error().code(), ErrorCode::unavailable);
    EXPECT_NE(session.error().message().find("GYRE_DUCKDB_LIBRARY"), std::string::npos);
}

TEST_F(SessionTest, scratch_files_go_with_the_session) {
    {
        auto session = open();
    }
    EXPECT_TRUE(std::filesystem::is_empty(folder_ + "/temp"));
}

}  // namespace
}  // namespace gyre::table
