#pragma once
// Metrics of models from labels and predictions of the same rows. Pure functions. Rows whose label or
// prediction is not finite are refused. A metric that is undefined for the rows (AUC with one class)
// returns invalid_argument with the reason, never NaN; callers report it as insufficient evidence.
#include <cstdint>
#include <span>
#include <vector>

#include "stats/intervals.h"

namespace gyre::stats {

/// labels[i] belongs to predictions[i]. Classification: labels are 0 or 1, predictions probabilities in
/// [0, 1] (AUC takes any score). Regression: any finite numbers.
struct LabelledRows {
    std::span<const double> labels;
    std::span<const double> predictions;
};

/// Probability that a positive scores above a negative, ties count half. The interval is DeLong et al.
/// (1988) by the midrank algorithm of Sun and Xu (2014); a perfect ranking, where that variance is 0, gets
/// the exact one-sided binomial bound over the rarer class instead. O(n log n).
Result<Interval> roc_auc(LabelledRows rows, double confidence = kDefaultConfidence);

/// AUC from two histograms of scores (same bins, ascending): mergeable, off by at most half the tied mass.
Result<double> roc_auc_binned(std::span<const std::int64_t> positives,
                              std::span<const std::int64_t> negatives);

/// Mean of (p - y)^2 with a normal interval, cut to [0, 1].
Result<Interval> brier_score(LabelledRows rows, double confidence = kDefaultConfidence);
/// Mean of -log of the probability of what happened; probabilities are clipped to [eps, 1 - eps].
inline constexpr double kLogLossEpsilon = 1e-15;
Result<Interval> log_loss(LabelledRows rows, double epsilon = kLogLossEpsilon);

/// Counts at a threshold: predicted positive when prediction >= threshold. Mergeable by addition.
struct ConfusionMatrix {
    std::int64_t true_positives = 0;
    std::int64_t false_positives = 0;
    std::int64_t true_negatives = 0;
    std::int64_t false_negatives = 0;

    [[nodiscard]] std::int64_t n() const {
        return true_positives + false_positives + true_negatives + false_negatives;
    }
    // Ratios whose denominator is 0 are 0, as scikit-learn's zero_division=0.
    [[nodiscard]] double accuracy() const;
    [[nodiscard]] double precision() const;
    [[nodiscard]] double recall() const;
    [[nodiscard]] double f1() const;
    /// F1 = 2 J / (1 + J) with J = TP / (TP + FP + FN). Of the rows that are not true negatives, J is a share
    /// of successes (given their number, the multinomial counts leave TP binomial), and F1 rises with J: so
    /// the Wilson (1927) bounds of J become bounds of F1. Their width agrees with the delta method's variance
    /// 4 tp (fp + fn) (tp + fp + fn) / (n (2 tp + fp + fn)^4) over shares of rows, but they are not
    /// degenerate at F1 = 0 or 1. Without such rows: [0, 1].
    [[nodiscard]] Interval f1_interval(double confidence = kDefaultConfidence) const;
    void merge(const ConfusionMatrix& other);

    static constexpr auto fields() {
        return std::tuple{
            Field{"true_positives", &ConfusionMatrix::true_positives, "Label 1, predicted 1."},
            Field{"false_positives", &ConfusionMatrix::false_positives, "Label 0, predicted 1."},
            Field{"true_negatives", &ConfusionMatrix::true_negatives, "Label 0, predicted 0."},
            Field{"false_negatives", &ConfusionMatrix::false_negatives, "Label 1, predicted 0."},
        };
    }
};
Result<ConfusionMatrix> confusion_matrix(LabelledRows rows, double threshold = 0.5);

/// One bin of the reliability diagram.
struct CalibrationBin {
    double low = 0.0;
    double high = 0.0;
    std::int64_t n = 0;
    double mean_prediction = 0.0;
    double positive_share = 0.0;

    static constexpr auto fields() {
        return std::tuple{
            Field{"low", &CalibrationBin::low, "Lower edge, inside the bin."},
            Field{"high", &CalibrationBin::high, "Upper edge, outside the bin except for the last one."},
            Field{"n", &CalibrationBin::n, "Rows."},
            Field{"mean_prediction", &CalibrationBin::mean_prediction, "Mean predicted probability."},
            Field{"positive_share", &CalibrationBin::positive_share, "Share of label 1."},
        };
    }
};
inline constexpr std::size_t kCalibrationBins = 10;
struct Calibration {
    std::vector<CalibrationBin> bins;  // equal width over [0, 1]
    double ece = 0.0;                  // expected calibration error, sum n_b/n |share - mean|
    static constexpr auto fields() {
        return std::tuple{
            Field{"bins", &Calibration::bins, "Bins of equal width over [0, 1]."},
            Field{"ece", &Calibration::ece, "Expected calibration error (Naeini et al. 2015)."},
        };
    }
};
Result<Calibration> calibration(LabelledRows rows, std::size_t bins = kCalibrationBins);

struct RegressionMetrics {
    Interval mae;  // with a normal interval
    /// The delta method on the logarithm of the mean squared error M (van der Vaart 1998, chapter 3):
    /// log M is about normal with variance s^2 / (n M^2), s^2 the variance of the squared errors, so the
    /// bounds are rmse * exp(-+ z s / (2 M sqrt n)). One row has no upper bound; rows without any error have
    /// [0, 0]. Errors whose fourth moment is large (a few huge misses) need many rows.
    Interval rmse;
    /// 1 - SSE / SST. The delta method again, on log(SSE / SST): of a row with the error e and the label's
    /// deviation d its influence is e^2 / mean(e^2) - d^2 / mean(d^2) (that of the labels' mean vanishes), so
    /// with s the spread of these the bounds are 1 - (1 - r2) * exp(+-z s / sqrt n). Labels that are
    /// constant, one row among them, say nothing: r2 is 0, or 1 when the fit is perfect, as scikit-learn has
    /// it, and there is no lower bound. A perfect fit of others has [1, 1].
    Interval r2;
};
Result<RegressionMetrics> regression_metrics(LabelledRows rows);

}  // namespace gyre::stats
