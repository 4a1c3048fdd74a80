#include <algorithm>

#include "events/events.h"
#include "storage/search/filter.h"
#include "tracking/metric_store.h"
#include "tracking/rows.h"
#include "tracking/tracking.h"
#include "tracking/validate.h"

namespace gyre::tracking {

using storage::Reader;
using storage::Statement;
using storage::Transaction;

namespace {

Result<void> append_event(Transaction& tx, const Principal& principal, const std::string& type,
                          const RunInfo& run, Json data = Json::object()) {
    data.set("experiment_id", std::to_string(run.experiment_id));
    GYRE_TRY_VOID(events::append(
        tx, {.type = type, .subject = "run/" + run.run_id, .principal = principal, .data = std::move(data)}));
    return {};
}

/// The run's name, from the field or the tag mlflow.runName, which must agree; the tag is then always there.
Result<NewRun> with_name(NewRun run) {
    const auto tag = std::find_if(run.tags.begin(), run.tags.end(),
                                  [](const KeyValue& each) { return each.key == kRunNameTag; });
    if (tag != run.tags.end() && !run.run_name.empty() && tag->value != run.run_name) {
        return invalid_argument(
            "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different "
            "values (run_name='" +
            run.run_name + "', mlflow.runName='" + tag->value + "').");
    }
    if (run.run_name.empty()) {
        run.run_name = tag != run.tags.end() ? tag->value : made_up_name();
    }
    if (tag == run.tags.end()) {
        run.tags.push_back({std::string(kRunNameTag), run.run_name});
    }
    return run;
}

Result<Run> insert_run(Transaction& tx, const Principal& principal, const NewRun& run,
                       const std::string& run_id) {
    GYRE_TRY(const Experiment experiment, find_active_experiment(tx, run.experiment_id));
    Run out;
    out.info = {run_id,
                run.run_name,
                experiment.id,
                run.user_id,
                RunStatus::running,
                run.start_time_ms,
                std::nullopt,
                experiment.artifact_location + "/" + run_id + "/artifacts",
                LifecycleStage::active};
    GYRE_TRY_VOID(
        tx.run("INSERT INTO runs (run_id, project, experiment, name, user_id, status, start_time_ms, "
               "artifact_uri) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
               run_id, principal.project.str(), experiment.id, run.run_name, run.user_id,
               name_of(RunStatus::running), run.start_time_ms, out.info.artifact_uri));
    const std::int64_t row = tx.last_insert_id();
    for (const KeyValue& tag : run.tags) {
        GYRE_TRY_VOID(put_run_tag(tx, row, tag));
    }
    out.tags = run.tags;
    GYRE_TRY_VOID(append_event(tx, principal, "run.created", out.info));
    return out;
}

struct ParamConflict {
    std::string key;
    std::string old_value;
    std::string new_value;
};

Result<void> put_params(Transaction& tx, const RunRow& run, const std::vector<KeyValue>& params) {
    std::vector<ParamConflict> conflicts;
    for (const KeyValue& param : params) {
        const std::string value = cut(param.value, kParamValueMax);
        GYRE_TRY_VOID(
            tx.run("INSERT INTO run_params (run, key, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                   run.row, param.key, value));
        if (tx.changes() > 0) {
            continue;
        }
        GYRE_TRY(Statement row,
                 tx.query("SELECT value FROM run_params WHERE run = ? AND key = ?", run.row, param.key));
        GYRE_TRY_VOID(row.step());
        if (row.text(0) != value) {
            conflicts.push_back({param.key, row.string(0), value});
        }
    }
    if (conflicts.empty()) {
        return {};
    }
    if (params.size() == 1) {
        const ParamConflict& one = conflicts.front();
        return invalid_argument("Changing param values is not allowed. Param with key='" + one.key +
                                "' was already logged with value='" + one.old_value + "' for run ID='" +
                                run.info.run_id + "'. Attempted logging new value '" + one.new_value + "'.");
    }
    std::string list;
    for (const ParamConflict& each : conflicts) {
        list += (list.empty() ? "" : ", ") + std::string("{'key': ") + python_repr(each.key) +
                ", 'old_value': " + python_repr(each.old_value) +
                ", 'new_value': " + python_repr(each.new_value) + "}";
    }
    return invalid_argument("Changing param values is not allowed. Params were already logged='[" + list +
                            "]' for run ID='" + run.info.run_id + "'.");
}

Result<void> set_stage(Transaction& tx, const Principal& principal, std::string_view run_id,
                       LifecycleStage to) {
    GYRE_TRY(const RunRow run, find_run(tx, run_id));
    if (run.info.lifecycle_stage == to) {
        return {};
    }
    const bool deleted = to == LifecycleStage::deleted;
    GYRE_TRY_VOID(tx.run("UPDATE runs SET lifecycle_stage = ?, deleted_time_ms = ? WHERE id = ?", name_of(to),
                         deleted ? std::optional(tx.now_ms()) : std::nullopt, run.row));
    return append_event(tx, principal, deleted ? "run.deleted" : "run.restored", run.info);
}

Result<void> put_models(Transaction& tx, std::int64_t run, std::string_view direction,
                        const std::vector<ModelLink>& models) {
    for (const ModelLink& model : models) {
        GYRE_TRY_VOID(
            tx.run("INSERT INTO run_models (run, direction, model_id, step) VALUES (?, ?, ?, ?) "
                   "ON CONFLICT (run, direction, model_id) DO UPDATE SET step = excluded.step",
                   run, direction, model.model_id, model.step));
    }
    return {};
}

Result<void> put_dataset(Transaction& tx, const RunRow& run, const DatasetInput& input) {
    const Dataset& d = input.dataset;
    GYRE_TRY_VOID(
        tx.run("INSERT INTO datasets (experiment, name, digest, source_type, source, schema, profile) "
               "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
               run.info.experiment_id, d.name, d.digest, d.source_type, d.source, d.schema, d.profile));
    Json tags = Json::object();
    for (const KeyValue& tag : input.tags) {
        tags.set(tag.key, tag.value);
    }
    return tx.run(
        "INSERT INTO run_inputs (run, dataset, tags) SELECT ?, id, ? FROM datasets "
        "WHERE experiment = ? AND name = ? AND digest = ? ON CONFLICT DO NOTHING",
        run.row, tags.dump(), run.info.experiment_id, d.name, d.digest);
}

Result<void> check_inputs(const std::vector<DatasetInput>& datasets, const std::vector<ModelLink>& models) {
    if (datasets.size() + models.size() > kInputsPerCallMax) {
        return invalid_argument("at most " + std::to_string(kInputsPerCallMax) + " inputs in one call");
    }
    for (const DatasetInput& input : datasets) {
        GYRE_TRY_VOID(check_dataset(input));
    }
    for (const ModelLink& model : models) {
        GYRE_TRY_VOID(check_key(model.model_id, "model_id"));
    }
    return {};
}

}  // namespace

Result<Run> Tracking::create_run(const Principal& principal, const NewRun& run) {
    GYRE_TRY_VOID(check_batch({.metrics = {}, .params = {}, .tags = run.tags}));
    GYRE_TRY(const NewRun named, with_name(run));
    const std::string run_id = make_hex_id();
    return database_.write([&](Transaction& tx) { return insert_run(tx, principal, named, run_id); });
}

Result<Run> Tracking::get_run(std::string_view run_id) {
    return database_.read([&](Reader& reader) -> Result<Run> {
        GYRE_TRY(RunRow row, find_run(reader, run_id));
        return load_run(reader, std::move(row));
    });
}

Result<RunInfo> Tracking::update_run(const Principal& principal, std::string_view run_id,
                                     const RunUpdate& update) {
    return database_.write([&](Transaction& tx) -> Result<RunInfo> {
        GYRE_TRY(RunRow run, find_active_run(tx, run_id));
        const RunStatus before = run.info.status;
        run.info.status = update.status.value_or(before);
        run.info.end_time_ms = update.end_time_ms ? update.end_time_ms : run.info.end_time_ms;
        GYRE_TRY_VOID(tx.run("UPDATE runs SET status = ?, end_time_ms = ? WHERE id = ?",
                             name_of(run.info.status), run.info.end_time_ms, run.row));
        if (!update.run_name.empty()) {
            run.info.run_name = update.run_name;
            GYRE_TRY_VOID(put_run_tag(tx, run.row, {std::string(kRunNameTag), update.run_name}));
        }
        if (run.info.status != before && is_final(run.info.status)) {
            GYRE_TRY_VOID(append_event(tx, principal, "run.finished", run.info,
                                       Json::object({{"status", name_of(run.info.status)}})));
        }
        return run.info;
    });
}

Result<void> Tracking::delete_run(const Principal& principal, std::string_view run_id) {
    return database_.write(
        [&](Transaction& tx) { return set_stage(tx, principal, run_id, LifecycleStage::deleted); });
}

Result<void> Tracking::restore_run(const Principal& principal, std::string_view run_id) {
    return database_.write(
        [&](Transaction& tx) { return set_stage(tx, principal, run_id, LifecycleStage::active); });
}

Result<void> Tracking::log_batch(std::string_view run_id, const Batch& batch) {
    GYRE_TRY_VOID(check_batch(batch));
    return database_.write([&](Transaction& tx) -> Result<void> {
        GYRE_TRY(const RunRow run, find_active_run(tx, run_id));
        GYRE_TRY_VOID(put_params(tx, run, batch.params));
        GYRE_TRY_VOID(append_metrics(tx, run.row, batch.metrics));
        GYRE_TRY_VOID(append_model_metrics(tx, run.info.run_id, batch.metrics));
        for (const KeyValue& tag : batch.tags) {
            GYRE_TRY_VOID(put_run_tag(tx, run.row, tag));
        }
        return {};
    });
}

Result<void> Tracking::delete_tag(std::string_view run_id, std::string_view key) {
    return database_.write([&](Transaction& tx) -> Result<void> {
        GYRE_TRY(const RunRow run, find_active_run(tx, run_id));
        GYRE_TRY_VOID(tx.run("DELETE FROM run_tags WHERE run = ? AND key = ?", run.row, key));
        return tx.changes() > 0 ? Result<void>()
                                : Result<void>(not_found("No tag with name: " + std::string(key) +
                                                         " in run with id " + run.info.run_id));
    });
}

Result<void> Tracking::log_inputs(std::string_view run_id, const std::vector<DatasetInput>& datasets,
                                  const std::vector<ModelLink>& models) {
    GYRE_TRY_VOID(check_inputs(datasets, models));
    return database_.write([&](Transaction& tx) -> Result<void> {
        GYRE_TRY(const RunRow run, find_active_run(tx, run_id));
        for (const DatasetInput& input : datasets) {
            GYRE_TRY_VOID(put_dataset(tx, run, input));
        }
        return put_models(tx, run.row, "input", models);
    });
}

Result<void> Tracking::log_outputs(std::string_view run_id, const std::vector<ModelLink>& models) {
    GYRE_TRY_VOID(check_inputs({}, models));
    return database_.write([&](Transaction& tx) -> Result<void> {
        GYRE_TRY(const RunRow run, find_active_run(tx, run_id));
        return put_models(tx, run.row, "output", models);
    });
}

Result<Page<Metric>> Tracking::metric_history(std::string_view run_id, std::string_view key,
                                              std::int64_t results_max, std::string_view page_token) {
    GYRE_TRY_VOID(check_results_max(results_max, kHistoryPageMax));
    GYRE_TRY(const std::int64_t offset, storage::parse_page_token(page_token));
    return database_.read([&](Reader& reader) -> Result<Page<Metric>> {
        GYRE_TRY(const RunRow run, find_run(reader, run_id));
        GYRE_TRY(const std::vector<Point> points, metric_points(reader, run.row, key));
        Page<Metric> page;
        const auto begin = std::min<std::size_t>(static_cast<std::size_t>(offset), points.size());
        const auto end = std::min<std::size_t>(begin + static_cast<std::size_t>(results_max), points.size());
        for (std::size_t i = begin; i < end; ++i) {
            Metric& metric = page.items.emplace_back();
            metric.key = key;
            metric.value = points[i].value;
            metric.timestamp_ms = points[i].timestamp_ms;
            metric.step = points[i].step;
        }
        if (end < points.size()) {
            page.next_page_token = storage::make_page_token(static_cast<std::int64_t>(end));
        }
        return page;
    });
}

}  // namespace gyre::tracking
