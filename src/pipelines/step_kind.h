#pragma once
// StepKind: what a higher layer registers so that a pipeline can run it. The engine knows no domain.
//
// A step runs at least once: after a crash an attempt is lost and another starts, with the same `key`. An
// effect in the metadata database happens exactly once when it is done in `StepOutcome::commit`, which runs
// in the very transaction that marks the step succeeded. Other effects must be idempotent by `key`.
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/principal.h"
#include "pipelines/plan.h"

namespace gyre::storage {
class Transaction;
}

namespace gyre::pipelines {

struct StepContext {
    std::string run_id;
    std::string pipeline;
    std::string step_id;
    std::string key;            // "<run_id>/<step_id>": the same for every attempt
    std::int64_t attempt = 1;   // from 1
    Json with;                  // the step's parameters, references filled in
    Json params;                // the run's parameters
    Json inputs;                // {"<step>": outputs} of every step that has succeeded
    Json trigger;               // {"type","subject","position","as_of",...}
    std::int64_t as_of_us = 0;  // read only what was known then
    Principal principal;
    std::string work_dir;  // exists, empty, of this attempt alone
    Json wait;             // poll only: what StepOutcome::waiting left
    /// Share done (0..1) and a line for people; not durable. Thread-safe.
    std::function<void(double progress, std::string_view message)> report;
    /// True when the result is no longer wanted: cancelled, timed out, or the engine stops.
    const std::atomic<bool>* cancelled = nullptr;
    [[nodiscard]] bool stop_requested() const { return cancelled != nullptr && cancelled->load(); }
};

enum class Retry : std::uint8_t { no, yes };

struct StepOutcome {
    enum class Kind : std::uint8_t { succeeded, failed, waiting };
    Kind kind = Kind::failed;
    Json outputs = Json::object();  // succeeded; at most kOutputsBytesMax. Also kept of a failure.
    std::string error;              // failed
    Retry retry = Retry::no;        // failed: whether another attempt could help
    Json wait;                      // waiting: what poll needs, kept across restarts
    /// Runs in the transaction that commits this outcome (succeeded or waiting); an Error fails the attempt
    /// without retry. Must not call Database::read or write.
    std::function<Result<void>(storage::Transaction&)> commit;

    static StepOutcome succeeded(Json outputs);
    static StepOutcome failed(std::string error, Retry retry = Retry::no);
    /// invalid_argument, not_found and the like fail for good; unavailable, resource_exhausted and
    /// deadline_exceeded may be retried.
    static StepOutcome failed(const Error& error);
    static StepOutcome waiting(Json wait);
};

struct StepKind {
    std::string name;
    std::string doc = {};
    Json parameters = {};  // JSON Schema of `with`; null: not described
    /// At lint time; values may still hold "${{...}}". Empty: anything goes.
    std::function<Result<void>(const Json& with)> validate = {};
    /// On a worker thread; may block, for instance on a child process.
    std::function<StepOutcome(const StepContext&)> start;
    /// For a kind that returns `waiting`: called on the engine's own thread at events and ticks; must be
    /// quick. Nothing means "not yet".
    std::function<std::optional<StepOutcome>(const StepContext&)> poll = {};
};

/// The kinds of this process. Filled before the engine starts, then read-only.
class StepKinds final : public KindCheck {
 public:
    /// Errors: already_exists; invalid_argument for no name or no start.
    Result<void> add(const StepKind& kind);
    [[nodiscard]] const StepKind* find(std::string_view name) const;
    [[nodiscard]] std::vector<std::string_view> kinds() const override;
    [[nodiscard]] Result<void> validate(const std::string& kind, const Json& with) const override;

 private:
    std::map<std::string, StepKind, std::less<>> kinds_;
};

}  // namespace gyre::pipelines
