#include "training/model_rows.h"

namespace gyre::training {

Result<model::ColumnType> model_type_of(const table::ColumnSchema& column) {
    switch (column.type) {
        case table::ColumnType::boolean:
            return model::ColumnType::boolean;
        case table::ColumnType::int64:
            return model::ColumnType::integer;
        case table::ColumnType::float64:
            return model::ColumnType::number;
        case table::ColumnType::text:
            return model::ColumnType::text;
        case table::ColumnType::timestamp:
            break;
    }
    return invalid_argument(
        "column '" + column.name +
        "' is a time, which models do not take; derive numbers from it in the SQL (hour, weekday)");
}

Result<std::unique_ptr<ModelRows>> ModelRows::create(table::Batch batch,
                                                     std::span<const model::ColumnSpec> columns) {
    std::unique_ptr<ModelRows> out(new ModelRows(std::move(batch)));
    out->rows_.rows = out->batch_.rows();
    for (const model::ColumnSpec& column : columns) {
        GYRE_TRY_VOID(out->add(column));
    }
    return out;
}

Result<void> ModelRows::add(const model::ColumnSpec& spec) {
    if (spec.optional && batch_.find(spec.name) == nullptr) {
        rows_.columns.emplace_back();
        return {};
    }
    GYRE_TRY(const table::Column* column, batch_.get(spec.name));
    GYRE_TRY(const model::ColumnType type, model_type_of({spec.name, column->type()}));
    if (spec.type == model::ColumnType::text) {
        add_texts(*column);
    } else if (type == model::ColumnType::text) {
        return invalid_argument("column '" + spec.name + "': expected " + std::string(name_of(spec.type)) +
                                ", the table has text");
    } else {
        add_numbers(*column);
    }
    return {};
}

void ModelRows::add_numbers(const table::Column& column) {
    std::vector<double>& values = numbers_.emplace_back();
    values.reserve(column.rows());
    for (std::size_t row = 0; row < column.rows(); ++row) {
        values.push_back(column.number(row));
    }
    rows_.columns.push_back({.numbers = values, .texts = {}});
}

void ModelRows::add_texts(const table::Column& column) {
    std::vector<model::TextCell>& cells = texts_.emplace_back();
    cells.reserve(column.rows());
    for (std::size_t row = 0; row < column.rows(); ++row) {
        if (!column.valid(row)) {
            cells.push_back({.text = {}, .missing = true});
        } else if (column.type() == table::ColumnType::text) {
            cells.push_back({.text = column.text(row), .missing = false});
        } else {
            cells.push_back({.text = made_.emplace_back(column.display(row)), .missing = false});
        }
    }
    rows_.columns.push_back({.numbers = {}, .texts = cells});
}

model::RowBatch ModelRows::slice(std::size_t first, std::size_t count) const {
    model::RowBatch out;
    out.rows = count;
    for (const model::ColumnData& column : rows_.columns) {
        out.columns.push_back(
            {.numbers = column.numbers.empty() ? column.numbers : column.numbers.subspan(first, count),
             .texts = column.texts.empty() ? column.texts : column.texts.subspan(first, count)});
    }
    return out;
}

}  // namespace gyre::training
