#include "pipelines/engine.h"

#include <algorithm>
#include <exception>

#include "base/digest.h"
#include "base/log.h"
#include "pipelines/engine_impl.h"

namespace gyre::pipelines {
namespace {

/// The root of a worker's call into a step kind: nothing that is thrown gets past it.
StepOutcome run_kind(const Task& task) {
    try {
        return task.kind->start(task.context);
    } catch (const std::exception& error) {
        return StepOutcome::failed(std::string("the step threw: ") + error.what());
    }
}

Error no_pipeline(std::string_view name) {
    return not_found("no pipeline '" + std::string(name.substr(0, kNameBytesMax)) +
                     "'; 'gyre pipeline list' shows them");
}

}  // namespace

Engine::Impl::Impl(storage::Database& database_in, events::EventStream& stream_in, const Clock& clock_in,
                   StepKinds kinds_in, EngineOptions options_in)
    : database(database_in),
      stream(stream_in),
      clock(clock_in),
      kinds(std::move(kinds_in)),
      options(std::move(options_in)) {}

void Engine::Impl::fault(std::string_view name) const {
    if (options.fault_point) {
        options.fault_point(name);
    }
}

void Engine::Impl::note_change() {
    {
        const std::lock_guard lock(mutex);
        pipelines_changed = true;
    }
    poke();
}

void Engine::Impl::poke() {
    {
        const std::lock_guard lock(mutex);
        poked = true;
    }
    wake.notify_one();
}

Result<void> Engine::Impl::start() {
    GYRE_CHECK(!thread.joinable(), "an engine is started once");
    GYRE_TRY(cursor, database.read([](storage::Reader& reader) { return store::cursor(reader); }));
    cursor_stored = cursor;
    GYRE_TRY_VOID(recover());
    fault("recovered");
    listener = stream.listen([this] { poke(); });
    for (std::size_t i = 0; i < options.workers; ++i) {
        workers.emplace_back([this] { work(); });
    }
    thread = std::thread([this] { loop(); });
    return {};
}

void Engine::Impl::stop() {
    {
        const std::lock_guard lock(mutex);
        stopping = true;
        tasks.clear();
        for (const auto& [token, flight] : in_flight) {
            flight->cancelled = true;
        }
    }
    listener = storage::Listener();
    wake.notify_all();
    tasks_ready.notify_all();
    passed.notify_all();
    if (thread.joinable()) {
        thread.join();
    }
    for (std::thread& worker : workers) {
        worker.join();
    }
    workers.clear();
}

void Engine::Impl::loop() {
    bool failing = false;
    for (;;) {
        std::uint64_t seen = 0;
        {
            const std::lock_guard lock(mutex);
            seen = requests;
            poked = false;
        }
        auto moved = pass();
        Result<void> noted;
        if (moved && !*moved) {
            noted = note_active();
        }
        if (moved && !*moved && noted && work_ended.exchange(false)) {
            if (auto collected = collect_work(); !collected) {
                log_warn("pipeline_work_not_collected", {{"error", collected.error().message()}});
            }
        }
        const bool failed = !moved || !noted;
        if (failed && !failing) {  // once, however long a disk stays full
            log_warn("pipeline_pass_failed", {{"error", (moved ? noted.error() : moved.error()).message()}});
        }
        failing = failed;
        std::unique_lock lock(mutex);
        if (stopping) {
            lock.unlock();
            if (auto kept = commit_finished(); !kept) {  // what ended in time need not run again
                log_warn("pipeline_stop_lost_results", {{"error", kept.error().message()}});
            }
            return;
        }
        if (moved && *moved) {
            continue;
        }
        if (moved && noted) {
            quiet_for = std::max(quiet_for, seen);
            passed.notify_all();
        }
        wake.wait_for(lock, options.pass_every, [this] { return poked || stopping; });
    }
}

Result<bool> Engine::Impl::pass() {
    GYRE_TRY_VOID(reload_pipelines());
    bool moved = false;
    for (auto part : {&Impl::commit_finished, &Impl::read_events, &Impl::fire_schedules, &Impl::move_runs}) {
        GYRE_TRY(const bool did, (this->*part)());
        moved = moved || did;
    }
    return moved;
}

Result<void> Engine::Impl::note_active() {
    GYRE_TRY(auto active, database.read([](storage::Reader& reader) -> Result<std::vector<std::int64_t>> {
        std::vector<std::int64_t> out;
        GYRE_TRY(const auto ids, store::live_runs(reader));
        for (const std::string& id : ids) {
            GYRE_TRY(const RunRecord run, store::get_run(reader, id));
            if (run.state != RunState::waiting) {
                out.push_back(run.as_of_us);
            }
        }
        return out;
    }));
    const std::lock_guard lock(mutex);
    active_as_of = std::move(active);
    return {};
}

void Engine::Impl::work() {
    for (;;) {
        std::unique_lock lock(mutex);
        tasks_ready.wait(lock, [this] { return stopping || !tasks.empty(); });
        if (stopping) {
            return;
        }
        const Task task = std::move(tasks.front());
        tasks.pop_front();
        lock.unlock();
        Finished done{task.context.run_id, task.context.step_id, task.token, run_kind(task)};
        fault("step.returned");
        lock.lock();
        in_flight.erase(task.token);
        if (!stopping) {  // what a stop cut short starts again after the next start
            finished.push_back(std::move(done));
        }
        poked = true;
        wake.notify_one();
    }
}

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Engine::~Engine() {
    stop();
}

Result<std::unique_ptr<Engine>> Engine::create(storage::Database& database, events::EventStream& stream,
                                               const Clock& clock, StepKinds kinds, EngineOptions options) {
    if (options.workers < 1 || options.workers > kWorkersMax || options.work_root.empty() ||
        options.runs_live_max < 1) {
        return invalid_argument("an engine needs a work_root, 1 to " + std::to_string(kWorkersMax) +
                                " workers and at least one live run");
    }
    auto impl = std::make_unique<Impl>(database, stream, clock, std::move(kinds), std::move(options));
    return std::unique_ptr<Engine>(new Engine(std::move(impl)));
}

Result<void> Engine::start() {
    return impl_->start();
}

void Engine::stop() {
    impl_->stop();
}

void Engine::poke() {
    impl_->poke();
}

const StepKinds& Engine::kinds() const {
    return impl_->kinds;
}

Result<PipelineRecord> Engine::put_pipeline(std::string_view yaml, const Principal& principal) {
    GYRE_TRY(PipelineSpec spec, parse_pipeline(yaml, impl_->kinds));
    PipelineRecord record{.name = spec.name,
                          .text = std::string(yaml),
                          .digest = sha256_hex(to_json(spec).canonical()),
                          .spec = std::move(spec)};
    GYRE_TRY(record, impl_->database.write([&](storage::Transaction& tx) -> Result<PipelineRecord> {
        PipelineRecord row = record;
        GYRE_TRY(const auto all, store::list_pipelines(tx));
        const auto old = std::ranges::find(all, row.name, &PipelineRecord::name);
        if (old == all.end() && all.size() >= kPipelinesMax) {
            return resource_exhausted("there are " + std::to_string(kPipelinesMax) + " pipelines already");
        }
        row.updated_us = tx.now_us();
        row.created_us = old == all.end() ? row.updated_us : old->created_us;
        GYRE_TRY_VOID(store::put_pipeline(tx, row));
        Json data = Json::object({{"digest", row.digest}});
        if (old != all.end()) {
            data.set("previous_digest", old->digest);
        }
        GYRE_TRY(const events::Event event,
                 events::append(tx, {.type = old == all.end() ? "pipeline.created" : "pipeline.updated",
                                     .subject = "pipeline/" + row.name,
                                     .principal = principal,
                                     .data = std::move(data)}));
        row.since_position = event.position;
        GYRE_TRY_VOID(store::put_pipeline(tx, row));
        return row;
    }));
    impl_->note_change();
    return record;
}

Result<PipelineRecord> Engine::remove_pipeline(std::string_view name, const Principal& principal) {
    GYRE_TRY(PipelineRecord removed,
             impl_->database.write([&](storage::Transaction& tx) -> Result<PipelineRecord> {
                 GYRE_TRY(auto found, store::find_pipeline(tx, name));
                 if (!found) {
                     return no_pipeline(name);
                 }
                 GYRE_TRY_VOID(store::remove_pipeline(tx, name));
                 GYRE_TRY_VOID(events::append(tx, {.type = "pipeline.removed",
                                                   .subject = "pipeline/" + found->name,
                                                   .principal = principal,
                                                   .data = Json::object({{"digest", found->digest}})}));
                 return *std::move(found);
             }));
    impl_->note_change();
    return removed;
}

Result<PipelineRecord> Engine::get_pipeline(std::string_view name) {
    GYRE_TRY(auto found, impl_->database.read(
                             [&](storage::Reader& reader) { return store::find_pipeline(reader, name); }));
    if (!found) {
        return no_pipeline(name);
    }
    return *std::move(found);
}

Result<std::vector<PipelineRecord>> Engine::list_pipelines() {
    return impl_->database.read([](storage::Reader& reader) { return store::list_pipelines(reader); });
}

Result<RunRecord> Engine::start_run(const StartRun& start, const Principal& principal) {
    GYRE_TRY(const PipelineRecord pipeline, get_pipeline(start.pipeline));
    GYRE_TRY(Json params, bind_params(pipeline.spec, start.params));
    const std::int64_t as_of = start.as_of_us.value_or(impl_->clock.now_us());
    Json trigger = Json::object({{"type", "manual"},
                                 {"subject", "pipeline/" + pipeline.name},
                                 {"position", 0},
                                 {"as_of", format_rfc3339(as_of)},
                                 {"data", Json::object()}});
    GYRE_TRY(RunRecord run,
             impl_->new_run(pipeline, std::move(params), std::move(trigger), principal.name, as_of));
    GYRE_TRY(run, impl_->database.write([&](storage::Transaction& tx) -> Result<RunRecord> {
        GYRE_TRY(const store::LiveCounts counts, store::live_counts(tx, run.pipeline));
        if (counts.queued >= static_cast<std::int64_t>(impl_->options.runs_queued_max)) {
            return resource_exhausted(std::to_string(counts.queued) +
                                      " runs are queued already; try again later");
        }
        GYRE_TRY_VOID(store::insert_run(tx, run));
        GYRE_TRY(const events::Event event,
                 events::append(tx, run_event("pipeline.triggered", run, principal.name, Json::object())));
        static_cast<void>(event);
        return store::get_run(tx, run.id);
    }));
    impl_->fault("run.created");
    impl_->poke();
    return run;
}

Result<RunRecord> Engine::cancel(std::string_view run_id, const Principal& principal) {
    GYRE_TRY(RunRecord cancelled, impl_->database.write([&](storage::Transaction& tx) -> Result<RunRecord> {
        GYRE_TRY(RunRecord run, store::get_run(tx, run_id));
        if (is_terminal(run.state)) {
            return conflict("the run has ended already: " + std::string(name_of(run.state)));
        }
        run.state = RunState::cancelled;
        run.reason = "cancelled by " + principal.name;
        run.finished_us = tx.now_us();
        for (StepRecord& step : run.steps) {
            if (is_terminal(step.state)) {
                continue;
            }
            if (step.state == StepState::running || step.state == StepState::waiting) {
                GYRE_TRY_VOID(store::end_attempt(tx, step.token, "cancelled", ""));
            }
            step.state = StepState::cancelled;
            step.finished_us = tx.now_us();
            step.due_us.reset();
            GYRE_TRY_VOID(store::update_step(tx, run.id, step));
        }
        GYRE_TRY_VOID(store::update_run(tx, run));
        GYRE_TRY(const events::Event event,
                 events::append(tx, run_event("pipeline.finished", run, principal.name, Json::object())));
        static_cast<void>(event);
        return run;
    }));
    impl_->fault("cancel.committed");
    impl_->work_ended = true;
    impl_->cancel_in_flight(run_id, "");
    impl_->poke();
    return cancelled;
}

Result<RunRecord> Engine::get_run(std::string_view run_id) {
    GYRE_TRY(RunRecord run,
             impl_->database.read([&](storage::Reader& reader) { return store::get_run(reader, run_id); }));
    impl_->report_progress(run);
    return run;
}

Result<std::vector<RunRecord>> Engine::list_runs(const RunFilter& filter) {
    const std::size_t limit = std::clamp<std::size_t>(filter.limit, 1, kRunsPageMax);
    GYRE_TRY(std::vector<RunRecord> runs, impl_->database.read([&](storage::Reader& reader) {
        return store::list_runs(reader, filter.pipeline, filter.before, limit);
    }));
    for (RunRecord& run : runs) {
        impl_->report_progress(run);
    }
    return runs;
}

void Engine::Impl::report_progress(RunRecord& run) {
    const std::lock_guard lock(mutex);
    for (StepRecord& step : run.steps) {
        step.progress = step.state == StepState::succeeded ? 1 : 0;
        const auto flight = in_flight.find(step.token);
        if (flight != in_flight.end() && step.state == StepState::running) {
            const std::lock_guard report(flight->second->mutex);
            step.progress = flight->second->progress;
            step.message = flight->second->message;
        }
    }
}

Result<std::vector<DecisionRecord>> Engine::list_decisions(std::string_view pipeline, std::size_t limit) {
    return impl_->database.read([&](storage::Reader& reader) {
        return store::list_decisions(reader, pipeline, std::clamp<std::size_t>(limit, 1, kRunsPageMax));
    });
}

void Engine::advance(std::string_view subject, std::int64_t event_time_us) {
    {
        const std::lock_guard lock(impl_->mutex);
        const auto found = impl_->watermarks.find(subject);
        if (found == impl_->watermarks.end()) {
            impl_->watermarks.emplace(subject, event_time_us);
        } else if (found->second < event_time_us) {
            found->second = event_time_us;
        } else {
            return;
        }
        impl_->poked = true;
    }
    impl_->wake.notify_one();
}

bool Engine::wait_idle(std::int64_t as_of_us, std::chrono::milliseconds timeout) {
    std::unique_lock lock(impl_->mutex);
    const std::uint64_t mine = ++impl_->requests;
    impl_->poked = true;
    impl_->wake.notify_one();
    const auto idle = [&] {
        return impl_->quiet_for >= mine && std::ranges::none_of(impl_->active_as_of, [&](std::int64_t as_of) {
                   return as_of <= as_of_us;
               });
    };
    impl_->passed.wait_for(lock, timeout, [&] { return impl_->stopping || idle(); });
    return idle();
}

}  // namespace gyre::pipelines
