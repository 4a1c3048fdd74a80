#include <algorithm>

#include "stats/intervals.h"
#include "stats/model_metrics.h"
#include "training/evaluate.h"

namespace gyre::training {
namespace {

MetricValue value_of(const stats::Interval& interval) {
    return {.estimate = interval.estimate, .low = interval.low, .high = interval.high};
}

MetricValue value_of(double estimate) {
    return {.estimate = estimate, .low = estimate, .high = estimate};
}

void put(Evaluation& out, std::string_view name, const Result<stats::Interval>& interval) {
    if (interval) {
        out.metrics[std::string(name)] = value_of(*interval);
    }
}

void put_shares(Evaluation& out, const stats::ConfusionMatrix& counts) {
    using stats::wilson;
    const std::int64_t hits = counts.true_positives;
    const std::int64_t predicted = hits + counts.false_positives;
    const std::int64_t actual = hits + counts.false_negatives;
    out.metrics["accuracy"] = value_of(wilson(hits + counts.true_negatives, counts.n()));
    out.metrics["positive_share"] = value_of(wilson(actual, counts.n()));
    if (predicted > 0) {
        out.metrics["precision"] = value_of(wilson(hits, predicted));
    }
    if (actual > 0) {
        out.metrics["recall"] = value_of(wilson(hits, actual));
        out.metrics["f1"] = value_of(counts.f1_interval());
    }
    out.confusion = to_json(counts);
}

void measure_classes(Evaluation& out, stats::LabelledRows rows) {
    put(out, "roc_auc", stats::roc_auc(rows));
    put(out, "brier", stats::brier_score(rows));
    put(out, "log_loss", stats::log_loss(rows));
    if (const auto counts = stats::confusion_matrix(rows)) {
        put_shares(out, *counts);
    }
    if (const auto curve = stats::calibration(rows)) {
        out.metrics["ece"] = value_of(curve->ece);
        out.calibration = to_json(*curve);
    }
}

void measure_numbers(Evaluation& out, stats::LabelledRows rows) {
    if (const auto metrics = stats::regression_metrics(rows)) {
        out.metrics["mae"] = value_of(metrics->mae);
        out.metrics["rmse"] = value_of(metrics->rmse);
        out.metrics["r2"] = value_of(metrics->r2);
    }
}

}  // namespace

Evaluation measure(TrainTask task, std::span<const double> labels, std::span<const double> predictions) {
    GYRE_CHECK(labels.size() == predictions.size(), "labels and predictions of different rows");
    Evaluation out;
    out.n = static_cast<std::int64_t>(labels.size());
    out.task = name_of(task);
    if (labels.empty()) {
        return out;
    }
    const stats::LabelledRows rows{.labels = labels, .predictions = predictions};
    if (task == TrainTask::classification) {
        measure_classes(out, rows);
    } else {
        measure_numbers(out, rows);
    }
    return out;
}

}  // namespace gyre::training
