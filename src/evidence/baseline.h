#pragma once
// Baseline: what a model's training data looked like, column by column and window by window. It is taken
// where the model is trained, travels with the package as baseline.json, and is what production is compared
// with. Plain values and pure functions.
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "evidence/drift.h"

namespace gyre::evidence {

/// Weeks, from Monday 00:00 UTC. Monitors should judge windows of the same length.
inline constexpr std::int64_t kBaselineWindowUs = 7 * kUsPerDay;
/// Values of a numeric column that are kept for the classic tests.
inline constexpr std::size_t kBaselineSampleMax = 20'000;

struct BaselineColumn {
    ColumnBaseline baseline;
    std::vector<double> sample;  // ascending order statistics of a numeric column, at even steps
};

struct Baseline {
    std::int64_t rows = 0;
    std::optional<std::int64_t> time_min_us;
    std::optional<std::int64_t> time_max_us;
    std::int64_t window_us = kBaselineWindowUs;
    std::vector<BaselineColumn> columns;
    std::optional<stats::Profile> predictions;  // of the rows kept back

    [[nodiscard]] const BaselineColumn* find(std::string_view column) const;
    /// {"version": 2, "rows", "time_min", "time_max", "window_us", "columns": [{"baseline", "sample"}],
    ///  "predictions"}
    [[nodiscard]] Json to_json() const;
    /// Reads also the first form, which had profiles by week and no samples. Members that it does not know
    /// are ignored: packages keep other things beside it. Errors: invalid_argument with the column that is
    /// wrong.
    static Result<Baseline> from_json(const Json& json);
};

/// Gathers one column. A value without a time counts only when no value of the column has one. Beyond
/// kBaselineWindowsMax windows the oldest are left out. Not thread-safe.
class BaselineColumnBuilder {
 public:
    BaselineColumnBuilder(std::string column, stats::ColumnKind kind,
                          std::int64_t window_us = kBaselineWindowUs);
    BaselineColumnBuilder(const BaselineColumnBuilder&) = delete;
    BaselineColumnBuilder& operator=(const BaselineColumnBuilder&) = delete;

    void add_null(std::optional<std::int64_t> event_time_us);
    /// NaN is a missing value.
    void add(std::optional<std::int64_t> event_time_us, double value);
    void add(std::optional<std::int64_t> event_time_us, std::string_view category);
    [[nodiscard]] Result<BaselineColumn> build() const;

 private:
    stats::Profile* profile(std::optional<std::int64_t> event_time_us);

    std::string column_;
    stats::ColumnKind kind_;
    std::int64_t window_us_;
    std::map<std::int64_t, stats::Profile> windows_;
    stats::Profile* latest_ = nullptr;  // of windows_: most rows come about in the order of time
    std::int64_t latest_from_us_ = 0;
    stats::Profile untimed_;
    std::vector<double> values_;  // finite ones
};

}  // namespace gyre::evidence
