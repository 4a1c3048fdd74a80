#pragma once
// The state machine of runs and steps, as pure functions of rows: what a restart sees is all there is.
//
// Run:  queued -> running <-> waiting -> succeeded | failed | cancelled; queued -> superseded | cancelled
// Step:
//   pending    -> ready (all needs met) | skipped | upstream_failed | cancelled
//   ready      -> running (a new attempt was committed) | cancelled
//   running    -> succeeded | failed | waiting | retry_wait | ready (attempt lost, again) | lost | cancelled
//   waiting    -> succeeded | failed | retry_wait | cancelled
//   retry_wait -> ready (its time came) | cancelled
// Terminal states never change: succeeded failed skipped upstream_failed cancelled lost (steps), succeeded
// failed cancelled superseded (runs). Doing it again is a new attempt or a new run.
#include <array>
#include <map>
#include <string>
#include <vector>

#include "pipelines/plan.h"

namespace gyre::pipelines {

enum class RunState : std::uint8_t { queued, running, waiting, succeeded, failed, cancelled, superseded };
constexpr auto enum_names(RunState) {
    return std::array{EnumName{RunState::queued, "queued"},        EnumName{RunState::running, "running"},
                      EnumName{RunState::waiting, "waiting"},      EnumName{RunState::succeeded, "succeeded"},
                      EnumName{RunState::failed, "failed"},        EnumName{RunState::cancelled, "cancelled"},
                      EnumName{RunState::superseded, "superseded"}};
}

enum class StepState : std::uint8_t {
    pending,
    ready,
    running,
    waiting,
    retry_wait,
    succeeded,
    failed,
    skipped,
    upstream_failed,
    cancelled,
    lost,
};
constexpr auto enum_names(StepState) {
    return std::array{EnumName{StepState::pending, "pending"},
                      EnumName{StepState::ready, "ready"},
                      EnumName{StepState::running, "running"},
                      EnumName{StepState::waiting, "waiting"},
                      EnumName{StepState::retry_wait, "retry_wait"},
                      EnumName{StepState::succeeded, "succeeded"},
                      EnumName{StepState::failed, "failed"},
                      EnumName{StepState::skipped, "skipped"},
                      EnumName{StepState::upstream_failed, "upstream_failed"},
                      EnumName{StepState::cancelled, "cancelled"},
                      EnumName{StepState::lost, "lost"}};
}

bool is_terminal(RunState state);
bool is_terminal(StepState state);
/// Whether the table above has this edge.
bool can_move(RunState from, RunState to);
bool can_move(StepState from, StepState to);

using StepStates = std::map<std::string, StepState>;

struct Settled {
    std::string step;
    StepState state;  // ready, skipped or upstream_failed
    std::string reason;
};

/// What the pending steps become now; applied until nothing changes, so chains of skipped steps settle at
/// once. `states` has every step of the spec.
std::vector<Settled> settle(const PipelineSpec& spec, const StepStates& states);

/// The state of a started run with these steps.
RunState run_state(const PipelineSpec& spec, const StepStates& states);

}  // namespace gyre::pipelines
