#pragma once
// A Suite: what must hold for a table. The names and meanings of expectations are Great Expectations' (1.x):
//
//   expect_table_row_count_to_be_between   min_value, max_value
//   expect_column_to_exist                 column
//   expect_column_values_to_not_be_null    column, mostly
//   expect_column_values_to_be_in_set      column, value_set, mostly
//   expect_column_values_to_be_between     column, min_value, max_value, strict_min, strict_max, mostly
//   expect_column_values_to_be_unique      column, mostly   (every row of a repeated value is unexpected)
//
// Nulls are left out before a column is judged (except by not_be_null); an expectation over no values holds.
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/fields.h"

namespace gyre::validation {

inline constexpr std::size_t kExpectationsMax = 200;
inline constexpr std::size_t kValueSetMax = 1000;
inline constexpr std::size_t kExamples = 20;

enum class ExpectationType : std::uint8_t {
    row_count_between,
    column_exists,
    not_null,
    in_set,
    between,
    unique,
};
constexpr auto enum_names(ExpectationType) {
    using E = ExpectationType;
    return std::array{EnumName{E::row_count_between, "expect_table_row_count_to_be_between"},
                      EnumName{E::column_exists, "expect_column_to_exist"},
                      EnumName{E::not_null, "expect_column_values_to_not_be_null"},
                      EnumName{E::in_set, "expect_column_values_to_be_in_set"},
                      EnumName{E::between, "expect_column_values_to_be_between"},
                      EnumName{E::unique, "expect_column_values_to_be_unique"}};
}

struct ExpectationArguments {
    std::string column{};
    double mostly = 1.0;
    Json min_value{};  // number, or text for texts and times; null is no bound
    Json max_value{};
    bool strict_min = false;
    bool strict_max = false;
    std::vector<Json> value_set{};
    static constexpr auto fields() {
        using A = ExpectationArguments;
        return std::tuple{
            Field{"column", &A::column, "Column that is judged.", optional_field},
            Field{"mostly", &A::mostly, "Least share of values that must hold, 0 to 1.", optional_field},
            Field{"min_value", &A::min_value, "Least value.", optional_field},
            Field{"max_value", &A::max_value, "Greatest value.", optional_field},
            Field{"strict_min", &A::strict_min, "The least value itself does not count.", optional_field},
            Field{"strict_max", &A::strict_max, "The greatest value itself does not count.", optional_field},
            Field{"value_set", &A::value_set, "Values that are expected.", optional_field},
        };
    }
};

struct Expectation {
    ExpectationType type = ExpectationType::column_exists;
    ExpectationArguments kwargs{};
    static constexpr auto fields() {
        return std::tuple{Field{"type", &Expectation::type, "What is expected."},
                          Field{"kwargs", &Expectation::kwargs, "Its arguments."}};
    }
};

struct Suite {
    std::string name{};
    std::vector<Expectation> expectations{};
    static constexpr auto fields() {
        return std::tuple{Field{"name", &Suite::name, "Name of the suite."},
                          Field{"expectations", &Suite::expectations, "All must hold."}};
    }
};

struct ExpectationResult {
    std::string type{};
    std::string column{};
    bool success = false;
    std::int64_t element_count = 0;
    std::int64_t missing_count = 0;
    std::int64_t unexpected_count = 0;
    double unexpected_percent = 0.0;  // of the values that are not missing, 0 to 100
    std::vector<Json> examples{};     // the smallest unexpected values, at most kExamples
    std::string message{};            // why it could not be judged; empty otherwise
    static constexpr auto fields() {
        using R = ExpectationResult;
        return std::tuple{
            Field{"type", &R::type, "Expectation."},
            Field{"column", &R::column, "Column; empty for the table."},
            Field{"success", &R::success, "Whether it holds."},
            Field{"element_count", &R::element_count, "Rows."},
            Field{"missing_count", &R::missing_count, "Rows without a value."},
            Field{"unexpected_count", &R::unexpected_count, "Values that break it."},
            Field{"unexpected_percent", &R::unexpected_percent, "Of the values that are not missing."},
            Field{"examples", &R::examples, "Some of them."},
            Field{"message", &R::message, "Why it could not be judged."},
        };
    }
};

struct SuiteResult {
    std::string suite_name{};
    bool success = false;
    std::int64_t rows = 0;
    std::vector<ExpectationResult> results{};
    static constexpr auto fields() {
        using R = SuiteResult;
        return std::tuple{Field{"suite_name", &R::suite_name, "Name of the suite."},
                          Field{"success", &R::success, "Whether all expectations hold."},
                          Field{"rows", &R::rows, "Rows judged."},
                          Field{"results", &R::results, "One per expectation, in order."}};
    }
};

}  // namespace gyre::validation
