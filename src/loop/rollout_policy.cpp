#include "loop/rollout_policy.h"

#include <algorithm>

namespace gyre::loop {
namespace {

using evidence::Arm;
using evidence::Outcome;
using evidence::RolloutAction;
using evidence::RolloutDecision;

evidence::RolloutDecision decide_unpaired(UnpairedMachine& machine, std::int64_t now_us) {
    const auto& steps = machine.options.steps;
    RolloutDecision decision{RolloutAction::collecting_data, steps[static_cast<std::size_t>(machine.step)],
                             machine.sequence.finding()};
    const bool enough = machine.sequence.candidate.n >= machine.options.min_rows &&
                        machine.sequence.champion.n >= machine.options.min_rows;
    if (!enough || machine.over) {
        return decision;
    }
    decision.action = RolloutAction::monitoring;
    const Outcome outcome = machine.sequence.outcome();
    const bool late =
        machine.options.deadline.us > 0 && now_us >= machine.started_us + machine.options.deadline.us;
    if (outcome == Outcome::worse || (late && outcome == Outcome::undecided)) {
        machine.over = true;
        decision.action = RolloutAction::rolled_back;
        decision.exposure = 0.0;
    } else if (outcome == Outcome::better || outcome == Outcome::not_worse) {
        ++machine.step;
        const bool last = machine.step + 1 >= static_cast<std::int64_t>(steps.size());
        machine.over = last;
        decision.action = last ? RolloutAction::promoted : RolloutAction::increased;
        decision.exposure = steps[static_cast<std::size_t>(machine.step)];
    }
    return decision;
}

/// Whether paired evidence spans too little event time for what it says.
bool must_wait(Outcome outcome, const Look& look) {
    return look.seen_us < (outcome == Outcome::worse ? look.refuse_span_us : look.pass_span_us);
}

/// The least share of traffic that either arm has at any step but the last.
Result<double> least_share(const std::vector<double>& steps) {
    double least = 0.5;
    double before = 0.0;
    for (const double step : steps) {
        if (!(step > before && step <= 1.0)) {
            return invalid_argument("unpaired.steps: expected ascending shares in (0, 1] that end with 1");
        }
        before = step;
        least = step < 1.0 ? std::min({least, step, 1.0 - step}) : least;
    }
    if (before != 1.0 || steps.size() < 2) {
        return invalid_argument("unpaired.steps: expected at least two ascending shares, the last one 1");
    }
    return least;
}

}  // namespace

Result<RolloutMachine> RolloutMachine::start(Policy policy, const RolloutOptions& options,
                                             std::int64_t now_us) {
    switch (policy) {
        case Policy::sequential: {
            GYRE_TRY(auto machine, evidence::SequentialRollout::start(options.sequential, now_us));
            return RolloutMachine(std::move(machine));
        }
        case Policy::unpaired: {
            GYRE_TRY_VOID(options.unpaired.loss.check());
            UnpairedMachine machine;
            machine.options = options.unpaired;
            machine.sequence.options = options.unpaired.loss;
            GYRE_TRY(machine.sequence.least_share, least_share(options.unpaired.steps));
            machine.started_us = now_us;
            return RolloutMachine(std::move(machine));
        }
        case Policy::simple: {
            GYRE_TRY(auto machine, evidence::SimpleRollout::start(options.simple, now_us));
            return RolloutMachine(machine);
        }
        case Policy::simple_literal: {
            GYRE_TRY(auto machine, evidence::LiteralRollout::start(options.simple));
            return RolloutMachine(std::move(machine));
        }
    }
    return internal_error("an unknown policy");
}

Result<RolloutMachine> RolloutMachine::parse(Policy policy, const Json& state) {
    switch (policy) {
        case Policy::sequential: {
            GYRE_TRY(auto machine, evidence::SequentialRollout::parse(state));
            return RolloutMachine(std::move(machine));
        }
        case Policy::unpaired: {
            GYRE_TRY(auto machine, from_json<UnpairedMachine>(state));
            GYRE_TRY_VOID(machine.sequence.check());
            if (machine.step < 0 || machine.step >= static_cast<std::int64_t>(machine.options.steps.size())) {
                return invalid_argument("unpaired rollout: the stored state is broken");
            }
            return RolloutMachine(std::move(machine));
        }
        case Policy::simple: {
            GYRE_TRY(auto machine, evidence::SimpleRollout::parse(state));
            return RolloutMachine(machine);
        }
        case Policy::simple_literal: {
            GYRE_TRY(auto machine, evidence::LiteralRollout::parse(state));
            return RolloutMachine(std::move(machine));
        }
    }
    return internal_error("an unknown policy");
}

Json RolloutMachine::state() const {
    return std::visit([](const auto& machine) { return gyre::to_json(machine); }, machine_);
}

bool RolloutMachine::is_paired() const {
    return std::holds_alternative<evidence::SequentialRollout>(machine_);
}

double RolloutMachine::first_exposure() const {
    if (const auto* unpaired = std::get_if<UnpairedMachine>(&machine_)) {
        return unpaired->options.steps.front();
    }
    if (const auto* simple = std::get_if<evidence::SimpleRollout>(&machine_)) {
        return simple->exposure;
    }
    const auto* literal = std::get_if<evidence::LiteralRollout>(&machine_);
    return literal == nullptr ? 0.0 : literal->exposure;
}

Result<void> RolloutMachine::observe_pair(double candidate_loss, double champion_loss) {
    if (auto* sequential = std::get_if<evidence::SequentialRollout>(&machine_)) {
        return sequential->observe_pair(candidate_loss, champion_loss);
    }
    return {};
}

Result<void> RolloutMachine::observe_arm(const ArmRow& row) {
    const auto success = [&row](const evidence::SimpleOptions& options) {
        return options.success.is_success(row.outcome) ? 1.0 : 0.0;
    };
    if (auto* unpaired = std::get_if<UnpairedMachine>(&machine_)) {
        return unpaired->sequence.add(row.arm, row.outcome.loss, row.exposure);
    }
    if (auto* simple = std::get_if<evidence::SimpleRollout>(&machine_)) {
        simple->observe(row.arm, success(simple->options));
    } else if (auto* literal = std::get_if<evidence::LiteralRollout>(&machine_)) {
        RolloutDecision decision = literal->observe(row.arm, success(literal->options));
        if (!literal_ || decision.action == RolloutAction::promoted ||
            decision.action == RolloutAction::rolled_back || decision.action == RolloutAction::increased) {
            literal_ = std::move(decision);
        }
    }
    return {};
}

void RolloutMachine::observe_requests(Arm arm, const evidence::ArmCounts& counts) {
    if (auto* sequential = std::get_if<evidence::SequentialRollout>(&machine_)) {
        sequential->observe_requests(arm, counts);
    }
}

RolloutDecision RolloutMachine::decide(const Look& look) {
    if (auto* sequential = std::get_if<evidence::SequentialRollout>(&machine_)) {
        if (sequential->phase == evidence::RolloutPhase::paired &&
            must_wait(sequential->paired.outcome(), look)) {
            return {RolloutAction::collecting_data, 0.0, sequential->paired.finding()};
        }
        return sequential->decide(look.now_us, look.latencies, look.predictions);
    }
    if (auto* unpaired = std::get_if<UnpairedMachine>(&machine_)) {
        if (look.seen_us < look.pass_span_us && unpaired->sequence.outcome() != Outcome::worse) {
            const auto& steps = unpaired->options.steps;
            return {RolloutAction::collecting_data, steps[static_cast<std::size_t>(unpaired->step)],
                    unpaired->sequence.finding()};
        }
        return decide_unpaired(*unpaired, look.now_us);
    }
    if (auto* simple = std::get_if<evidence::SimpleRollout>(&machine_)) {
        return simple->decide(look.now_us);
    }
    if (literal_) {
        return *literal_;
    }
    const auto& literal = std::get<evidence::LiteralRollout>(machine_);
    return {RolloutAction::collecting_data, literal.exposure, {}};
}

}  // namespace gyre::loop
