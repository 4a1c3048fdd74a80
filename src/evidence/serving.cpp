#include "evidence/serving.h"

#include <algorithm>
#include <cmath>

#include "stats/distances.h"
#include "stats/intervals.h"
#include "stats/special.h"

namespace gyre::evidence {
namespace {

bool too_few(std::int64_t candidate, std::int64_t champion, std::int64_t min_rows, Finding& finding) {
    finding.n = std::min(candidate, champion);
    if (finding.n >= min_rows) {
        return false;
    }
    finding.reason = "candidate " + std::to_string(candidate) + " and champion " + std::to_string(champion) +
                     " rows; each needs " + std::to_string(min_rows);
    return true;
}

double smoothed(const ArmCounts& arm) {
    const double good = static_cast<double>(arm.requests - arm.errors);
    return (good + 0.5) / (static_cast<double>(arm.requests) + 1.0);
}

bool hard_stop(const ArmCounts& candidate, const ArmCounts& champion, const ErrorRateOptions& options) {
    if (candidate.errors < options.hard_errors || champion.requests <= 0) {
        return false;
    }
    const double champion_rate = 1.0 - smoothed(champion);
    return stats::wilson(candidate.errors, candidate.requests).low > options.hard_ratio * champion_rate;
}

/// Bounds of a quantile, by those of its rank, one-sided at alpha each.
stats::Interval quantile_interval(const stats::Profile& profile, double q, double alpha, double tuned_n) {
    const double n = static_cast<double>(profile.valid());
    const double half = sequence_half_width(q * (1.0 - q), n, tuned_n, 2.0 * alpha);
    return {profile.quantile(q), profile.quantile(q - half), profile.quantile(q + half), profile.valid()};
}

/// Of a distribution function, at every n together.
double band_half_width(std::int64_t rows, double alpha) {
    const double n = static_cast<double>(rows);
    return 0.85 * std::sqrt((std::log(std::log(n) + 1.0) + 0.8 * std::log(1612.0 / alpha)) / n);
}

bool is_alpha(double alpha) {
    return alpha > 0.0 && alpha <= 0.5;
}

}  // namespace

Result<void> LatencyOptions::check() const {
    if (!(quantile > 0.0 && quantile < 1.0) || !(ratio_max >= 1.0) || !is_alpha(alpha) || !(tuned_n >= 1.0) ||
        min_rows < 1) {
        return invalid_argument(
            "latency: expected quantile in (0, 1), ratio_max >= 1, alpha in (0, 0.5], tuned_n >= 1 and "
            "min_rows >= 1");
    }
    return {};
}

Result<void> PredictionShiftOptions::check() const {
    if (!(gap_max > 0.0 && gap_max <= 1.0) || !is_alpha(alpha) || min_rows < 1) {
        return invalid_argument(
            "predictions: expected gap_max in (0, 1], alpha in (0, 0.5] and min_rows >= 1");
    }
    return {};
}

double sequence_rho2(double tuned_n, double alpha) {
    const double log_term = -2.0 * std::log(alpha);
    return (log_term + std::log(log_term + 1.0)) / tuned_n;
}

double sequence_half_width(double v, double n, double tuned_n, double alpha) {
    const double nr = n * sequence_rho2(tuned_n, alpha);
    return std::sqrt(v * 2.0 * (nr + 1.0) / (n * nr) * std::log(std::sqrt(nr + 1.0) / alpha));
}

Finding compare_error_rates(const ArmCounts& candidate, const ArmCounts& champion,
                            const ErrorRateOptions& options) {
    Finding finding;
    finding.metric = "success_rate";
    finding.margin = options.margin;
    finding.alpha = options.alpha;
    if (hard_stop(candidate, champion, options)) {
        finding.verdict = Verdict::fail;
        finding.n = std::min(candidate.requests, champion.requests);
        finding.reason =
            "hard stop: " + std::to_string(candidate.errors) + " of " + std::to_string(candidate.requests) +
            " candidate requests failed, the champion's error rate is " + brief(1.0 - smoothed(champion));
        return finding;
    }
    if (too_few(candidate.requests, champion.requests, options.min_rows, finding)) {
        return finding;
    }
    const double nc = static_cast<double>(candidate.requests);
    const double ns = static_cast<double>(champion.requests);
    const double pc = smoothed(candidate);
    const double ps = smoothed(champion);
    const double n = 1.0 / (1.0 / nc + 1.0 / ns);
    const double v = n * (pc * (1.0 - pc) / nc + ps * (1.0 - ps) / ns);
    const double h = sequence_half_width(v, n, options.tuned_n, std::min(0.5, 2.0 * options.alpha));
    const double d = static_cast<double>(champion.errors) / ns - static_cast<double>(candidate.errors) / nc;
    finding.estimate = d;
    finding.low = d - h;
    finding.high = d + h;
    if (d + h < 0.0) {
        finding.verdict = Verdict::fail;
    } else if (d - h > -options.margin) {
        finding.verdict = Verdict::pass;
    }
    finding.reason = "success rate differs by " + brief(d) + " [" + brief(d - h) + ", " + brief(d + h) +
                     "]; a drop of up to " + brief(options.margin) + " is tolerated";
    return finding;
}

Finding compare_latency(const stats::Profile& candidate, const stats::Profile& champion,
                        const LatencyOptions& options) {
    Finding finding;
    finding.metric = "latency_p" + brief(100.0 * options.quantile) + "_ratio";
    finding.threshold = options.ratio_max;
    finding.alpha = options.alpha;
    if (too_few(candidate.valid(), champion.valid(), options.min_rows, finding)) {
        return finding;
    }
    const auto a = quantile_interval(candidate, options.quantile, options.alpha / 2.0, options.tuned_n);
    const auto b = quantile_interval(champion, options.quantile, options.alpha / 2.0, options.tuned_n);
    if (b.low <= 0.0) {
        finding.reason = "the champion's latency is not positive";
        return finding;
    }
    finding.estimate = a.estimate / b.estimate;
    finding.low = a.low / b.high;
    finding.high = a.high / b.low;
    if (*finding.high <= options.ratio_max) {
        finding.verdict = Verdict::pass;
    } else if (*finding.low > options.ratio_max) {
        finding.verdict = Verdict::fail;
    }
    finding.reason = "latency ratio " + brief(*finding.estimate) + " [" + brief(*finding.low) + ", " +
                     brief(*finding.high) + "], wanted at most " + brief(options.ratio_max);
    return finding;
}

Finding compare_predictions(const stats::Profile& candidate, const stats::Profile& champion,
                            const PredictionShiftOptions& options) {
    Finding finding;
    finding.metric = "prediction_gap";
    finding.threshold = options.gap_max;
    finding.alpha = options.alpha;
    if (too_few(candidate.valid(), champion.valid(), options.min_rows, finding)) {
        return finding;
    }
    const stats::KsBounds gap = stats::ks_bounds(champion, candidate);
    const double noise = band_half_width(candidate.valid(), options.alpha / 2.0) +
                         band_half_width(champion.valid(), options.alpha / 2.0);
    finding.estimate = gap.low;
    finding.low = std::max(0.0, gap.low - noise);
    finding.high = std::min(1.0, gap.high + noise);
    if (*finding.high <= options.gap_max) {
        finding.verdict = Verdict::pass;
    } else if (*finding.low > options.gap_max) {
        finding.verdict = Verdict::fail;
    }
    finding.reason = "predictions' distributions differ by " + brief(gap.low) + " [" + brief(*finding.low) +
                     ", " + brief(*finding.high) + "], wanted at most " + brief(options.gap_max);
    return finding;
}

}  // namespace gyre::evidence
