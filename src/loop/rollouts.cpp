#include "loop/rollouts.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "base/id.h"
#include "base/log.h"
#include "base/model_ref.h"
#include "loop/rollout_moves.h"
#include "loop/rollout_policy.h"
#include "loop/rollout_store.h"
#include "loop/step_answers.h"

namespace gyre::loop {
namespace {

using evidence::RolloutAction;

/// An event time that is sooner goes first.
bool starts_before(const Rollout& a, const Rollout& b) {
    return std::tie(a.started_us, a.id) < std::tie(b.started_us, b.id);
}

/// Of those that are due, in order: the first one's turn has come. Of its origin the newest goes, the others
/// are left behind.
struct Turn {
    Rollout next;
    std::vector<Rollout> left_behind;
};
std::optional<Turn> next_turn(std::vector<Rollout> scheduled, std::int64_t now_us) {
    std::erase_if(scheduled, [&](const Rollout& one) { return one.started_us > now_us; });
    if (scheduled.empty()) {
        return std::nullopt;
    }
    std::sort(scheduled.begin(), scheduled.end(), starts_before);
    Turn turn{scheduled.front(), {}};
    for (std::size_t i = 1; i < scheduled.size() && !turn.next.origin.empty(); ++i) {
        if (scheduled[i].origin == turn.next.origin) {
            turn.left_behind.push_back(std::exchange(turn.next, scheduled[i]));
        }
    }
    return turn;
}

/// Some signals of success speak of one task only.
Result<void> check_success(const NewRollout& request, serving::Task task) {
    if (request.policy != Policy::simple && request.policy != Policy::simple_literal) {
        return {};
    }
    using evidence::SuccessSignal;
    const SuccessSignal signal = request.options.simple.success.signal;
    if (signal == SuccessSignal::correct && task == serving::Task::regression) {
        return invalid_argument("simple.success.signal: 'correct' compares classes, and endpoint '" +
                                request.endpoint +
                                "' is a regression; expected error_below with a limit in the target's unit, "
                                "or loss_below");
    }
    if (signal == SuccessSignal::error_below && task == serving::Task::classification) {
        return invalid_argument("simple.success.signal: 'error_below' is of a number, and endpoint '" +
                                request.endpoint + "' is a classification; expected correct or loss_below");
    }
    return {};
}

Look look_of(const Rollout& rollout, const StepAnswers& answers, std::int64_t now_us) {
    Look look;
    look.now_us = now_us;
    look.seen_us = rollout.counted_until_us - rollout.started_us;
    look.pass_span_us = rollout.options.min_span.us;
    look.refuse_span_us = rollout.options.min_span_to_refuse.us;
    look.latencies = {&answers.candidate_latency_ms, &answers.champion_latency_ms};
    look.predictions = {&answers.candidate_score, &answers.champion_score};
    return look;
}

}  // namespace

Rollouts::Rollouts(storage::Database& database, serving::Serving& serving, monitoring::ScoreStore& scores,
                   FactsProvider facts, PromoteAlias promote_alias, const Clock& clock)
    : database_(database),
      serving_(serving),
      scores_(scores),
      facts_(std::move(facts)),
      promote_alias_(std::move(promote_alias)),
      clock_(clock) {}

/// What a loss is and how it is called. A regression's errors are measured by the greater RMSE of both: by
/// the smaller one a champion that has become worse, or a hopeless candidate, would have every row clipped.
Result<void> Rollouts::define_loss(RolloutOptions& options, const NewRollout& request,
                                   const serving::EndpointSpec& endpoint, const ModelFacts& candidate) const {
    const bool regression = endpoint.task == serving::Task::regression;
    if (candidate.task != endpoint.task) {
        return invalid_argument("'" + request.model + "' is a " + std::string(name_of(candidate.task)) +
                                ", and endpoint '" + endpoint.name + "' serves a " +
                                std::string(name_of(endpoint.task)));
    }
    options.sequential.loss.name_after(regression);
    options.unpaired.loss.name_after(regression);
    if (!regression || options.loss_scale > 0.0) {
        return {};
    }
    const auto champion = facts_(endpoint.champion()->ref());
    const double rmse = std::max(candidate.rmse, champion ? champion->rmse : 0.0);
    if (rmse > 0.0) {
        options.loss_scale = evidence::kClipAtRmses * rmse;
        return {};
    }
    return invalid_argument("neither '" + request.model + "' nor the champion '" +
                            endpoint.champion()->ref() +
                            "' says how large its errors are (an evaluation with an RMSE); say it with the "
                            "option loss_scale, the error in the target's unit that counts as a whole loss");
}

Result<Rollout> Rollouts::prepare(const NewRollout& request) {
    GYRE_TRY(const ModelFacts facts, facts_(request.model));
    GYRE_TRY(const serving::StoredEndpoint stored, serving_.get(request.endpoint));
    GYRE_TRY_VOID(check_success(request, stored.spec.task));
    Rollout rollout;
    rollout.id = make_uuid7(clock_);
    rollout.endpoint = request.endpoint;
    rollout.candidate = request.model;
    rollout.policy = request.policy;
    rollout.options = request.options;
    GYRE_TRY_VOID(define_loss(rollout.options, request, stored.spec, facts));
    if (stored.spec.own_clock) {
        // The clock of a replay says nothing of how long an answer takes.
        rollout.options.sequential.latency.decides = false;
    }
    rollout.state = RolloutState::scheduled;
    rollout.reason =
        "starts at " + format_rfc3339(request.as_of_us) + ", or when the one before it has ended";
    rollout.cause = request.cause;
    rollout.origin = request.origin;
    GYRE_TRY_VOID(start_clock(rollout, request.as_of_us));
    return rollout;
}

Result<void> Rollouts::start_clock(Rollout& rollout, std::int64_t now_us) {
    GYRE_TRY(const RolloutMachine machine, RolloutMachine::start(rollout.policy, rollout.options, now_us));
    rollout.started_us = now_us;
    rollout.as_of_us = now_us;
    rollout.machine = machine.state();
    return {};
}

void Rollouts::remember(Rollout& rollout, std::int64_t time_us) const {
    rollout.answers = Json();  // a step begins with none
    if (rollout.history.size() >= kRolloutHistoryMax) {
        return;
    }
    // Rows that were answered before are those of the former split, whatever clock moved it.
    const std::int64_t newest_us = scores_.watermarks(rollout.endpoint).predictions_us;
    rollout.history.push_back({format_rfc3339(time_us), std::max(time_us, newest_us), rollout.state,
                               rollout.exposure, rollout.evidence});
}

/// One endpoint, one open rollout: `next` takes the place of the one there is, if any.
Result<void> Rollouts::supersede_open(storage::Transaction& tx, const Rollout& next, std::int64_t now_us,
                                      const Principal& principal) const {
    GYRE_TRY(std::optional<Rollout> open, find_open(tx, next.endpoint));
    return open && open->id != next.id
               ? retire(tx, *open, "superseded by " + next.candidate, now_us, principal)
               : Result<void>();
}

Result<void> Rollouts::begin(storage::Transaction& tx, Rollout& rollout, const Principal& principal) {
    GYRE_TRY(const serving::StoredEndpoint stored,
             serving::get_endpoint(tx, principal.project, rollout.endpoint));
    GYRE_TRY(const RolloutMachine machine, RolloutMachine::parse(rollout.policy, rollout.machine));
    rollout.champion = stored.spec.champion()->ref();
    rollout.traffic = traffic_of(rollout);
    if (rollout.champion == rollout.candidate) {
        return invalid_argument("'" + rollout.candidate + "' is the champion of '" + rollout.endpoint +
                                "' already");
    }
    GYRE_TRY_VOID(supersede_open(tx, rollout, rollout.started_us, principal));
    rollout.state = machine.is_paired() ? RolloutState::paired : RolloutState::exposing;
    rollout.exposure = machine.first_exposure();
    rollout.reason =
        machine.is_paired() ? "gathers paired evidence; nobody is exposed" : "exposes the candidate";
    remember(rollout, rollout.started_us);
    GYRE_TRY_VOID(place(tx, rollout, "started", principal));
    GYRE_TRY_VOID(save(tx, rollout));
    return append_event(tx, "rollout.started", rollout, principal, rollout.started_us);
}

Result<Rollout> Rollouts::start(const NewRollout& request) {
    const std::scoped_lock lock(tick_mutex_);
    GYRE_TRY(Rollout rollout, prepare(request));
    GYRE_TRY_VOID(database_.write([&](storage::Transaction& tx) -> Result<void> {
        GYRE_TRY_VOID(insert(tx, rollout));
        return begin(tx, rollout, request.principal);
    }));
    if (auto settled = settle(request.endpoint); !settled) {
        GYRE_TRY(const bool ended, end_unservable_locked(request.endpoint));
        return ended ? Error(settled.error().code(), settled.error().message() + "; the rollout has ended")
                     : settled.error();
    }
    return rollout;
}

Result<Rollout> Rollouts::schedule(const NewRollout& request) {
    const std::scoped_lock lock(tick_mutex_);
    GYRE_TRY(Rollout rollout, prepare(request));
    return database_.write([&](storage::Transaction& tx) -> Result<Rollout> {
        GYRE_TRY(const std::vector<Rollout> known, find_all(tx, request.endpoint));
        for (const Rollout& other : known) {
            if (other.candidate == request.model && other.cause == request.cause) {
                return other;
            }
        }
        GYRE_TRY(const std::vector<Rollout> waiting, find_scheduled(tx, request.endpoint));
        if (waiting.size() >= kRolloutsWaitingMax) {
            return resource_exhausted(std::to_string(waiting.size()) + " candidates wait for endpoint '" +
                                      request.endpoint + "' already; gyre rollout list shows them");
        }
        GYRE_TRY_VOID(insert(tx, rollout));
        GYRE_TRY_VOID(append_event(tx, "rollout.scheduled", rollout, request.principal, request.as_of_us));
        return rollout;
    });
}

Result<void> Rollouts::settle(const std::string& endpoint) {
    GYRE_TRY_VOID(serving_.reload());
    GYRE_TRY(const serving::StoredEndpoint stored, serving_.get(endpoint));
    return serving_.wait_published(endpoint, stored.generation);
}

Result<bool> Rollouts::end_unservable(const std::string& endpoint) {
    const std::scoped_lock lock(tick_mutex_);
    return end_unservable_locked(endpoint);
}

Result<bool> Rollouts::end_unservable_locked(const std::string& endpoint) {
    GYRE_TRY(const std::optional<serving::RoutingProblem> problem, serving_.problem_of(endpoint));
    if (!problem || problem->passes) {
        return false;
    }
    GYRE_TRY(std::optional<Rollout> open, open_on(endpoint));
    if (!open || problem->model != open->candidate) {
        return false;
    }
    evidence::Finding finding;
    finding.verdict = evidence::Verdict::fail;
    finding.metric = "load";
    finding.reason = problem->reason;
    open->evidence = gyre::to_json(finding);
    open->reason = "the candidate cannot be served: " + problem->reason;
    open->pending = PendingChange{RolloutAction::rolled_back, 0.0, open->as_of_us};
    GYRE_TRY_VOID(database_.write(
        [&](storage::Transaction& tx) -> Result<void> { return apply(tx, *open, system_principal()); }));
    log_warn("rollout_candidate_not_servable",
             {{"rollout", open->id}, {"endpoint", endpoint}, {"reason", problem->reason}});
    static_cast<void>(settle(endpoint));  // whatever else is in the way is not this rollout's
    return true;
}

Result<void> Rollouts::retire(storage::Transaction& tx, Rollout& rollout, std::string reason,
                              std::int64_t now_us, const Principal& principal) const {
    rollout.state = RolloutState::aborted;
    rollout.exposure = 0.0;
    rollout.reason = std::move(reason);
    rollout.ended_us = now_us;
    rollout.pending.reset();
    remember(rollout, now_us);
    GYRE_TRY_VOID(save(tx, rollout));
    return append_event(tx, "rollout.aborted", rollout, principal, now_us);
}

Result<void> Rollouts::begin_next(const std::string& endpoint, std::int64_t now_us) {
    GYRE_TRY(std::vector<Rollout> scheduled,
             database_.read([&](storage::Reader& reader) { return find_scheduled(reader, endpoint); }));
    std::optional<Turn> turn = next_turn(std::move(scheduled), now_us);
    if (!turn) {
        return {};
    }
    GYRE_TRY(const std::optional<Rollout> open, open_on(endpoint));
    if (open) {
        return {};
    }
    Rollout& next = turn->next;
    GYRE_TRY_VOID(start_clock(next, now_us));
    GYRE_TRY_VOID(database_.write([&](storage::Transaction& tx) -> Result<void> {
        for (Rollout& older : turn->left_behind) {
            GYRE_TRY_VOID(retire(tx, older, "superseded by " + next.candidate + " while it waited", now_us,
                                 system_principal()));
        }
        auto begun = begin(tx, next, system_principal());
        if (begun || begun.error().code() != ErrorCode::invalid_argument) {
            return begun;
        }
        // It became the champion meanwhile.
        return retire(tx, next, begun.error().message(), now_us, system_principal());
    }));
    if (auto settled = settle(endpoint); !settled) {
        GYRE_TRY(const bool ended, end_unservable_locked(endpoint));
        return ended ? Result<void>() : settled;  // its record and its Event say why it ended
    }
    return {};
}

Result<void> Rollouts::start_due(const std::string& endpoint, std::int64_t now_us) {
    const std::scoped_lock lock(tick_mutex_);
    return begin_next(endpoint, now_us);
}

Result<void> Rollouts::tick(const std::string& endpoint, std::int64_t now_us) {
    const std::scoped_lock lock(tick_mutex_);
    GYRE_TRY_VOID(end_unservable_locked(endpoint));
    GYRE_TRY(std::optional<Rollout> open, open_on(endpoint));
    if (open && !open->paused && now_us > open->as_of_us) {
        GYRE_TRY_VOID(look(*open, now_us));
    }
    return begin_next(endpoint, now_us);
}

Result<void> Rollouts::look(Rollout& rollout, std::int64_t now_us) {
    GYRE_TRY(RolloutMachine machine, RolloutMachine::parse(rollout.policy, rollout.machine));
    GYRE_TRY(StepAnswers answers, StepAnswers::parse(rollout.answers));
    GYRE_TRY_VOID(observe(rollout, machine, now_us));
    GYRE_TRY_VOID(observe_answers(rollout, answers, now_us));
    rollout.answers = answers.to_json();
    rollout.as_of_us = now_us;
    if (rollout.pending && now_us < rollout.pending->effective_us) {  // decided, and waiting for its time
        rollout.machine = machine.state();
        return database_.write([&](storage::Transaction& tx) { return save(tx, rollout); });
    }
    bool decided_now = false;
    if (!rollout.pending) {
        const evidence::RolloutDecision decision = machine.decide(look_of(rollout, answers, now_us));
        rollout.evidence = gyre::to_json(decision.finding);
        note_look(rollout, decision.finding, now_us);
        const bool moves = decision.action == RolloutAction::increased ||
                           decision.action == RolloutAction::promoted ||
                           decision.action == RolloutAction::rolled_back;
        if (moves) {
            rollout.pending =
                PendingChange{decision.action, decision.exposure, now_us + rollout.options.effect_delay.us};
            rollout.reason = decision.finding.reason;
            decided_now = true;
        }
    }
    rollout.machine = machine.state();
    const bool due = rollout.pending && now_us >= rollout.pending->effective_us;
    GYRE_TRY_VOID(database_.write([&](storage::Transaction& tx) -> Result<void> {
        if (decided_now) {
            GYRE_TRY_VOID(append_event(tx, "rollout.verdict", rollout, system_principal(), now_us));
        }
        return due ? apply(tx, rollout, system_principal()) : save(tx, rollout);
    }));
    return due ? settle(rollout.endpoint) : Result<void>();
}

Result<void> Rollouts::apply(storage::Transaction& tx, Rollout& rollout, const Principal& principal) {
    const PendingChange change = *rollout.pending;
    rollout.pending.reset();
    rollout.exposure = change.exposure;
    std::string_view event = "rollout.step";
    if (change.action == RolloutAction::promoted) {
        rollout.state = RolloutState::promoted;
        rollout.exposure = 1.0;
        event = "rollout.promoted";
    } else if (change.action == RolloutAction::rolled_back) {
        rollout.state = RolloutState::rolled_back;
        rollout.exposure = 0.0;
        event = "rollout.rolled_back";
    } else {
        rollout.state = RolloutState::exposing;
    }
    if (is_over(rollout.state)) {
        rollout.ended_us = rollout.as_of_us;
    }
    remember(rollout, rollout.as_of_us);
    GYRE_TRY_VOID(place(tx, rollout, gyre::name_of(change.action), principal));
    if (rollout.state == RolloutState::promoted) {
        GYRE_TRY(const ModelRef ref, parse_model_ref(rollout.candidate));
        GYRE_TRY_VOID(promote_alias_(tx, ref.name, ref.version.value_or(1)));
    }
    GYRE_TRY_VOID(save(tx, rollout));
    return append_event(tx, event, rollout, principal, rollout.as_of_us);
}

Result<Rollout> Rollouts::change(const std::string& id,
                                 const std::function<Result<void>(storage::Transaction&, Rollout&)>& body) {
    const std::scoped_lock lock(tick_mutex_);
    GYRE_TRY(Rollout rollout, database_.write([&](storage::Transaction& tx) -> Result<Rollout> {
        GYRE_TRY(Rollout found, find(tx, id));
        if (!is_over(found.state)) {
            GYRE_TRY_VOID(body(tx, found));
        }
        return found;
    }));
    GYRE_TRY_VOID(settle(rollout.endpoint));
    return rollout;
}

Result<Rollout> Rollouts::promote(const std::string& id, const Principal& principal) {
    return change(id, [&](storage::Transaction& tx, Rollout& rollout) -> Result<void> {
        GYRE_TRY_VOID(supersede_open(tx, rollout, rollout.as_of_us, principal));  // when it was waiting
        rollout.reason = "promoted by " + principal.name;
        rollout.pending = PendingChange{RolloutAction::promoted, 1.0, rollout.as_of_us};
        return apply(tx, rollout, principal);
    });
}

Result<Rollout> Rollouts::abort(const std::string& id, const Principal& principal) {
    return change(id, [&](storage::Transaction& tx, Rollout& rollout) -> Result<void> {
        const bool was_open = rollout.state != RolloutState::scheduled;
        GYRE_TRY_VOID(retire(tx, rollout, "aborted by " + principal.name, rollout.as_of_us, principal));
        // One that waits has no part in the endpoint, where another may be open.
        return was_open ? place(tx, rollout, "aborted", principal) : Result<void>();
    });
}

Result<Rollout> Rollouts::set_paused(const std::string& id, const Principal& principal, bool paused) {
    return change(id, [&](storage::Transaction& tx, Rollout& rollout) -> Result<void> {
        rollout.paused = paused;
        rollout.reason = (paused ? "paused by " : "resumed by ") + principal.name;
        GYRE_TRY_VOID(save(tx, rollout));
        return append_event(tx, paused ? "rollout.paused" : "rollout.resumed", rollout, principal,
                            rollout.as_of_us);
    });
}

Result<Rollout> Rollouts::get(const std::string& id) {
    return database_.read([&](storage::Reader& reader) { return find(reader, id); });
}

Result<std::vector<Rollout>> Rollouts::list(const std::string& endpoint) {
    return database_.read([&](storage::Reader& reader) { return find_all(reader, endpoint); });
}

Result<std::optional<Rollout>> Rollouts::open_on(const std::string& endpoint) {
    return database_.read([&](storage::Reader& reader) { return find_open(reader, endpoint); });
}

}  // namespace gyre::loop
