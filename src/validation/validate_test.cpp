#include "validation/validate.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace gyre::validation {
namespace {

class ValidateTest : public ::testing::Test {
 protected:
    void SetUp() override {
        auto session = table::Session::open({}, system_clock());
        ASSERT_TRUE(session) << session.error().message();
        session_ = *std::move(session);
        const auto rows = session_->add_source(
            {.name = "people",
             .sql = "SELECT * FROM (VALUES (1, 'a', 10, TIMESTAMP '2013-01-01'), (2, 'b', 200, NULL), "
                    "(2, 'c', NULL, NULL), (3, NULL, 30, NULL)) AS t(id, kind, age, seen)"});
        ASSERT_TRUE(rows) << rows.error().message();
    }
    SuiteResult judge(std::string_view expectations) {
        const auto suite = from_json<Suite>(
            *parse_json(R"({"name": "s", "expectations": [)" + std::string(expectations) + "]}"));
        EXPECT_TRUE(suite) << (suite ? "" : suite.error().message());
        const auto result = validate(*session_, "people", *suite);
        EXPECT_TRUE(result) << (result ? "" : result.error().message());
        return result ? *result : SuiteResult{};
    }
    std::unique_ptr<table::Session> session_;
};

TEST_F(ValidateTest, an_empty_suite_holds) {
    const SuiteResult result = judge("");
    EXPECT_TRUE(result.success);
    EXPECT_EQ(result.rows, 4);
}

TEST_F(ValidateTest, row_counts_have_bounds) {
    EXPECT_TRUE(
        judge(
            R"({"type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": 4, "max_value": 4}})")
            .success);
    EXPECT_FALSE(
        judge(R"({"type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": 5}})").success);
}

TEST_F(ValidateTest, a_missing_column_fails_with_a_suggestion) {
    const SuiteResult result = judge(R"({"type": "expect_column_to_exist", "kwargs": {"column": "aeg"}},
                                        {"type": "expect_column_to_exist", "kwargs": {"column": "age"}})");
    EXPECT_FALSE(result.success);
    EXPECT_FALSE(result.results[0].success);
    EXPECT_NE(result.results[0].message.find("did you mean 'age'"), std::string::npos);
    EXPECT_TRUE(result.results[1].success);
}

TEST_F(ValidateTest, values_out_of_bounds_are_counted_among_those_present) {
    const SuiteResult result = judge(
        R"({"type": "expect_column_values_to_be_between", "kwargs": {"column": "age", "min_value": 10, "max_value": 120}})");
    const ExpectationResult& age = result.results[0];
    EXPECT_FALSE(age.success);
    EXPECT_EQ(age.element_count, 4);
    EXPECT_EQ(age.missing_count, 1);
    EXPECT_EQ(age.unexpected_count, 1);
    EXPECT_NEAR(age.unexpected_percent, 100.0 / 3.0, 1e-9);
    ASSERT_EQ(age.examples.size(), 1U);
    EXPECT_EQ(age.examples[0].as_integer(), 200);
}

TEST_F(ValidateTest, strict_bounds_exclude_the_bound_itself) {
    EXPECT_FALSE(judge(R"({"type": "expect_column_values_to_be_between",
                          "kwargs": {"column": "age", "min_value": 10, "strict_min": true}})")
                     .success);
    EXPECT_TRUE(judge(R"({"type": "expect_column_values_to_be_between",
                          "kwargs": {"column": "seen", "min_value": "2013-01-01T00:00:00Z"}})")
                    .success);
}

TEST_F(ValidateTest, mostly_is_a_share_of_the_values) {
    constexpr std::string_view kSet = R"({"type": "expect_column_values_to_be_in_set",
        "kwargs": {"column": "kind", "value_set": ["a", "b"], "mostly": )";
    EXPECT_FALSE(judge(std::string(kSet) + "0.67}}").success);
    EXPECT_TRUE(judge(std::string(kSet) + "0.66}}").success);
}

TEST_F(ValidateTest, nulls_count_against_all_rows) {
    const ExpectationResult kind =
        judge(R"({"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "kind"}})").results[0];
    EXPECT_EQ(kind.unexpected_count, 1);
    EXPECT_NEAR(kind.unexpected_percent, 25.0, 1e-9);
}

// As Great Expectations: both rows of a pair are unexpected.
TEST_F(ValidateTest, every_row_of_a_repeated_value_is_unexpected) {
    const ExpectationResult id =
        judge(R"({"type": "expect_column_values_to_be_unique", "kwargs": {"column": "id"}})").results[0];
    EXPECT_EQ(id.unexpected_count, 2);
    ASSERT_EQ(id.examples.size(), 1U);
    EXPECT_EQ(id.examples[0].as_integer(), 2);
}

TEST_F(ValidateTest, a_bound_of_the_wrong_kind_fails_only_its_expectation) {
    const SuiteResult result = judge(R"(
        {"type": "expect_column_values_to_be_between", "kwargs": {"column": "age", "min_value": 1, "max_value": "x"}},
        {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "id", "value_set": [1, 2, 3]}})");
    EXPECT_FALSE(result.results[0].success);
    EXPECT_FALSE(result.results[0].message.empty());
    EXPECT_TRUE(result.results[1].success);
}

TEST_F(ValidateTest, a_suite_has_a_bound) {
    Suite suite{
        .name = "s",
        .expectations = std::vector<Expectation>(
            kExpectationsMax + 1, {.type = ExpectationType::column_exists, .kwargs = {.column = "id"}})};
    EXPECT_EQ(validate(*session_, "people", suite).error().code(), ErrorCode::resource_exhausted);
    suite.expectations.resize(kExpectationsMax);
    EXPECT_TRUE(validate(*session_, "people", suite)->success);
}

}  // namespace
}  // namespace gyre::validation
