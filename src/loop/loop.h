#pragma once
// Loop: where the organs are wired. It owns the pipelines' engine, the rollouts and the monitors, and moves
// them along as the time of an endpoint moves.
//
// An endpoint with a clock of its own (a replay) is moved by move_clock: everything that was sent before the
// call is counted, what is due is decided, what pipelines work on for an earlier time is waited for, and what
// has its time is applied before the call returns. So decisions depend on the data alone. All other endpoints
// are moved by poll(). Thread-safe.
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "loop/steps/step_kinds.h"
#include "monitoring/monitor.h"
#include "pipelines/engine.h"

namespace gyre::loop {

struct LoopOptions {
    std::string work_root;
    std::string data_folder;
    std::string effect_delay = "1d";  // of decisions on endpoints with a clock of their own
    std::size_t workers = 1;          // pipeline steps at one time
    std::size_t work_runs_kept = 20;  // ended runs whose files stay under work_root
    ChildOptions child;
};

struct LoopServices {
    storage::Database& database;
    events::EventStream& events;
    monitoring::Monitoring& monitoring;
    serving::Serving& serving;
    tracking::Tracking& tracking;
    registry::Registry& registry;
    storage::BlobStore& datasets;
    Packages& packages;
    const Clock& clock;
};

class Loop {
 public:
    static Result<std::unique_ptr<Loop>> create(const LoopServices& services, const LoopOptions& options);
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    /// Takes up what a crash interrupted and starts the engine.
    Result<void> start();
    void stop();

    /// Event time of a replay has reached `now_us`. Errors: invalid_argument (no clock of its own;
    /// backwards), deadline_exceeded when what is due has not ended in time.
    Result<void> move_clock(const std::string& endpoint, std::int64_t now_us);
    /// Live endpoints: call every second.
    void poll();

    pipelines::Engine& engine() { return *engine_; }
    Rollouts& rollouts() { return *rollouts_; }
    monitoring::MonitorService& monitors() { return *monitors_; }
    /// The time that an endpoint has reached: its own clock, the newest event seen, or the machine's clock.
    std::int64_t now_us(const serving::EndpointView& endpoint);
    /// What the endpoint's rows are judged against.
    Result<monitoring::EndpointContext> context_of(const std::string& endpoint);

 private:
    Loop(const LoopServices& services, const LoopOptions& options);
    Result<void> open();
    Result<void> move(const serving::EndpointSpec& spec, std::int64_t now_us);

    LoopServices services_;
    LoopOptions options_;
    std::int64_t effect_delay_us_ = 0;
    std::unique_ptr<Rollouts> rollouts_;
    std::unique_ptr<monitoring::MonitorService> monitors_;
    std::unique_ptr<pipelines::Engine> engine_;
    std::mutex move_mutex_;
    std::mutex baselines_mutex_;
    std::map<std::string, monitoring::EndpointContext> baselines_;  // by model; guarded by baselines_mutex_
};

}  // namespace gyre::loop
