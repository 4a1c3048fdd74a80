#pragma once
// Evaluation: how good predictions were, as a value. A metric that is undefined for the rows (AUC with one
// class) is left out, never NaN.
#include <map>
#include <string>
#include <vector>

#include "base/fields.h"

namespace gyre::training {

/// A metric with its 95 % confidence interval; low == high == estimate where no interval is known.
struct MetricValue {
    double estimate = 0.0;
    double low = 0.0;
    double high = 0.0;
    static constexpr auto fields() {
        return std::tuple{Field{"estimate", &MetricValue::estimate, "Point estimate."},
                          Field{"low", &MetricValue::low, "Lower bound."},
                          Field{"high", &MetricValue::high, "Upper bound."}};
    }
};

struct SliceMetrics {
    std::string column{};
    std::string value{};
    std::int64_t n = 0;
    std::map<std::string, MetricValue> metrics{};
    static constexpr auto fields() {
        return std::tuple{Field{"column", &SliceMetrics::column, "Slicing column."},
                          Field{"value", &SliceMetrics::value, "Its value; empty for missing."},
                          Field{"n", &SliceMetrics::n, "Rows."},
                          Field{"metrics", &SliceMetrics::metrics, "Metrics of these rows."}};
    }
};

struct Evaluation {
    std::int64_t n = 0;
    std::string task{};
    /// Classification: roc_auc, brier, log_loss, accuracy, precision, recall, f1, ece, positive_share.
    /// Regression: mae, rmse, r2.
    std::map<std::string, MetricValue> metrics{};
    Json confusion{};    // classification: counts at the threshold 0.5
    Json calibration{};  // classification: bins of the reliability diagram
    std::vector<SliceMetrics> slices{};
    static constexpr auto fields() {
        return std::tuple{
            Field{"n", &Evaluation::n, "Rows with a label."},
            Field{"task", &Evaluation::task, "classification or regression."},
            Field{"metrics", &Evaluation::metrics, "By name, with intervals."},
            Field{"confusion", &Evaluation::confusion, "Counts at the threshold 0.5.", optional_field},
            Field{"calibration", &Evaluation::calibration, "Reliability diagram.", optional_field},
            Field{"slices", &Evaluation::slices, "Per value of the slicing columns.", optional_field}};
    }
};

}  // namespace gyre::training
