#pragma once
// The types that a table's columns have, wherever the rows come from.
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fields.h"

namespace gyre::table {

enum class ColumnType : std::uint8_t {
    boolean,
    int64,
    float64,
    text,       // UTF-8
    timestamp,  // Unix microseconds, UTC
};
constexpr auto enum_names(ColumnType) {
    return std::array{EnumName{ColumnType::boolean, "boolean"}, EnumName{ColumnType::int64, "int64"},
                      EnumName{ColumnType::float64, "float64"}, EnumName{ColumnType::text, "text"},
                      EnumName{ColumnType::timestamp, "timestamp"}};
}

struct ColumnSchema {
    std::string name;
    ColumnType type = ColumnType::text;
    bool operator==(const ColumnSchema&) const = default;
    static constexpr auto fields() {
        return std::tuple{Field{"name", &ColumnSchema::name, "Name of the column."},
                          Field{"type", &ColumnSchema::type, "Type of its values."}};
    }
};

struct Schema {
    std::vector<ColumnSchema> columns;
    bool operator==(const Schema&) const = default;
    [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const;
    /// The column of that name. Errors: not_found with the names that there are.
    [[nodiscard]] Result<const ColumnSchema*> get(std::string_view name) const;
    static constexpr auto fields() {
        return std::tuple{Field{"columns", &Schema::columns, "Columns in order."}};
    }
};

}  // namespace gyre::table
