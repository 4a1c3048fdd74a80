#include "cli/table.h"

#include <algorithm>

#include "base/text.h"

namespace gyre::cli {
namespace {

/// Characters, not bytes: continuation bytes of UTF-8 take no column.
std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string printable(std::string text) {
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < 0x20U || c == 0x7F) {
            c = '?';
        }
    }
    return text;
}

bool is_numeric(const std::vector<std::vector<std::string>>& rows, std::size_t column) {
    bool any = false;
    for (const auto& row : rows) {
        if (row[column].empty() || row[column] == "-") {
            continue;
        }
        if (!parse_number(row[column])) {
            return false;
        }
        any = true;
    }
    return any;
}

void append_cell(std::string& line, std::string_view text, std::size_t width, bool right) {
    const std::string space(width - width_of(text), ' ');
    if (right) {
        line.append(space).append(text);
    } else {
        line.append(text).append(space);
    }
}

}  // namespace

void TextTable::add_row(std::vector<std::string> cells) {
    cells.resize(header_.size());
    for (std::string& cell : cells) {
        cell = printable(std::move(cell));
    }
    rows_.push_back(std::move(cells));
}

std::string TextTable::str() const {
    std::vector<std::size_t> widths;
    std::vector<bool> right;
    for (std::size_t column = 0; column < header_.size(); ++column) {
        std::size_t width = width_of(header_[column]);
        for (const auto& row : rows_) {
            width = std::max(width, width_of(row[column]));
        }
        widths.push_back(width);
        right.push_back(is_numeric(rows_, column));
    }
    std::string out;
    const auto append_line = [&](const std::vector<std::string>& cells) {
        std::string line;
        for (std::size_t column = 0; column < cells.size(); ++column) {
            line.append(column == 0 ? "" : "  ");
            append_cell(line, cells[column], widths[column], right[column]);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out.append(line).append("\n");
    };
    append_line(header_);
    for (const auto& row : rows_) {
        append_line(row);
    }
    return out;
}

}  // namespace gyre::cli
