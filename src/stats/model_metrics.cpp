#include "stats/model_metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "stats/hypothesis.h"

namespace gyre::stats {
namespace {

enum class Task : std::uint8_t { scoring, probability, regression };

Result<void> check_rows(const LabelledRows& rows, Task task) {
    if (rows.labels.size() != rows.predictions.size()) {
        return invalid_argument("expected one prediction per label, got " +
                                std::to_string(rows.predictions.size()) + " for " +
                                std::to_string(rows.labels.size()));
    }
    if (rows.labels.empty()) {
        return invalid_argument("no labelled rows");
    }
    for (std::size_t i = 0; i < rows.labels.size(); ++i) {
        const double label = rows.labels[i];
        const double prediction = rows.predictions[i];
        if (!std::isfinite(label) || !std::isfinite(prediction)) {
            return invalid_argument("row " + std::to_string(i) + ": label and prediction must be finite");
        }
        if (task != Task::regression && label != 0.0 && label != 1.0) {
            return invalid_argument("row " + std::to_string(i) + ": expected a label of 0 or 1");
        }
        if (task == Task::probability && (prediction < 0.0 || prediction > 1.0)) {
            return invalid_argument("row " + std::to_string(i) + ": expected a probability in [0, 1]");
        }
    }
    return {};
}

double ratio(std::int64_t part, std::int64_t whole) {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// The structural components of DeLong: for each row of one class, the share of the other class it beats.
Moments placements(std::span<const double> pooled_ranks, std::span<const double> own_ranks, double others) {
    Moments moments;
    for (std::size_t i = 0; i < own_ranks.size(); ++i) {
        moments.add((pooled_ranks[i] - own_ranks[i]) / others);
    }
    return moments;
}

Interval perfect_auc(double auc, std::int64_t rarer, std::int64_t n, double confidence) {
    const double bound = std::pow(0.5 * (1.0 - confidence), 1.0 / static_cast<double>(rarer));
    return auc > 0.5 ? Interval{auc, bound, 1.0, n} : Interval{auc, 0.0, 1.0 - bound, n};
}

Interval rmse_interval(const Moments& squares) {
    const Interval mean = mean_interval(squares);
    const double rmse = std::sqrt(mean.estimate);
    if (squares.count < 2) {
        return {rmse, 0.0, mean.high, squares.count};
    }
    if (mean.estimate <= 0.0) {
        return {0.0, 0.0, 0.0, squares.count};
    }
    const double factor = std::exp(0.5 * (mean.high - mean.estimate) / mean.estimate);
    return {rmse, rmse / factor, rmse * factor, squares.count};
}

/// `squares` of the errors; `labels` not all alike have m2 > 0.
Interval r2_interval(const LabelledRows& rows, const Moments& squares, const Moments& labels) {
    const double spread = labels.m2 / static_cast<double>(labels.count);
    if (spread <= 0.0) {
        return {squares.mean == 0.0 ? 1.0 : 0.0, -std::numeric_limits<double>::infinity(), 1.0, labels.count};
    }
    const double unexplained = squares.mean / spread;
    if (unexplained <= 0.0) {
        return {1.0, 1.0, 1.0, labels.count};
    }
    Moments influence;
    for (std::size_t i = 0; i < rows.labels.size(); ++i) {
        const double miss = rows.predictions[i] - rows.labels[i];
        const double deviation = rows.labels[i] - labels.mean;
        influence.add(miss * miss / squares.mean - deviation * deviation / spread);
    }
    const Interval log_ratio = mean_interval(influence);
    const double factor = std::exp(log_ratio.high - log_ratio.estimate);
    return {1.0 - unexplained, 1.0 - unexplained * factor, 1.0 - unexplained / factor, labels.count};
}

}  // namespace

Result<Interval> roc_auc(LabelledRows rows, double confidence) {
    GYRE_TRY_VOID(check_rows(rows, Task::scoring));
    std::vector<double> positives;
    std::vector<double> negatives;
    for (std::size_t i = 0; i < rows.labels.size(); ++i) {
        (rows.labels[i] > 0.5 ? positives : negatives).push_back(rows.predictions[i]);
    }
    if (positives.empty() || negatives.empty()) {
        return invalid_argument("auc needs both classes, got " + std::to_string(positives.size()) +
                                " positives of " + std::to_string(rows.labels.size()) + " rows");
    }
    std::vector<double> pooled = positives;
    pooled.insert(pooled.end(), negatives.begin(), negatives.end());
    const std::vector<double> ranks = midranks(pooled);
    const std::span<const double> all(ranks);
    const double n_pos = static_cast<double>(positives.size());
    const double n_neg = static_cast<double>(negatives.size());
    const Moments over = placements(all.first(positives.size()), midranks(positives), n_neg);
    const Moments under = placements(all.subspan(positives.size()), midranks(negatives), n_pos);
    const double auc = over.mean;
    const auto n = static_cast<std::int64_t>(pooled.size());
    const double variance = over.variance() / n_pos + under.variance() / n_neg;
    if (auc <= 0.0 || auc >= 1.0) {
        return perfect_auc(auc, std::min(over.count, under.count), n, confidence);
    }
    if (over.count < 2 || under.count < 2) {
        return Interval{auc, 0.0, 1.0, n};  // one row says nothing about the spread of its class
    }
    const Interval unit = mean_interval(Moments{2, 0.0, 2.0 * variance, 0.0, 0.0}, confidence);
    return Interval{auc, std::max(0.0, auc + unit.low), std::min(1.0, auc + unit.high), n};
}

Result<double> roc_auc_binned(std::span<const std::int64_t> positives,
                              std::span<const std::int64_t> negatives) {
    if (positives.size() != negatives.size()) {
        return invalid_argument("auc: expected the same bins for both classes");
    }
    double below = 0.0;
    double wins = 0.0;
    double n_pos = 0.0;
    for (std::size_t i = 0; i < positives.size(); ++i) {
        const double p = static_cast<double>(positives[i]);
        const double q = static_cast<double>(negatives[i]);
        wins += p * (below + 0.5 * q);
        below += q;
        n_pos += p;
    }
    if (n_pos <= 0.0 || below <= 0.0) {
        return invalid_argument("auc needs both classes");
    }
    return wins / (n_pos * below);
}

Result<Interval> brier_score(LabelledRows rows, double confidence) {
    GYRE_TRY_VOID(check_rows(rows, Task::probability));
    Moments moments;
    for (std::size_t i = 0; i < rows.labels.size(); ++i) {
        const double miss = rows.predictions[i] - rows.labels[i];
        moments.add(miss * miss);
    }
    Interval interval = mean_interval(moments, confidence);
    interval.low = std::max(0.0, interval.low);
    interval.high = std::min(1.0, interval.high);
    return interval;
}

Result<Interval> log_loss(LabelledRows rows, double epsilon) {
    GYRE_TRY_VOID(check_rows(rows, Task::probability));
    Moments moments;
    for (std::size_t i = 0; i < rows.labels.size(); ++i) {
        const double p = std::clamp(rows.predictions[i], epsilon, 1.0 - epsilon);
        moments.add(rows.labels[i] > 0.5 ? -std::log(p) : -std::log1p(-p));
    }
    return mean_interval(moments);
}

double ConfusionMatrix::accuracy() const {
    return ratio(true_positives + true_negatives, n());
}
double ConfusionMatrix::precision() const {
    return ratio(true_positives, true_positives + false_positives);
}
double ConfusionMatrix::recall() const {
    return ratio(true_positives, true_positives + false_negatives);
}
double ConfusionMatrix::f1() const {
    return ratio(2 * true_positives, 2 * true_positives + false_positives + false_negatives);
}

Interval ConfusionMatrix::f1_interval(double confidence) const {
    const Interval jaccard =
        wilson(true_positives, true_positives + false_positives + false_negatives, confidence);
    const auto of = [](double share) { return 2.0 * share / (1.0 + share); };
    return {f1(), of(jaccard.low), of(jaccard.high), n()};
}

void ConfusionMatrix::merge(const ConfusionMatrix& other) {
    true_positives += other.true_positives;
    false_positives += other.false_positives;
    true_negatives += other.true_negatives;
    false_negatives += other.false_negatives;
}

Result<ConfusionMatrix> confusion_matrix(LabelledRows rows, double threshold) {
    GYRE_TRY_VOID(check_rows(rows, Task::scoring));
    ConfusionMatrix matrix;
    for (std::size_t i = 0; i < rows.labels.size(); ++i) {
        const bool positive = rows.labels[i] > 0.5;
        if (rows.predictions[i] >= threshold) {
            ++(positive ? matrix.true_positives : matrix.false_positives);
        } else {
            ++(positive ? matrix.false_negatives : matrix.true_negatives);
        }
    }
    return matrix;
}

Result<Calibration> calibration(LabelledRows rows, std::size_t bins) {
    GYRE_TRY_VOID(check_rows(rows, Task::probability));
    constexpr std::size_t kBinsMax = 1000;
    if (bins == 0 || bins > kBinsMax) {
        return invalid_argument("calibration: expected 1 to 1000 bins, got " + std::to_string(bins));
    }
    Calibration out;
    out.bins.resize(bins);
    const double width = static_cast<double>(bins);
    for (std::size_t b = 0; b < bins; ++b) {
        out.bins[b].low = static_cast<double>(b) / width;
        out.bins[b].high = static_cast<double>(b + 1) / width;
    }
    for (std::size_t i = 0; i < rows.labels.size(); ++i) {
        const auto index = static_cast<std::size_t>(rows.predictions[i] * width);
        CalibrationBin& bin = out.bins[std::min(index, bins - 1)];
        ++bin.n;
        bin.mean_prediction += rows.predictions[i];
        bin.positive_share += rows.labels[i];
    }
    for (CalibrationBin& bin : out.bins) {
        if (bin.n > 0) {
            bin.mean_prediction /= static_cast<double>(bin.n);
            bin.positive_share /= static_cast<double>(bin.n);
            out.ece += ratio(bin.n, static_cast<std::int64_t>(rows.labels.size())) *
                       std::abs(bin.positive_share - bin.mean_prediction);
        }
    }
    return out;
}

Result<RegressionMetrics> regression_metrics(LabelledRows rows) {
    GYRE_TRY_VOID(check_rows(rows, Task::regression));
    Moments absolute;
    Moments labels;
    Moments squared;
    for (std::size_t i = 0; i < rows.labels.size(); ++i) {
        const double miss = rows.predictions[i] - rows.labels[i];
        squared.add(miss * miss);
        absolute.add(std::abs(miss));
        labels.add(rows.labels[i]);
    }
    RegressionMetrics out;
    out.mae = mean_interval(absolute);
    out.mae.low = std::max(0.0, out.mae.low);
    out.rmse = rmse_interval(squared);
    out.r2 = r2_interval(rows, squared, labels);
    return out;
}

}  // namespace gyre::stats
