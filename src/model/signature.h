#pragma once
// Signature: what a model takes and gives, in the caller's own columns. Plain values.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/fields.h"

namespace gyre::model {

enum class ColumnType : std::uint8_t { number, integer, boolean, text };
constexpr auto enum_names(ColumnType) {
    return std::array{EnumName<ColumnType>{ColumnType::number, "number"},
                      EnumName<ColumnType>{ColumnType::integer, "integer"},
                      EnumName<ColumnType>{ColumnType::boolean, "boolean"},
                      EnumName<ColumnType>{ColumnType::text, "text"}};
}

/// A raw input column. Missing values are always understood (NaN, null); `optional` says that a request may
/// leave the whole column out, which then counts as missing in every row.
struct ColumnSpec {
    std::string name;
    ColumnType type = ColumnType::number;
    bool optional = false;
    static constexpr auto fields() {
        return std::tuple{
            Field{"name", &ColumnSpec::name, "Column name."},
            Field{"type", &ColumnSpec::type, "Type of the raw values."},
            Field{"optional", &ColumnSpec::optional, "A request may leave it out.", optional_field},
        };
    }
    bool operator==(const ColumnSpec&) const = default;
};

/// An output of `width` float32 values per row.
struct OutputSpec {
    std::string name;
    std::int64_t width = 1;
    static constexpr auto fields() {
        return std::tuple{
            Field{"name", &OutputSpec::name, "Output name."},
            Field{"width", &OutputSpec::width, "Values per row.", optional_field},
        };
    }
    bool operator==(const OutputSpec&) const = default;
};

/// columns: each column is an input of its own, shape [n]. tensor: one float32 input [n, F] named `input`.
enum class InputLayout : std::uint8_t { columns, tensor };
constexpr auto enum_names(InputLayout) {
    return std::array{EnumName<InputLayout>{InputLayout::columns, "columns"},
                      EnumName<InputLayout>{InputLayout::tensor, "tensor"}};
}
inline constexpr std::string_view kTensorInputName = "input";

struct Signature {
    std::vector<ColumnSpec> columns;  // ordered; the model's features are in this order
    std::vector<OutputSpec> outputs;  // one today
    InputLayout layout = InputLayout::columns;
    static constexpr auto fields() {
        return std::tuple{
            Field{"columns", &Signature::columns, "Raw input columns in order."},
            Field{"outputs", &Signature::outputs, "Outputs in order."},
            Field{"layout", &Signature::layout, "How inputs are exposed.", optional_field},
        };
    }
    /// The place of a column, or columns.size() when there is none (a linear search; keep the result).
    [[nodiscard]] std::size_t index_of(std::string_view name) const;
    bool operator==(const Signature&) const = default;
};

}  // namespace gyre::model
