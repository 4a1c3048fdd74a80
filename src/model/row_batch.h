#pragma once
// RowBatch: raw rows, column-major, borrowed from whoever parsed them.
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace gyre::model {

struct TextCell {
    std::string_view text;
    bool missing = false;
};

/// One column: numbers (also integers and booleans as 0 and 1; NaN = missing) or texts. Both empty = the
/// whole column is missing.
struct ColumnData {
    std::span<const double> numbers;
    std::span<const TextCell> texts;
};

/// `columns` is parallel to Signature::columns; each column holds `rows` values or none.
struct RowBatch {
    std::size_t rows = 0;
    std::vector<ColumnData> columns;
};

}  // namespace gyre::model
