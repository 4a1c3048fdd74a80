#pragma once
// ModelRows: a table's rows in the shape that models take. Owns what it lends.
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/row_batch.h"
#include "model/signature.h"
#include "table/batch.h"

namespace gyre::training {

class ModelRows {
 public:
    /// `columns` picks and orders; a number column asked for as text becomes its decimal text. Errors:
    /// not_found (a column that is neither there nor optional), invalid_argument (a text where a number is
    /// asked for, a time).
    static Result<std::unique_ptr<ModelRows>> create(table::Batch batch,
                                                     std::span<const model::ColumnSpec> columns);
    [[nodiscard]] const model::RowBatch& rows() const { return rows_; }
    /// `count` rows from `first`; borrows from this.
    [[nodiscard]] model::RowBatch slice(std::size_t first, std::size_t count) const;

 private:
    explicit ModelRows(table::Batch batch) : batch_(std::move(batch)) {}
    Result<void> add(const model::ColumnSpec& column);
    void add_numbers(const table::Column& column);
    void add_texts(const table::Column& column);

    const table::Batch batch_;
    std::deque<std::vector<double>> numbers_;
    std::deque<std::vector<model::TextCell>> texts_;
    std::deque<std::string> made_;  // decimal texts of number columns
    model::RowBatch rows_;
};

/// The model's type for a table's column. Errors: invalid_argument for a time, which models do not take.
Result<model::ColumnType> model_type_of(const table::ColumnSchema& column);

}  // namespace gyre::training
