#include "api/mlflow/messages.h"

#include "base/text.h"

namespace gyre::api::mlflow {
namespace {

void set_text(Json& out, std::string_view name, const std::string& text) {
    if (!text.empty()) {
        out.set(name, text);
    }
}

Json wire_of(const tracking::DatasetInput& input) {
    const tracking::Dataset& dataset = input.dataset;
    Json data = Json::object({{"name", dataset.name},
                              {"digest", dataset.digest},
                              {"source_type", dataset.source_type},
                              {"source", dataset.source}});
    set_text(data, "schema", dataset.schema);
    set_text(data, "profile", dataset.profile);
    Json out = Json::object();
    Json tags = Json::array();
    for (const tracking::KeyValue& tag : input.tags) {
        tags.push_back(mlflow::wire_of(tag));
    }
    if (!input.tags.empty()) {
        out.set("tags", std::move(tags));
    }
    out.set("dataset", std::move(data));
    return out;
}

Json links_of(const std::vector<tracking::ModelLink>& links, std::string_view step_name) {
    Json list = Json::array();
    for (const tracking::ModelLink& link : links) {
        Json item = Json::object({{"model_id", link.model_id}});
        if (!step_name.empty()) {
            item.set(step_name, link.step);
        }
        list.push_back(std::move(item));
    }
    return list;
}

}  // namespace

std::vector<tracking::KeyValue> key_values(std::vector<Pair> pairs) {
    std::vector<tracking::KeyValue> out;
    out.reserve(pairs.size());
    for (Pair& pair : pairs) {
        out.push_back({std::move(pair.key), std::move(pair.value)});
    }
    return out;
}

Result<std::int64_t> experiment_id_of(std::string_view text) {
    const auto id = parse_integer(text);
    if (!id) {
        return invalid_argument("Invalid experiment ID: '" + std::string(text.substr(0, 100)) +
                                "'. An experiment ID must be a whole number.");
    }
    return *id;
}

Result<std::vector<std::int64_t>> experiment_ids_of(const std::vector<std::string>& texts) {
    std::vector<std::int64_t> out;
    out.reserve(texts.size());
    for (const std::string& text : texts) {
        GYRE_TRY(const std::int64_t id, experiment_id_of(text));
        out.push_back(id);
    }
    return out;
}

Json wire_of(const tracking::KeyValue& pair) {
    return Json::object({{"key", pair.key}, {"value", pair.value}});
}

Json wire_of(const tracking::Metric& metric) {
    Json out = Json::object({{"key", metric.key},
                             {"value", metric.value},
                             {"timestamp", metric.timestamp_ms},
                             {"step", metric.step}});
    set_text(out, "model_id", metric.model_id);
    set_text(out, "dataset_name", metric.dataset_name);
    set_text(out, "dataset_digest", metric.dataset_digest);
    return out;
}

Json wire_of(const tracking::Experiment& experiment) {
    Json out = Json::object({{"experiment_id", std::to_string(experiment.id)},
                             {"name", experiment.name},
                             {"artifact_location", experiment.artifact_location},
                             {"lifecycle_stage", name_of(experiment.lifecycle_stage)},
                             {"last_update_time", experiment.last_update_time_ms},
                             {"creation_time", experiment.creation_time_ms}});
    set_list(out, "tags", experiment.tags);
    return out;
}

Json wire_of(const tracking::RunInfo& info) {
    Json out = Json::object({{"run_uuid", info.run_id},
                             {"experiment_id", std::to_string(info.experiment_id)},
                             {"run_name", info.run_name},
                             {"user_id", info.user_id},
                             {"status", name_of(info.status)},
                             {"start_time", info.start_time_ms}});
    if (info.end_time_ms) {
        out.set("end_time", *info.end_time_ms);
    }
    out.set("artifact_uri", info.artifact_uri);
    out.set("lifecycle_stage", name_of(info.lifecycle_stage));
    out.set("run_id", info.run_id);
    return out;
}

Json wire_of(const tracking::Run& run) {
    Json data = Json::object();
    set_list(data, "metrics", run.metrics);
    set_list(data, "params", run.params);
    set_list(data, "tags", run.tags);
    Json inputs = Json::object();
    if (!run.dataset_inputs.empty()) {
        Json datasets = Json::array();
        for (const tracking::DatasetInput& input : run.dataset_inputs) {
            datasets.push_back(wire_of(input));
        }
        inputs.set("dataset_inputs", std::move(datasets));
    }
    if (!run.model_inputs.empty()) {
        inputs.set("model_inputs", links_of(run.model_inputs, ""));
    }
    Json out =
        Json::object({{"info", wire_of(run.info)}, {"data", std::move(data)}, {"inputs", std::move(inputs)}});
    if (!run.model_outputs.empty()) {
        out.set("outputs", Json::object({{"model_outputs", links_of(run.model_outputs, "step")}}));
    }
    return out;
}

Json wire_of(const tracking::LoggedModel& model) {
    Json info = Json::object({{"model_id", model.model_id},
                              {"experiment_id", std::to_string(model.experiment_id)},
                              {"name", model.name},
                              {"creation_timestamp_ms", model.creation_time_ms},
                              {"last_updated_timestamp_ms", model.last_update_time_ms},
                              {"artifact_uri", model.artifact_uri},
                              {"status", name_of(model.status)}});
    set_text(info, "model_type", model.model_type);
    set_text(info, "source_run_id", model.source_run_id);
    set_list(info, "tags", model.tags);
    Json data = Json::object();
    set_list(data, "params", model.params);
    if (!model.metrics.empty()) {
        Json metrics = Json::array();
        for (const tracking::ModelMetric& each : model.metrics) {
            Json metric = wire_of(each.metric);
            metric.set("run_id", each.run_id);
            metrics.push_back(std::move(metric));
        }
        data.set("metrics", std::move(metrics));
    }
    return Json::object({{"info", std::move(info)}, {"data", std::move(data)}});
}

Json wire_of(const registry::Tag& tag) {
    return Json::object({{"key", tag.key}, {"value", tag.value}});
}

Json wire_of(const registry::Alias& alias) {
    return Json::object({{"alias", alias.alias}, {"version", std::to_string(alias.version)}});
}

Json wire_of(const registry::ModelVersion& version) {
    Json out = Json::object({{"name", version.name},
                             {"version", std::to_string(version.version)},
                             {"creation_timestamp", version.creation_time_ms},
                             {"last_updated_timestamp", version.last_update_time_ms},
                             {"current_stage", version.stage},
                             {"description", version.description},
                             {"source", version.source},
                             {"run_id", version.run_id},
                             {"status", version.status},
                             {"run_link", version.run_link},
                             {"semantic_version", version.semantic_version.str()}});
    set_text(out, "user_id", version.user_id);
    set_text(out, "status_message", version.status_message);
    set_text(out, "model_id", version.model_id);
    set_list(out, "tags", version.tags);
    if (!version.aliases.empty()) {
        Json aliases = Json::array();
        for (const std::string& alias : version.aliases) {
            aliases.push_back(alias);
        }
        out.set("aliases", std::move(aliases));
    }
    return out;
}

Json wire_of(const registry::RegisteredModel& model) {
    Json out = Json::object({{"name", model.name},
                             {"creation_timestamp", model.creation_time_ms},
                             {"last_updated_timestamp", model.last_update_time_ms},
                             {"description", model.description}});
    set_list(out, "latest_versions", model.latest_versions);
    set_list(out, "tags", model.tags);
    set_list(out, "aliases", model.aliases);
    return out;
}

}  // namespace gyre::api::mlflow
