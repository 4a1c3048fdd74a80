#pragma once
// Reading rows of experiments and runs into their structs. Private to tracking.
#include <string_view>

#include "storage/sql/database.h"
#include "tracking/types.h"

namespace gyre::tracking {

/// A run's row: its number in the database and what every caller wants of it.
struct RunRow {
    std::int64_t row = 0;
    RunInfo info;
};

inline constexpr std::string_view kRunColumns =
    "r.id, r.run_id, r.name, r.experiment, r.user_id, r.status, r.start_time_ms, r.end_time_ms, "
    "r.artifact_uri, "
    "r.lifecycle_stage";
inline constexpr std::string_view kExperimentColumns =
    "e.id, e.name, e.artifact_location, e.lifecycle_stage, e.creation_time_ms, e.last_update_time_ms";

RunRow run_row_of(const storage::Statement& row);
Experiment experiment_of(const storage::Statement& row);

/// Errors: not_found in MLflow's words.
Result<RunRow> find_run(storage::Reader& reader, std::string_view run_id);
/// Also invalid_argument when it is deleted.
Result<RunRow> find_active_run(storage::Reader& reader, std::string_view run_id);
Result<Experiment> find_experiment(storage::Reader& reader, std::int64_t id);
/// Also invalid_argument when it is deleted.
Result<Experiment> find_active_experiment(storage::Reader& reader, std::int64_t id);
/// key, value rows of a statement.
Result<std::vector<KeyValue>> key_values(storage::Statement rows);
/// Everything of a run.
Result<Run> load_run(storage::Reader& reader, RunRow row);
/// The row number of a logged model that is not deleted. Errors: not_found in MLflow's words.
Result<std::int64_t> find_logged_model(storage::Reader& reader, std::string_view model_id);
Result<LoggedModel> load_logged_model(storage::Reader& reader, std::int64_t row);
/// Keeps the metrics that name a logged model with that model, too.
Result<void> append_model_metrics(storage::Transaction& tx, std::string_view run_id,
                                  const std::vector<Metric>& metrics);
/// "patient-heron-417"
std::string made_up_name();
/// Replaces a tag; "mlflow.runName" also renames the run.
Result<void> put_run_tag(storage::Transaction& tx, std::int64_t run, const KeyValue& tag);

inline constexpr std::string_view kRunNameTag = "mlflow.runName";

}  // namespace gyre::tracking
