#pragma once
// Drift decisions. Two presets:
//
// `classic` is the widely copied rule: a numeric column drifted when KS p < 0.05 or PSI >= 0.2, a
// categorical one when chi-square p < 0.05, the data when more than 20 % of the columns did. On real data it
// fires on ordinary weeks: its question is "is anything different", and with thousands of rows it always is.
//
// `baseline` (default) asks "is this window further away than the baseline's own windows are from each
// other". distance = Wasserstein-1 over the baseline's standard deviation (numeric; unbounded, in units of
// sd) or Jensen-Shannon base 2 (categorical). Scale s = root mean square distance of W baseline windows,
// each against the rest of the baseline. With window effects that are normal, d / s has the tail of Student's
// t with W degrees of freedom, because s itself is estimated from W numbers; two disjoint windows share that
// s. The factor k solves E[P(|Z| > k sqrt(X / W))^2] = q, X ~ chi2_W, where q is the stated rate of false
// alarms per column and evaluation; one window alone alarms at the k1 that solves the same with
// power 1. A tenth of the rate goes to k1, the rest to k. The
// threshold is never below `effect_floor`: smaller changes are not worth an alarm, however certain.
#include <map>
#include <span>
#include <vector>

#include "evidence/verdict.h"
#include "stats/profile.h"

namespace gyre::evidence {

// ---- classic ------------------------------------------------------------------------------------

inline constexpr double kClassicAlpha = 0.05;
inline constexpr double kClassicPsi = 0.2;
inline constexpr double kClassicShare = 0.2;

struct ColumnDrift {
    std::string column;
    bool drifted = false;
    Finding finding;  // verdict fail: drifted; insufficient: too little to say
    std::optional<double> p_value;
    std::optional<double> psi;

    static constexpr auto fields() {
        return std::tuple{
            Field{"column", &ColumnDrift::column, "Column."},
            Field{"drifted", &ColumnDrift::drifted, "Whether it drifted."},
            Field{"finding", &ColumnDrift::finding, "The numbers."},
            Field{"p_value", &ColumnDrift::p_value, "Of the test, where there is one.", optional_field},
            Field{"psi", &ColumnDrift::psi, "Population stability index, where computed.", optional_field},
        };
    }
};

ColumnDrift classic_numeric(std::string column, std::span<const double> reference,
                            std::span<const double> current);
ColumnDrift classic_categorical(std::string column, const stats::Profile& reference,
                                const stats::Profile& current);

/// Whether the data as a whole drifted: more than `share` of the columns.
struct DatasetDrift {
    bool drifted = false;
    double share = 0.0;
    std::vector<std::string> columns;  // the drifted ones
};
DatasetDrift summarise(std::span<const ColumnDrift> columns, double share = kClassicShare);

// ---- baseline -----------------------------------------------------------------------------------

inline constexpr std::int64_t kMinBaselineWindows = 3;
inline constexpr std::size_t kBaselineWindowsMax = 120;

struct DriftOptions {
    double false_alarms_per_year = 1.0;  // stated rate, per column
    double evaluations_per_year = 52.0;  // how often a decision is made
    double effect_floor = 0.1;           // least distance that may alarm
    std::int64_t min_rows = 100;         // valid rows of a window

    static constexpr auto fields() {
        return std::tuple{
            Field{"false_alarms_per_year", &DriftOptions::false_alarms_per_year, "Stated rate, per column.",
                  optional_field},
            Field{"evaluations_per_year", &DriftOptions::evaluations_per_year, "Decisions per year.",
                  optional_field},
            Field{"effect_floor", &DriftOptions::effect_floor, "Least distance that may alarm.",
                  optional_field},
            Field{"min_rows", &DriftOptions::min_rows, "Fewest valid rows of a window.", optional_field},
        };
    }
    [[nodiscard]] Result<void> check() const;
};

/// Distance of a column's window from its baseline: see the top of the file. A baseline without spread uses
/// its largest magnitude (or 1) as the unit. 0 when a side is empty.
double column_distance(const stats::Profile& baseline, const stats::Profile& window);

/// The baseline of one column: all of it, and how far its own windows are from the rest of it.
struct ColumnBaseline {
    std::string column;
    stats::Profile whole;
    std::vector<double> distances;  // leave-one-out, one per window with enough rows

    /// `windows` are the baseline's own (same length as those that will be judged). Errors: more than
    /// kBaselineWindowsMax windows, windows of different kinds, none at all.
    static Result<ColumnBaseline> build(std::string column, std::span<const stats::Profile> windows,
                                        std::int64_t min_rows = DriftOptions{}.min_rows);
    /// Root mean square of the distances; 0 without any.
    [[nodiscard]] double scale() const;
    [[nodiscard]] Json to_json() const;
    static Result<ColumnBaseline> from_json(const Json& json);
};

/// k of `confirmations` (1 or 2) disjoint windows for a false alarm rate q per evaluation, with W baseline
/// windows.
double drift_factor(std::int64_t windows, double q, int confirmations);

/// A window of event time, [start, end).
struct DriftWindow {
    std::int64_t start_us = 0;
    std::int64_t end_us = 0;
};

/// What is remembered of a column between evaluations. Windows may overlap (a trailing week, evaluated each
/// day): only a window that starts at or after the end of the first breach confirms it, and every window in
/// between must breach too.
struct ColumnDriftState {
    std::int64_t breach_end_us = 0;  // end of the first window of the current run of breaches; 0: none
    bool drifted = false;

    static constexpr auto fields() {
        return std::tuple{
            Field{"breach_end_us", &ColumnDriftState::breach_end_us,
                  "End of the first breaching window; 0: none."},
            Field{"drifted", &ColumnDriftState::drifted, "Whether the column counts as drifted."},
        };
    }
};

/// Judges one window of one column and moves its state. Finding: estimate = distance, threshold = the one
/// that two windows must pass, verdict fail = drifted, pass = not, insufficient = too few rows or baseline
/// windows (the state stays). A drifted column is released by a window below the threshold.
ColumnDrift judge_window(const ColumnBaseline& baseline, const stats::Profile& window, DriftWindow span,
                         const DriftOptions& options, ColumnDriftState& state);

}  // namespace gyre::evidence
