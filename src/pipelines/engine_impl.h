#pragma once
// The engine's inside. Private to pipelines. Who touches what: `mutex` guards what callers, the engine's
// thread and the workers share; the last group belongs to the engine's thread alone. No database call is made
// under the mutex.
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "events/events.h"
#include "pipelines/engine.h"
#include "pipelines/store.h"
#include "storage/sql/database.h"

namespace gyre::pipelines {

/// An attempt that a worker runs.
struct InFlight {
    std::string run_id;
    std::string step_id;
    std::atomic<bool> cancelled{false};
    std::mutex mutex;  // guards the two below
    double progress = 0;
    std::string message;
};

struct Task {
    StepContext context;
    const StepKind* kind = nullptr;
    std::int64_t token = 0;
};

struct Finished {
    std::string run_id;
    std::string step_id;
    std::int64_t token = 0;
    StepOutcome outcome;
};

/// An event or a tick that a pipeline's trigger matches.
struct Candidate {
    const PipelineRecord* pipeline = nullptr;
    std::string source;
    Json trigger;  // {"type","subject","position","as_of","data"}
    Json params;   // of the trigger; may refer to ${{trigger...}}
    std::int64_t as_of_us = 0;
    std::int64_t cooldown_us = 0;
    std::string note;  // kept as the reason of a started run
};

/// Whether the trigger wants this event: its type, and every member of `match` ("subject", or a dotted path
/// in the event's data; a list means any of).
bool matches(const EventTrigger& trigger, const events::Event& event);

/// What an outcome makes of a running or waiting step. Pure.
void apply_outcome(const PipelineSpec& spec, StepRecord& step, const StepOutcome& outcome,
                   std::int64_t now_us);

struct Engine::Impl {
    Impl(storage::Database& database, events::EventStream& stream, const Clock& clock, StepKinds kinds,
         EngineOptions options);

    // engine.cpp: threads
    Result<void> start();
    void stop();
    void loop();
    void work();
    void poke();
    void note_change();  // of a definition
    void fault(std::string_view name) const;
    Result<bool> pass();
    Result<void> note_active();

    // engine_work.cpp
    Result<void> collect_work();

    // engine_triggers.cpp: what starts runs
    Result<bool> read_events();
    Result<bool> fire_schedules();
    Result<bool> fire_one(const PipelineRecord& pipeline, const ScheduleTrigger& schedule);
    std::vector<Candidate> candidates_of(const std::vector<events::Event>& page) const;
    Result<void> decide(storage::Transaction& tx, const Candidate& candidate,
                        std::vector<events::NewEvent>& out);
    Result<std::string> reason_to_skip(storage::Transaction& tx, const Candidate& candidate);
    Result<RunRecord> new_run(const PipelineRecord& pipeline, Json params, Json trigger,
                              std::string principal, std::int64_t as_of_us) const;
    Result<void> reload_pipelines();

    // engine_runs.cpp: what moves runs
    Result<void> recover();
    Result<bool> commit_finished();
    Result<void> commit_outcome(const Finished& finished);
    Result<bool> move_runs();
    Result<bool> begin_run(RunRecord run);
    Result<bool> move_run(const RunRecord& run);
    Result<bool> settle_run(const RunRecord& seen);
    Result<bool> time_out(const RunRecord& run, const StepRecord& step);
    Result<bool> poll(const RunRecord& run, const StepRecord& step);
    Result<bool> begin_attempt(const RunRecord& seen, const std::string& step_id);
    Result<StepContext> context_of(const RunRecord& run, const StepRecord& step) const;
    void hand_over(Task task);
    void cancel_in_flight(std::string_view run_id, std::string_view step_id);
    /// Fills in what only memory knows: progress and message of running steps.
    void report_progress(RunRecord& run);

    storage::Database& database;
    events::EventStream& stream;
    const Clock& clock;
    const StepKinds kinds;
    const EngineOptions options;

    std::mutex mutex;
    std::condition_variable wake;  // the engine's thread waits for something to do
    std::condition_variable tasks_ready;
    std::condition_variable passed;  // wait_idle waits for a quiet pass
    bool poked = false;
    bool stopping = false;
    bool pipelines_changed = true;
    std::uint64_t requests = 0;   // of wait_idle
    std::uint64_t quiet_for = 0;  // requests that a quiet pass has seen
    std::vector<std::int64_t>
        active_as_of;  // of runs that were neither over nor waiting after the last quiet pass
    std::map<std::string, std::int64_t, std::less<>> watermarks;
    std::map<std::int64_t, std::shared_ptr<InFlight>>
        in_flight;  // by token; shared with the worker and its step
    std::deque<Task> tasks;
    std::deque<Finished> finished;

    std::atomic<bool> work_ended{true};  // runs have ended since their files were last looked at

    // The engine's thread alone.
    std::vector<PipelineRecord> pipelines;
    std::map<std::string, std::int64_t> next_ticks;
    std::int64_t cursor = 0;
    std::int64_t cursor_stored = 0;

    storage::Listener listener;
    std::thread thread;
    std::vector<std::thread> workers;
};

/// The event of a run: subject "pipeline/NAME".
events::NewEvent run_event(std::string type, const RunRecord& run, std::string principal, Json more);

}  // namespace gyre::pipelines
