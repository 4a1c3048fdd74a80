#include "training/evaluate.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "training/labels.h"
#include "training/limits.h"
#include "training/model_rows.h"

namespace gyre::training {
namespace {

/// "SELECT a, b FROM t WHERE target IS NOT NULL" over the columns, each once.
std::string select_labelled(const EvaluateSpec& spec, const std::vector<std::string>& columns) {
    std::set<std::string> seen;
    std::string list;
    for (const std::string& column : columns) {
        if (seen.insert(column).second) {
            list += (list.empty() ? "" : ", ") + table::quote_name(column);
        }
    }
    return "SELECT " + list + " FROM " + table::quote_name(spec.table) + " WHERE " +
           table::quote_name(spec.target) + " IS NOT NULL";
}

Result<std::vector<std::string>> columns_to_read(table::Session& session, const EvaluateSpec& spec,
                                                 const model::Predictor& predictor) {
    GYRE_TRY(const table::Schema schema, session.schema_of("SELECT * FROM " + table::quote_name(spec.table)));
    const table::Batch empty = table::Batch::empty(schema);
    std::vector<std::string> out{spec.target};
    for (const model::ColumnSpec& column : predictor.signature().columns) {
        if (!column.optional || schema.find(column.name)) {
            out.push_back(column.name);
        }
    }
    out.insert(out.end(), spec.slices.begin(), spec.slices.end());
    for (const std::string& name : out) {
        GYRE_TRY(const table::Column* column, empty.get(name));
        static_cast<void>(column);
    }
    return out;
}

struct Slice {
    std::string value;
    std::vector<double> labels;
    std::vector<double> predictions;
};

/// Rows by the column's value, the most frequent first; slices that are too small are left out.
std::vector<Slice> slices_of(const table::Column& column, const ScoredRows& rows) {
    std::map<std::string, Slice> found;
    for (std::size_t row = 0; row < rows.labels.size(); ++row) {
        Slice& slice = found[column.display(row)];
        slice.labels.push_back(rows.labels[row]);
        slice.predictions.push_back(rows.predictions[row]);
    }
    std::vector<Slice> out;
    for (auto& [value, slice] : found) {
        if (static_cast<std::int64_t>(slice.labels.size()) >= kSliceRowsMin) {
            slice.value = value;
            out.push_back(std::move(slice));
        }
    }
    std::sort(out.begin(), out.end(), [](const Slice& a, const Slice& b) {
        return a.labels.size() != b.labels.size() ? a.labels.size() > b.labels.size() : a.value < b.value;
    });
    if (out.size() > kSlicesMax) {
        out.resize(kSlicesMax);
    }
    return out;
}

}  // namespace

Result<std::vector<double>> predict_all(const model::Predictor& predictor, const table::Batch& batch) {
    if (predictor.output_count() != 1) {
        return Error(ErrorCode::unimplemented, "expected a model with one output, this one has " +
                                                   std::to_string(predictor.output_count()));
    }
    const std::size_t rows = batch.rows();
    GYRE_TRY(const std::unique_ptr<ModelRows> input, ModelRows::create(batch, predictor.signature().columns));
    std::vector<float> block(kPredictBlockRows);
    std::vector<double> out;
    out.reserve(rows);
    for (std::size_t first = 0; first < rows; first += kPredictBlockRows) {
        const std::size_t count = std::min(kPredictBlockRows, rows - first);
        GYRE_TRY_VOID(predictor.predict(input->slice(first, count), std::span(block).first(count)));
        for (std::size_t i = 0; i < count; ++i) {
            out.push_back(static_cast<double>(block[i]));
        }
    }
    return out;
}

Result<ScoredRows> score(table::Session& session, const EvaluateSpec& spec) {
    GYRE_TRY(const std::shared_ptr<const model::Predictor> predictor, model::Predictor::open(spec.package));
    GYRE_TRY(const std::vector<std::string> columns, columns_to_read(session, spec, *predictor));
    ScoredRows out;
    out.task =
        predictor->task() == model::Task::regression ? TrainTask::regression : TrainTask::classification;
    GYRE_TRY(out.batch, session.query(select_labelled(spec, columns)));
    GYRE_TRY(const table::Column* target, out.batch.get(spec.target));
    GYRE_TRY(Labels labels, read_labels(*target, out.task, predictor->classes()));
    out.labels = std::move(labels.values);
    GYRE_TRY(out.predictions, predict_all(*predictor, out.batch));
    return out;
}

Result<Evaluation> evaluate(table::Session& session, const EvaluateSpec& spec) {
    if (spec.slices.size() > kSliceColumnsMax) {
        return resource_exhausted("at most " + std::to_string(kSliceColumnsMax) +
                                  " columns can be sliced by");
    }
    GYRE_TRY(const ScoredRows rows, score(session, spec));
    Evaluation out = measure(rows.task, rows.labels, rows.predictions);
    for (const std::string& name : spec.slices) {
        GYRE_TRY(const table::Column* column, rows.batch.get(name));
        for (const Slice& slice : slices_of(*column, rows)) {
            Evaluation part = measure(rows.task, slice.labels, slice.predictions);
            out.slices.push_back(
                {.column = name, .value = slice.value, .n = part.n, .metrics = std::move(part.metrics)});
        }
    }
    return out;
}

}  // namespace gyre::training
