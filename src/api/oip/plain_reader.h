#pragma once
// PlainReader: the values of a tensor's `data` that are all numbers and nulls, which most are.
#include <cstddef>

#include "base/json_number.h"

namespace gyre::api::oip {

/// Dimensions of a tensor, and so the depth of its data.
inline constexpr std::size_t kRankMax = 8;

/// Numbers and nulls, nested or not, read where they stand, which costs less than the parser's steps. At
/// whatever else there is it gives up: the general reader starts again then, and knows what to say. The text
/// must have a brace somewhere behind, at which every loop here stops, and kReadAhead bytes from there on.
class PlainReader {
 public:
    static constexpr std::size_t kReadAhead = json_number::kReadAhead;

    /// `cells` is column by column, `rows` values each.
    PlainReader(double* cells, std::size_t rows, std::size_t columns)
        : cells_(cells), rows_(rows), columns_(columns) {}

    /// The array at `at`: where it ends, or null.
    const char* read(const char* at, std::size_t depth);
    [[nodiscard]] std::size_t row() const { return row_; }
    [[nodiscard]] std::size_t column() const { return column_; }

 private:
    const char* read_value(const char* at, std::size_t depth);
    static const char* skip_space(const char* at) {
        while (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t') {
            ++at;
        }
        return at;
    }

    double* cells_;
    std::size_t rows_;
    std::size_t columns_;
    std::size_t row_ = 0;
    std::size_t column_ = 0;
    std::size_t cell_ = 0;  // of row_ and column_
};

}  // namespace gyre::api::oip
