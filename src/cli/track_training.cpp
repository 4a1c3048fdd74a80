#include "cli/track_training.h"

#include <algorithm>
#include <filesystem>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/action.h"
#include "cli/remote.h"

namespace gyre::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kApi = "/api/2.0/mlflow/";
constexpr std::size_t kBatchMetricsMax = 1000;
constexpr std::size_t kDigestBytesMax = 36;
constexpr std::string_view kArtifactScheme = "mlflow-artifacts:/";

std::string route(std::string_view name) {
    return std::string(kApi) + std::string(name);
}

/// The answer of a GET, or of a POST where there is nothing yet.
Result<Json> get_or_create(Remote& remote, const std::string& get, const std::string& create,
                           const Json& body) {
    auto found = remote.get(get);
    return found || found.error().code() != ErrorCode::not_found ? std::move(found)
                                                                 : remote.post(create, body);
}

Result<std::string> experiment_id(Remote& remote, const std::string& name) {
    GYRE_TRY(const Json answer,
             get_or_create(remote, route("experiments/get-by-name") + query_of({{"experiment_name", name}}),
                           route("experiments/create"), Json::object({{"name", name}})));
    const Json& experiment = answer["experiment"].is_object() ? answer["experiment"] : answer;
    return experiment.string_or("experiment_id", "0");
}

Json metric_of(const std::string& key, double value, std::int64_t step, std::int64_t now_ms) {
    return Json::object({{"key", key}, {"value", value}, {"timestamp", now_ms}, {"step", step}});
}

Json params_of(const training::TrainResult& result) {
    Json params = Json::array();
    const auto add = [&](const std::string& key, const std::string& value) {
        params.push_back(Json::object({{"key", key}, {"value", value}}));
    };
    const Json given = to_json(result.params);
    for (const JsonMember& member : given.members()) {
        add(member.key, member.value.dump());
    }
    add("rows_train", std::to_string(result.rows_train));
    add("dataset_digest", result.dataset_digest);
    return params;
}

/// The rounds' metrics and those of the rows that were kept back.
Json::Array metrics_of(const TrackedTraining& training, std::int64_t now_ms) {
    Json::Array metrics;
    const std::string text = read_file(training.progress_file).value_or("");
    for (const std::string_view line : split(text, '\n')) {
        const auto json = parse_json(line);
        const auto progress =
            json ? from_json<training::Progress>(*json) : Result<training::Progress>(json.error());
        for (const auto& [name, value] : progress ? progress->metrics : std::map<std::string, double>()) {
            metrics.push_back(metric_of(name, value, progress->iteration, now_ms));
        }
    }
    metrics.push_back(metric_of("duration_s", training.result.duration_s, 0, now_ms));
    if (training.result.holdout) {
        for (const auto& [name, value] : training.result.holdout->metrics) {
            metrics.push_back(metric_of("holdout_" + name, value.estimate, 0, now_ms));
        }
    }
    return metrics;
}

Result<void> log(Remote& remote, const std::string& run, const TrackedTraining& training,
                 std::int64_t now_ms) {
    const training::TrainResult& result = training.result;
    Json tags = Json::array();
    tags.push_back(Json::object({{"key", "gyre.environment"}, {"value", result.environment.dump()}}));
    GYRE_TRY_VOID(remote.post(
        route("runs/log-batch"),
        Json::object({{"run_id", run}, {"params", params_of(result)}, {"tags", std::move(tags)}})));
    const Json::Array metrics = metrics_of(training, now_ms);
    for (std::size_t at = 0; at < metrics.size(); at += kBatchMetricsMax) {
        Json batch = Json::array();
        for (std::size_t i = at; i < std::min(metrics.size(), at + kBatchMetricsMax); ++i) {
            batch.push_back(metrics[i]);
        }
        GYRE_TRY_VOID(remote.post(route("runs/log-batch"),
                                  Json::object({{"run_id", run}, {"metrics", std::move(batch)}})));
    }
    const Json dataset = Json::object({{"name", training.model + "-training-rows"},
                                       {"digest", result.dataset_digest.substr(0, kDigestBytesMax)},
                                       {"source_type", "gyre"},
                                       {"source", "{}"}});
    Json inputs = Json::array();
    inputs.push_back(Json::object({{"dataset", dataset}, {"tags", Json::array()}}));
    GYRE_TRY_VOID(remote.post(route("runs/log-inputs"),
                              Json::object({{"run_id", run}, {"datasets", std::move(inputs)}})));
    return {};
}

/// The package's files below the run's artifacts, as "model".
Result<void> upload(Remote& remote, const std::string& artifact_uri, const std::string& package) {
    if (!artifact_uri.starts_with(kArtifactScheme)) {
        return invalid_argument("the experiment keeps its artifacts at '" + artifact_uri +
                                "', which this command does not write to; name another with --experiment");
    }
    const std::string root = "/api/2.0/mlflow-artifacts/artifacts/" +
                             std::string(trim(artifact_uri.substr(kArtifactScheme.size()))) + "/model/";
    std::error_code failure;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(package, failure)) {
        if (entry.is_regular_file()) {
            const std::string name = fs::relative(entry.path(), package, failure).generic_string();
            GYRE_TRY_VOID(remote.upload("PUT", root + name, entry.path().string()));
        }
    }
    return failure ? errno_error("read package '" + package + "'", failure.value()) : Result<void>();
}

}  // namespace

Result<Json> track_training(const TrackedTraining& training, const Globals& globals) {
    Remote remote(globals);
    const std::int64_t now_ms = system_clock().now_ms();
    GYRE_TRY(const std::string experiment, experiment_id(remote, training.experiment));
    const auto took_ms = static_cast<std::int64_t>(training.result.duration_s * 1000.0);
    GYRE_TRY(const Json created,
             remote.post(route("runs/create"), Json::object({{"experiment_id", experiment},
                                                             {"run_name", training.model},
                                                             {"start_time", now_ms - took_ms}})));
    const Json& info = created["run"]["info"];
    const std::string run = info.string_or("run_id", "");
    GYRE_TRY_VOID(log(remote, run, training, now_ms));
    GYRE_TRY_VOID(upload(remote, info.string_or("artifact_uri", ""), training.package));
    GYRE_TRY_VOID(remote.post(route("runs/update"),
                              Json::object({{"run_id", run}, {"status", "FINISHED"}, {"end_time", now_ms}})));
    GYRE_TRY_VOID(get_or_create(remote, route("registered-models/get") + query_of({{"name", training.model}}),
                                route("registered-models/create"), Json::object({{"name", training.model}})));
    GYRE_TRY(const Json version,
             remote.post(route("model-versions/create"), Json::object({{"name", training.model},
                                                                       {"source", "runs:/" + run + "/model"},
                                                                       {"run_id", run}})));
    return Json::object(
        {{"run_id", run},
         {"model", training.model + "/" + version["model_version"].string_or("version", "1")}});
}

}  // namespace gyre::cli
