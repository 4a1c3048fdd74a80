#pragma once
// Rollout: one change of an endpoint's champion, from the first paired row to promotion or rollback. Plain
// values.
//
// The policies' decisions are evidence's; what is here is their record: which endpoint, which models, what
// was seen, what was decided, and from which event time on it holds.
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/duration.h"
#include "evidence/rollout.h"

namespace gyre::loop {

/// sequential: paired evidence before anybody is exposed, then steps. unpaired: exposes at once and compares
/// the two arms; kept to show what pairing saves. simple, simple_literal: see evidence/rollout.h.
enum class Policy : std::uint8_t { sequential, unpaired, simple, simple_literal };
constexpr auto enum_names(Policy) {
    return std::array{EnumName{Policy::sequential, "sequential"}, EnumName{Policy::unpaired, "unpaired"},
                      EnumName{Policy::simple, "simple"}, EnumName{Policy::simple_literal, "simple-literal"}};
}

/// scheduled: waits for the event time at which it starts, or for the one before it to end. aborted: somebody
/// ended it, or another took its place. (What people aborted was rolled_back in data folders of before.)
enum class RolloutState : std::uint8_t { paired, exposing, promoted, rolled_back, aborted, scheduled };
constexpr auto enum_names(RolloutState) {
    return std::array{
        EnumName{RolloutState::paired, "paired"},     EnumName{RolloutState::exposing, "exposing"},
        EnumName{RolloutState::promoted, "promoted"}, EnumName{RolloutState::rolled_back, "rolled_back"},
        EnumName{RolloutState::aborted, "aborted"},   EnumName{RolloutState::scheduled, "scheduled"}};
}
constexpr bool is_over(RolloutState state) {
    return state == RolloutState::promoted || state == RolloutState::rolled_back ||
           state == RolloutState::aborted;
}

struct UnpairedOptions {
    evidence::LossOptions loss;
    std::vector<double> steps = {0.25, 0.5, 1.0};
    std::int64_t min_rows = 100;
    Duration deadline = days(28);
    static constexpr auto fields() {
        using U = UnpairedOptions;
        return std::tuple{
            Field{"loss", &U::loss, "Margin and error probability.", optional_field},
            Field{"steps", &U::steps, "Shares of traffic, ascending, the last one 1.", optional_field},
            Field{"min_rows", &U::min_rows, "Fewest rows in each arm.", optional_field},
            Field{"deadline", &U::deadline, "Longest duration, such as 28d; 0 for none.", optional_field}};
    }
};

struct RolloutOptions {
    /// How long after its evidence's time a decision takes effect; a replay waits for it there.
    Duration effect_delay;
    /// Outcomes may be this late: a row counts once this much event time has passed since its event. Counting
    /// what is known at once would favour whatever is known early (a flight that is late lands late).
    Duration label_lateness = days(2);
    /// Rows count in whole periods of event time, so that no time of day is over-represented.
    Duration period = days(1);
    /// Days differ: no policy passes a candidate on less event time than this.
    Duration min_span = days(7);
    /// Paired evidence exposes nobody, so a candidate that looks surely worse may wait this long, too: one
    /// odd day decides nothing.
    Duration min_span_to_refuse = days(2);
    /// Regression: the error that counts as a whole loss; 0 takes three times the RMSE of champion or
    /// candidate, as their evaluations measured, whichever is greater.
    double loss_scale = 0.0;
    evidence::SequentialOptions sequential;
    evidence::SimpleOptions simple;
    UnpairedOptions unpaired;
    static constexpr auto fields() {
        using R = RolloutOptions;
        return std::tuple{
            Field{"effect_delay", &R::effect_delay, "From evidence to effect, in event time.",
                  optional_field},
            Field{"label_lateness", &R::label_lateness, "How late outcomes may be.", optional_field},
            Field{"period", &R::period, "Rows count in whole periods of event time.", optional_field},
            Field{"min_span", &R::min_span, "Least event time of evidence.", optional_field},
            Field{"min_span_to_refuse", &R::min_span_to_refuse,
                  "Least event time of paired evidence before a candidate is refused.", optional_field},
            Field{"loss_scale", &R::loss_scale,
                  "Regression: the error that counts as loss 1; three times the models' RMSE when left out.",
                  optional_field},
            Field{"sequential", &R::sequential, "Numbers of the policy sequential.", optional_field},
            Field{"simple", &R::simple, "Numbers of the policies simple and simple-literal.", optional_field},
            Field{"unpaired", &R::unpaired, "Numbers of the policy unpaired.", optional_field}};
    }
};

/// A decision that waits for its time.
struct PendingChange {
    evidence::RolloutAction action = evidence::RolloutAction::monitoring;
    double exposure = 0.0;
    std::int64_t effective_us = 0;
    static constexpr auto fields() {
        using P = PendingChange;
        return std::tuple{Field{"action", &P::action, "What will happen."},
                          Field{"exposure", &P::exposure, "Share of traffic from then on."},
                          Field{"effective_us", &P::effective_us, "Event time from which it holds."}};
    }
};

struct RolloutMoment {
    std::string time;
    std::int64_t served_from_us = 0;  // rows with this event time or a later one were split so
    RolloutState state = RolloutState::paired;
    double exposure = 0.0;
    Json evidence;
    static constexpr auto fields() {
        using M = RolloutMoment;
        return std::tuple{Field{"time", &M::time, "Event time."},
                          Field{"served_from_us", &M::served_from_us,
                                "Rows from this event time on were split so.", optional_field},
                          Field{"state", &M::state, "State from then on."},
                          Field{"exposure", &M::exposure, "Share of traffic from then on."},
                          Field{"evidence", &M::evidence, "What had been seen.", optional_field}};
    }
};

/// What the evidence said at one look; for the picture of how it grew.
struct RolloutLook {
    std::string time;
    std::string metric;
    std::int64_t n = 0;
    double estimate = 0.0;
    std::optional<double> low;
    std::optional<double> high;
    std::optional<double> margin;
    static constexpr auto fields() {
        using L = RolloutLook;
        return std::tuple{Field{"time", &L::time, "Event time."},
                          Field{"metric", &L::metric, "What was measured."},
                          Field{"n", &L::n, "Observations so far."},
                          Field{"estimate", &L::estimate, "Point estimate."},
                          Field{"low", &L::low, "Lower bound.", optional_field},
                          Field{"high", &L::high, "Upper bound.", optional_field},
                          Field{"margin", &L::margin, "Tolerated loss.", optional_field}};
    }
};

/// What had been asked of both arms at the last look, since the hour in which the rollout started.
struct RolloutTraffic {
    evidence::ArmCounts candidate;
    evidence::ArmCounts champion;
    static constexpr auto fields() {
        using T = RolloutTraffic;
        return std::tuple{Field{"candidate", &T::candidate, "The candidate's requests."},
                          Field{"champion", &T::champion, "The champion's requests."}};
    }
};

struct Rollout {
    std::string id;
    std::string endpoint;
    std::string champion;   // "flights/1"
    std::string candidate;  // "flights/2"
    Policy policy = Policy::sequential;
    RolloutOptions options;
    RolloutState state = RolloutState::paired;
    bool paused = false;
    double exposure = 0.0;
    std::string reason;
    std::string cause;                  // what started it: an event's type and position, or who
    std::string origin;                 // of those that wait, the newest of an origin replaces the others
    std::int64_t started_us = 0;        // event time
    std::int64_t as_of_us = 0;          // event time of the last look
    std::int64_t counted_until_us = 0;  // rows up to this event time have been counted
    std::int64_t ended_us = 0;
    Json machine;  // the policy's state (evidence/rollout.h)
    RolloutTraffic traffic;
    Json answers;   // of the present step (loop/step_answers.h)
    Json evidence;  // the last finding
    std::int64_t exposed_predictions = 0;
    std::optional<PendingChange> pending;
    std::vector<RolloutMoment> history;
    std::vector<RolloutLook> looks;  // at most kRolloutLooksMax, evenly thinned

    static constexpr auto fields() {
        using R = Rollout;
        return std::tuple{
            Field{"id", &R::id, "Id."},
            Field{"endpoint", &R::endpoint, "Endpoint."},
            Field{"champion", &R::champion, "Model that answers when it starts."},
            Field{"candidate", &R::candidate, "Model that may replace it."},
            Field{"policy", &R::policy, "Who decides."},
            Field{"options", &R::options, "The policy's numbers."},
            Field{"state", &R::state, "paired, exposing, promoted, rolled_back or aborted."},
            Field{"paused", &R::paused, "No decision is taken while it is paused.", optional_field},
            Field{"exposure", &R::exposure, "The candidate's share of traffic."},
            Field{"reason", &R::reason, "Why it is where it is."},
            Field{"cause", &R::cause, "What started it.", optional_field},
            Field{"origin", &R::origin, "Of candidates of one origin that wait, only the newest starts.",
                  optional_field},
            Field{"started_us", &R::started_us, "Start, event time."},
            Field{"as_of_us", &R::as_of_us, "Last look, event time."},
            Field{"counted_until_us", &R::counted_until_us, "Rows up to here have been counted.",
                  optional_field},
            Field{"ended_us", &R::ended_us, "End, event time.", optional_field},
            Field{"machine", &R::machine, "The policy's state.", optional_field},
            Field{"traffic", &R::traffic, "Requests up to the last look.", optional_field},
            Field{"answers", &R::answers, "What the present step's answers looked like.", optional_field},
            Field{"evidence", &R::evidence, "The last finding.", optional_field},
            Field{"exposed_predictions", &R::exposed_predictions, "Requests that the candidate answered.",
                  optional_field},
            Field{"pending", &R::pending, "A decision that waits for its time.", optional_field},
            Field{"history", &R::history, "What happened when.", optional_field},
            Field{"looks", &R::looks, "How the evidence grew.", optional_field}};
    }
};

/// Keeps what a look saw, when it saw more than the look before.
void note_look(Rollout& rollout, const evidence::Finding& finding, std::int64_t time_us);

/// The native API's form: times as RFC 3339, without the policy's inner state.
Json api_json(const Rollout& rollout);

}  // namespace gyre::loop
