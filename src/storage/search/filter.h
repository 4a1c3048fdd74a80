#pragma once
// The search language over rows, as MLflow's clients write it:
//   clause (AND clause)*      clause: name op value | name [NOT] IN ('a', 'b') | name IS [NOT] NULL
//   name: [entity.]key        key may be `quoted` or "quoted"; op: = != > >= < <= LIKE ILIKE (% and _)
// Parsing knows no tables; a domain says what each name means and builds conditions with SqlCondition.
// Pure functions. Errors are invalid_argument in MLflow's words, which its clients' tests compare.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "storage/sql/statement.h"

namespace gyre::storage {

inline constexpr std::size_t kFilterBytesMax = 1U << 20U;
inline constexpr std::size_t kFilterClausesMax = 100;
inline constexpr std::size_t kFilterListMax = 10'000;
inline constexpr std::size_t kOrderByMax = 20;
inline constexpr std::int64_t kPageOffsetMax = 1'000'000'000;

enum class Op : std::uint8_t { eq, ne, gt, ge, lt, le, like, ilike, in, not_in, is_null, is_not_null };
std::string_view name_of(Op op);

struct Clause {
    enum class Literal : std::uint8_t { none, text, number, bare };  // bare: not quoted, no number
    std::string entity;                                              // "" when the name has no dot
    std::string key;
    Op op = Op::eq;
    Literal literal = Literal::none;
    std::string value;  // without quotes
    double number = 0;
    std::vector<std::string> list;  // of IN and NOT IN
};
Result<std::vector<Clause>> parse_filter(std::string_view text);

struct OrderBy {
    std::string entity;
    std::string key;
    bool ascending = true;
};
Result<OrderBy> parse_order_by(std::string_view text);

/// SQL text with the values of its parameters, in order.
class SqlCondition {
 public:
    using Value = std::variant<std::int64_t, double, std::string>;

    void append(std::string_view sql) { sql_ += sql; }
    void add(Value value) { values_.push_back(std::move(value)); }
    void append(const SqlCondition& other);
    /// "<column> <op> ?" for text: = != LIKE ILIKE IN NOT IN.
    void append_text(std::string_view column, const Clause& clause);
    /// "<column> <op> ?" for numbers: = != > >= < <=.
    void append_number(std::string_view column, const Clause& clause);
    [[nodiscard]] const std::string& sql() const { return sql_; }
    void bind_to(Statement& statement) const;

 private:
    std::string sql_;
    std::vector<Value> values_;
};

bool is_numeric(Op op);  // = != > >= < <=

// Checks in MLflow's words; `what` is "metric", "parameter", "tag", ...
Result<void> check_text_clause(const Clause& clause, std::string_view what, bool lists_allowed);
Result<void> check_number_clause(const Clause& clause, std::string_view what);

/// "eyJvZmZzZXQiOjEwfQ==": base64 of {"offset":10}, opaque to clients.
std::string make_page_token(std::int64_t offset);
/// The offset; 0 for "".
Result<std::int64_t> parse_page_token(std::string_view token);

}  // namespace gyre::storage
