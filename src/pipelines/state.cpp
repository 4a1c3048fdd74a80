#include "pipelines/state.h"

#include <algorithm>

namespace gyre::pipelines {
namespace {

/// What one ended need means for a step that waits for it: ready (met), skipped or upstream_failed.
StepState effect_of(const StepSpec& need, StepState state) {
    switch (state) {
        case StepState::succeeded:
            return StepState::ready;
        case StepState::skipped:
            return StepState::skipped;
        case StepState::failed:
        case StepState::lost:
            break;
        default:
            return StepState::upstream_failed;
    }
    switch (need.on_fail) {
        case OnFail::warn:
            return StepState::ready;
        case OnFail::skip:
            return StepState::skipped;
        case OnFail::fail:
            break;
    }
    return StepState::upstream_failed;
}

/// What a pending step becomes; nothing while a need has not ended. A failure outweighs a skip, so the answer
/// does not depend on which need ended first.
std::optional<Settled> settle_one(const PipelineSpec& spec, const StepSpec& step, const StepStates& states) {
    Settled settled{step.id, StepState::ready, ""};
    for (const std::string& id : step.needs) {
        const StepState state = states.at(id);
        if (!is_terminal(state)) {
            return std::nullopt;
        }
        const StepState effect = effect_of(*spec.find_step(id), state);
        const bool worse = effect == StepState::upstream_failed
                               ? settled.state != StepState::upstream_failed
                               : effect == StepState::skipped && settled.state == StepState::ready;
        if (worse) {
            settled.state = effect;
            settled.reason = "step '" + id + "' " + (state == StepState::skipped ? "was " : "ended as ") +
                             std::string(name_of(state));
        }
    }
    return settled;
}

}  // namespace

bool is_terminal(RunState state) {
    return state == RunState::succeeded || state == RunState::failed || state == RunState::cancelled ||
           state == RunState::superseded;
}

bool is_terminal(StepState state) {
    switch (state) {
        case StepState::succeeded:
        case StepState::failed:
        case StepState::skipped:
        case StepState::upstream_failed:
        case StepState::cancelled:
        case StepState::lost:
            return true;
        case StepState::pending:
        case StepState::ready:
        case StepState::running:
        case StepState::waiting:
        case StepState::retry_wait:
            break;
    }
    return false;
}

bool can_move(RunState from, RunState to) {
    if (is_terminal(from) || from == to) {
        return false;
    }
    if (from == RunState::queued) {
        return to == RunState::running || to == RunState::cancelled || to == RunState::superseded;
    }
    return to != RunState::queued && to != RunState::superseded;
}

bool can_move(StepState from, StepState to) {
    if (is_terminal(from)) {
        return false;
    }
    if (to == StepState::cancelled) {
        return true;
    }
    switch (from) {
        case StepState::pending:
            return to == StepState::ready || to == StepState::skipped || to == StepState::upstream_failed;
        case StepState::ready:
            return to == StepState::running;
        case StepState::running:
            return to == StepState::succeeded || to == StepState::failed || to == StepState::waiting ||
                   to == StepState::retry_wait || to == StepState::ready || to == StepState::lost;
        case StepState::waiting:
            return to == StepState::succeeded || to == StepState::failed || to == StepState::retry_wait;
        case StepState::retry_wait:
            return to == StepState::ready;
        default:
            return false;
    }
}

std::vector<Settled> settle(const PipelineSpec& spec, const StepStates& states) {
    std::vector<Settled> out;
    StepStates now = states;
    for (bool moved = true; moved;) {
        moved = false;
        for (const StepSpec& step : spec.steps) {
            if (now.at(step.id) != StepState::pending) {
                continue;
            }
            if (auto settled = settle_one(spec, step, now)) {
                now[step.id] = settled->state;
                out.push_back(std::move(*settled));
                moved = true;
            }
        }
    }
    return out;
}

RunState run_state(const PipelineSpec& spec, const StepStates& states) {
    const auto any = [&](auto&& matches) {
        return std::ranges::any_of(spec.steps,
                                   [&](const StepSpec& step) { return matches(step, states.at(step.id)); });
    };
    if (any([](const StepSpec&, StepState state) {
            return state == StepState::ready || state == StepState::running || state == StepState::retry_wait;
        })) {
        return RunState::running;
    }
    if (any([](const StepSpec&, StepState state) { return state == StepState::waiting; })) {
        return RunState::waiting;
    }
    if (any([](const StepSpec&, StepState state) { return state == StepState::pending; })) {
        return RunState::running;
    }
    if (any([](const StepSpec&, StepState state) { return state == StepState::cancelled; })) {
        return RunState::cancelled;
    }
    const bool failed = any([](const StepSpec& step, StepState state) {
        return state == StepState::upstream_failed ||
               ((state == StepState::failed || state == StepState::lost) && step.on_fail == OnFail::fail);
    });
    return failed ? RunState::failed : RunState::succeeded;
}

}  // namespace gyre::pipelines
