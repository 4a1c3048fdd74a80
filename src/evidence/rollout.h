#pragma once
// Rules of rollouts as pure state machines: state in, observation in, decision out. Time is an argument
// (event time, Unix microseconds). States serialise to JSON, so a restart resumes. Not thread-safe.
//
// | phase    | event                                   | next                                       |
// |----------|-----------------------------------------|--------------------------------------------|
// | paired   | candidate better or within the margin   | exposing, first step                       |
// | paired   | candidate worse                         | rolled_back                                |
// | exposing | step's evidence passes, bake time over  | next step; promoted when it is the last    |
// | exposing | candidate worse, or serving fails       | rolled_back                                |
// | any open | deadline                                | on_undecided: rolled_back or promoted; or stays |
// | promoted, rolled_back | anything                   | same (terminal)                            |
#include <vector>

#include "base/duration.h"
#include "evidence/comparison_sequence.h"
#include "evidence/serving.h"
#include "evidence/success.h"

namespace gyre::evidence {

enum class RolloutPhase : std::uint8_t { paired, exposing, promoted, rolled_back };
constexpr auto enum_names(RolloutPhase) {
    return std::array{EnumName{RolloutPhase::paired, "paired"}, EnumName{RolloutPhase::exposing, "exposing"},
                      EnumName{RolloutPhase::promoted, "promoted"},
                      EnumName{RolloutPhase::rolled_back, "rolled_back"}};
}
/// What the deadline does without a verdict.
enum class OnUndecided : std::uint8_t { keep_champion, promote, hold };
constexpr auto enum_names(OnUndecided) {
    return std::array{EnumName{OnUndecided::keep_champion, "keep_champion"},
                      EnumName{OnUndecided::promote, "promote"}, EnumName{OnUndecided::hold, "hold"}};
}
enum class RolloutAction : std::uint8_t { collecting_data, monitoring, increased, promoted, rolled_back };
constexpr auto enum_names(RolloutAction) {
    return std::array{
        EnumName{RolloutAction::collecting_data, "collecting_data"},
        EnumName{RolloutAction::monitoring, "monitoring"}, EnumName{RolloutAction::increased, "increased"},
        EnumName{RolloutAction::promoted, "promoted"}, EnumName{RolloutAction::rolled_back, "rolled_back"}};
}

/// What to do now, and why. `exposure` is the candidate's share of traffic from here on.
struct RolloutDecision {
    RolloutAction action = RolloutAction::collecting_data;
    double exposure = 0.0;
    Finding finding;

    static constexpr auto fields() {
        return std::tuple{
            Field{"action", &RolloutDecision::action, "What happened."},
            Field{"exposure", &RolloutDecision::exposure, "Share of traffic of the candidate."},
            Field{"finding", &RolloutDecision::finding, "The evidence."},
        };
    }
};

// ---- simple and simple-literal ------------------------------------------------------------------

struct SimpleOptions {
    SuccessOptions success = {};  // of a row
    double initial_exposure = 0.05;
    double increment = 0.1;
    double success_threshold = 0.95;
    double promote_ratio = 0.98;  // of the champion's success rate
    double rollback_ratio = 0.95;
    std::int64_t min_rows = 100;   // in each arm, and new candidate rows per step
    Duration deadline = days(14);  // after the start; 0: none
    OnUndecided on_undecided = OnUndecided::keep_champion;

    static constexpr auto fields() {
        return std::tuple{
            Field{"success", &SimpleOptions::success, "What a success of a row is.", optional_field},
            Field{"initial_exposure", &SimpleOptions::initial_exposure, "First share of traffic.",
                  optional_field},
            Field{"increment", &SimpleOptions::increment, "Added per step.", optional_field},
            Field{"success_threshold", &SimpleOptions::success_threshold, "Least success rate.",
                  optional_field},
            Field{"promote_ratio", &SimpleOptions::promote_ratio, "Least share of the champion's.",
                  optional_field},
            Field{"rollback_ratio", &SimpleOptions::rollback_ratio, "Below it: roll back.", optional_field},
            Field{"min_rows", &SimpleOptions::min_rows, "Rows needed in each arm and step.", optional_field},
            Field{"deadline", &SimpleOptions::deadline, "Longest duration, such as 14d; 0 for none.",
                  optional_field},
            Field{"on_undecided", &SimpleOptions::on_undecided, "What the deadline does.", optional_field},
        };
    }
    [[nodiscard]] Result<void> check() const;
};

/// Successes of both arms are counted from the start. A step needs min_rows in each arm and min_rows new
/// candidate rows. Up when c >= threshold and c >= promote_ratio * s; back when c < rollback_ratio * s;
/// between them it waits, at most until the deadline. Known limits: README.md.
struct SimpleRollout {
    SimpleOptions options;
    RolloutPhase phase = RolloutPhase::exposing;
    double exposure = 0.05;
    std::int64_t started_us = 0;
    std::int64_t step_rows = 0;  // candidate rows since the last step
    std::int64_t candidate_rows = 0;
    std::int64_t champion_rows = 0;
    double candidate_successes = 0.0;
    double champion_successes = 0.0;

    static Result<SimpleRollout> start(const SimpleOptions& options, std::int64_t now_us);
    /// `success` in [0, 1] (clamped; NaN counts as 0).
    void observe(Arm arm, double success);
    RolloutDecision decide(std::int64_t now_us);
    static Result<SimpleRollout> parse(const Json& json);

    static constexpr auto fields() {
        return std::tuple{
            Field{"options", &SimpleRollout::options, "The rule's numbers."},
            Field{"phase", &SimpleRollout::phase, "exposing, promoted or rolled_back."},
            Field{"exposure", &SimpleRollout::exposure, "Share of traffic."},
            Field{"started_us", &SimpleRollout::started_us, "Start, Unix microseconds."},
            Field{"step_rows", &SimpleRollout::step_rows, "Candidate rows of this step."},
            Field{"candidate_rows", &SimpleRollout::candidate_rows, "Candidate rows."},
            Field{"champion_rows", &SimpleRollout::champion_rows, "Champion rows."},
            Field{"candidate_successes", &SimpleRollout::candidate_successes, "Their successes."},
            Field{"champion_successes", &SimpleRollout::champion_successes, "Their successes."},
        };
    }
};

/// The widely copied listing, to the letter: each call appends and decides; 100 candidate rows are enough,
/// both means are over the last 100 values divided by 100 (so fewer than 100 champion rows count as
/// failures of the champion), no deadline, and it steps on every later row.
struct LiteralRollout {
    SimpleOptions options;
    RolloutPhase phase = RolloutPhase::exposing;
    double exposure = 0.05;
    std::vector<double> candidate;  // the last 100
    std::vector<double> champion;   // the last 100
    std::int64_t candidate_rows = 0;

    static Result<LiteralRollout> start(const SimpleOptions& options);
    RolloutDecision observe(Arm arm, double success);
    static Result<LiteralRollout> parse(const Json& json);

    static constexpr auto fields() {
        return std::tuple{
            Field{"options", &LiteralRollout::options, "The rule's numbers."},
            Field{"phase", &LiteralRollout::phase, "exposing, promoted or rolled_back."},
            Field{"exposure", &LiteralRollout::exposure, "Share of traffic."},
            Field{"candidate", &LiteralRollout::candidate, "The candidate's last 100 values."},
            Field{"champion", &LiteralRollout::champion, "The champion's last 100 values."},
            Field{"candidate_rows", &LiteralRollout::candidate_rows, "Candidate values seen."},
        };
    }
};

// ---- sequential ---------------------------------------------------------------------------------

inline constexpr std::size_t kRolloutStepsMax = 20;

struct SequentialOptions {
    LossOptions loss;
    ErrorRateOptions errors;
    LatencyOptions latency;
    PredictionShiftOptions predictions;
    std::vector<double> steps = {0.05, 0.25, 0.5, 1.0};
    std::int64_t min_pairs = 100;           // before any verdict of quality
    Duration bake = hours(1);               // least time at a step
    Duration few_requests_after = days(4);  // see decide; 0: waits for requests
    Duration deadline = days(28);           // after the start; 0: none
    OnUndecided on_undecided = OnUndecided::keep_champion;

    static constexpr auto fields() {
        return std::tuple{
            Field{"loss", &SequentialOptions::loss, "Quality: margin and alpha.", optional_field},
            Field{"errors", &SequentialOptions::errors, "Serving: error rates.", optional_field},
            Field{"latency", &SequentialOptions::latency, "Serving: latency.", optional_field},
            Field{"predictions", &SequentialOptions::predictions, "Serving: distribution of predictions.",
                  optional_field},
            Field{"steps", &SequentialOptions::steps, "Shares of traffic, ascending, the last one 1.",
                  optional_field},
            Field{"min_pairs", &SequentialOptions::min_pairs, "Pairs before any verdict.", optional_field},
            Field{"bake", &SequentialOptions::bake, "Least time at a step, such as 1h.", optional_field},
            Field{"few_requests_after", &SequentialOptions::few_requests_after,
                  "A step with fewer than errors.min_rows requests goes on after this time; 0: never.",
                  optional_field},
            Field{"deadline", &SequentialOptions::deadline, "Longest duration, such as 28d; 0 for none.",
                  optional_field},
            Field{"on_undecided", &SequentialOptions::on_undecided, "What the deadline does.",
                  optional_field},
        };
    }
    [[nodiscard]] Result<void> check() const;
};

/// What a step's answers looked like; null when nobody looked.
struct StepProfiles {
    const stats::Profile* candidate = nullptr;
    const stats::Profile* champion = nullptr;
};

/// Paired evidence first, exposure after. Errors must pass before the next step; latency and the predictions'
/// distribution can only roll back: at a small share of traffic it would take weeks until they pass. Error
/// counts start anew at each step (one split of traffic each); their alpha is divided by the number of steps.
/// The last step (all traffic) is promotion itself.
struct SequentialRollout {
    SequentialOptions options;
    RolloutPhase phase = RolloutPhase::paired;
    std::int64_t step = 0;  // index into steps while exposing
    std::int64_t started_us = 0;
    std::int64_t step_started_us = 0;
    PairedSequence paired;
    ArmCounts candidate;
    ArmCounts champion;

    static Result<SequentialRollout> start(const SequentialOptions& options, std::int64_t now_us);
    Result<void> observe_pair(double candidate_loss, double champion_loss);
    void observe_requests(Arm arm, const ArmCounts& counts);
    /// Where traffic is small a small share of it gathers no evidence of serving for months, and harms few: a
    /// step that has seen fewer than errors.min_rows candidate requests, none of them failed, goes on after
    /// few_requests_after. Quality has been judged by pairs before. `latencies` and `predictions` are those
    /// of the present step; they are not kept.
    RolloutDecision decide(std::int64_t now_us, const StepProfiles& latencies = {},
                           const StepProfiles& predictions = {});
    [[nodiscard]] double exposure() const;
    static Result<SequentialRollout> parse(const Json& json);

    static constexpr auto fields() {
        return std::tuple{
            Field{"options", &SequentialRollout::options, "The policy's numbers."},
            Field{"phase", &SequentialRollout::phase, "paired, exposing, promoted or rolled_back."},
            Field{"step", &SequentialRollout::step, "Index of the step while exposing."},
            Field{"started_us", &SequentialRollout::started_us, "Start, Unix microseconds."},
            Field{"step_started_us", &SequentialRollout::step_started_us, "Start of the step."},
            Field{"paired", &SequentialRollout::paired, "Quality of pairs."},
            Field{"candidate", &SequentialRollout::candidate, "Requests of this step."},
            Field{"champion", &SequentialRollout::champion, "Requests of this step."},
        };
    }
};

}  // namespace gyre::evidence
