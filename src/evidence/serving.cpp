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

/// Bounds of a quantile by the normal approximation of its rank.
stats::Interval quantile_interval(const stats::Profile& profile, double q, double alpha) {
    const double n = static_cast<double>(profile.valid());
    const double half = stats::normal_quantile(1.0 - alpha) * std::sqrt(q * (1.0 - q) / n);
    return {profile.quantile(q), profile.quantile(q - half), profile.quantile(q + half), profile.valid()};
}

}  // namespace

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
    const auto a = quantile_interval(candidate, options.quantile, options.alpha / 2.0);
    const auto b = quantile_interval(champion, options.quantile, options.alpha / 2.0);
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
    const double noise = std::sqrt(0.5 * std::log(4.0 / options.alpha)) *
                         (1.0 / std::sqrt(static_cast<double>(candidate.valid())) +
                          1.0 / std::sqrt(static_cast<double>(champion.valid())));
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
