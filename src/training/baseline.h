#pragma once
// The file baseline.json of a package: what the training window looked like (evidence/baseline.h), and how
// good the model was on the rows kept back. Monitors compare with it.
#include <optional>
#include <string>
#include <vector>

#include "evidence/baseline.h"
#include "table/batch.h"
#include "training/evaluation.h"

namespace gyre::training {

inline constexpr std::string_view kBaselineFile = "baseline.json";

struct PackageBaseline {
    evidence::Baseline data;
    std::optional<Evaluation> performance;
};

/// The columns `features` by name: texts and booleans are categorical, the rest numeric. `time_column` may be
/// empty. Errors: invalid_argument (a column is missing, the time column holds no times).
Result<evidence::Baseline> make_baseline(const table::Batch& batch, std::vector<std::string> features,
                                         const std::string& time_column);

/// The members of evidence::Baseline and "performance": Evaluation.
Json baseline_to_json(const PackageBaseline& baseline);
/// Errors: invalid_argument.
Result<PackageBaseline> baseline_from_json(const Json& json);
/// Replaces what a package's baseline says of the model's performance. Errors: those of reading and writing.
Result<void> set_performance(const std::string& package, const Json& evaluation);

}  // namespace gyre::training
