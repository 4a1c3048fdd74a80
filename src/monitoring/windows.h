#pragma once
// Performance of a variant over a window of event time, from the rows of a ScoreStore. Pure functions of the
// store's content and `as_of`: asked again, they answer the same.
#include <map>
#include <vector>

#include "monitoring/score_store.h"
#include "stats/intervals.h"

namespace gyre::monitoring {

inline constexpr std::int64_t kPerformanceWindowUs = 7 * kUsPerDay;

struct TimeWindow {
    std::int64_t start_us = 0;
    std::int64_t end_us = 0;  // outside the window
    auto operator<=>(const TimeWindow&) const = default;
};

/// The window of `length_us` that holds `time_us`, aligned to the UTC day of `origin_us`.
TimeWindow window_at(std::int64_t origin_us, std::int64_t length_us, std::int64_t time_us);
/// The windows of `length_us` that end at or before `until_us`, first first; none before `origin_us`.
std::vector<TimeWindow> windows_until(std::int64_t origin_us, std::int64_t length_us, std::int64_t until_us);
/// The calendar months (UTC) that touch [from, to).
std::vector<TimeWindow> months_between(std::int64_t from_us, std::int64_t to_us);

/// What was measured. A metric that could not be computed is absent and `reasons` says why; never NaN.
struct PerformanceWindow {
    std::string endpoint = {};
    std::string model = {};
    TimeWindow span = {};
    std::int64_t as_of_us = 0;
    std::int64_t revision = 1;
    std::int64_t n = 0;         // rows that the variant scored
    std::int64_t answered = 0;  // of these, answered to the user
    std::int64_t labelled = 0;
    std::int64_t dropped = 0;  // rows of the endpoint that could not be logged
    double coverage = 1.0;     // n / (n + dropped)
    std::map<std::string, stats::Interval> metrics =
        {};                                         // "auc", "brier", "log_loss", "accuracy", "precision",
                                                    // "recall", "f1"; "mae", "rmse", "r2"; "mean_output"
    std::map<std::string, double> latency_ms = {};  // "mean", "p50", "p95", "p99" of answered rows
    std::map<std::string, std::string> reasons = {};

    [[nodiscard]] std::optional<stats::Interval> metric(const std::string& name) const;
    [[nodiscard]] Json to_json() const;
    static Result<PerformanceWindow> from_json(const Json& json);
};

/// The form of the native API: start, end, variant, n, labelled, revision, and for each metric m the members
/// m, m_low, m_high; times as RFC 3339.
Json api_json(const PerformanceWindow& window);

struct PerformanceQuery {
    std::string endpoint = {};
    std::string model = {};
    Task task = Task::classification;
    TimeWindow span = {};
    std::int64_t as_of_us = kTimeMax;
    double threshold = 0.5;  // of accuracy, precision, recall and F1
};
PerformanceWindow compute_performance(const ScoreStore& store, const PerformanceQuery& query);

}  // namespace gyre::monitoring
