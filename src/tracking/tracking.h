#pragma once
// Tracking: experiments, runs, and what was logged to them.
//
// Params do not change, metrics are added, tags are replaced; deleting is soft. The semantics and the
// messages of errors are those of MLflow's tracking server. Every write is durable on return, and may be sent
// again: a metric point equal in (key, timestamp, step, value) is kept once. Thread-safe. Errors: not_found,
// already_exists, invalid_argument; conflict for a thing in the wrong lifecycle stage.
#include <string>
#include <string_view>
#include <vector>

#include "base/principal.h"
#include "storage/sql/database.h"
#include "tracking/limits.h"
#include "tracking/types.h"

namespace gyre::tracking {

class Tracking {
 public:
    /// `artifact_root` is where new experiments keep artifacts, e.g. "mlflow-artifacts:/". Creates experiment
    /// 0, "Default", when it is missing.
    static Result<std::unique_ptr<Tracking>> open(storage::Database& database, std::string artifact_root);

    Result<std::int64_t> create_experiment(const Principal& principal, const NewExperiment& experiment);
    Result<Experiment> get_experiment(std::int64_t id);
    Result<Experiment> get_experiment_by_name(std::string_view name);
    Result<void> rename_experiment(const Principal& principal, std::int64_t id, std::string_view name);
    /// Takes the experiment's runs along.
    Result<void> delete_experiment(const Principal& principal, std::int64_t id);
    Result<void> restore_experiment(const Principal& principal, std::int64_t id);
    Result<void> set_experiment_tag(std::int64_t id, const KeyValue& tag);
    Result<void> delete_experiment_tag(std::int64_t id, std::string_view key);
    Result<Page<Experiment>> search_experiments(const SearchExperiments& search);

    Result<Run> create_run(const Principal& principal, const NewRun& run);
    Result<Run> get_run(std::string_view run_id);
    Result<RunInfo> update_run(const Principal& principal, std::string_view run_id, const RunUpdate& update);
    Result<void> delete_run(const Principal& principal, std::string_view run_id);
    Result<void> restore_run(const Principal& principal, std::string_view run_id);
    /// All of the batch or nothing.
    Result<void> log_batch(std::string_view run_id, const Batch& batch);
    Result<void> delete_tag(std::string_view run_id, std::string_view key);
    Result<void> log_inputs(std::string_view run_id, const std::vector<DatasetInput>& datasets,
                            const std::vector<ModelLink>& models);
    Result<void> log_outputs(std::string_view run_id, const std::vector<ModelLink>& models);
    Result<Page<Run>> search_runs(const SearchRuns& search);
    /// Points of one key by timestamp, step, value.
    Result<Page<Metric>> metric_history(std::string_view run_id, std::string_view key,
                                        std::int64_t results_max, std::string_view page_token);

 private:
    Tracking(storage::Database& database, std::string artifact_root)
        : database_(database), artifact_root_(std::move(artifact_root)) {}
    [[nodiscard]] std::string location_of(std::string_view child) const;

    storage::Database& database_;
    const std::string artifact_root_;
};

}  // namespace gyre::tracking
