#pragma once
// Engine: runs pipelines. All state is in the database and every move is committed before anything acts on
// it, so after kill -9 a run goes on from its last finished step.
//
// Durable, one transaction each: the definition; a trigger's decision with the run and its frozen plan; a
// run's start; an attempt, before it starts; an outcome with the step's outputs, the kind's own commit and
// the Event; a retry with its time; a cancellation, before the step is told. A result whose token is not the
// step's current one is dropped. Events: pipeline.created, pipeline.updated, pipeline.triggered,
// pipeline.started, pipeline.step_finished, pipeline.finished, subject "pipeline/NAME".
//
// Working files of ended runs go when there are more than `work_runs_kept` of them; what a later run or the
// registry needs has been copied to its own store by then.
//
// One engine per database. Its thread reads events, fires schedules, starts attempts, polls waiting steps and
// commits outcomes; workers run steps. Thread-safe.
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "pipelines/limits.h"
#include "pipelines/records.h"
#include "pipelines/step_kind.h"

namespace gyre::storage {
class Database;
}
namespace gyre::events {
class EventStream;
}

namespace gyre::pipelines {

struct EngineOptions {
    std::string work_root;                         // steps get folders under it
    std::size_t workers = 2;                       // steps that run at the same time; 1 to kWorkersMax
    std::size_t runs_live_max = kRunsLiveMax;      // more wait as queued
    std::size_t runs_queued_max = kRunsQueuedMax;  // one more is resource_exhausted, or a skipped trigger
    std::size_t work_runs_kept = kWorkRunsKept;    // ended runs whose folders stay, the newest
    std::chrono::milliseconds pass_every{200};     // how often time alone is looked at
    std::function<void(std::string_view)> fault_point = {};  // tests only: called at each durable moment
};

struct StartRun {
    std::string pipeline;
    Json params = Json::object();
    std::optional<std::int64_t> as_of_us = std::nullopt;  // now, unless given
};

struct RunFilter {
    std::string pipeline = {};  // empty: all
    std::string before = {};    // run id to go on from; empty: the newest
    std::size_t limit = 100;
};

class Engine {
 public:
    /// `database`, `stream` and `clock` outlive the engine. Errors: invalid_argument for options out of
    /// bounds.
    static Result<std::unique_ptr<Engine>> create(storage::Database& database, events::EventStream& stream,
                                                  const Clock& clock, StepKinds kinds, EngineOptions options);
    /// As stop().
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// Takes back what a crash interrupted (attempts that ran are lost and start again, waiting steps are
    /// polled on), then starts the threads. Once.
    Result<void> start();
    /// Asks running steps to stop, joins. What they did not finish starts again after the next start().
    void stop();

    /// Creates or replaces a definition; runs that exist keep their plan. Triggers see later events only.
    /// Errors: invalid_argument with every problem, resource_exhausted beyond kPipelinesMax.
    Result<PipelineRecord> put_pipeline(std::string_view yaml, const Principal& principal);
    /// Its triggers start nothing any more; runs that exist go on. Errors: not_found.
    Result<PipelineRecord> remove_pipeline(std::string_view name, const Principal& principal);
    Result<PipelineRecord> get_pipeline(std::string_view name);
    Result<std::vector<PipelineRecord>> list_pipelines();
    [[nodiscard]] const StepKinds& kinds() const;

    /// Queues a run. Errors: not_found, invalid_argument (parameters), resource_exhausted (queue).
    Result<RunRecord> start_run(const StartRun& start, const Principal& principal);
    /// Ends a run and all its steps. Errors: not_found; conflict when it has ended already.
    Result<RunRecord> cancel(std::string_view run_id, const Principal& principal);
    Result<RunRecord> get_run(std::string_view run_id);
    /// Newest first. limit 1 to kRunsPageMax.
    Result<std::vector<RunRecord>> list_runs(const RunFilter& filter);
    /// What triggers decided, newest first: also why nothing ran.
    Result<std::vector<DecisionRecord>> list_decisions(std::string_view pipeline, std::size_t limit);

    /// Event time of `subject` ("endpoint/flights") has reached `event_time_us`; never goes back. Schedules
    /// with `time: event` fire from it. Cheap: nothing is stored until a tick is due.
    void advance(std::string_view subject, std::int64_t event_time_us);
    /// Looks at clock, events and waiting steps now.
    void poke();
    /// Waits until every event and tick known at the call has been decided and every run with as_of <=
    /// `as_of_us` has ended or waits. False when `timeout` (real time) is over first. For replays and tests.
    bool wait_idle(std::int64_t as_of_us, std::chrono::milliseconds timeout);

 private:
    struct Impl;
    explicit Engine(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace gyre::pipelines
