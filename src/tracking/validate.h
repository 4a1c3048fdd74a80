#pragma once
// Checks of what clients send, in MLflow's words.
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tracking/types.h"

namespace gyre::tracking {

/// A metric's, param's or tag's key; `where` as in "metrics[0].name".
Result<void> check_key(std::string_view key, std::string_view where);
Result<void> check_experiment_name(std::string_view name);
Result<void> check_artifact_location(std::string_view location);
/// Bounds, keys and duplicates of a batch.
Result<void> check_batch(const Batch& batch);
Result<void> check_dataset(const DatasetInput& input);
Result<void> check_results_max(std::int64_t results_max, std::int64_t most);
/// At most `bytes` of `value`, cut between UTF-8 characters.
std::string cut(std::string_view value, std::size_t bytes);
/// A string as Python's repr() writes it, for messages.
std::string python_repr(std::string_view text);

}  // namespace gyre::tracking
