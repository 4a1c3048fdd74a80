#pragma once
// Encoder: raw columns to float32 features, one feature per column.
//
// number, integer, boolean: the value as float32. Category: the place of the value in a stored dictionary;
// an unseen value is missing (NaN). Immutable after construction; applying never allocates; thread-safe.
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fields.h"
#include "base/result.h"
#include "model/limits.h"
#include "model/row_batch.h"
#include "model/signature.h"

namespace gyre::model {

/// A dictionary of distinct texts; the code of a text is its place.
class CategoryDictionary {
 public:
    /// Errors: invalid_argument for a repeated or too long category, resource_exhausted above
    /// kCategoriesPerColumnMax.
    static Result<CategoryDictionary> create(std::vector<std::string> categories);
    /// The distinct texts that are not missing, sorted by bytes, so that equal data gives equal codes.
    static Result<CategoryDictionary> fit(std::span<const TextCell> cells);

    [[nodiscard]] const std::vector<std::string>& categories() const { return categories_; }
    /// The code of `text`, or nothing when it is unseen.
    [[nodiscard]] std::optional<std::uint32_t> find(std::string_view text) const;

 private:
    std::vector<std::string> categories_;
    std::vector<std::uint32_t>
        slots_;  // open addressing: code + 1, 0 = free; a power of two, at most half full
};

enum class EncoderKind : std::uint8_t { number, category };
constexpr auto enum_names(EncoderKind) {
    return std::array{EnumName<EncoderKind>{EncoderKind::number, "number"},
                      EnumName<EncoderKind>{EncoderKind::category, "category"}};
}

/// One column's encoder as pipeline.json holds it.
struct EncoderSpec {
    std::string column;
    EncoderKind kind = EncoderKind::number;
    std::vector<std::string> categories;  // kind category: in the order of their codes
    static constexpr auto fields() {
        return std::tuple{
            Field{"column", &EncoderSpec::column, "Column that it encodes."},
            Field{"kind", &EncoderSpec::kind, "number: as it is; category: the place in `categories`."},
            Field{"categories", &EncoderSpec::categories, "Known values; others are missing.",
                  optional_field},
        };
    }
    bool operator==(const EncoderSpec&) const = default;
};

class Encoder {
 public:
    /// `encoders` is parallel to `columns` and names the same columns in the same order.
    static Result<Encoder> create(std::vector<ColumnSpec> columns, std::vector<EncoderSpec> encoders);
    /// Fits on training rows: text columns get a dictionary, the others pass through.
    static Result<Encoder> fit(std::vector<ColumnSpec> columns, const RowBatch& rows);

    [[nodiscard]] std::size_t column_count() const { return columns_.size(); }
    [[nodiscard]] const std::vector<ColumnSpec>& columns() const { return columns_; }
    [[nodiscard]] std::vector<EncoderSpec> specs() const;
    [[nodiscard]] bool is_category(std::size_t column) const { return encoded_[column].has_value(); }
    /// Known values of a category column; empty for the others.
    [[nodiscard]] std::span<const std::string> categories(std::size_t column) const;

    /// The feature for one text; NaN when unseen. For a column that is no category: the number that the text
    /// spells, NaN when it spells none. `column` must be in range.
    [[nodiscard]] float encode_text(std::size_t column, std::string_view text) const;
    /// Writes [rows, columns] row-major. Errors: invalid_argument naming the column, what was expected and
    /// what came.
    Result<void> encode(const RowBatch& batch, std::span<float> out) const;

 private:
    Result<void> encode_column(std::size_t column, const ColumnData& data, std::size_t rows,
                               float* out) const;

    std::vector<ColumnSpec> columns_;
    std::vector<std::optional<CategoryDictionary>> encoded_;  // by column
};

}  // namespace gyre::model
