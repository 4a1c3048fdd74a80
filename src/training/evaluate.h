#pragma once
// Evaluation of a package on labelled rows.
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/predictor.h"
#include "table/session.h"
#include "training/evaluation.h"
#include "training/train_spec.h"

namespace gyre::training {

struct EvaluateSpec {
    std::string package{};
    std::string table{};
    std::string target{};
    std::vector<std::string> slices{};
    static constexpr auto fields() {
        using S = EvaluateSpec;
        return std::tuple{
            Field{"package", &S::package, "Folder of the model package."},
            Field{"table", &S::table, "Source that holds the rows."},
            Field{"target", &S::target, "Column with the labels; rows without one are left out."},
            Field{"slices", &S::slices, "Columns whose values get metrics of their own.", optional_field},
        };
    }
};

/// Labels and predictions of the same rows; `batch` has the model's columns and the others that were asked
/// for.
struct ScoredRows {
    TrainTask task = TrainTask::classification;
    std::vector<double> labels;
    std::vector<double> predictions;
    table::Batch batch;
};

/// Predictions of a model for a batch, one per row, in blocks.
Result<std::vector<double>> predict_all(const model::Predictor& predictor, const table::Batch& batch);
/// Predicts the rows of `spec.table` that have a label. Errors: not_found (column, table, package),
/// invalid_argument, unimplemented (a model with several outputs).
Result<ScoredRows> score(table::Session& session, const EvaluateSpec& spec);
/// Metrics of labels and predictions, without slices. No rows give no metrics.
Evaluation measure(TrainTask task, std::span<const double> labels, std::span<const double> predictions);
/// Score, measure, and measure each slice with at least kSliceRowsMin rows (the kSlicesMax most frequent
/// values).
Result<Evaluation> evaluate(table::Session& session, const EvaluateSpec& spec);

}  // namespace gyre::training
