#include "api/oip/plain_reader.h"

#include <cstring>
#include <limits>
#include <string_view>

namespace gyre::api::oip {

const char* PlainReader::read(const char* at, std::size_t depth) {
    if (*at != '[' || depth > kRankMax) {
        return nullptr;
    }
    at = skip_space(at + 1);
    if (*at == ']') {
        return at + 1;
    }
    for (;;) {
        at = read_value(at, depth);
        if (at == nullptr) {
            return nullptr;
        }
        at = skip_space(at);
        if (*at != ',') {
            return *at == ']' ? at + 1 : nullptr;
        }
        at = skip_space(at + 1);
    }
}

const char* PlainReader::read_value(const char* at, std::size_t depth) {
    if (*at == '[') {
        return read(at, depth + 1);
    }
    if (row_ == rows_) {
        return nullptr;
    }
    double number = std::numeric_limits<double>::quiet_NaN();
    const char* to = scan_json_number(at, number);
    if (to == nullptr) {
        if (!std::string_view(at, std::strlen("null")).starts_with("null")) {
            return nullptr;
        }
        to = at + std::strlen("null");
    }
    cells_[cell_] = number;
    cell_ += rows_;
    if (++column_ == columns_) {
        column_ = 0;
        cell_ = ++row_;
    }
    return to;
}

}  // namespace gyre::api::oip
