#pragma once
// The baseline that travels with a package (baseline.json): what the training window looked like, as
// mergeable profiles, whole and per week, and how good the model was on the rows kept back. Monitors compare
// with it; the weeks calibrate how much a column moves by itself.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "stats/profile.h"
#include "table/batch.h"
#include "training/evaluation.h"

namespace gyre::training {

inline constexpr std::string_view kBaselineFile = "baseline.json";

using ColumnProfiles = std::map<std::string, stats::Profile>;

struct WeekProfiles {
    std::int64_t start_us = 0;  // Monday, 00:00 UTC
    std::int64_t rows = 0;
    ColumnProfiles columns;
};

struct Baseline {
    std::int64_t rows = 0;
    std::optional<std::int64_t> time_min_us;
    std::optional<std::int64_t> time_max_us;
    ColumnProfiles columns;
    std::vector<WeekProfiles> weeks;            // ascending
    std::optional<stats::Profile> predictions;  // of the rows kept back
    std::optional<Evaluation> performance;      // on them
};

/// Profiles of `features`: texts and booleans are categorical, the rest numeric. `time_column` may be empty.
Result<Baseline> make_baseline(const table::Batch& batch, const std::vector<std::string>& features,
                               const std::string& time_column);

/// {"rows", "time_min", "time_max", "columns": {name: profile}, "weeks": [{"start", "rows", "columns"}],
///  "predictions": profile, "performance": Evaluation}
Json baseline_to_json(const Baseline& baseline);
/// Errors: invalid_argument.
Result<Baseline> baseline_from_json(const Json& json);

}  // namespace gyre::training
