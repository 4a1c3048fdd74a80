#pragma once
// Baseline: what a model's training data looked like, column by column and window by window. Built where the
// model is trained, stored beside it as JSON, compared with what production sends. A plain value.
#include <map>
#include <span>
#include <string>
#include <vector>

#include "evidence/drift.h"
#include "monitoring/types.h"
#include "monitoring/windows.h"

namespace gyre::monitoring {

/// The name under which the predicted output is profiled beside the inputs.
inline constexpr std::string_view kPredictionColumn = "prediction";

struct BaselineColumn {
    evidence::ColumnBaseline baseline;
    std::vector<double> sample;  // order statistics of a numeric column, at most kBaselineSampleMax
};

struct Baseline {
    std::int64_t window_us = kPerformanceWindowUs;
    std::vector<BaselineColumn> columns;

    [[nodiscard]] const BaselineColumn* find(std::string_view column) const;
    [[nodiscard]] Json to_json() const;
    /// Errors: invalid_argument with the column that is wrong.
    static Result<Baseline> from_json(const Json& json);
};

/// Gathers training rows into a Baseline. Not thread-safe.
class BaselineBuilder {
 public:
    /// Rows fall into windows of `window_us` of their event time; monitors should judge windows of that
    /// length.
    explicit BaselineBuilder(std::vector<InputColumn> columns, std::int64_t window_us = kPerformanceWindowUs);

    // One value of a row; `column` is the index in the constructor's list. NaN is a missing number.
    void add_number(std::size_t column, std::int64_t event_time_us, double value);
    void add_text(std::size_t column, std::int64_t event_time_us, const TextValue& value);
    /// Errors: invalid_argument when there is no row, or more windows than evidence::kBaselineWindowsMax.
    [[nodiscard]] Result<Baseline> build() const;

 private:
    stats::Profile& profile(std::size_t column, std::int64_t event_time_us);

    std::vector<InputColumn> columns_;
    std::int64_t window_us_;
    std::vector<std::map<std::int64_t, stats::Profile>> windows_;  // by column, by start of the window
    std::vector<std::vector<double>> values_;                      // by column; numeric ones only
};

}  // namespace gyre::monitoring
