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
    /// What the runs of the experiments used, at most kDatasetSummariesMax.
    Result<std::vector<DatasetSummary>> search_datasets(const std::vector<std::int64_t>& experiment_ids);
    /// Adds `model` (a JSON object) to the run's tag mlflow.log-model.history; the oldest make room.
    Result<void> record_model(std::string_view run_id, const Json& model);

    /// A pending model; its files go below its artifact_uri, then it is finalized.
    Result<LoggedModel> create_logged_model(const Principal& principal, const NewLoggedModel& model);
    Result<LoggedModel> get_logged_model(std::string_view model_id);
    Result<LoggedModel> finalize_logged_model(const Principal& principal, std::string_view model_id,
                                              ModelStatus status);
    /// Params do not change: one that is there with another value is invalid_argument.
    Result<void> log_model_params(std::string_view model_id, const std::vector<KeyValue>& params);
    Result<void> set_model_tags(std::string_view model_id, const std::vector<KeyValue>& tags);
    Result<void> delete_model_tag(std::string_view model_id, std::string_view key);
    /// Its files stay.
    Result<void> delete_logged_model(const Principal& principal, std::string_view model_id);
    Result<Page<LoggedModel>> search_logged_models(const SearchLoggedModels& search);

 private:
    Tracking(storage::Database& database, std::string artifact_root)
        : database_(database), artifact_root_(std::move(artifact_root)) {}
    [[nodiscard]] std::string location_of(std::string_view child) const;

    storage::Database& database_;
    const std::string artifact_root_;
};

}  // namespace gyre::tracking
