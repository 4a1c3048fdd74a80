#include <archive.h>
#include <archive_entry.h>

#include "table/archive.h"
#include "table/limits.h"
#include "table/table_test_support.h"

namespace gyre::table {
namespace {

using SourceTest = TableTest;

struct Member {
    std::string name;
    std::string bytes;
};

void make_zip(const std::string& path, const std::vector<Member>& members) {
    ::archive* out = ::archive_write_new();
    ::archive_write_set_format_zip(out);
    ASSERT_EQ(::archive_write_open_filename(out, path.c_str()), ARCHIVE_OK);
    for (const Member& member : members) {
        ::archive_entry* entry = ::archive_entry_new();
        ::archive_entry_set_pathname(entry, member.name.c_str());
        ::archive_entry_set_filetype(entry, AE_IFREG);
        ::archive_entry_set_perm(entry, 0644);
        ::archive_entry_set_size(entry, static_cast<la_int64_t>(member.bytes.size()));
        ASSERT_EQ(::archive_write_header(out, entry), ARCHIVE_OK);
        ::archive_write_data(out, member.bytes.data(), member.bytes.size());
        ::archive_entry_free(entry);
    }
    ::archive_write_free(out);
}

constexpr std::string_view kBroken =
    "a,b,c\n1,2.5,x\n2,oops,y\n3,4.5\n4,5.5,\"a \"\"q\"\" b\"\n5,NA,z,extra\n6,1.5,\"multi\nline\"\n7,2,ok\n";

TEST_F(SourceTest, a_broken_csv_row_fails_with_file_line_and_column) {
    const std::string path = write("bad.csv", kBroken);
    auto session = open();
    const auto report = session->add_source(
        {.name = "bad", .path = path, .types = {{"b", "float64"}}, .null_tokens = {"NA"}});
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code(), ErrorCode::invalid_argument);
    EXPECT_NE(report.error().message().find(path + ":3: column 2 ('b')"), std::string::npos)
        << report.error().message();
    EXPECT_NE(report.error().message().find("(and 2 more)"), std::string::npos) << report.error().message();
}

TEST_F(SourceTest, skipped_csv_rows_are_counted_and_listed) {
    auto session = open();
    const auto report = session->add_source({.name = "bad",
                                             .path = write("bad.csv", kBroken),
                                             .types = {{"b", "float64"}},
                                             .null_tokens = {"NA"},
                                             .on_error = OnError::skip});
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->rows, 4);
    EXPECT_EQ(report->skipped, 3);
    ASSERT_EQ(report->rejected.size(), 3U);
    EXPECT_EQ(report->rejected[1].line, 4);
    EXPECT_EQ(report->rejected[2].line, 6);
    const auto rows = session->query("SELECT c FROM bad ORDER BY a");
    ASSERT_TRUE(rows);
    EXPECT_EQ(rows->columns[0].text(1), "a \"q\" b");
    EXPECT_EQ(rows->columns[0].text(2), "multi\nline");
}

TEST_F(SourceTest, only_the_first_broken_rows_are_listed) {
    std::string csv = "a,b\n1,1\n";
    for (int i = 0; i < 50; ++i) {
        csv += "1\n";
    }
    auto session = open();
    const auto report = session->add_source({.name = "bad",
                                             .path = write("bad.csv", csv),
                                             .header = true,
                                             .delimiter = ",",
                                             .on_error = OnError::skip});
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->skipped, 50);
    EXPECT_EQ(report->rejected.size(), kRejectedRowsListed);
}

TEST_F(SourceTest, too_many_broken_rows_are_refused) {
    std::string csv = "a,b\n1,1\n";
    for (std::uint64_t i = 0; i <= kRejectedRowsMax; ++i) {
        csv += "1\n";
    }
    auto session = open();
    const auto report = session->add_source({.name = "bad",
                                             .path = write("bad.csv", csv),
                                             .header = true,
                                             .delimiter = ",",
                                             .on_error = OnError::skip});
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code(), ErrorCode::resource_exhausted);
}

TEST_F(SourceTest, null_tokens_are_declared_per_source) {
    auto session = open();
    ASSERT_TRUE(
        session->add_source({.name = "na", .path = write("na.csv", "x\n1\nNA\n3\n"), .null_tokens = {"NA"}}));
    ASSERT_TRUE(session->add_source({.name = "plain", .path = write("plain.csv", "x\n1\nNA\n3\n")}));
    const auto types = session->query("SELECT n.x AS a, p.x AS b FROM na n, plain p LIMIT 1");
    ASSERT_TRUE(types);
    EXPECT_EQ(types->columns[0].type(), ColumnType::int64);
    EXPECT_EQ(types->columns[1].type(), ColumnType::text);
    EXPECT_EQ(session->query("SELECT count(*) FROM na WHERE x IS NULL")->columns[0].int64s()[0], 1);
}

// The rows are the start of UCI's Adult data set, whose separator is a comma and a space.
TEST_F(SourceTest, a_csv_without_header_gets_declared_names) {
    const std::string path = write("adult.data", "39, State-gov, 77516\n50, ?, 83311\n");
    auto session = open();
    const auto report = session->add_source({.name = "adult",
                                             .path = path,
                                             .format = SourceFormat::csv,
                                             .columns = {"age", "workclass", "weight"},
                                             .null_tokens = {"?"},
                                             .delimiter = ", "});
    ASSERT_TRUE(report) << report.error().message();
    const auto rows = session->query("SELECT * FROM adult ORDER BY age");
    EXPECT_EQ(rows->row_json(0).dump(), R"({"age":39,"workclass":"State-gov","weight":77516})");
    EXPECT_FALSE(rows->columns[1].valid(1));
}

TEST_F(SourceTest, as_many_names_are_expected_as_there_are_columns) {
    auto session = open();
    for (const std::vector<std::string>& names : {std::vector<std::string>{"a"}, {"a", "b", "c"}}) {
        const auto report =
            session->add_source({.name = "t", .path = write("t.csv", "1,x\n2,y\n"), .columns = names});
        ASSERT_FALSE(report);
        EXPECT_EQ(report.error().code(), ErrorCode::invalid_argument);
    }
}

TEST_F(SourceTest, several_files_are_joined_by_name) {
    auto session = open();
    const auto report = session->add_source(
        {.name = "both", .paths = {write("1.csv", "a,b\n1,x\n"), write("2.csv", "b,a\ny,2\n")}});
    ASSERT_TRUE(report) << report.error().message();
    const auto rows = session->query("SELECT b FROM \"both\" WHERE a = 2");
    ASSERT_TRUE(rows) << rows.error().message();
    EXPECT_EQ(rows->columns[0].text(0), "y");
}

TEST_F(SourceTest, the_only_member_of_a_zip_is_read) {
    const std::string path = folder_ + "/flights.csv.zip";
    make_zip(path, {{"flights.csv", "a,b\n1,x\n2,y\n"}});
    auto session = open();
    const auto report = session->add_source({.name = "flights", .path = path});
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->rows, 2);
}

TEST_F(SourceTest, a_member_of_a_zip_tells_its_format_and_may_stand_in_the_path) {
    const std::string path = folder_ + "/Data.ZIP";
    make_zip(path, {{"a.csv", "a\n1\n2\n"}, {"sub/b.jsonl", "{\"a\":1}\n"}, {"c", "a\n1\n"}});
    auto session = open();
    EXPECT_EQ(session->add_source({.name = "a", .path = path + "!a.csv"})->rows, 2);
    EXPECT_EQ(session->add_source({.name = "b", .path = path + "!sub/b.jsonl"})->rows, 1);
    const auto nothing = session->add_source({.name = "d", .path = path + "!b.csv"});
    EXPECT_EQ(nothing.error().code(), ErrorCode::not_found);
    const auto unknown = session->add_source({.name = "c", .path = path + "!c"});
    ASSERT_FALSE(unknown);
    EXPECT_NE(unknown.error().message().find("does not tell its format"), std::string::npos);
    const auto several = session->add_source({.name = "e", .path = path});
    ASSERT_FALSE(several);
    EXPECT_NE(several.error().message().find("has 3 files (a.csv, sub/b.jsonl, c); name one"),
              std::string::npos)
        << several.error().message();
    const std::string plain = folder_ + "/only.zip";
    make_zip(plain, {{"flights.csv", "a\n1\n"}});
    EXPECT_EQ(session->add_source({.name = "f", .path = plain})->rows, 1);
}

TEST_F(SourceTest, what_a_broken_file_says_leaves_our_own_statements_out) {
    auto session = open();
    const auto report = session->add_source({.name = "x", .path = write("x.parquet", "PAR1 and no more")});
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().message().find("CREATE"), std::string::npos) << report.error().message();
    EXPECT_NE(report.error().message().find("x.parquet"), std::string::npos) << report.error().message();
    const auto broken = session->add_source({.name = "y", .path = write("y.csv", "a,b\n1,2\n3,4,5\n")});
    EXPECT_EQ(broken.error().message().find("source 'y'"), broken.error().message().rfind("source 'y'"));
}

TEST_F(SourceTest, a_broken_row_in_a_zip_names_the_member) {
    const std::string path = folder_ + "/two.zip";
    make_zip(path, {{"a.csv", "a,b\n1,x\n"}, {"../b.csv", "a,b\n1,x\n2,y,z\n"}});
    auto session = open();
    EXPECT_EQ(session->add_source({.name = "x", .path = path, .format = SourceFormat::csv}).error().code(),
              ErrorCode::invalid_argument);
    const auto report =
        session->add_source({.name = "x", .path = path, .member = "../b.csv", .delimiter = ","});
    ASSERT_FALSE(report);
    EXPECT_NE(report.error().message().find("two.zip!../b.csv:3"), std::string::npos)
        << report.error().message();
    EXPECT_EQ(session->add_source({.name = "x", .path = path, .member = "c.csv"}).error().code(),
              ErrorCode::not_found);
}

TEST_F(SourceTest, a_zip_that_expands_too_much_is_refused) {
    const std::string path = folder_ + "/bomb.zip";
    make_zip(path, {{"zeros.csv", std::string(40U << 20U, '0')}});
    ASSERT_LT(std::filesystem::file_size(path), 200'000U) << "the bomb must be one";
    auto session = open();
    const auto report = session->add_source({.name = "bomb", .path = path, .member = "zeros.csv"});
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code(), ErrorCode::resource_exhausted) << report.error().message();
}

TEST_F(SourceTest, sizes_and_members_of_a_zip_have_bounds) {
    const std::string path = folder_ + "/many.zip";
    make_zip(path, {{"a", "12345"}, {"b", "1"}, {"c", "1"}});
    const MemberRequest request{.archive = path, .member = "a", .destination = folder_ + "/a"};
    ArchiveBounds small;
    small.expanded_bytes_max = 4;
    EXPECT_EQ(unpack_member(request, small).error().code(), ErrorCode::resource_exhausted);
    ArchiveBounds few;
    few.members_max = 2;
    const MemberRequest last{.archive = path, .member = "d", .destination = folder_ + "/d"};
    EXPECT_EQ(unpack_member(last, few).error().code(), ErrorCode::resource_exhausted);
}

TEST_F(SourceTest, broken_archives_never_crash) {
    const std::string path = folder_ + "/good.zip";
    make_zip(path, {{"a.csv", "a,b\n1,x\n2,y\n3,zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\n"}});
    const std::string good = *read_file(path);
    for (std::size_t i = 0; i < good.size(); ++i) {
        std::string bad = good;
        bad[i] = static_cast<char>(static_cast<unsigned char>(bad[i]) ^ 0xffU);
        const std::string bad_path = write("bad.zip", bad);
        const MemberRequest request{.archive = bad_path, .member = "", .destination = folder_ + "/x"};
        const auto cut = unpack_member(
            {.archive = write("cut.zip", good.substr(0, i)), .member = "", .destination = folder_ + "/x"});
        const auto flipped = unpack_member(request);
        if (flipped) {
            EXPECT_FALSE(flipped->empty());
        }
        EXPECT_TRUE(cut || !cut.error().message().empty());
    }
    EXPECT_FALSE(
        unpack_member({.archive = write("no.zip", "hello"), .member = "", .destination = folder_ + "/x"}));
}

TEST_F(SourceTest, json_lines_are_checked_line_by_line) {
    const std::string path =
        write("rows.jsonl", "{\"a\": 1, \"b\": \"x\"}\n\n[1]\n{\"a\": 1,}\n{\"a\": \"one\"}\n{\"a\": 2}\n");
    auto session = open();
    const SourceSpec strict{.name = "rows", .path = path, .types = {{"a", "int64"}}};
    const auto failed = session->add_source(strict);
    ASSERT_FALSE(failed);
    EXPECT_NE(failed.error().message().find(path + ":3"), std::string::npos) << failed.error().message();
    SourceSpec lenient = strict;
    lenient.on_error = OnError::skip;
    const auto report = session->add_source(lenient);
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->rows, 2);
    EXPECT_EQ(report->skipped, 3);
    EXPECT_EQ(report->rejected[1].column, 9);
    EXPECT_TRUE(report->rejected[1].reason.starts_with("invalid JSON: ")) << report->rejected[1].reason;
    EXPECT_EQ(report->rejected[2].column_name, "a");
    EXPECT_EQ(session->query("SELECT sum(a)::BIGINT FROM rows")->columns[0].int64s()[0], 3);
}

TEST_F(SourceTest, a_line_beyond_the_bound_is_a_broken_row) {
    const std::string path =
        write("long.jsonl", "{\"a\": 1}\n{\"a\": \"" + std::string(kRowBytesMax, 'x') + "\"}\n");
    auto session = open();
    const auto report = session->add_source({.name = "rows", .path = path, .on_error = OnError::skip});
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->skipped, 1);
}

TEST_F(SourceTest, a_file_that_is_no_parquet_is_refused) {
    auto session = open();
    EXPECT_FALSE(session->add_source({.name = "p", .path = write("x.parquet", "PAR1 not really")}));
    EXPECT_FALSE(session->add_source({.name = "p", .path = write("y.parquet", "PAR1\xff\xff\xff\x7fPAR1")}));
}

TEST_F(SourceTest, specs_are_checked_before_files_are_opened) {
    auto session = open();
    EXPECT_EQ(session->add_source({.name = "x"}).error().code(), ErrorCode::invalid_argument);
    EXPECT_EQ(session->add_source({.name = "", .path = "a.csv"}).error().code(), ErrorCode::invalid_argument);
    EXPECT_EQ(session->add_source({.name = "x", .path = "/nowhere/a.csv"}).error().code(),
              ErrorCode::not_found);
    EXPECT_EQ(session->add_source({.name = "x", .path = write("a.bin", "1")}).error().code(),
              ErrorCode::invalid_argument);
    EXPECT_EQ(session->add_source({.name = "x", .path = folder_ + "/*.csv"}).error().code(),
              ErrorCode::invalid_argument);
    ASSERT_TRUE(session->add_source({.name = "x", .path = write("a.csv", "a\n1\n")}));
    EXPECT_EQ(session->add_source({.name = "X", .path = folder_ + "/a.csv"}).error().code(),
              ErrorCode::already_exists);
}

TEST_F(SourceTest, hostile_names_and_paths_stay_text) {
    auto session = open();
    const std::string name = "a\"; DROP TABLE b; --'";
    ASSERT_TRUE(session->add_source({.name = name, .path = write("it's.csv", "a\n1\n")}));
    EXPECT_TRUE(session->query("SELECT * FROM " + quote_name(name)));
}

}  // namespace
}  // namespace gyre::table
