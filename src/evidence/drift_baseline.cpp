#include <algorithm>
#include <cmath>
#include <numeric>

#include "evidence/drift.h"
#include "stats/distances.h"
#include "stats/special.h"

namespace gyre::evidence {
namespace {

constexpr double kFactorMax = 1e6;

/// E[P(|Z| > k sqrt(X / W))^r] for X ~ chi2 with W degrees of freedom, by the midpoint rule over u = sqrt(X).
double breach_probability(double k, double windows, int confirmations) {
    constexpr int kSteps = 400;
    const double top = std::sqrt(windows) + 9.0;
    const double log_norm = (0.5 * windows - 1.0) * std::log(2.0) + std::lgamma(0.5 * windows);
    double sum = 0.0;
    for (int i = 0; i < kSteps; ++i) {
        const double u = top * (static_cast<double>(i) + 0.5) / kSteps;
        const double density = std::exp((windows - 1.0) * std::log(u) - 0.5 * u * u - log_norm);
        const double beyond = 2.0 * stats::normal_sf(k * u / std::sqrt(windows));
        sum += density * (confirmations == 1 ? beyond : beyond * beyond);
    }
    return sum * top / kSteps;
}

double unit_of(const stats::Profile& baseline) {
    const double spread = baseline.moments().stddev();
    if (spread > 0.0) {
        return spread;
    }
    const double magnitude = std::max(std::abs(baseline.moments().min), std::abs(baseline.moments().max));
    return magnitude > 0.0 ? magnitude : 1.0;
}

/// Moves the state by one judged window; returns whether the column counts as drifted now.
bool advance(ColumnDriftState& state, DriftWindow span, bool breach, bool gross) {
    if (!breach) {
        state = {};
        return false;
    }
    if (gross || (state.breach_end_us != 0 && span.start_us >= state.breach_end_us)) {
        state.drifted = true;
    }
    if (state.breach_end_us == 0) {
        state.breach_end_us = span.end_us;
    }
    return state.drifted;
}

struct BaselineWire {
    std::string column;
    Json whole;
    std::vector<double> distances;
    static constexpr auto fields() {
        return std::tuple{
            Field{"column", &BaselineWire::column, "Column."},
            Field{"whole", &BaselineWire::whole, "Profile of the whole baseline."},
            Field{"distances", &BaselineWire::distances, "Of its own windows, each from the rest."},
        };
    }
};

}  // namespace

Result<void> DriftOptions::check() const {
    if (!(false_alarms_per_year > 0.0) || !(evaluations_per_year >= 1.0) || !(effect_floor >= 0.0) ||
        min_rows < 1) {
        return invalid_argument("drift: expected rates above 0, effect_floor >= 0 and min_rows >= 1");
    }
    return {};
}

double column_distance(const stats::Profile& baseline, const stats::Profile& window) {
    if (baseline.valid() == 0 || window.valid() == 0) {
        return 0.0;
    }
    if (baseline.kind() == stats::ColumnKind::numeric) {
        return stats::wasserstein1(baseline, window) / unit_of(baseline);
    }
    const stats::AlignedCounts counts = stats::align_categories(baseline, window);
    return stats::jensen_shannon(counts.reference, counts.current);
}

Result<ColumnBaseline> ColumnBaseline::build(std::string column, std::span<const stats::Profile> windows,
                                             std::int64_t min_rows) {
    if (windows.empty() || windows.size() > kBaselineWindowsMax) {
        return invalid_argument("baseline of '" + column + "': expected 1 to " +
                                std::to_string(kBaselineWindowsMax) + " windows, got " +
                                std::to_string(windows.size()));
    }
    ColumnBaseline out;
    out.column = std::move(column);
    out.whole = stats::Profile(windows.front().kind());
    for (const stats::Profile& window : windows) {
        GYRE_TRY_VOID(out.whole.merge(window));
    }
    for (std::size_t i = 0; i < windows.size(); ++i) {
        stats::Profile rest(out.whole.kind());
        for (std::size_t j = 0; j < windows.size(); ++j) {
            if (j != i) {
                GYRE_TRY_VOID(rest.merge(windows[j]));
            }
        }
        if (windows[i].valid() >= min_rows && rest.valid() >= min_rows) {
            // In the units of the whole baseline, so that one odd window does not shrink its own unit.
            const double rescale =
                rest.kind() == stats::ColumnKind::numeric ? unit_of(rest) / unit_of(out.whole) : 1.0;
            out.distances.push_back(column_distance(rest, windows[i]) * rescale);
        }
    }
    return out;
}

double ColumnBaseline::scale() const {
    if (distances.empty()) {
        return 0.0;
    }
    const double squares = std::inner_product(distances.begin(), distances.end(), distances.begin(), 0.0);
    return std::sqrt(squares / static_cast<double>(distances.size()));
}

Json ColumnBaseline::to_json() const {
    return gyre::to_json(BaselineWire{column, whole.to_json(), distances});
}

Result<ColumnBaseline> ColumnBaseline::from_json(const Json& json) {
    GYRE_TRY(BaselineWire wire, gyre::from_json<BaselineWire>(json));
    ColumnBaseline out;
    out.column = std::move(wire.column);
    GYRE_TRY(out.whole, stats::Profile::from_json(wire.whole));
    out.distances = std::move(wire.distances);
    const bool sound = out.distances.size() <= kBaselineWindowsMax &&
                       std::all_of(out.distances.begin(), out.distances.end(),
                                   [](double d) { return d >= 0.0 && std::isfinite(d); });
    if (!sound) {
        return invalid_argument("baseline of '" + out.column + "': distances must be finite and at least 0");
    }
    return out;
}

double drift_factor(std::int64_t windows, double q, int confirmations) {
    const double count = static_cast<double>(std::max<std::int64_t>(windows, 1));
    const double wanted = std::clamp(q, 1e-9, 0.5);
    double low = std::log(1e-3);
    double high = std::log(kFactorMax);
    for (int step = 0; step < 40; ++step) {
        const double middle = 0.5 * (low + high);
        (breach_probability(std::exp(middle), count, confirmations) > wanted ? low : high) = middle;
    }
    return std::exp(high);
}

ColumnDrift judge_window(const ColumnBaseline& baseline, const stats::Profile& window, DriftWindow span,
                         const DriftOptions& options, ColumnDriftState& state) {
    ColumnDrift out;
    out.column = baseline.column;
    Finding& finding = out.finding;
    finding.metric = baseline.whole.kind() == stats::ColumnKind::numeric ? "wasserstein" : "jensen_shannon";
    finding.n = window.valid();
    out.drifted = state.drifted;
    const auto windows = static_cast<std::int64_t>(baseline.distances.size());
    if (window.kind() != baseline.whole.kind() || window.valid() < options.min_rows ||
        windows < kMinBaselineWindows) {
        finding.reason = std::to_string(window.valid()) + " valid rows (at least " +
                         std::to_string(options.min_rows) + " are needed) against a baseline of " +
                         std::to_string(windows) + " windows (at least " +
                         std::to_string(kMinBaselineWindows) + ")";
        return out;
    }
    const double rate =
        0.5 * options.false_alarms_per_year / options.evaluations_per_year;  // half to each rule
    const double scale = baseline.scale();
    const double threshold = std::max(options.effect_floor, drift_factor(windows, 0.9 * rate, 2) * scale);
    const double alone = std::max(2.0 * options.effect_floor, drift_factor(windows, 0.1 * rate, 1) * scale);
    const double distance = column_distance(baseline.whole, window);
    out.drifted = advance(state, span, distance > threshold, distance > alone);
    finding.estimate = distance;
    finding.threshold = threshold;
    finding.verdict = out.drifted ? Verdict::fail : Verdict::pass;
    finding.reason = "distance " + brief(distance) + " from the baseline, whose own windows are at " +
                     brief(scale) + "; two windows above " + brief(threshold) + " or one above " +
                     brief(alone) + " are drift";
    return out;
}

}  // namespace gyre::evidence
