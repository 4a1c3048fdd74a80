#pragma once
// RolloutMachine: the policies behind one interface for the controller: rows and counts in, a decision out.
// State goes to JSON and back, so a restart resumes.
#include <variant>

#include "loop/rollout.h"

namespace gyre::loop {

/// evidence has no state machine for the unpaired policy: it is this sequence plus steps.
struct UnpairedMachine {
    UnpairedOptions options;
    evidence::UnpairedSequence sequence;
    std::int64_t step = 0;
    std::int64_t started_us = 0;
    bool over = false;
    static constexpr auto fields() {
        using U = UnpairedMachine;
        return std::tuple{Field{"options", &U::options, "The policy's numbers."},
                          Field{"sequence", &U::sequence, "Evidence of the two arms."},
                          Field{"step", &U::step, "Index into the steps."},
                          Field{"started_us", &U::started_us, "Start, Unix microseconds."},
                          Field{"over", &U::over, "Decided."}};
    }
};

/// What a decision is made from besides the rows.
struct Look {
    std::int64_t now_us = 0;
    std::int64_t seen_us = 0;          // event time that the evidence spans
    std::int64_t pass_span_us = 0;     // what of it passing takes
    std::int64_t refuse_span_us = 0;   // and refusing, while nobody is exposed
    evidence::StepProfiles latencies;  // of the present step's answers
    evidence::StepProfiles predictions;
};

/// A labelled row that one arm answered.
struct ArmRow {
    evidence::Arm arm = evidence::Arm::champion;
    double exposure = 0.0;  // the candidate's share of traffic at the row's time
    evidence::ScoredOutcome outcome;
};

class RolloutMachine {
 public:
    /// The state of a rollout that starts at `now_us`. Errors: invalid_argument (options).
    static Result<RolloutMachine> start(Policy policy, const RolloutOptions& options, std::int64_t now_us);
    static Result<RolloutMachine> parse(Policy policy, const Json& state);
    [[nodiscard]] Json state() const;

    /// Whether quality comes from rows that both scored (true) or from each arm's own answered rows.
    [[nodiscard]] bool is_paired() const;
    /// Share of traffic that the candidate gets at the start.
    [[nodiscard]] double first_exposure() const;

    Result<void> observe_pair(double candidate_loss, double champion_loss);
    Result<void> observe_arm(const ArmRow& row);
    void observe_requests(evidence::Arm arm, const evidence::ArmCounts& counts);
    evidence::RolloutDecision decide(const Look& look);

 private:
    using Machine = std::variant<evidence::SequentialRollout, UnpairedMachine, evidence::SimpleRollout,
                                 evidence::LiteralRollout>;
    explicit RolloutMachine(Machine machine) : machine_(std::move(machine)) {}
    Machine machine_;
    std::optional<evidence::RolloutDecision> literal_;  // the literal rule decides while it observes
};

}  // namespace gyre::loop
