#include "evidence/threshold.h"

#include <algorithm>
#include <cmath>

namespace gyre::evidence {
namespace {

/// pass when [low, high] >= bound, fail when < bound, insufficient when the bound is inside.
Verdict judge(double low, double high, double bound) {
    if (low >= bound) {
        return Verdict::pass;
    }
    return high < bound ? Verdict::fail : Verdict::insufficient;
}

bool lacks_evidence(const std::optional<stats::Interval>& measured, std::int64_t min_rows,
                    std::string_view whose, Finding& finding) {
    if (!measured || !std::isfinite(measured->estimate)) {
        finding.reason = finding.metric + " of the " + std::string(whose) + " could not be computed";
        return true;
    }
    if (measured->n < min_rows) {
        finding.reason = finding.metric + " of the " + std::string(whose) + " rests on " +
                         std::to_string(measured->n) + " rows; at least " + std::to_string(min_rows) +
                         " are needed";
        return true;
    }
    return false;
}

}  // namespace

Finding check_threshold(const Threshold& threshold, const std::optional<stats::Interval>& measured) {
    Finding finding;
    finding.metric = threshold.metric;
    finding.threshold = threshold.value;
    if (measured && std::isfinite(measured->estimate)) {
        finding.n = measured->n;
        finding.estimate = measured->estimate;
        finding.low = measured->low;
        finding.high = measured->high;
    }
    if (lacks_evidence(measured, threshold.min_rows, "model", finding)) {
        return finding;
    }
    const bool floor = threshold.direction == Direction::at_least;
    const bool whole = threshold.strictness == Strictness::interval;
    const double low = whole ? measured->low : measured->estimate;
    const double high = whole ? measured->high : measured->estimate;
    finding.verdict = floor ? judge(low, high, threshold.value) : judge(-high, -low, -threshold.value);
    finding.reason = finding.metric + " is " + brief(measured->estimate) + " [" + brief(measured->low) +
                     ", " + brief(measured->high) + "], wanted " + (floor ? "at least " : "at most ") +
                     brief(threshold.value);
    return finding;
}

Finding compare_with_champion(const Comparison& comparison, const std::optional<stats::Interval>& candidate,
                              const std::optional<stats::Interval>& champion) {
    Finding finding;
    finding.metric = comparison.metric;
    if (lacks_evidence(candidate, comparison.min_rows, "candidate", finding) ||
        lacks_evidence(champion, comparison.min_rows, "champion", finding)) {
        return finding;
    }
    finding.n = std::min(candidate->n, champion->n);
    const double sign = comparison.better == Direction::at_least ? 1.0 : -1.0;
    const double base = champion->estimate == 0.0 ? 1.0 : std::abs(champion->estimate);
    const double margin = comparison.relative_margin * base;
    const double gain = candidate->estimate - champion->estimate;
    const double low_half =
        std::hypot(candidate->estimate - candidate->low, champion->high - champion->estimate);
    const double high_half =
        std::hypot(candidate->high - candidate->estimate, champion->estimate - champion->low);
    finding.estimate = gain;
    finding.low = gain - low_half;
    finding.high = gain + high_half;
    finding.margin = margin;
    finding.threshold = champion->estimate;
    const bool whole = comparison.strictness == Strictness::interval;
    const double low = whole ? *finding.low : gain;
    const double high = whole ? *finding.high : gain;
    finding.verdict = sign > 0.0 ? judge(low, high, -margin) : judge(-high, -low, -margin);
    finding.reason = finding.metric + " changes by " + brief(gain) + " from the champion's " +
                     brief(champion->estimate) + "; a loss of up to " + brief(margin) + " is tolerated";
    return finding;
}

}  // namespace gyre::evidence
