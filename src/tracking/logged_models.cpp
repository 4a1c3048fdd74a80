#include <algorithm>
#include <cmath>
#include <limits>

#include "events/events.h"
#include "tracking/rows.h"
#include "tracking/tracking.h"
#include "tracking/validate.h"

namespace gyre::tracking {

using storage::Reader;
using storage::Statement;
using storage::Transaction;

namespace {

constexpr std::string_view kHistoryTag = "mlflow.log-model.history";

Result<void> append_event(Transaction& tx, const Principal& principal, const std::string& type,
                          std::string_view model_id, Json data) {
    GYRE_TRY_VOID(events::append(tx, {.type = type,
                                      .subject = "logged_model/" + std::string(model_id),
                                      .principal = principal,
                                      .data = std::move(data)}));
    return {};
}

Result<void> check_model_name(std::string_view name) {
    if (name.size() > kModelNameMax || name.find_first_of("/:.%\"'") != std::string_view::npos) {
        return invalid_argument("Invalid model name (" + std::string(name.substr(0, kModelNameMax)) +
                                ") provided. Model name must be a non-empty string and cannot contain the "
                                "following characters: ('/', ':', '.', '%', '\"', \"'\")");
    }
    return {};
}

Result<void> check_pairs(const std::vector<KeyValue>& pairs, const std::string& what) {
    if (pairs.size() > kModelParamsMax) {
        return invalid_argument("at most " + std::to_string(kModelParamsMax) + " " + what + " in one call");
    }
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        GYRE_TRY_VOID(check_key(pairs[i].key, what + "[" + std::to_string(i) + "].key"));
    }
    return {};
}

Result<void> put_params(Transaction& tx, std::int64_t model, const std::vector<KeyValue>& params) {
    for (const KeyValue& param : params) {
        const std::string value = cut(param.value, kParamValueMax);
        GYRE_TRY_VOID(tx.run(
            "INSERT INTO logged_model_params (model, key, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            model, param.key, value));
        if (tx.changes() > 0) {
            continue;
        }
        GYRE_TRY(Statement row, tx.query("SELECT value FROM logged_model_params WHERE model = ? AND key = ?",
                                         model, param.key));
        GYRE_TRY_VOID(row.step());
        if (row.text(0) != value) {
            return invalid_argument("Changing param values is not allowed. Param with key='" + param.key +
                                    "' was already logged with value='" + row.string(0) + "'.");
        }
    }
    return {};
}

Result<void> put_tags(Transaction& tx, std::int64_t model, const std::vector<KeyValue>& tags) {
    for (const KeyValue& tag : tags) {
        GYRE_TRY_VOID(
            tx.run("INSERT INTO logged_model_tags (model, key, value) VALUES (?, ?, ?) "
                   "ON CONFLICT (model, key) DO UPDATE SET value = excluded.value",
                   model, tag.key, cut(tag.value, kTagValueMax)));
    }
    return {};
}

Result<void> touch(Transaction& tx, std::int64_t model) {
    return tx.run("UPDATE logged_models SET last_update_time_ms = ? WHERE id = ?", tx.now_ms(), model);
}

Result<std::vector<ModelMetric>> load_metrics(Reader& reader, std::int64_t model) {
    // The newest of each (key, dataset, run).
    GYRE_TRY(Statement rows,
             reader.query(
                 "SELECT key, timestamp_ms, step, value, is_nan, run_id, dataset_name, dataset_digest FROM "
                 "(SELECT *, row_number() OVER (PARTITION BY key, run_id, dataset_name, dataset_digest "
                 "ORDER BY step DESC, timestamp_ms DESC, value DESC) AS nth FROM logged_model_metrics "
                 "WHERE model = ?) WHERE nth = 1 ORDER BY key, run_id",
                 model));
    std::vector<ModelMetric> out;
    for (;;) {
        GYRE_TRY(const bool more, rows.step());
        if (!more) {
            return out;
        }
        ModelMetric& each = out.emplace_back();
        each.metric.key = rows.string(0);
        each.metric.timestamp_ms = rows.integer(1);
        each.metric.step = rows.integer(2);
        each.metric.value = rows.integer(4) != 0 ? std::numeric_limits<double>::quiet_NaN() : rows.number(3);
        each.run_id = rows.string(5);
        each.metric.dataset_name = rows.string(6);
        each.metric.dataset_digest = rows.string(7);
    }
}

/// The history with `model` at its end, as JSON that fits a tag.
Result<std::string> longer_history(std::string_view before, const Json& model) {
    Json history = Json::array();
    if (!before.empty()) {
        auto parsed = parse_json(before);
        if (parsed && parsed->is_array()) {
            history = *std::move(parsed);
        }
    }
    history.push_back(model);
    std::string text = history.dump();
    while (text.size() > kTagValueMax && history.items().size() > 1) {
        history.items().erase(history.items().begin());
        text = history.dump();
    }
    if (text.size() > kTagValueMax) {
        return invalid_argument("the model's description is longer than " + std::to_string(kTagValueMax) +
                                " bytes");
    }
    return text;
}

}  // namespace

Result<std::int64_t> find_logged_model(Reader& reader, std::string_view model_id) {
    GYRE_TRY(Statement row,
             reader.query("SELECT id FROM logged_models WHERE model_id = ? AND lifecycle_stage = "
                          "'active'",
                          model_id));
    GYRE_TRY(const bool found, row.step());
    if (!found) {
        return not_found("Logged model with ID '" + std::string(model_id.substr(0, 256)) + "' not found.");
    }
    return row.integer(0);
}

Result<LoggedModel> load_logged_model(Reader& reader, std::int64_t id) {
    LoggedModel out;
    {
        GYRE_TRY(Statement row,
                 reader.query(
                     "SELECT model_id, experiment, name, model_type, source_run_id, artifact_uri, status, "
                     "creation_time_ms, last_update_time_ms FROM logged_models WHERE id = ?",
                     id));
        GYRE_TRY_VOID(row.step());
        out.model_id = row.string(0);
        out.experiment_id = row.integer(1);
        out.name = row.string(2);
        out.model_type = row.string(3);
        out.source_run_id = row.string(4);
        out.artifact_uri = row.string(5);
        out.status = parse_enum<ModelStatus>(row.text(6)).value_or(ModelStatus::pending);
        out.creation_time_ms = row.integer(7);
        out.last_update_time_ms = row.integer(8);
    }
    GYRE_TRY(Statement params,
             reader.query("SELECT key, value FROM logged_model_params WHERE model = ?", id));
    GYRE_TRY(out.params, key_values(std::move(params)));
    GYRE_TRY(Statement tags, reader.query("SELECT key, value FROM logged_model_tags WHERE model = ?", id));
    GYRE_TRY(out.tags, key_values(std::move(tags)));
    GYRE_TRY(out.metrics, load_metrics(reader, id));
    return out;
}

Result<void> append_model_metrics(Transaction& tx, std::string_view run_id,
                                  const std::vector<Metric>& metrics) {
    constexpr double kMost = std::numeric_limits<double>::max();
    for (const Metric& metric : metrics) {
        if (metric.model_id.empty()) {
            continue;
        }
        GYRE_TRY(const std::int64_t model, find_logged_model(tx, metric.model_id));
        const bool nan = std::isnan(metric.value);
        GYRE_TRY_VOID(
            tx.run("INSERT INTO logged_model_metrics (model, key, timestamp_ms, step, value, is_nan, run_id, "
                   "dataset_name, dataset_digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                   model, metric.key, metric.timestamp_ms, metric.step,
                   nan ? 0.0 : std::clamp(metric.value, -kMost, kMost), nan, run_id, metric.dataset_name,
                   metric.dataset_digest));
    }
    return {};
}

Result<LoggedModel> Tracking::create_logged_model(const Principal& principal, const NewLoggedModel& model) {
    GYRE_TRY_VOID(check_model_name(model.name));
    if (model.model_type.size() > kModelNameMax || model.source_run_id.size() > kModelNameMax) {
        return invalid_argument("a model's type and run must have at most " + std::to_string(kModelNameMax) +
                                " bytes");
    }
    GYRE_TRY_VOID(check_pairs(model.params, "params"));
    GYRE_TRY_VOID(check_pairs(model.tags, "tags"));
    const std::string model_id = "m-" + make_hex_id();
    return database_.write([&](Transaction& tx) -> Result<LoggedModel> {
        GYRE_TRY(const Experiment experiment, find_active_experiment(tx, model.experiment_id));
        GYRE_TRY_VOID(tx.run(
            "INSERT INTO logged_models (model_id, project, experiment, name, model_type, source_run_id, "
            "artifact_uri, status, creation_time_ms, last_update_time_ms) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            model_id, principal.project.str(), experiment.id,
            model.name.empty() ? made_up_name() : model.name, model.model_type, model.source_run_id,
            experiment.artifact_location + "/models/" + model_id + "/artifacts",
            name_of(ModelStatus::pending), tx.now_ms(), tx.now_ms()));
        const std::int64_t row = tx.last_insert_id();
        GYRE_TRY_VOID(put_params(tx, row, model.params));
        GYRE_TRY_VOID(put_tags(tx, row, model.tags));
        GYRE_TRY_VOID(append_event(tx, principal, "logged_model.created", model_id,
                                   Json::object({{"experiment_id", std::to_string(experiment.id)},
                                                 {"run_id", model.source_run_id}})));
        return load_logged_model(tx, row);
    });
}

Result<LoggedModel> Tracking::get_logged_model(std::string_view model_id) {
    return database_.read([&](Reader& reader) -> Result<LoggedModel> {
        GYRE_TRY(const std::int64_t row, find_logged_model(reader, model_id));
        return load_logged_model(reader, row);
    });
}

Result<LoggedModel> Tracking::finalize_logged_model(const Principal& principal, std::string_view model_id,
                                                    ModelStatus status) {
    return database_.write([&](Transaction& tx) -> Result<LoggedModel> {
        GYRE_TRY(const std::int64_t row, find_logged_model(tx, model_id));
        GYRE_TRY_VOID(tx.run("UPDATE logged_models SET status = ? WHERE id = ?", name_of(status), row));
        GYRE_TRY_VOID(touch(tx, row));
        GYRE_TRY_VOID(append_event(tx, principal, "logged_model.finished", model_id,
                                   Json::object({{"status", name_of(status)}})));
        return load_logged_model(tx, row);
    });
}

Result<void> Tracking::log_model_params(std::string_view model_id, const std::vector<KeyValue>& params) {
    GYRE_TRY_VOID(check_pairs(params, "params"));
    return database_.write([&](Transaction& tx) -> Result<void> {
        GYRE_TRY(const std::int64_t row, find_logged_model(tx, model_id));
        GYRE_TRY_VOID(put_params(tx, row, params));
        return touch(tx, row);
    });
}

Result<void> Tracking::set_model_tags(std::string_view model_id, const std::vector<KeyValue>& tags) {
    GYRE_TRY_VOID(check_pairs(tags, "tags"));
    return database_.write([&](Transaction& tx) -> Result<void> {
        GYRE_TRY(const std::int64_t row, find_logged_model(tx, model_id));
        GYRE_TRY_VOID(put_tags(tx, row, tags));
        return touch(tx, row);
    });
}

Result<void> Tracking::delete_model_tag(std::string_view model_id, std::string_view key) {
    return database_.write([&](Transaction& tx) -> Result<void> {
        GYRE_TRY(const std::int64_t row, find_logged_model(tx, model_id));
        GYRE_TRY_VOID(tx.run("DELETE FROM logged_model_tags WHERE model = ? AND key = ?", row, key));
        if (tx.changes() == 0) {
            return not_found("No tag with key '" + std::string(key.substr(0, kKeyMax)) +
                             "' found for model with ID '" + std::string(model_id) + "'.");
        }
        return touch(tx, row);
    });
}

Result<void> Tracking::delete_logged_model(const Principal& principal, std::string_view model_id) {
    return database_.write([&](Transaction& tx) -> Result<void> {
        GYRE_TRY(const std::int64_t row, find_logged_model(tx, model_id));
        GYRE_TRY_VOID(tx.run("UPDATE logged_models SET lifecycle_stage = 'deleted' WHERE id = ?", row));
        GYRE_TRY_VOID(touch(tx, row));
        return append_event(tx, principal, "logged_model.deleted", model_id, Json::object());
    });
}

Result<void> Tracking::record_model(std::string_view run_id, const Json& model) {
    return database_.write([&](Transaction& tx) -> Result<void> {
        GYRE_TRY(const RunRow run, find_active_run(tx, run_id));
        std::string before;
        {
            GYRE_TRY(Statement row,
                     tx.query("SELECT value FROM run_tags WHERE run = ? AND key = ?", run.row, kHistoryTag));
            GYRE_TRY(const bool found, row.step());
            before = found ? row.string(0) : "";
        }
        GYRE_TRY(std::string history, longer_history(before, model));
        return put_run_tag(tx, run.row, {std::string(kHistoryTag), std::move(history)});
    });
}

}  // namespace gyre::tracking
