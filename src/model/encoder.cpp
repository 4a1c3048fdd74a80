#include "model/encoder.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <unordered_set>

#include "base/digest.h"
#include "base/text.h"

namespace gyre::model {
namespace {

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

/// A fast hash of short texts: 8 bytes at a time, multiply and fold. Only places in memory depend on it.
std::uint64_t quick_hash(std::string_view text) {
    std::uint64_t hash = 0x9E3779B97F4A7C15ULL ^ text.size();
    const char* at = text.data();
    std::size_t left = text.size();
    const auto mix = [&hash](std::uint64_t word) {
        hash = (hash ^ word) * 0xD6E8FEB86659FD93ULL;
        hash ^= hash >> 32U;
    };
    for (; left >= 8; left -= 8, at += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, 8);
        mix(word);
    }
    std::uint64_t tail = 0;
    if (left > 0) {
        std::memcpy(&tail, at, left);
    }
    mix(tail);
    return hash;
}

Error too_many_categories() {
    return resource_exhausted("a category column may have at most " +
                              with_thousands(static_cast<std::int64_t>(kCategoriesPerColumnMax)) +
                              " distinct values; drop it or group its rare values");
}

std::string column_text(const ColumnSpec& column) {
    return "column '" + column.name + "' (" + std::string(name_of(column.type)) + ")";
}

}  // namespace

Result<CategoryDictionary> CategoryDictionary::create(std::vector<std::string> categories) {
    if (categories.size() > kCategoriesPerColumnMax) {
        return too_many_categories();
    }
    CategoryDictionary out;
    out.slots_.assign(std::bit_ceil(std::max<std::size_t>(8, categories.size() * 2)), 0);
    const std::size_t mask = out.slots_.size() - 1;
    for (std::size_t code = 0; code < categories.size(); ++code) {
        const std::string& text = categories[code];
        if (text.size() > kCategoryBytesMax) {
            return invalid_argument("a category is longer than " + std::to_string(kCategoryBytesMax) +
                                    " bytes");
        }
        std::size_t slot = quick_hash(text) & mask;
        while (out.slots_[slot] != 0) {
            if (categories[out.slots_[slot] - 1] == text) {
                return invalid_argument("category '" + text + "' is listed twice");
            }
            slot = (slot + 1) & mask;
        }
        out.slots_[slot] = static_cast<std::uint32_t>(code) + 1;
    }
    out.categories_ = std::move(categories);
    return out;
}

Result<CategoryDictionary> CategoryDictionary::fit(std::span<const TextCell> cells) {
    std::unordered_set<std::string_view> seen;
    for (const TextCell& cell : cells) {
        if (!cell.missing) {
            seen.insert(cell.text);
        }
        if (seen.size() > kCategoriesPerColumnMax) {
            return too_many_categories();
        }
    }
    std::vector<std::string> categories(seen.begin(), seen.end());
    std::sort(categories.begin(), categories.end());
    return create(std::move(categories));
}

std::optional<std::uint32_t> CategoryDictionary::find(std::string_view text) const {
    if (slots_.empty()) {
        return std::nullopt;
    }
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t slot = quick_hash(text) & mask; slots_[slot] != 0; slot = (slot + 1) & mask) {
        const std::uint32_t code = slots_[slot] - 1;
        if (categories_[code] == text) {
            return code;
        }
    }
    return std::nullopt;
}

Result<Encoder> Encoder::create(std::vector<ColumnSpec> columns, std::vector<EncoderSpec> encoders) {
    if (columns.size() > kColumnsMax) {
        return resource_exhausted("a model may have at most " + std::to_string(kColumnsMax) + " raw columns");
    }
    if (columns.size() != encoders.size()) {
        return invalid_argument("expected one encoder per column, got " + std::to_string(encoders.size()) +
                                " for " + std::to_string(columns.size()) + " columns");
    }
    Encoder out;
    std::vector<std::string_view> names;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (encoders[i].column != columns[i].name) {
            return invalid_argument("encoder " + std::to_string(i) + " is for column '" + encoders[i].column +
                                    "', expected '" + columns[i].name + "'");
        }
        names.push_back(columns[i].name);
        out.encoded_.emplace_back();
        if (encoders[i].kind == EncoderKind::category) {
            auto dictionary = CategoryDictionary::create(std::move(encoders[i].categories));
            if (!dictionary) {
                return std::move(dictionary).error().context("column '" + columns[i].name + "'");
            }
            out.encoded_.back() = *std::move(dictionary);
        } else if (!encoders[i].categories.empty()) {
            return invalid_argument("column '" + columns[i].name +
                                    "' is encoded as a number but has categories");
        }
    }
    std::sort(names.begin(), names.end());
    if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end()) {
        return invalid_argument("column '" + std::string(*twice) + "' is listed twice");
    }
    out.columns_ = std::move(columns);
    return out;
}

Result<Encoder> Encoder::fit(std::vector<ColumnSpec> columns, const RowBatch& rows) {
    if (rows.columns.size() != columns.size()) {
        return invalid_argument("expected " + std::to_string(columns.size()) + " columns, got " +
                                std::to_string(rows.columns.size()));
    }
    std::vector<EncoderSpec> specs;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        EncoderSpec spec{.column = columns[i].name, .kind = EncoderKind::number, .categories = {}};
        if (columns[i].type == ColumnType::text) {
            auto dictionary = CategoryDictionary::fit(rows.columns[i].texts);
            if (!dictionary) {
                return std::move(dictionary).error().context("column '" + columns[i].name + "'");
            }
            spec.kind = EncoderKind::category;
            spec.categories = dictionary->categories();
        }
        specs.push_back(std::move(spec));
    }
    return create(std::move(columns), std::move(specs));
}

std::vector<EncoderSpec> Encoder::specs() const {
    std::vector<EncoderSpec> out;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        EncoderSpec spec{.column = columns_[i].name, .kind = EncoderKind::number, .categories = {}};
        if (encoded_[i]) {
            spec.kind = EncoderKind::category;
            spec.categories = encoded_[i]->categories();
        }
        out.push_back(std::move(spec));
    }
    return out;
}

std::span<const std::string> Encoder::categories(std::size_t column) const {
    return encoded_[column] ? std::span<const std::string>(encoded_[column]->categories())
                            : std::span<const std::string>();
}

float Encoder::encode_text(std::size_t column, std::string_view text) const {
    if (const auto& dictionary = encoded_[column]; dictionary) {
        const auto code = dictionary->find(text);
        return code ? static_cast<float>(*code) : kMissing;
    }
    const auto number = parse_number(text);
    return number ? static_cast<float>(*number) : kMissing;
}

Result<void> Encoder::encode(const RowBatch& batch, std::span<float> out) const {
    if (batch.columns.size() != columns_.size()) {
        return invalid_argument("expected " + std::to_string(columns_.size()) + " columns, got " +
                                std::to_string(batch.columns.size()));
    }
    if (out.size() != batch.rows * columns_.size()) {
        return invalid_argument("the feature buffer holds " + std::to_string(out.size()) +
                                " values, expected " + std::to_string(batch.rows * columns_.size()));
    }
    const std::size_t stride = columns_.size();
    for (std::size_t i = 0; i < stride; ++i) {
        const ColumnData& data = batch.columns[i];
        if (data.numbers.size() != batch.rows || encoded_[i]) {
            GYRE_TRY_VOID(encode_column(i, data, batch.rows, out.data()));
            continue;
        }
        float* at = out.data() + i;
        if (batch.rows == 1) {  // a loop made for many rows is slow to start
            *at = static_cast<float>(data.numbers.front());
            continue;
        }
        for (const double number : data.numbers) {
            *at = static_cast<float>(number);
            at += stride;
        }
    }
    return {};
}

/// What is no whole column of numbers for a feature that is a number.
Result<void> Encoder::encode_column(std::size_t column, const ColumnData& data, std::size_t rows,
                                    float* out) const {
    const std::size_t stride = columns_.size();
    float* at = out + column;
    if (data.numbers.empty() && data.texts.empty()) {
        for (std::size_t row = 0; row < rows; ++row) {
            at[row * stride] = kMissing;
        }
        return {};
    }
    const std::size_t got = data.numbers.empty() ? data.texts.size() : data.numbers.size();
    if (got != rows) {
        return invalid_argument(column_text(columns_[column]) + ": expected " + std::to_string(rows) +
                                " values, got " + std::to_string(got));
    }
    if (!data.numbers.empty()) {
        return invalid_argument(column_text(columns_[column]) + ": expected texts, got numbers");
    }
    if (!encoded_[column]) {
        return invalid_argument(column_text(columns_[column]) + ": expected numbers, got texts");
    }
    for (std::size_t row = 0; row < rows; ++row) {
        const TextCell& cell = data.texts[row];
        at[row * stride] = cell.missing ? kMissing : encode_text(column, cell.text);
    }
    return {};
}

}  // namespace gyre::model
