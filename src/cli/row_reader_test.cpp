#include "cli/row_reader.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "cli/action.h"
#include "cli/temp_directory.h"
#include "table/limits.h"

namespace gyre::cli {
namespace {

class RowReader : public ::testing::Test {
 protected:
    /// Sizes of the batches of a file of this text, as "3,3,1", or the error's message.
    std::string batches_of(const std::string& name, const std::string& text) {
        auto temp = TempDirectory::create();
        EXPECT_TRUE(temp);
        const std::string path = temp->path() + "/" + name;
        EXPECT_TRUE(write_file_atomic(path, text));
        std::string out;
        const auto count =
            read_rows({.path = path, .on_error = on_error_}, 3, [&](RowBatch&& batch) -> Result<void> {
                out.append(out.empty() ? "" : ",").append(std::to_string(batch.rows.size()));
                fraction_ = batch.fraction;
                return {};
            });
        return count ? out : count.error().message().substr(temp->path().size() + 1);
    }
    table::OnError on_error_ = table::OnError::fail;
    double fraction_ = 0;
};

TEST_F(RowReader, hands_on_full_batches_and_a_rest) {
    std::string lines;
    for (int i = 0; i < 7; ++i) {
        lines.append(R"({"a":1})").append("\n");
    }
    EXPECT_EQ(batches_of("rows.jsonl", lines), "3,3,1");
    EXPECT_DOUBLE_EQ(fraction_, 1.0);
    EXPECT_EQ(batches_of("rows.jsonl", "\n" + lines.substr(0, 24)), "3");
    EXPECT_EQ(batches_of("rows.jsonl", ""), "");
}

TEST_F(RowReader, names_the_line_that_is_no_object) {
    EXPECT_EQ(batches_of("rows.jsonl", "{}\n\n[1]\n"), "rows.jsonl:3: expected an object, got array");
}

TEST_F(RowReader, leaves_broken_rows_out_where_that_is_asked_for) {
    on_error_ = table::OnError::skip;
    testing::internal::CaptureStderr();
    EXPECT_EQ(batches_of("rows.jsonl", "{}\n[1]\nno\n{}\n"), "2");
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_NE(said.find("2 of 4 rows were left out"), std::string::npos) << said;
    EXPECT_NE(said.find("rows.jsonl:2"), std::string::npos) << said;
    testing::internal::CaptureStderr();
    EXPECT_EQ(batches_of("rows.csv", "a,b\n1,2\n3\n4,5\n"), "2");
    EXPECT_NE(testing::internal::GetCapturedStderr().find("rows.csv:3"), std::string::npos);
}

TEST_F(RowReader, refuses_a_line_above_the_bound) {
    const std::string line = "{\"a\":\"" + std::string(table::kRowBytesMax, 'x') + "\"}\n";
    EXPECT_EQ(batches_of("rows.jsonl", line), "rows.jsonl:1: a row of more than 2.0 MiB");
}

TEST_F(RowReader, stops_at_the_first_error_of_its_reader) {
    auto temp = TempDirectory::create();
    ASSERT_TRUE(temp);
    const std::string path = temp->path() + "/rows.jsonl";
    ASSERT_TRUE(write_file_atomic(path, "{}\n{}\n"));
    int calls = 0;
    const auto count = read_rows({.path = path}, 1, [&](RowBatch&&) -> Result<void> {
        ++calls;
        return conflict("enough");
    });
    ASSERT_FALSE(count);
    EXPECT_EQ(count.error().message(), "enough");
    EXPECT_EQ(calls, 1);
}

TEST(TempDirectory, goes_away_with_what_is_in_it) {
    std::string path;
    {
        auto temp = TempDirectory::create();
        ASSERT_TRUE(temp);
        path = temp->path();
        ASSERT_TRUE(write_file_atomic(path + "/x", "x"));
    }
    EXPECT_FALSE(read_file(path + "/x"));
    EXPECT_FALSE(TempDirectory::create("/no/such/folder"));
}

TEST(KeyValues, read_json_where_it_is_json_and_text_elsewhere) {
    const auto values = key_values("--option", {"a=1", "b=x=y", "c=[1,2]", "d=\"q\"", "e="});
    ASSERT_TRUE(values);
    EXPECT_EQ(values->dump(), R"({"a":1,"b":"x=y","c":[1,2],"d":"\"q\"","e":""})");
    for (const char* wrong : {"a", "=1"}) {
        const auto refused = key_values("--option", {wrong});
        ASSERT_FALSE(refused) << wrong;
        EXPECT_EQ(refused.error().code(), ErrorCode::invalid_argument);
    }
}

TEST(Cell, shows_each_kind_of_value) {
    EXPECT_EQ(cell(Json()), "-");
    EXPECT_EQ(cell(Json("")), "-");
    EXPECT_EQ(cell(Json(true)), "yes");
    EXPECT_EQ(cell(Json(12)), "12");
    EXPECT_EQ(cell(Json(0.71234567)), "0.712346");
    EXPECT_EQ(cell(Json::object({{"a", 1}})), R"({"a":1})");
}

TEST(Paths, are_encoded_and_empty_parameters_left_out) {
    EXPECT_EQ(native("endpoints", "a/b c", "/predict"), "/api/gyre/v1/endpoints/a%2Fb%20c/predict");
    EXPECT_EQ(query_of({{"after", "3"}, {"type", ""}, {"subject", "a&b"}}), "?after=3&subject=a%26b");
    EXPECT_EQ(query_of({}), "");
}

TEST(ListIn, finds_the_list_whatever_its_name) {
    EXPECT_EQ(list_in(*parse_json(R"({"next":3,"items":[1,2]})")).size(), 2U);
    EXPECT_EQ(list_in(*parse_json("[1]")).size(), 1U);
    EXPECT_TRUE(list_in(Json()).empty());
}

}  // namespace
}  // namespace gyre::cli
