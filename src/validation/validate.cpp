#include "validation/validate.h"

#include "base/text.h"

namespace gyre::validation {
namespace {

using table::ColumnType;
using table::Params;
using table::Value;

/// Four result columns per expectation: element_count, missing_count, unexpected_count, examples as a JSON
/// array.
constexpr std::size_t kColumnsEach = 4;

struct Plan {
    std::string table;  // quoted
    table::Schema schema;
    Params params;
    std::string select;

    std::string bind(Value value) {
        params.push_back(std::move(value));
        return "$" + std::to_string(params.size());
    }
};

bool is_numeric(ColumnType type) {
    return type == ColumnType::int64 || type == ColumnType::float64;
}

/// A bound or member as SQL of the column's type.
Result<std::string> literal(Plan& plan, const Json& value, ColumnType type) {
    if (value.is_number() && is_numeric(type)) {
        return value.is_integer() ? plan.bind(value.as_integer()) : plan.bind(value.as_number());
    }
    if (value.is_string() && type == ColumnType::text) {
        return plan.bind(value.as_string());
    }
    if (value.is_bool() && type == ColumnType::boolean) {
        return plan.bind(value.as_bool());
    }
    if (value.is_string() && type == ColumnType::timestamp) {
        GYRE_TRY(const std::int64_t time, parse_rfc3339(value.as_string()));
        return plan.bind(table::Timestamp{time});
    }
    return invalid_argument("expected a value for a column of type " + std::string(name_of(type)) + ", got " +
                            std::string(value.kind_name()) + " " + value.dump().substr(0, 60));
}

Result<std::string> outside_bounds(Plan& plan, const ExpectationArguments& args, const std::string& column,
                                   ColumnType type) {
    std::string out;
    if (!args.min_value.is_null()) {
        GYRE_TRY(const std::string bound, literal(plan, args.min_value, type));
        out += column + (args.strict_min ? " <= " : " < ") + bound;
    }
    if (!args.max_value.is_null()) {
        GYRE_TRY(const std::string bound, literal(plan, args.max_value, type));
        out += (out.empty() ? "" : " OR ") + column + (args.strict_max ? " >= " : " > ") + bound;
    }
    if (out.empty()) {
        return invalid_argument("expected min_value or max_value");
    }
    return out;
}

Result<std::string> outside_set(Plan& plan, const ExpectationArguments& args, const std::string& column,
                                ColumnType type) {
    if (args.value_set.empty() || args.value_set.size() > kValueSetMax) {
        return invalid_argument("expected a value_set of 1 to " + std::to_string(kValueSetMax) + " values");
    }
    std::string list;
    for (const Json& value : args.value_set) {
        GYRE_TRY(const std::string member, literal(plan, value, type));
        list += (list.empty() ? "" : ", ") + member;
    }
    return column + " NOT IN (" + list + ")";
}

/// The condition under which a value that is not null is unexpected.
Result<std::string> unexpected_when(Plan& plan, const Expectation& expectation, const std::string& column,
                                    ColumnType type) {
    switch (expectation.type) {
        case ExpectationType::in_set:
            return outside_set(plan, expectation.kwargs, column, type);
        case ExpectationType::between:
            return outside_bounds(plan, expectation.kwargs, column, type);
        case ExpectationType::not_null:
            return column + " IS NULL";
        default:
            return std::string("false");
    }
}

Result<std::string> columns_for(Plan& plan, const Expectation& expectation) {
    const std::string& name = expectation.kwargs.column;
    const std::string rows = "count(*)::BIGINT";
    if (expectation.type == ExpectationType::row_count_between) {
        return rows + ", 0::BIGINT, 0::BIGINT, '[]'";
    }
    GYRE_TRY(const table::ColumnSchema* known, plan.schema.get(name));
    const std::string column = table::quote_name(name);
    const std::string missing = "count(*) FILTER (WHERE " + column + " IS NULL)::BIGINT";
    const std::string limit = std::to_string(kExamples);
    if (expectation.type == ExpectationType::unique) {
        const std::string groups = "(SELECT " + column + " AS value, count(*) AS n FROM " + plan.table +
                                   " WHERE " + column + " IS NOT NULL GROUP BY 1 HAVING n > 1)";
        return rows + ", " + missing + ", (SELECT coalesce(sum(n), 0)::BIGINT FROM " + groups +
               "), (SELECT coalesce(to_json(min(value, " + limit + "))::VARCHAR, '[]') FROM " + groups + ")";
    }
    GYRE_TRY(const std::string condition, unexpected_when(plan, expectation, column, known->type));
    const std::string examples = expectation.type == ExpectationType::not_null
                                     ? "'[]'"
                                     : "coalesce(to_json(min(" + column + ", " + limit + ") FILTER (WHERE " +
                                           condition + "))::VARCHAR, '[]')";
    return rows + ", " + missing + ", count(*) FILTER (WHERE " + condition + ")::BIGINT, " + examples;
}

bool holds(const Expectation& expectation, ExpectationResult& result) {
    const ExpectationArguments& args = expectation.kwargs;
    if (expectation.type == ExpectationType::row_count_between) {
        const auto rows = static_cast<double>(result.element_count);
        return (args.min_value.is_null() || rows >= args.min_value.as_number()) &&
               (args.max_value.is_null() || rows <= args.max_value.as_number());
    }
    const bool counts_nulls = expectation.type == ExpectationType::not_null;
    const std::int64_t judged = result.element_count - (counts_nulls ? 0 : result.missing_count);
    if (judged == 0) {
        return true;
    }
    const double share = static_cast<double>(result.unexpected_count) / static_cast<double>(judged);
    result.unexpected_percent = 100.0 * share;
    // Counted, not divided: 0.95 of 20 rows is 19, whatever the rounding of 1 - share says.
    return static_cast<double>(judged - result.unexpected_count) >=
           args.mostly * static_cast<double>(judged) - 1e-9;
}

void read_result(const table::Batch& row, std::size_t first, const Expectation& expectation,
                 ExpectationResult& result) {
    result.element_count = row.columns[first].int64s()[0];
    result.missing_count = row.columns[first + 1].int64s()[0];
    result.unexpected_count = row.columns[first + 2].int64s()[0];
    if (Result<Json> examples = parse_json(row.columns[first + 3].text(0));
        examples && examples->is_array()) {
        result.examples = std::move(examples->items());
    }
    result.success = holds(expectation, result);
}

Result<void> check_suite(const Suite& suite) {
    if (suite.expectations.size() > kExpectationsMax) {
        return resource_exhausted("a suite has at most " + std::to_string(kExpectationsMax) +
                                  " expectations");
    }
    for (const Expectation& expectation : suite.expectations) {
        const ExpectationArguments& args = expectation.kwargs;
        const bool table_wide = expectation.type == ExpectationType::row_count_between;
        const auto numeric = [](const Json& bound) { return bound.is_null() || bound.is_number(); };
        if (!(args.mostly >= 0.0 && args.mostly <= 1.0) || (args.column.empty() && !table_wide) ||
            (table_wide && !(numeric(args.min_value) && numeric(args.max_value)))) {
            return invalid_argument(
                "suite '" + suite.name + "', " + std::string(name_of(expectation.type)) +
                ": expected a column, mostly from 0 to 1, and numbers as bounds of row counts");
        }
    }
    return {};
}

}  // namespace

Result<SuiteResult> validate(table::Session& session, const std::string& table, const Suite& suite) {
    GYRE_TRY_VOID(check_suite(suite));
    Plan plan;
    plan.table = table::quote_name(table);
    GYRE_TRY(plan.schema, session.schema_of("SELECT * FROM " + plan.table));
    plan.select = "SELECT count(*)::BIGINT";
    SuiteResult out;
    out.suite_name = suite.name;
    std::vector<std::size_t> judged;  // indices of results whose columns are in the statement
    for (const Expectation& expectation : suite.expectations) {
        ExpectationResult result;
        result.type = name_of(expectation.type);
        result.column = expectation.kwargs.column;
        const std::size_t params = plan.params.size();
        if (Result<std::string> columns = columns_for(plan, expectation)) {
            plan.select += ", " + *columns;
            judged.push_back(out.results.size());
        } else {
            plan.params.resize(params);
            result.message = columns.error().message();
        }
        out.results.push_back(std::move(result));
    }
    GYRE_TRY(const table::Batch row, session.query(plan.select + " FROM " + plan.table, plan.params));
    out.rows = row.columns[0].int64s()[0];
    for (std::size_t i = 0; i < judged.size(); ++i) {
        read_result(row, 1 + i * kColumnsEach, suite.expectations[judged[i]], out.results[judged[i]]);
    }
    out.success =
        std::all_of(out.results.begin(), out.results.end(), [](const auto& r) { return r.success; });
    return out;
}

}  // namespace gyre::validation
