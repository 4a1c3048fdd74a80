#include "tracking/rows.h"

#include <array>

#include "base/rng.h"
#include "tracking/limits.h"
#include "tracking/metric_store.h"
#include "tracking/validate.h"

namespace gyre::tracking {

using storage::Reader;
using storage::Statement;
using storage::Transaction;

namespace {

Result<std::vector<DatasetInput>> load_datasets(Reader& reader, std::int64_t run) {
    GYRE_TRY(Statement rows,
             reader.query("SELECT d.name, d.digest, d.source_type, d.source, d.schema, d.profile, "
                          "i.tags FROM run_inputs i JOIN datasets d ON d.id = i.dataset "
                          "WHERE i.run = ? ORDER BY d.id",
                          run));
    std::vector<DatasetInput> out;
    for (;;) {
        GYRE_TRY(const bool more, rows.step());
        if (!more) {
            return out;
        }
        DatasetInput& input = out.emplace_back();
        input.dataset = {rows.string(0), rows.string(1), rows.string(2),
                         rows.string(3), rows.string(4), rows.string(5)};
        GYRE_TRY(const Json tags, parse_json(rows.text(6)));
        for (const JsonMember& tag : tags.members()) {
            input.tags.push_back({tag.key, tag.value.as_string()});
        }
    }
}

Result<std::vector<ModelLink>> load_models(Reader& reader, std::int64_t run, std::string_view direction) {
    GYRE_TRY(Statement rows,
             reader.query("SELECT model_id, step FROM run_models WHERE run = ? AND direction = ?", run,
                          direction));
    std::vector<ModelLink> out;
    for (;;) {
        GYRE_TRY(const bool more, rows.step());
        if (!more) {
            return out;
        }
        out.push_back({rows.string(0), rows.integer(1)});
    }
}

}  // namespace

RunRow run_row_of(const Statement& row) {
    RunRow out;
    out.row = row.integer(0);
    out.info = {row.string(1),
                row.string(2),
                row.integer(3),
                row.string(4),
                parse_enum<RunStatus>(row.text(5)).value_or(RunStatus::running),
                row.integer(6),
                row.optional_integer(7),
                row.string(8),
                parse_enum<LifecycleStage>(row.text(9)).value_or(LifecycleStage::active)};
    return out;
}

Experiment experiment_of(const Statement& row) {
    return {row.integer(0),
            row.string(1),
            row.string(2),
            parse_enum<LifecycleStage>(row.text(3)).value_or(LifecycleStage::active),
            row.integer(4),
            row.integer(5),
            {}};
}

Result<RunRow> find_run(Reader& reader, std::string_view run_id) {
    GYRE_TRY(Statement row, reader.query("SELECT r.id, r.run_id, r.name, r.experiment, r.user_id, r.status, "
                                         "r.start_time_ms, r.end_time_ms, r.artifact_uri, r.lifecycle_stage "
                                         "FROM runs r WHERE r.run_id = ?",
                                         run_id));
    GYRE_TRY(const bool found, row.step());
    if (!found) {
        return not_found("Run with id=" + std::string(run_id.substr(0, 256)) + " not found");
    }
    return run_row_of(row);
}

Result<RunRow> find_active_run(Reader& reader, std::string_view run_id) {
    GYRE_TRY(RunRow run, find_run(reader, run_id));
    if (run.info.lifecycle_stage != LifecycleStage::active) {
        return invalid_argument("The run " + run.info.run_id +
                                " must be in the 'active' state. Current state is deleted.");
    }
    return run;
}

Result<Experiment> find_experiment(Reader& reader, std::int64_t id) {
    Experiment out;
    {
        GYRE_TRY(Statement row, reader.query("SELECT e.id, e.name, e.artifact_location, e.lifecycle_stage, "
                                             "e.creation_time_ms, e.last_update_time_ms FROM experiments e "
                                             "WHERE e.id = ?",
                                             id));
        GYRE_TRY(const bool found, row.step());
        if (!found) {
            return not_found("No Experiment with id=" + std::to_string(id) + " exists");
        }
        out = experiment_of(row);
    }
    GYRE_TRY(Statement tags, reader.query("SELECT key, value FROM experiment_tags WHERE experiment = ?", id));
    GYRE_TRY(out.tags, key_values(std::move(tags)));
    return out;
}

Result<Experiment> find_active_experiment(Reader& reader, std::int64_t id) {
    GYRE_TRY(Experiment experiment, find_experiment(reader, id));
    if (experiment.lifecycle_stage != LifecycleStage::active) {
        return invalid_argument("The experiment " + std::to_string(id) +
                                " must be in the 'active' state. Current state is deleted.");
    }
    return experiment;
}

Result<std::vector<KeyValue>> key_values(Statement rows) {
    std::vector<KeyValue> out;
    for (;;) {
        GYRE_TRY(const bool more, rows.step());
        if (!more) {
            return out;
        }
        out.push_back({rows.string(0), rows.string(1)});
    }
}

Result<Run> load_run(Reader& reader, RunRow row) {
    Run out;
    out.info = std::move(row.info);
    GYRE_TRY(out.metrics, latest_metrics(reader, row.row));
    GYRE_TRY(Statement params, reader.query("SELECT key, value FROM run_params WHERE run = ?", row.row));
    GYRE_TRY(out.params, key_values(std::move(params)));
    GYRE_TRY(Statement tags, reader.query("SELECT key, value FROM run_tags WHERE run = ?", row.row));
    GYRE_TRY(out.tags, key_values(std::move(tags)));
    GYRE_TRY(out.dataset_inputs, load_datasets(reader, row.row));
    GYRE_TRY(out.model_inputs, load_models(reader, row.row, "input"));
    GYRE_TRY(out.model_outputs, load_models(reader, row.row, "output"));
    return out;
}

Result<void> put_run_tag(Transaction& tx, std::int64_t run, const KeyValue& tag) {
    const std::string value = cut(tag.value, kTagValueMax);
    GYRE_TRY_VOID(
        tx.run("INSERT INTO run_tags (run, key, value) VALUES (?, ?, ?) "
               "ON CONFLICT (run, key) DO UPDATE SET value = excluded.value",
               run, tag.key, value));
    if (tag.key == kRunNameTag) {
        return tx.run("UPDATE runs SET name = ? WHERE id = ?", value, run);
    }
    return {};
}

std::string made_up_name() {
    static constexpr std::array<std::string_view, 16> kAdjectives{
        "amber", "brisk", "calm",  "clever", "daring",  "eager", "fabled", "gentle",
        "keen",  "lucid", "merry", "nimble", "patient", "quiet", "rapid",  "steady"};
    static constexpr std::array<std::string_view, 16> kAnimals{
        "badger", "crane",  "dolphin", "falcon", "finch",  "heron", "ibex",  "koala",
        "lynx",   "marten", "newt",    "otter",  "puffin", "raven", "stoat", "wren"};
    std::array<std::uint8_t, 4> random{};
    fill_random(random);
    return std::string(kAdjectives[random[0] % 16]) + "-" + std::string(kAnimals[random[1] % 16]) + "-" +
           std::to_string((random[2] * 256 + random[3]) % 1000);
}

}  // namespace gyre::tracking
