#pragma once
// TextTable: aligned columns for people. Numbers align right.
#include <string>
#include <string_view>
#include <vector>

namespace gyre::cli {

class TextTable {
 public:
    explicit TextTable(std::vector<std::string> header) : header_(std::move(header)) {}
    /// Missing cells are empty; further ones than the header has are dropped.
    void add_row(std::vector<std::string> cells);
    [[nodiscard]] std::size_t rows() const { return rows_.size(); }
    /// One line per row, header first, two spaces between columns, no trailing spaces. Control characters of
    /// cells are shown as '?', so that names from a server cannot drive the terminal.
    [[nodiscard]] std::string str() const;

 private:
    std::vector<std::string> header_;
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace gyre::cli
