#pragma once
// RowBuffer: raw rows on their way from a request's text to a model, column by column.
//
// Made once per thread and reused: after the first requests it allocates nothing, but for requests of more
// than kRowBufferKeptValues values, whose room it gives back at the next smaller one. Texts are borrowed from
// the request's body and must outlive the use of batch(). Not thread-safe.
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "model/row_batch.h"
#include "model/signature.h"

namespace gyre::serving {

class RowBuffer {
 public:
    RowBuffer() = default;
    RowBuffer(RowBuffer&&) = default;
    RowBuffer& operator=(RowBuffer&&) = default;
    RowBuffer(const RowBuffer&) = delete;  // views inside: see owned_copy()
    RowBuffer& operator=(const RowBuffer&) = delete;

    /// Makes room for `rows` rows of the signature's columns, every value missing.
    void reset(const model::Signature& signature, std::size_t rows);

    [[nodiscard]] std::size_t rows() const { return batch_.rows; }
    [[nodiscard]] bool is_text(std::size_t column) const { return offsets_[column].text; }
    void set_number(std::size_t column, std::size_t row, double value) {
        numbers_[offsets_[column].at + row] = value;
    }
    void set_text(std::size_t column, std::size_t row, std::string_view text) {
        texts_[offsets_[column].at + row] = {text, false};
    }
    [[nodiscard]] double number(std::size_t column, std::size_t row) const {
        return numbers_[offsets_[column].at + row];
    }
    [[nodiscard]] const model::TextCell& text(std::size_t column, std::size_t row) const {
        return texts_[offsets_[column].at + row];
    }
    /// The values of a column of numbers, row by row; behind them those of the next such column.
    [[nodiscard]] double* numbers_of(std::size_t column) { return numbers_.data() + offsets_[column].at; }
    /// All numbers, column by column; those of a buffer of one row are that row's, in order.
    [[nodiscard]] std::span<const double> numbers() const { return numbers_; }
    [[nodiscard]] const model::RowBatch& batch() const { return batch_; }
    /// Values that there is room for.
    [[nodiscard]] std::size_t capacity() const { return numbers_.capacity() + texts_.capacity(); }
    [[nodiscard]] std::size_t column_count() const { return offsets_.size(); }

    /// Copies all values, texts included, so that they outlive the request.
    [[nodiscard]] RowBuffer owned_copy() const;

 private:
    struct Place {
        bool text = false;
        std::size_t at = 0;  // of the column's first value in numbers_ or texts_
    };
    [[nodiscard]] bool fits(const model::Signature& signature, std::size_t rows) const;
    void link();

    std::vector<Place> offsets_;
    std::vector<double> numbers_;
    std::vector<model::TextCell> texts_;
    std::string arena_;  // the texts of an owned copy
    model::RowBatch batch_;
};

}  // namespace gyre::serving
