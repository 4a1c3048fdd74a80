#pragma once
// What tracking keeps. Times are Unix milliseconds, as MLflow's clients send them.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fields.h"
#include "base/id.h"

namespace gyre::tracking {

enum class LifecycleStage : std::uint8_t { active, deleted };
constexpr auto enum_names(LifecycleStage) {
    return std::array{EnumName{LifecycleStage::active, "active"},
                      EnumName{LifecycleStage::deleted, "deleted"}};
}

enum class RunStatus : std::uint8_t { running, scheduled, finished, failed, killed };
constexpr auto enum_names(RunStatus) {
    return std::array{EnumName{RunStatus::running, "RUNNING"}, EnumName{RunStatus::scheduled, "SCHEDULED"},
                      EnumName{RunStatus::finished, "FINISHED"}, EnumName{RunStatus::failed, "FAILED"},
                      EnumName{RunStatus::killed, "KILLED"}};
}
constexpr bool is_final(RunStatus status) {
    return status >= RunStatus::finished;
}

enum class ViewType : std::uint8_t { active_only, deleted_only, all };
constexpr auto enum_names(ViewType) {
    return std::array{EnumName{ViewType::active_only, "ACTIVE_ONLY"},
                      EnumName{ViewType::deleted_only, "DELETED_ONLY"}, EnumName{ViewType::all, "ALL"}};
}

struct KeyValue {
    std::string key = {};
    std::string value = {};
    bool operator==(const KeyValue&) const = default;
};

struct Metric {
    std::string key = {};
    double value = 0;  // may be NaN; infinities are kept as the largest finite numbers
    std::int64_t timestamp_ms = 0;
    std::int64_t step = 0;
    // When set, the point is kept on that logged model too.
    std::string model_id = {};
    std::string dataset_name = {};
    std::string dataset_digest = {};
};

struct Experiment {
    std::int64_t id = 0;
    std::string name = {};
    std::string artifact_location = {};
    LifecycleStage lifecycle_stage = LifecycleStage::active;
    std::int64_t creation_time_ms = 0;
    std::int64_t last_update_time_ms = 0;
    std::vector<KeyValue> tags = {};
};

struct RunInfo {
    std::string run_id = {};
    std::string run_name = {};
    std::int64_t experiment_id = 0;
    std::string user_id = {};
    RunStatus status = RunStatus::running;
    std::int64_t start_time_ms = 0;
    std::optional<std::int64_t> end_time_ms = {};
    std::string artifact_uri = {};
    LifecycleStage lifecycle_stage = LifecycleStage::active;
};

struct Dataset {
    std::string name = {};
    std::string digest = {};
    std::string source_type = {};
    std::string source = {};
    std::string schema = {};
    std::string profile = {};
};

struct DatasetInput {
    Dataset dataset;
    std::vector<KeyValue> tags = {};
};

struct ModelLink {
    std::string model_id = {};
    std::int64_t step = 0;
};

struct Run {
    RunInfo info;
    std::vector<Metric> metrics = {};  // the latest of each key
    std::vector<KeyValue> params = {};
    std::vector<KeyValue> tags = {};
    std::vector<DatasetInput> dataset_inputs = {};
    std::vector<ModelLink> model_inputs = {};
    std::vector<ModelLink> model_outputs = {};
};

enum class ModelStatus : std::uint8_t { pending, ready, upload_failed };
constexpr auto enum_names(ModelStatus) {
    return std::array{EnumName{ModelStatus::pending, "LOGGED_MODEL_PENDING"},
                      EnumName{ModelStatus::ready, "LOGGED_MODEL_READY"},
                      EnumName{ModelStatus::upload_failed, "LOGGED_MODEL_UPLOAD_FAILED"}};
}

/// A metric of a logged model, and the run that logged it.
struct ModelMetric {
    Metric metric;
    std::string run_id = {};
};

/// A model that a run has logged; not registered by that.
struct LoggedModel {
    std::string model_id = {};  // "m-" and 32 hex digits
    std::int64_t experiment_id = 0;
    std::string name = {};
    std::string model_type = {};
    std::string source_run_id = {};
    std::string artifact_uri = {};
    ModelStatus status = ModelStatus::pending;
    std::int64_t creation_time_ms = 0;
    std::int64_t last_update_time_ms = 0;
    std::vector<KeyValue> params = {};
    std::vector<KeyValue> tags = {};
    std::vector<ModelMetric> metrics = {};
};

struct NewLoggedModel {
    std::int64_t experiment_id = 0;
    std::string name = {};  // "" for one made up
    std::string model_type = {};
    std::string source_run_id = {};
    std::vector<KeyValue> params = {};
    std::vector<KeyValue> tags = {};
};

struct ModelOrder {
    std::string field = {};  // "creation_timestamp", "metrics.auc"
    bool ascending = true;
    std::string dataset_name = {};  // of a metric; "" for any
    std::string dataset_digest = {};
};

struct SearchLoggedModels {
    std::vector<std::int64_t> experiment_ids = {};
    std::string filter = {};
    std::vector<Dataset> datasets = {};  // name and digest; metrics in the filter are of these
    std::vector<ModelOrder> order_by = {};
    std::int64_t results_max = 100;
    std::string page_token = {};
};

/// A dataset that runs of an experiment used, and what for.
struct DatasetSummary {
    std::int64_t experiment_id = 0;
    std::string name = {};
    std::string digest = {};
    std::string context = {};
};

struct NewExperiment {
    std::string name = {};
    std::string artifact_location = {};  // "" for the default below the artifact root
    std::vector<KeyValue> tags = {};
};

struct NewRun {
    std::int64_t experiment_id = 0;
    std::string user_id = {};
    std::string run_name = {};  // "" for the tag mlflow.runName, or one made up
    std::int64_t start_time_ms = 0;
    std::vector<KeyValue> tags = {};
};

struct RunUpdate {
    std::optional<RunStatus> status = {};
    std::optional<std::int64_t> end_time_ms = {};
    std::string run_name = {};  // "" keeps it
};

struct Batch {
    std::vector<Metric> metrics = {};
    std::vector<KeyValue> params = {};
    std::vector<KeyValue> tags = {};
};

struct SearchExperiments {
    std::string filter = {};
    std::vector<std::string> order_by = {};
    ViewType view = ViewType::active_only;
    std::int64_t results_max = 1000;
    std::string page_token = {};
};

struct SearchRuns {
    std::vector<std::int64_t> experiment_ids = {};
    std::string filter = {};
    std::vector<std::string> order_by = {};
    ViewType view = ViewType::active_only;
    std::int64_t results_max = 1000;
    std::string page_token = {};
};

template <class T>
struct Page {
    std::vector<T> items = {};
    std::string next_page_token = {};  // "" at the end
};

}  // namespace gyre::tracking
