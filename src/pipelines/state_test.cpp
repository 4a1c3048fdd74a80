#include "pipelines/state.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace gyre::pipelines {
namespace {

PipelineSpec random_spec(Rng& rng) {
    PipelineSpec spec;
    spec.name = "p";
    const std::uint64_t count = 1 + rng.below(12);
    for (std::uint64_t i = 0; i < count; ++i) {
        StepSpec step;
        step.id = "s" + std::to_string(i);
        step.kind = "k";
        step.on_fail = static_cast<OnFail>(rng.below(3));
        for (std::uint64_t j = 0; j < i; ++j) {
            if (rng.below(3) == 0) {
                step.needs.push_back("s" + std::to_string(j));
            }
        }
        spec.steps.push_back(std::move(step));
    }
    return spec;
}

void move(StepStates& states, const std::string& id, StepState to) {
    ASSERT_TRUE(can_move(states.at(id), to)) << name_of(states.at(id)) << " -> " << name_of(to);
    states[id] = to;
}

/// One legal move of the outside world for a step; false when it has none.
bool drive(StepStates& states, const std::string& id, Rng& rng) {
    switch (states.at(id)) {
        case StepState::ready:
            move(states, id, StepState::running);
            return true;
        case StepState::running: {
            constexpr std::array kNext{StepState::succeeded,  StepState::succeeded, StepState::failed,
                                       StepState::retry_wait, StepState::waiting,   StepState::ready,
                                       StepState::lost};
            move(states, id, kNext.at(rng.below(kNext.size())));
            return true;
        }
        case StepState::waiting:
            move(states, id, rng.below(2) == 0 ? StepState::succeeded : StepState::failed);
            return true;
        case StepState::retry_wait:
            move(states, id, StepState::ready);
            return true;
        default:
            return false;
    }
}

bool ended_well_enough(const PipelineSpec& spec, const std::string& id, const StepStates& states) {
    const StepState state = states.at(id);
    return state == StepState::succeeded || ((state == StepState::failed || state == StepState::lost) &&
                                             spec.find_step(id)->on_fail == OnFail::warn);
}

// 2,000 random graphs with random outcomes: every step ends, nothing runs before its needs, and the run's
// state says whether it is over.
TEST(StateMachine, every_random_run_ends_and_respects_needs) {
    Rng rng(7);
    for (int round = 0; round < 2000; ++round) {
        const PipelineSpec spec = random_spec(rng);
        StepStates states;
        for (const StepSpec& step : spec.steps) {
            states[step.id] = StepState::pending;
        }
        for (int moves = 0;; ++moves) {
            ASSERT_LT(moves, 5000) << "round " << round;
            for (const Settled& settled : settle(spec, states)) {
                if (settled.state == StepState::ready) {
                    for (const std::string& need : spec.find_step(settled.step)->needs) {
                        ASSERT_TRUE(ended_well_enough(spec, need, states)) << "round " << round;
                    }
                }
                move(states, settled.step, settled.state);
            }
            ASSERT_TRUE(settle(spec, states).empty()) << "settling is idempotent";
            const bool over = is_terminal(run_state(spec, states));
            bool moved = false;
            const std::uint64_t first = rng.below(spec.steps.size());
            for (std::size_t i = 0; i < spec.steps.size() && !moved; ++i) {
                moved = drive(states, spec.steps[(first + i) % spec.steps.size()].id, rng);
            }
            ASSERT_EQ(moved, !over) << "round " << round;
            if (!moved) {
                break;
            }
        }
        for (const auto& [id, state] : states) {
            ASSERT_TRUE(is_terminal(state)) << id;
        }
    }
}

TEST(StateMachine, terminal_is_terminal) {
    for (const auto& from : enum_names(StepState{})) {
        for (const auto& to : enum_names(StepState{})) {
            if (is_terminal(from.value)) {
                EXPECT_FALSE(can_move(from.value, to.value)) << from.name << " -> " << to.name;
            }
        }
    }
    for (const auto& from : enum_names(RunState{})) {
        for (const auto& to : enum_names(RunState{})) {
            if (is_terminal(from.value)) {
                EXPECT_FALSE(can_move(from.value, to.value)) << from.name << " -> " << to.name;
            }
        }
    }
}

TEST(StateMachine, on_fail_decides_what_a_failure_means) {
    for (const auto& [on_fail, next, run] :
         {std::tuple{OnFail::fail, StepState::upstream_failed, RunState::failed},
          std::tuple{OnFail::skip, StepState::skipped, RunState::succeeded},
          std::tuple{OnFail::warn, StepState::ready, RunState::running}}) {
        PipelineSpec spec;
        spec.steps = {StepSpec{.id = "gate", .kind = "k", .on_fail = on_fail},
                      StepSpec{.id = "register", .kind = "k", .needs = {"gate"}}};
        StepStates states{{"gate", StepState::failed}, {"register", StepState::pending}};
        const auto settled = settle(spec, states);
        ASSERT_EQ(settled.size(), 1U);
        EXPECT_EQ(settled[0].state, next);
        states["register"] = next;
        EXPECT_EQ(run_state(spec, states), run);
    }
}

TEST(StateMachine, a_run_waits_only_when_nothing_else_can_happen) {
    PipelineSpec spec;
    spec.steps = {StepSpec{.id = "a", .kind = "k"}, StepSpec{.id = "b", .kind = "k"},
                  StepSpec{.id = "c", .kind = "k", .needs = {"a"}}};
    EXPECT_EQ(
        run_state(spec, {{"a", StepState::waiting}, {"b", StepState::running}, {"c", StepState::pending}}),
        RunState::running);
    EXPECT_EQ(
        run_state(spec, {{"a", StepState::waiting}, {"b", StepState::succeeded}, {"c", StepState::pending}}),
        RunState::waiting);
}

}  // namespace
}  // namespace gyre::pipelines
