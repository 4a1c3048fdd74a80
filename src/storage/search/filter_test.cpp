#include "storage/search/filter.h"

#include <gtest/gtest.h>

namespace gyre::storage {
namespace {

std::string error_of(std::string_view filter) {
    auto parsed = parse_filter(filter);
    return parsed ? "" : parsed.error().message();
}

TEST(Filter, names_operators_and_literals_are_read) {
    auto clauses = parse_filter(
        "metrics.`a b/c` >= 0.5 and params.\"x.y\" LIKE 'it''s%' AND run_id NOT IN ('a',\"b\")"
        " AND tags.mlflow.user IS NOT NULL AND metrics.loss<-1e-3");
    ASSERT_TRUE(clauses) << clauses.error().message();
    ASSERT_EQ(clauses->size(), 5U);
    EXPECT_EQ(clauses->at(0).key, "a b/c");
    EXPECT_EQ(clauses->at(0).op, Op::ge);
    EXPECT_DOUBLE_EQ(clauses->at(0).number, 0.5);
    EXPECT_EQ(clauses->at(1).key, "x.y");
    EXPECT_EQ(clauses->at(1).value, "it's%");
    EXPECT_EQ(clauses->at(2).entity, "");
    EXPECT_EQ(clauses->at(2).list, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(clauses->at(3).entity, "tags");
    EXPECT_EQ(clauses->at(3).key, "mlflow.user");
    EXPECT_EQ(clauses->at(3).op, Op::is_not_null);
    EXPECT_DOUBLE_EQ(clauses->at(4).number, -1e-3);
    EXPECT_TRUE(parse_filter("")->empty());
    EXPECT_EQ(parse_filter("attributes.\"Run name\" = 'x'")->at(0).key, "Run name");
}

// Origin of the message's form: MLflow 3.6, mlflow/utils/search_utils.py.
TEST(Filter, what_cannot_be_read_is_named) {
    EXPECT_EQ(error_of("metrics.x OR y"), "Invalid clause(s) in filter string: 'metrics.x', 'OR', 'y'");
    for (const char* bad :
         {"metrics.x", "= 1", "a = 1 AND", "a = 1 b = 2", "a IN ()", "a IN ('x'", "a IN (1)", "(a = 1)",
          "a == 1", "a = 'x", "a NOT LIKE 'x'", "a IS 1", ". = 1", "a. = 1"}) {
        EXPECT_NE(error_of(bad), "") << bad;
    }
}

TEST(Filter, its_size_is_bounded) {
    std::string many = "a = 1";
    for (std::size_t i = 1; i < kFilterClausesMax; ++i) {
        many += " AND a = 1";
    }
    EXPECT_EQ(error_of(many), "");
    EXPECT_NE(error_of(many + " AND a = 1"), "");
    EXPECT_NE(error_of(std::string(kFilterBytesMax + 1, ' ')), "");
}

TEST(Filter, checks_speak_as_mlflow_does) {
    const auto check = [](std::string_view text, auto&& checker) {
        auto checked = checker(parse_filter(text)->at(0));
        return checked ? std::string() : checked.error().message();
    };
    const auto text = [](const Clause& clause) { return check_text_clause(clause, "parameter", false); };
    const auto number = [](const Clause& clause) { return check_number_clause(clause, "metric"); };
    EXPECT_EQ(check("params.a = 1", text),
              "Expected a quoted string value for parameter (e.g. 'my-value'). Got value 1");
    EXPECT_EQ(check("params.a > 'x'", text), "Invalid comparator '>' not one of '=, !=, LIKE, ILIKE'");
    EXPECT_EQ(check("metrics.a > 'x'", number), "Expected numeric value type for metric. Found 'x'");
    EXPECT_EQ(check("metrics.a > 1.5", number), "");
}

TEST(OrderBy, has_a_direction) {
    EXPECT_TRUE(parse_order_by("metrics.loss")->ascending);
    EXPECT_FALSE(parse_order_by("params.`x y` DESC")->ascending);
    EXPECT_EQ(parse_order_by("Run name asc")->key, "run_name");
    for (const char* bad : {"", "a b", "a ASC DESC", "= x", "'a' DESC"}) {
        EXPECT_EQ(parse_order_by(bad).error().message(),
                  "Invalid order_by clause '" + std::string(bad) + "'. Could not be parsed.");
    }
}

// Origin: python3 -c 'import base64; print(base64.b64encode(b"{\"offset\":10}"))'.
TEST(PageToken, is_base64_of_an_offset) {
    EXPECT_EQ(make_page_token(10), "eyJvZmZzZXQiOjEwfQ==");
    EXPECT_EQ(*parse_page_token("eyJvZmZzZXQiOjEwfQ=="), 10);
    EXPECT_EQ(*parse_page_token("eyJvZmZzZXQiOiAxMH0="), 10);  // with the space that Python writes
    EXPECT_EQ(*parse_page_token(""), 0);
    for (const std::int64_t offset : {0LL, 7LL, 123LL, 99'999LL}) {
        EXPECT_EQ(*parse_page_token(make_page_token(offset)), offset);
    }
    EXPECT_EQ(parse_page_token("!!").error().message(), "Invalid page token, could not base64-decode");
    EXPECT_FALSE(parse_page_token("e30="));
    EXPECT_FALSE(parse_page_token(std::string(300, 'A')));
}

}  // namespace
}  // namespace gyre::storage
