#pragma once
// Batch: rows as typed columns with validity. A plain value; concurrent reads are fine.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "table/schema.h"

namespace gyre::table {

/// One column. A null has valid(row) == false and a zero value behind it.
class Column {
 public:
    explicit Column(ColumnType type = ColumnType::text);

    [[nodiscard]] ColumnType type() const { return type_; }
    [[nodiscard]] std::size_t rows() const { return valid_.size(); }
    [[nodiscard]] bool valid(std::size_t row) const { return valid_[row] != 0; }
    [[nodiscard]] std::size_t null_count() const;
    /// Bytes of values held, roughly.
    [[nodiscard]] std::uint64_t bytes() const;

    // Typed views. The type must be right (a broken invariant otherwise).
    [[nodiscard]] std::span<const std::uint8_t> booleans() const;
    [[nodiscard]] std::span<const std::int64_t> int64s() const;  // int64 and timestamp
    [[nodiscard]] std::span<const double> float64s() const;
    [[nodiscard]] std::string_view text(std::size_t row) const;

    /// The value as a number: NaN for a null, 0/1 for a boolean, microseconds for a timestamp. Not for text.
    [[nodiscard]] double number(std::size_t row) const;
    /// The value for people and JSON: timestamps as RFC 3339.
    [[nodiscard]] Json json(std::size_t row) const;
    /// The value as text: "true", "42", "0.5", the text itself, RFC 3339; "" for a null.
    [[nodiscard]] std::string display(std::size_t row) const;

    // Appending. Each call adds one row; the type must be right.
    void append_null();
    void append_boolean(bool value);
    void append_int64(std::int64_t value);  // int64 and timestamp
    void append_float64(double value);
    void append_text(std::string_view value);
    /// Adds all rows of a column of the same type.
    void append(const Column& other);
    /// A column of the rows `rows`, in that order.
    [[nodiscard]] Column take(std::span<const std::size_t> rows) const;
    void reserve(std::size_t rows);

 private:
    struct Texts {
        std::vector<std::uint64_t> ends;
        std::string bytes;
    };
    ColumnType type_;
    std::vector<std::uint8_t> valid_;
    std::variant<std::vector<std::uint8_t>, std::vector<std::int64_t>, std::vector<double>, Texts> values_;
};

struct Batch {
    Schema schema;
    std::vector<Column> columns;  // one per column of the schema, all of the same length

    /// An empty batch with the schema's columns.
    static Batch empty(Schema schema);
    [[nodiscard]] std::size_t rows() const { return columns.empty() ? 0 : columns.front().rows(); }
    /// The column, or nullptr.
    [[nodiscard]] const Column* find(std::string_view name) const;
    /// The column; not_found names the nearest that exists.
    [[nodiscard]] Result<const Column*> get(std::string_view name) const;
    [[nodiscard]] std::uint64_t bytes() const;
    /// Adds a batch of the same schema.
    void append(const Batch& other);
    [[nodiscard]] Batch take(std::span<const std::size_t> rows) const;
    /// One row as a JSON object, in the order of the columns; nulls are written as null.
    [[nodiscard]] Json row_json(std::size_t row) const;
};

/// SHA-256 over schema and values, independent of the file format that they came from: equal tables in equal
/// order have equal digests. Every NaN counts as the same value.
std::string digest_of(const Batch& batch);

}  // namespace gyre::table
