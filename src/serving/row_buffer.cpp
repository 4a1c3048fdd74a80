#include "serving/row_buffer.h"

#include <algorithm>

#include "serving/limits.h"

namespace gyre::serving {
namespace {

template <class Value>
void give_back(std::vector<Value>& room) {
    if (room.capacity() > kRowBufferKeptValues) {
        room = std::vector<Value>();  // {} would keep it
    }
}

}  // namespace

/// Whether the buffer already has this form, as it does while one model is asked again and again.
bool RowBuffer::fits(const model::Signature& signature, std::size_t rows) const {
    return rows == batch_.rows &&
           std::equal(signature.columns.begin(), signature.columns.end(), offsets_.begin(), offsets_.end(),
                      [](const model::ColumnSpec& column, const Place& place) {
                          return (column.type == model::ColumnType::text) == place.text;
                      });
}

void RowBuffer::reset(const model::Signature& signature, std::size_t rows) {
    if (fits(signature, rows)) {
        std::fill(numbers_.begin(), numbers_.end(), std::numeric_limits<double>::quiet_NaN());
        std::fill(texts_.begin(), texts_.end(), model::TextCell{{}, true});
        return;
    }
    if (rows * signature.columns.size() <= kRowBufferKeptValues) {
        give_back(numbers_);
        give_back(texts_);
    }
    offsets_.resize(signature.columns.size());
    std::size_t numbers = 0;
    std::size_t texts = 0;
    for (std::size_t i = 0; i < offsets_.size(); ++i) {
        const bool text = signature.columns[i].type == model::ColumnType::text;
        std::size_t& used = text ? texts : numbers;
        offsets_[i] = {text, used};
        used += rows;
    }
    numbers_.assign(numbers, std::numeric_limits<double>::quiet_NaN());
    texts_.assign(texts, model::TextCell{{}, true});
    batch_.rows = rows;
    link();
}

void RowBuffer::link() {
    batch_.columns.resize(offsets_.size());
    for (std::size_t i = 0; i < offsets_.size(); ++i) {
        model::ColumnData& column = batch_.columns[i];
        const Place& place = offsets_[i];
        if (place.text) {
            column = {{}, {texts_.data() + place.at, batch_.rows}};
        } else {
            column = {{numbers_.data() + place.at, batch_.rows}, {}};
        }
    }
}

RowBuffer RowBuffer::owned_copy() const {
    RowBuffer copy;
    copy.offsets_ = offsets_;
    copy.numbers_ = numbers_;
    copy.texts_ = texts_;
    copy.batch_.rows = batch_.rows;
    std::size_t bytes = 0;
    for (const model::TextCell& cell : texts_) {
        bytes += cell.text.size();
    }
    copy.arena_.reserve(bytes + 32);  // beyond the small-string buffer, so that moves keep the views valid
    for (model::TextCell& cell : copy.texts_) {
        const std::size_t at = copy.arena_.size();
        copy.arena_.append(cell.text);
        cell.text = std::string_view(copy.arena_.data() + at, cell.text.size());
    }
    copy.link();
    return copy;
}

}  // namespace gyre::serving
