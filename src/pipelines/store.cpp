#include "pipelines/store.h"

#include "base/id.h"

namespace gyre::pipelines::store {
namespace {

using storage::Reader;
using storage::Statement;
using storage::Transaction;

/// Rows hold what this module wrote, so a value that does not read back is damage.
template <class T>
Result<T> from_row(Result<T> read, std::string_view what) {
    if (!read) {
        return data_loss("a pipeline row is damaged (" + std::string(what) + "): " + read.error().message());
    }
    return read;
}

template <class Make>
auto collect(Result<Statement> opened, Make&& make)
    -> Result<std::vector<typename decltype(make(std::declval<Statement&>()))::value_type>> {
    GYRE_TRY(Statement rows, std::move(opened));
    std::vector<typename decltype(make(rows))::value_type> out;
    for (;;) {
        GYRE_TRY(const bool more, rows.step());
        if (!more) {
            return out;
        }
        GYRE_TRY(auto value, make(rows));
        out.push_back(std::move(value));
    }
}

template <class Make>
auto first_of(Result<Statement> opened, Make&& make)
    -> Result<std::optional<typename decltype(make(std::declval<Statement&>()))::value_type>> {
    using Value = typename decltype(make(std::declval<Statement&>()))::value_type;
    GYRE_TRY(Statement rows, std::move(opened));
    GYRE_TRY(const bool found, rows.step());
    if (!found) {
        return std::optional<Value>();
    }
    GYRE_TRY(Value value, make(rows));
    return std::optional<Value>(std::move(value));
}

Result<PipelineSpec> read_plan(std::string_view text) {
    GYRE_TRY(const Json json, from_row(parse_json(text), "plan"));
    return from_row(from_json<PipelineSpec>(json), "plan");
}

constexpr std::string_view kPipelineColumns =
    "SELECT name, text, plan, digest, since_position, created_us, updated_us FROM pipelines WHERE project = "
    "?";

Result<PipelineRecord> read_pipeline(Statement& row) {
    PipelineRecord record;
    record.name = row.string(0);
    record.text = row.string(1);
    GYRE_TRY(record.spec, read_plan(row.text(2)));
    record.digest = row.string(3);
    record.since_position = row.integer(4);
    record.created_us = row.integer(5);
    record.updated_us = row.integer(6);
    return record;
}

#define GYRE_RUN_COLUMNS                                                                                \
    "SELECT id, pipeline, plan, params, trigger_info, principal, as_of_us, state, reason, created_us, " \
    "started_us, "                                                                                      \
    "finished_us FROM pipeline_runs "

Result<RunRecord> read_run(Statement& row) {
    RunRecord run;
    run.id = row.string(0);
    run.pipeline = row.string(1);
    GYRE_TRY(run.plan, read_plan(row.text(2)));
    GYRE_TRY(run.params, from_row(parse_json(row.text(3)), "params"));
    GYRE_TRY(run.trigger, from_row(parse_json(row.text(4)), "trigger"));
    run.principal = row.string(5);
    run.as_of_us = row.integer(6);
    GYRE_TRY(run.state, from_row(parse_enum<RunState>(row.text(7)), "state"));
    run.reason = row.string(8);
    run.created_us = row.integer(9);
    run.started_us = row.optional_integer(10);
    run.finished_us = row.optional_integer(11);
    return run;
}

Result<StepRecord> read_step(Statement& row) {
    StepRecord step;
    step.id = row.string(0);
    step.kind = row.string(1);
    GYRE_TRY(step.state, from_row(parse_enum<StepState>(row.text(2)), "state"));
    step.reason = row.string(3);
    step.attempt = row.integer(4);
    step.retries = row.integer(5);
    step.interruptions = row.integer(6);
    step.token = row.integer(7);
    step.due_us = row.optional_integer(8);
    step.started_us = row.optional_integer(9);
    step.finished_us = row.optional_integer(10);
    GYRE_TRY(step.outputs, from_row(parse_json(row.text(11)), "outputs"));
    GYRE_TRY(step.wait, from_row(parse_json(row.text(12)), "wait"));
    return step;
}

Result<DecisionRecord> read_decision(Statement& row) {
    DecisionRecord decision;
    decision.pipeline = row.string(0);
    decision.source = row.string(1);
    decision.type = row.string(2);
    decision.subject = row.string(3);
    decision.as_of_us = row.integer(4);
    decision.decided_us = row.integer(5);
    GYRE_TRY(decision.outcome, from_row(parse_enum<Decision>(row.text(6)), "outcome"));
    decision.reason = row.string(7);
    decision.run_id = row.string(8);
    return decision;
}

Result<std::string> read_text(Statement& row) {
    return row.string(0);
}
Result<std::int64_t> read_integer(Statement& row) {
    return row.integer(0);
}

std::string project() {
    return default_project().str();
}

Result<std::vector<StepRecord>> steps_of(Reader& reader, std::string_view run_id) {
    return collect(reader.query("SELECT step_id, kind, state, reason, attempt, retries, interruptions, "
                                "token, due_us, started_us, finished_us, outputs, wait FROM pipeline_steps "
                                "WHERE run_id = ? ORDER BY position",
                                run_id),
                   read_step);
}

}  // namespace

Result<std::vector<PipelineRecord>> list_pipelines(Reader& reader) {
    static const std::string kSql = std::string(kPipelineColumns) + " ORDER BY name";
    return collect(reader.query(kSql, project()), read_pipeline);
}

Result<std::optional<PipelineRecord>> find_pipeline(Reader& reader, std::string_view name) {
    static const std::string kSql = std::string(kPipelineColumns) + " AND name = ?";
    return first_of(reader.query(kSql, project(), name), read_pipeline);
}

Result<void> put_pipeline(Transaction& tx, const PipelineRecord& record) {
    return tx.run(
        "INSERT INTO pipelines (project, name, text, plan, digest, since_position, created_us, updated_us) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (project, name) DO UPDATE SET text = excluded.text, "
        "plan = excluded.plan, digest = excluded.digest, since_position = excluded.since_position, "
        "updated_us = excluded.updated_us",
        project(), record.name, record.text, to_json(record.spec).dump(), record.digest,
        record.since_position, record.created_us, record.updated_us);
}

Result<void> remove_pipeline(Transaction& tx, std::string_view name) {
    GYRE_TRY_VOID(tx.run("DELETE FROM pipeline_ticks WHERE project = ? AND pipeline = ?", project(), name));
    return tx.run("DELETE FROM pipelines WHERE project = ? AND name = ?", project(), name);
}

Result<void> insert_run(Transaction& tx, const RunRecord& run) {
    GYRE_TRY_VOID(tx.run(
        "INSERT INTO pipeline_runs (id, project, pipeline, plan, params, trigger_info, principal, "
        "as_of_us, state, reason, created_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        run.id, project(), run.pipeline, to_json(run.plan).dump(), run.params.dump(), run.trigger.dump(),
        run.principal, run.as_of_us, name_of(run.state), run.reason, run.created_us));
    std::int64_t position = 0;
    for (const StepSpec& step : run.plan.steps) {
        GYRE_TRY_VOID(
            tx.run("INSERT INTO pipeline_steps (run_id, step_id, position, kind, state, reason, attempt, "
                   "retries, interruptions, token, outputs, wait) "
                   "VALUES (?, ?, ?, ?, 'pending', '', 0, 0, 0, 0, '{}', 'null')",
                   run.id, step.id, position++, step.kind));
    }
    return {};
}

Result<RunRecord> get_run(Reader& reader, std::string_view id) {
    GYRE_TRY(auto run, first_of(reader.query(GYRE_RUN_COLUMNS "WHERE id = ?", id), read_run));
    if (!run) {
        return not_found("no pipeline run '" + std::string(id.substr(0, kNameBytesMax)) + "'");
    }
    GYRE_TRY(run->steps, steps_of(reader, id));
    return *std::move(run);
}

Result<std::vector<RunRecord>> list_runs(Reader& reader, std::string_view pipeline, std::string_view before,
                                         std::size_t limit) {
    // An id is a UUIDv7 in lower case hex, so '~' is after all of them.
    const std::string_view top = before.empty() ? "~" : before;
    auto rows = pipeline.empty()
                    ? reader.query(GYRE_RUN_COLUMNS "WHERE id < ? ORDER BY id DESC LIMIT ?", top, limit)
                    : reader.query(GYRE_RUN_COLUMNS
                                   "WHERE project = ? AND pipeline = ? AND id < ? ORDER BY id DESC LIMIT ?",
                                   project(), pipeline, top, limit);
    GYRE_TRY(std::vector<RunRecord> runs, collect(std::move(rows), read_run));
    for (RunRecord& run : runs) {
        GYRE_TRY(run.steps, steps_of(reader, run.id));
    }
    return runs;
}

Result<std::vector<std::string>> live_runs(Reader& reader) {
    return collect(
        reader.query("SELECT id FROM pipeline_runs WHERE state IN ('queued', 'running', 'waiting') "
                     "ORDER BY id"),
        read_text);
}

Result<void> update_run(Transaction& tx, const RunRecord& run) {
    return tx.run(
        "UPDATE pipeline_runs SET state = ?, reason = ?, started_us = ?, finished_us = ? WHERE id = ?",
        name_of(run.state), run.reason, run.started_us, run.finished_us, run.id);
}

Result<void> update_step(Transaction& tx, std::string_view run_id, const StepRecord& step) {
    return tx.run(
        "UPDATE pipeline_steps SET state = ?, reason = ?, attempt = ?, retries = ?, interruptions = ?, "
        "token = ?, due_us = ?, started_us = ?, finished_us = ?, outputs = ?, wait = ? "
        "WHERE run_id = ? AND step_id = ?",
        name_of(step.state), step.reason, step.attempt, step.retries, step.interruptions, step.token,
        step.due_us, step.started_us, step.finished_us, step.outputs.dump(), step.wait.dump(), run_id,
        step.id);
}

Result<LiveCounts> live_counts(Reader& reader, std::string_view pipeline) {
    LiveCounts counts;
    GYRE_TRY(
        const auto queued,
        first_of(reader.query("SELECT count(*) FROM pipeline_runs WHERE state = 'queued'"), read_integer));
    counts.queued = queued.value_or(0);
    GYRE_TRY(
        const auto live,
        first_of(reader.query("SELECT count(*) FROM pipeline_runs WHERE project = ? AND pipeline = ? AND "
                              "state IN ('queued', 'running', 'waiting')",
                              project(), pipeline),
                 read_integer));
    counts.of_pipeline = live.value_or(0);
    GYRE_TRY(counts.waiting,
             collect(reader.query("SELECT id FROM pipeline_runs WHERE project = ? AND pipeline = ? AND "
                                  "state = 'queued' ORDER BY id",
                                  project(), pipeline),
                     read_text));
    return counts;
}

Result<std::int64_t> insert_attempt(Transaction& tx, std::string_view run_id, const StepRecord& step) {
    GYRE_TRY_VOID(
        tx.run("INSERT INTO pipeline_attempts (run_id, step_id, attempt, state, error, started_us) "
               "VALUES (?, ?, ?, 'running', '', ?)",
               run_id, step.id, step.attempt, tx.now_us()));
    return tx.last_insert_id();
}

Result<void> end_attempt(Transaction& tx, std::int64_t token, std::string_view state,
                         std::string_view error) {
    return tx.run("UPDATE pipeline_attempts SET state = ?, error = ?, finished_us = ? WHERE token = ?", state,
                  error, tx.now_us(), token);
}

Result<void> insert_decision(Transaction& tx, const DecisionRecord& decision) {
    const std::optional<std::string> run_id =
        decision.run_id.empty() ? std::nullopt : std::optional(decision.run_id);
    return tx.run(
        "INSERT INTO pipeline_decisions (project, pipeline, source, type, subject, as_of_us, decided_us, "
        "outcome, reason, run_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        project(), decision.pipeline, decision.source, decision.type, decision.subject, decision.as_of_us,
        decision.decided_us, name_of(decision.outcome), decision.reason, run_id);
}

Result<bool> decided(Reader& reader, std::string_view pipeline, std::string_view source) {
    GYRE_TRY(
        const auto found,
        first_of(
            reader.query("SELECT 1 FROM pipeline_decisions WHERE project = ? AND pipeline = ? AND source = ?",
                         project(), pipeline, source),
            read_integer));
    return found.has_value();
}

Result<std::optional<std::int64_t>> last_started_as_of(Reader& reader, std::string_view pipeline) {
    return first_of(
        reader.query("SELECT as_of_us FROM pipeline_decisions WHERE project = ? AND pipeline = ? AND "
                     "outcome = 'started' ORDER BY as_of_us DESC LIMIT 1",
                     project(), pipeline),
        read_integer);
}

Result<std::vector<DecisionRecord>> list_decisions(Reader& reader, std::string_view pipeline,
                                                   std::size_t limit) {
    return collect(
        reader.query("SELECT pipeline, source, type, subject, as_of_us, decided_us, outcome, reason, run_id "
                     "FROM pipeline_decisions WHERE project = ? AND pipeline = ? ORDER BY id DESC LIMIT ?",
                     project(), pipeline, limit),
        read_decision);
}

Result<std::optional<std::int64_t>> find_tick(Reader& reader, std::string_view pipeline,
                                              std::string_view schedule) {
    return first_of(reader.query("SELECT next_us FROM pipeline_ticks WHERE project = ? AND pipeline = ? AND "
                                 "schedule = ?",
                                 project(), pipeline, schedule),
                    read_integer);
}

Result<void> put_tick(Transaction& tx, std::string_view pipeline, std::string_view schedule,
                      std::int64_t next_us) {
    return tx.run(
        "INSERT INTO pipeline_ticks (project, pipeline, schedule, next_us) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (project, pipeline, schedule) DO UPDATE SET next_us = excluded.next_us",
        project(), pipeline, schedule, next_us);
}

Result<std::int64_t> cursor(Reader& reader) {
    GYRE_TRY(const auto position,
             first_of(reader.query("SELECT position FROM pipeline_cursor WHERE id = 1"), read_integer));
    return position.value_or(0);
}

Result<void> put_cursor(Transaction& tx, std::int64_t position) {
    return tx.run("UPDATE pipeline_cursor SET position = ? WHERE id = 1", position);
}

}  // namespace gyre::pipelines::store
