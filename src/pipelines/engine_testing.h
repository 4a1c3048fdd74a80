#pragma once
// For the engine's tests: a pipeline of counting steps over a database on disk.
#include <atomic>
#include <map>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "events/events.h"
#include "pipelines/engine.h"
#include "storage/sql/database.h"

namespace gyre::pipelines {

inline constexpr std::int64_t kT0 = 1'700'000'000'000'000;  // 2023-11-14T22:13:20Z
inline constexpr std::chrono::milliseconds kPatience{20'000};

constexpr std::string_view kSixSteps = R"(name: retrain
params: {trees: {type: int, default: 100}}
on:
  events:
    - {type: drift.detected, match: {subject: endpoint/flights}, cooldown: 7d}
defaults: {retries: {max: 3, backoff: 10s}}
steps:
  - {id: validate, kind: count}
  - {id: train, kind: count, needs: [validate], with: {trees: "${{params.trees}}", as_of: "${{trigger.as_of}}"}}
  - {id: evaluate, kind: count, needs: [train], with: {package: "${{steps.train.outputs.package}}"}}
  - {id: gate, kind: count, needs: [evaluate]}
  - {id: register, kind: count, needs: [gate]}
  - {id: rollout, kind: roll, needs: [register]}
)";

/// A step kind "count": its effect is one Event test.effect, committed with its success.
inline StepOutcome count_effect(const StepContext& context) {
    StepOutcome outcome =
        StepOutcome::succeeded(Json::object({{"package", "p-" + context.step_id}, {"with", context.with}}));
    outcome.commit = [subject = context.key](storage::Transaction& tx) -> Result<void> {
        GYRE_TRY_VOID(
            events::append(tx, {.type = "test.effect", .subject = subject, .principal = local_principal()}));
        return {};
    };
    return outcome;
}

/// "count", and "roll": waits once, then is done when polled.
inline StepKinds counting_kinds() {
    StepKinds kinds;
    GYRE_CHECK(kinds.add({.name = "count", .start = count_effect}).has_value(), "added");
    GYRE_CHECK(kinds
                   .add({.name = "roll",
                         .start = [](const StepContext&) { return StepOutcome::waiting(Json("rollout-1")); },
                         .poll = [](const StepContext& context) -> std::optional<StepOutcome> {
                             StepOutcome done = count_effect(context);
                             done.outputs.set("waited_for", context.wait);
                             return done;
                         }})
                   .has_value(),
               "added");
    return kinds;
}

}  // namespace gyre::pipelines
