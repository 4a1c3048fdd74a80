// What moves runs: recovery, attempts, outcomes, retries, waiting steps.
#include <algorithm>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "pipelines/engine_impl.h"
#include "pipelines/interpolate.h"

namespace gyre::pipelines {
namespace {

std::string shortened(std::string text) {
    if (text.size() > kReasonBytesMax) {
        text.resize(kReasonBytesMax);
    }
    return text;
}

/// Why an outcome cannot be kept as it is; "" when it can.
std::string unfit(const StepOutcome& outcome) {
    if (!outcome.outputs.is_object()) {
        return "the step's outputs are no object";
    }
    if (outcome.outputs.dump().size() > kOutputsBytesMax || outcome.wait.dump().size() > kOutputsBytesMax) {
        return "the step's outputs are over " + std::to_string(kOutputsBytesMax) + " bytes";
    }
    return "";
}

void end_step(StepRecord& step, StepState state, std::int64_t now_us) {
    GYRE_CHECK(can_move(step.state, state), "a step moves along the edges of state.h only");
    step.state = state;
    step.finished_us = now_us;
    step.due_us.reset();
}

/// Everything that follows from the rows and the time: settled steps, retries that are due, the run's state.
/// Returns the ids of the steps that changed.
std::vector<std::string> settle_rows(RunRecord& run, std::int64_t now_us) {
    std::vector<std::string> changed;
    for (const Settled& settled : settle(run.plan, run.states())) {
        StepRecord& step = *run.find_step(settled.step);
        step.reason = settled.reason;
        if (is_terminal(settled.state)) {
            end_step(step, settled.state, now_us);
        } else {
            step.state = settled.state;
        }
        changed.push_back(step.id);
    }
    for (StepRecord& step : run.steps) {
        if (step.state == StepState::retry_wait && step.due_us.value_or(0) <= now_us) {
            step.state = StepState::ready;
            step.due_us.reset();
            changed.push_back(step.id);
        }
    }
    run.state = run_state(run.plan, run.states());
    if (is_terminal(run.state)) {
        run.finished_us = now_us;
        for (const StepRecord& step : run.steps) {
            if ((step.state == StepState::failed || step.state == StepState::lost) && run.reason.empty()) {
                run.reason = "step '" + step.id + "': " + step.reason;
            }
        }
    }
    return changed;
}

Json step_event_data(const StepRecord& step) {
    return Json::object({{"step", step.id},
                         {"kind", step.kind},
                         {"step_state", name_of(step.state)},
                         {"attempt", step.attempt}});
}

Result<void> append_all(storage::Transaction& tx, const std::vector<events::NewEvent>& news) {
    for (const events::NewEvent& event : news) {
        GYRE_TRY(const events::Event appended, events::append(tx, event));
        static_cast<void>(appended);
    }
    return {};
}

}  // namespace

void apply_outcome(const PipelineSpec& spec, StepRecord& step, const StepOutcome& outcome,
                   std::int64_t now_us) {
    if (outcome.kind == StepOutcome::Kind::succeeded) {
        end_step(step, StepState::succeeded, now_us);
        step.outputs = outcome.outputs;
        step.reason.clear();
        return;
    }
    if (outcome.kind == StepOutcome::Kind::waiting) {
        step.state = StepState::waiting;
        step.wait = outcome.wait;
        step.due_us.reset();
        return;
    }
    step.reason = shortened(outcome.error);
    step.outputs = outcome.outputs;
    const StepSpec* declared = spec.find_step(step.id);
    const RetrySpec retries = declared == nullptr ? RetrySpec() : retries_of(spec, *declared);
    if (outcome.retry == Retry::yes && step.retries < retries.max) {
        ++step.retries;
        step.state = StepState::retry_wait;
        step.due_us = now_us + retry_delay_us(retries, step.retries);
        return;
    }
    end_step(step, StepState::failed, now_us);
}

Result<void> Engine::Impl::recover() {
    return database.write([&](storage::Transaction& tx) -> Result<void> {
        std::vector<events::NewEvent> news;
        GYRE_TRY(const auto ids, store::live_runs(tx));
        for (const std::string& id : ids) {
            GYRE_TRY(RunRecord run, store::get_run(tx, id));
            for (StepRecord& step : run.steps) {
                if (step.state != StepState::running) {
                    continue;
                }
                GYRE_TRY_VOID(store::end_attempt(tx, step.token, "lost", "the server stopped"));
                step.reason = "attempt " + std::to_string(step.attempt) + " was lost when the server stopped";
                if (++step.interruptions > kInterruptionsMax) {
                    end_step(step, StepState::lost, clock.now_us());
                    news.push_back(
                        run_event("pipeline.step_finished", run, run.principal, step_event_data(step)));
                } else {
                    step.state = StepState::ready;
                    step.due_us.reset();
                }
                step.token = 0;
                GYRE_TRY_VOID(store::update_step(tx, run.id, step));
                log_info("pipeline_step_interrupted", {{"run_id", run.id}, {"step", step.id}});
            }
        }
        return append_all(tx, news);
    });
}

Result<bool> Engine::Impl::commit_finished() {
    bool moved = false;
    for (;;) {
        Finished next;
        {
            const std::lock_guard lock(mutex);
            if (finished.empty()) {
                return moved;
            }
            next = finished.front();
        }
        GYRE_TRY_VOID(commit_outcome(next));  // stays in the queue until it is on the disk
        const std::lock_guard lock(mutex);
        finished.pop_front();
        moved = true;
    }
}

Result<void> Engine::Impl::commit_outcome(const Finished& done) {
    std::optional<Error> refused;
    const auto commit = [&](const StepOutcome& outcome) {
        return database.write([&](storage::Transaction& tx) -> Result<StepState> {
            GYRE_TRY(RunRecord run, store::get_run(tx, done.run_id));
            StepRecord* step = run.find_step(done.step_id);
            const bool current = step != nullptr && step->token == done.token &&
                                 (step->state == StepState::running || step->state == StepState::waiting);
            if (!current || is_terminal(run.state)) {
                return StepState::pending;  // fenced off: another attempt has the step, or nobody wants it
            }
            if (outcome.commit && outcome.kind != StepOutcome::Kind::failed) {
                if (auto kept = outcome.commit(tx); !kept) {
                    refused = kept.error();
                    return std::move(kept).error();
                }
            }
            apply_outcome(run.plan, *step, outcome, clock.now_us());
            GYRE_TRY_VOID(store::update_step(tx, run.id, *step));
            if (step->state != StepState::waiting) {
                GYRE_TRY_VOID(store::end_attempt(tx, step->token,
                                                 step->state == StepState::succeeded ? "succeeded" : "failed",
                                                 step->reason));
            }
            if (is_terminal(step->state)) {
                GYRE_TRY_VOID(append_all(
                    tx, {run_event("pipeline.step_finished", run, run.principal, step_event_data(*step))}));
            }
            return step->state;
        });
    };
    const std::string why_not = unfit(done.outcome);
    Result<StepState> committed = commit(why_not.empty() ? done.outcome : StepOutcome::failed(why_not));
    if (!committed && refused) {
        committed = commit(StepOutcome::failed(*refused));
    }
    if (!committed) {
        return std::move(committed).error();
    }
    fault(*committed == StepState::retry_wait ? "retry.committed" : "step.committed");
    return {};
}

Result<bool> Engine::Impl::move_runs() {
    bool moved = false;
    std::size_t live = 0;
    std::vector<std::string> busy;  // pipelines with a run that has started
    GYRE_TRY(auto runs, database.read([](storage::Reader& reader) -> Result<std::vector<RunRecord>> {
        GYRE_TRY(const auto ids, store::live_runs(reader));
        std::vector<RunRecord> out;
        for (const std::string& id : ids) {
            GYRE_TRY(RunRecord run, store::get_run(reader, id));
            out.push_back(std::move(run));
        }
        return out;
    }));
    for (const RunRecord& run : runs) {
        if (run.state != RunState::queued) {
            ++live;
            busy.push_back(run.pipeline);
        }
    }
    for (RunRecord& run : runs) {
        if (run.state != RunState::queued) {
            GYRE_TRY(const bool did, move_run(run));
            moved = moved || did;
        } else if (live < options.runs_live_max && std::ranges::find(busy, run.pipeline) == busy.end()) {
            ++live;
            busy.push_back(run.pipeline);
            GYRE_TRY(const bool did, begin_run(std::move(run)));
            moved = moved || did;
        }
    }
    return moved;
}

Result<bool> Engine::Impl::begin_run(RunRecord run) {
    GYRE_TRY(const bool begun, database.write([&](storage::Transaction& tx) -> Result<bool> {
        GYRE_TRY(RunRecord row, store::get_run(tx, run.id));
        if (row.state != RunState::queued) {
            return false;
        }
        row.state = RunState::running;
        row.started_us = clock.now_us();
        GYRE_TRY_VOID(store::update_run(tx, row));
        GYRE_TRY_VOID(append_all(tx, {run_event("pipeline.started", row, row.principal, Json::object())}));
        return true;
    }));
    fault("run.started");
    return begun;
}

Result<bool> Engine::Impl::move_run(const RunRecord& run) {
    bool moved = false;
    for (const StepRecord& step : run.steps) {
        if (step.state == StepState::running && step.due_us && *step.due_us <= clock.now_us()) {
            GYRE_TRY(const bool did, time_out(run, step));
            moved = moved || did;
        } else if (step.state == StepState::waiting) {
            GYRE_TRY(const bool did, poll(run, step));
            moved = moved || did;
        }
    }
    if (moved) {
        return true;  // the rows have changed: the next pass reads them again
    }
    GYRE_TRY(const bool settled, settle_run(run));
    if (settled) {
        return true;
    }
    for (const StepRecord& step : run.steps) {
        if (step.state == StepState::ready) {
            GYRE_TRY(const bool did, begin_attempt(run, step.id));
            moved = moved || did;
        }
    }
    return moved;
}

Result<bool> Engine::Impl::settle_run(const RunRecord& seen) {
    RunRecord ahead = seen;
    if (settle_rows(ahead, clock.now_us()).empty() && ahead.state == seen.state) {
        return false;
    }
    GYRE_TRY(const RunState now, database.write([&](storage::Transaction& tx) -> Result<RunState> {
        GYRE_TRY(RunRecord run, store::get_run(tx, seen.id));
        if (is_terminal(run.state)) {
            return run.state;
        }
        for (const std::string& id : settle_rows(run, clock.now_us())) {
            GYRE_TRY_VOID(store::update_step(tx, run.id, *run.find_step(id)));
        }
        GYRE_TRY_VOID(store::update_run(tx, run));
        if (is_terminal(run.state)) {
            GYRE_TRY_VOID(
                append_all(tx, {run_event("pipeline.finished", run, run.principal, Json::object())}));
        }
        return run.state;
    }));
    work_ended = work_ended || is_terminal(now);
    fault(is_terminal(now) ? "run.finished" : "step.settled");
    return true;
}

Result<bool> Engine::Impl::time_out(const RunRecord& run, const StepRecord& step) {
    const StepSpec* declared = run.plan.find_step(step.id);
    const double seconds =
        static_cast<double>(timeout_us(run.plan, *declared)) / static_cast<double>(kUsPerSecond);
    GYRE_TRY_VOID(
        commit_outcome({run.id, step.id, step.token,
                        StepOutcome::failed("no result after " + human_duration(seconds), Retry::yes)}));
    cancel_in_flight(run.id, step.id);
    return true;
}

Result<bool> Engine::Impl::poll(const RunRecord& run, const StepRecord& step) {
    const StepKind* kind = kinds.find(step.kind);
    StepOutcome outcome = StepOutcome::failed("the kind '" + step.kind + "' cannot be waited for");
    if (kind != nullptr && kind->poll) {
        GYRE_TRY(StepContext context, context_of(run, step));
        context.wait = step.wait;
        std::optional<StepOutcome> polled = kind->poll(context);
        if (!polled || (polled->kind == StepOutcome::Kind::waiting && polled->wait == step.wait)) {
            return false;
        }
        outcome = *std::move(polled);
    }
    GYRE_TRY_VOID(commit_outcome({run.id, step.id, step.token, std::move(outcome)}));
    return true;
}

Result<StepContext> Engine::Impl::context_of(const RunRecord& run, const StepRecord& step) const {
    StepContext context;
    context.run_id = run.id;
    context.pipeline = run.pipeline;
    context.step_id = step.id;
    context.key = run.id + "/" + step.id;
    context.attempt = step.attempt;
    context.params = run.params;
    context.inputs = Json::object();
    context.trigger = run.trigger;
    context.as_of_us = run.as_of_us;
    context.principal = Principal{.name = run.principal};
    context.work_dir = options.work_root + "/" + run.id + "/" + step.id + "/" + std::to_string(step.attempt);
    context.report = [](double, std::string_view) {};
    Json steps = Json::object();
    for (const StepRecord& other : run.steps) {
        if (other.state == StepState::succeeded) {
            context.inputs.set(other.id, other.outputs);
            steps.set(other.id, Json::object({{"outputs", other.outputs}}));
        }
    }
    const Json scope = Json::object({{"params", run.params},
                                     {"steps", std::move(steps)},
                                     {"trigger", run.trigger},
                                     {"run", Json::object({{"id", run.id}, {"pipeline", run.pipeline}})}});
    GYRE_TRY(context.with, fill_in(run.plan.find_step(step.id)->with, scope));
    return context;
}

Result<bool> Engine::Impl::begin_attempt(const RunRecord& seen, const std::string& step_id) {
    {
        const std::lock_guard lock(mutex);
        if (stopping || in_flight.size() >= options.workers) {
            return false;
        }
    }
    RunRecord run;
    GYRE_TRY(const std::int64_t token, database.write([&](storage::Transaction& tx) -> Result<std::int64_t> {
        GYRE_TRY(run, store::get_run(tx, seen.id));
        StepRecord* step = run.find_step(step_id);
        if (is_terminal(run.state) || step->state != StepState::ready) {
            return 0;
        }
        const std::int64_t now = clock.now_us();
        ++step->attempt;
        step->state = StepState::running;
        step->started_us = step->started_us.value_or(now);
        step->due_us = now + timeout_us(run.plan, *run.plan.find_step(step_id));
        GYRE_TRY(step->token, store::insert_attempt(tx, run.id, *step));
        GYRE_TRY_VOID(store::update_step(tx, run.id, *step));
        return step->token;
    }));
    if (token == 0) {
        return true;
    }
    fault("attempt.committed");
    const StepRecord& step = *run.find_step(step_id);
    const StepKind* kind = kinds.find(step.kind);
    auto context = context_of(run, step);
    Result<void> folder = context ? make_directories(context->work_dir) : Result<void>();
    if (kind == nullptr || !context || !folder) {
        const std::string why = kind == nullptr ? "no step kind '" + step.kind + "' in this server"
                                : !context      ? context.error().message()
                                                : folder.error().message();
        GYRE_TRY_VOID(commit_outcome({run.id, step_id, token, StepOutcome::failed(why)}));
        return true;
    }
    hand_over({*std::move(context), kind, token});
    return true;
}

void Engine::Impl::hand_over(Task task) {
    auto flight = std::make_shared<InFlight>();
    flight->run_id = task.context.run_id;
    flight->step_id = task.context.step_id;
    task.context.cancelled = &flight->cancelled;
    task.context.report = [flight](double progress, std::string_view message) {
        const std::lock_guard lock(flight->mutex);
        flight->progress = std::clamp(progress, 0.0, 1.0);
        flight->message = message.substr(0, kReasonBytesMax);
    };
    {
        const std::lock_guard lock(mutex);
        in_flight.emplace(task.token, std::move(flight));
        tasks.push_back(std::move(task));
    }
    tasks_ready.notify_one();
}

void Engine::Impl::cancel_in_flight(std::string_view run_id, std::string_view step_id) {
    const std::lock_guard lock(mutex);
    for (const auto& [token, flight] : in_flight) {
        if (flight->run_id == run_id && (step_id.empty() || flight->step_id == step_id)) {
            flight->cancelled = true;
        }
    }
}

}  // namespace gyre::pipelines
