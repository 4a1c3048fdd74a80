#include "loop/rollouts.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "base/id.h"
#include "base/log.h"
#include "base/model_ref.h"
#include "events/events.h"
#include "loop/rollout_policy.h"
#include "loop/rollout_store.h"

namespace gyre::loop {
namespace {

using evidence::Arm;
using evidence::RolloutAction;

constexpr double kRegressionScaleFactor = 3.0;

void remember(Rollout& rollout, std::int64_t time_us) {
    if (rollout.history.size() < kRolloutHistoryMax) {
        rollout.history.push_back(
            {format_rfc3339(time_us), rollout.state, rollout.exposure, rollout.evidence});
    }
}

/// The endpoint's variants while the rollout stands where it stands.
void place_candidate(serving::EndpointSpec& spec, const Rollout& rollout) {
    std::erase_if(spec.variants,
                  [](const serving::Variant& v) { return v.role == serving::Role::candidate; });
    serving::Variant* champion = nullptr;
    for (serving::Variant& variant : spec.variants) {
        champion = variant.role == serving::Role::champion ? &variant : champion;
    }
    const auto ref = parse_model_ref(rollout.candidate);
    if (champion == nullptr || !ref || !ref->version) {
        return;
    }
    if (rollout.state == RolloutState::promoted) {
        champion->model = ref->name;
        champion->version = *ref->version;
        champion->weight = 1.0;
        return;
    }
    champion->weight = 1.0;
    if (!is_over(rollout.state)) {
        champion->weight = 1.0 - rollout.exposure;
        spec.variants.push_back(
            {"candidate", ref->name, *ref->version, serving::Role::candidate, rollout.exposure});
    }
}

Result<void> append_event(storage::Transaction& tx, std::string_view type, const Rollout& rollout,
                          const Principal& principal, std::int64_t as_of_us) {
    Json data = Json::object({{"rollout", rollout.id},
                              {"champion", rollout.champion},
                              {"candidate", rollout.candidate},
                              {"policy", gyre::name_of(rollout.policy)},
                              {"state", gyre::name_of(rollout.state)},
                              {"exposure", rollout.exposure},
                              {"reason", rollout.reason},
                              {"cause", rollout.cause},
                              {"exposed_predictions", rollout.exposed_predictions},
                              {"evidence", rollout.evidence}});
    if (rollout.pending) {
        data.set("effective_at", format_rfc3339(rollout.pending->effective_us));
        data.set("action", gyre::name_of(rollout.pending->action));
    }
    const events::NewEvent event{std::string(type), "endpoint/" + rollout.endpoint, principal, as_of_us,
                                 std::move(data)};
    GYRE_TRY(const events::Event appended, events::append(tx, event));
    static_cast<void>(appended);
    return {};
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

Result<Rollout> Rollouts::prepare(const NewRollout& request) {
    GYRE_TRY(const ModelFacts facts, facts_(request.model));
    GYRE_TRY(const RolloutMachine machine,
             RolloutMachine::start(request.policy, request.options, request.as_of_us));
    GYRE_TRY(const std::int64_t delay_us, parse_duration_us(request.options.effect_delay));
    static_cast<void>(delay_us);
    Rollout rollout;
    rollout.id = make_uuid7(clock_);
    rollout.endpoint = request.endpoint;
    rollout.candidate = request.model;
    rollout.policy = request.policy;
    rollout.options = request.options;
    if (facts.task == serving::Task::regression && rollout.options.loss_scale <= 0.0) {
        rollout.options.loss_scale = kRegressionScaleFactor * std::max(facts.rmse, 1e-9);
    }
    rollout.state = RolloutState::scheduled;
    rollout.reason = "starts at " + format_rfc3339(request.as_of_us);
    rollout.cause = request.cause;
    rollout.started_us = request.as_of_us;
    rollout.as_of_us = request.as_of_us;
    rollout.machine = machine.state();
    return rollout;
}

Result<void> Rollouts::begin(storage::Transaction& tx, Rollout& rollout, const Principal& principal) {
    GYRE_TRY(serving::StoredEndpoint stored, serving::get_endpoint(tx, principal.project, rollout.endpoint));
    GYRE_TRY(const RolloutMachine machine, RolloutMachine::parse(rollout.policy, rollout.machine));
    rollout.champion = stored.spec.champion()->ref();
    if (rollout.champion == rollout.candidate) {
        return invalid_argument("'" + rollout.candidate + "' is the champion of '" + rollout.endpoint +
                                "' already");
    }
    GYRE_TRY(std::optional<Rollout> open, find_open(tx, rollout.endpoint));
    if (open) {
        open->state = RolloutState::aborted;
        open->exposure = 0.0;
        open->reason = "superseded by " + rollout.candidate;
        open->ended_us = rollout.started_us;
        open->pending.reset();
        remember(*open, rollout.started_us);
        GYRE_TRY_VOID(save(tx, *open));
        GYRE_TRY_VOID(append_event(tx, "rollout.aborted", *open, principal, rollout.started_us));
    }
    rollout.state = machine.is_paired() ? RolloutState::paired : RolloutState::exposing;
    rollout.exposure = machine.first_exposure();
    rollout.reason =
        machine.is_paired() ? "gathers paired evidence; nobody is exposed" : "exposes the candidate";
    remember(rollout, rollout.started_us);
    place_candidate(stored.spec, rollout);
    const serving::Change change{principal, "rollout " + rollout.id + " started", rollout.started_us};
    GYRE_TRY(const serving::StoredEndpoint updated, serving::update_endpoint(tx, stored.spec, change));
    static_cast<void>(updated);
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
    GYRE_TRY_VOID(settle(request.endpoint));
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

double Rollouts::loss_of(const Rollout& rollout, serving::Task task, double score, double label) const {
    const double error = score - label;
    if (task == serving::Task::classification) {
        return std::clamp(error * error, 0.0, 1.0);
    }
    const double scaled = error / rollout.options.loss_scale;
    return std::clamp(scaled * scaled, 0.0, 1.0);
}

Result<Rollouts::Counted> Rollouts::next_rows(Rollout& rollout, std::int64_t now_us) const {
    GYRE_TRY(const std::int64_t lateness_us, parse_duration_us(rollout.options.label_lateness));
    GYRE_TRY(const std::int64_t period_us, parse_duration_us(rollout.options.period));
    const std::int64_t period = std::max<std::int64_t>(period_us, 1);
    Counted counted{std::max(rollout.counted_until_us, rollout.started_us),
                    (now_us - lateness_us) / period * period};
    counted.until_us = std::max(counted.until_us, counted.from_us);
    rollout.counted_until_us = counted.until_us;
    return counted;
}

Result<void> Rollouts::observe_pairs(Rollout& rollout, RolloutMachine& machine, std::int64_t now_us) {
    GYRE_TRY(const serving::StoredEndpoint stored, serving_.get(rollout.endpoint));
    GYRE_TRY(const Counted span, next_rows(rollout, now_us));
    const auto scored = [&](const std::string& model) {
        return scores_.scored_rows({rollout.endpoint, model, span.from_us, span.until_us, now_us});
    };
    const auto champion = scored(rollout.champion);
    std::map<monitoring::RequestKey, double> champion_scores;
    for (const monitoring::ScoredRow& row : champion) {
        champion_scores.emplace(row.key, static_cast<double>(row.score));
    }
    for (const monitoring::ScoredRow& row : scored(rollout.candidate)) {
        const auto other = champion_scores.find(row.key);
        if (!row.label || other == champion_scores.end()) {
            continue;
        }
        GYRE_TRY_VOID(machine.observe_pair(
            loss_of(rollout, stored.spec.task, static_cast<double>(row.score), *row.label),
            loss_of(rollout, stored.spec.task, other->second, *row.label)));
    }
    return {};
}

Result<void> Rollouts::observe_arms(Rollout& rollout, RolloutMachine& machine, std::int64_t now_us) {
    GYRE_TRY(const serving::StoredEndpoint stored, serving_.get(rollout.endpoint));
    GYRE_TRY(const Counted span, next_rows(rollout, now_us));
    struct Seen {
        std::int64_t time_us;
        monitoring::RequestKey key;
        Arm arm;
        double loss;
    };
    std::vector<Seen> seen;
    for (const auto& [arm, model] :
         {std::pair(Arm::candidate, rollout.candidate), std::pair(Arm::champion, rollout.champion)}) {
        for (const monitoring::ScoredRow& row :
             scores_.scored_rows({rollout.endpoint, model, span.from_us, span.until_us, now_us})) {
            if (row.answered && row.label) {
                seen.push_back(
                    {row.event_time_us, row.key, arm,
                     loss_of(rollout, stored.spec.task, static_cast<double>(row.score), *row.label)});
            }
        }
    }
    std::sort(seen.begin(), seen.end(), [](const Seen& a, const Seen& b) {
        return std::tie(a.time_us, a.key) < std::tie(b.time_us, b.key);
    });
    for (const Seen& row : seen) {
        GYRE_TRY_VOID(machine.observe_arm(row.arm, row.loss));
    }
    return {};
}

Result<void> Rollouts::observe_requests(Rollout& rollout, RolloutMachine& machine, std::int64_t now_us) {
    const auto points = scores_.traffic(rollout.endpoint, kUsPerHour, rollout.as_of_us, now_us);
    for (const monitoring::TrafficPoint& point : points) {
        const evidence::ArmCounts counts{point.predictions + point.errors, point.errors};
        if (point.model == rollout.candidate) {
            rollout.exposed_predictions += point.predictions;
            machine.observe_requests(Arm::candidate, counts);
        } else if (point.model == rollout.champion) {
            machine.observe_requests(Arm::champion, counts);
        }
    }
    return {};
}

Result<void> Rollouts::observe(Rollout& rollout, RolloutMachine& machine, std::int64_t now_us) {
    GYRE_TRY_VOID(observe_requests(rollout, machine, now_us));
    return machine.is_paired() ? observe_pairs(rollout, machine, now_us)
                               : observe_arms(rollout, machine, now_us);
}

Result<void> Rollouts::begin_due(const std::string& endpoint, std::int64_t now_us) {
    GYRE_TRY(std::vector<Rollout> scheduled,
             database_.read([&](storage::Reader& reader) { return find_scheduled(reader, endpoint); }));
    for (Rollout& rollout : scheduled) {
        if (rollout.started_us > now_us) {
            continue;
        }
        GYRE_TRY_VOID(database_.write([&](storage::Transaction& tx) -> Result<void> {
            auto begun = begin(tx, rollout, system_principal());
            if (begun || begun.error().code() != ErrorCode::invalid_argument) {
                return begun;
            }
            rollout.state = RolloutState::aborted;  // it became the champion meanwhile
            rollout.reason = begun.error().message();
            rollout.ended_us = now_us;
            GYRE_TRY_VOID(save(tx, rollout));
            return append_event(tx, "rollout.aborted", rollout, system_principal(), now_us);
        }));
        GYRE_TRY_VOID(settle(endpoint));
    }
    return {};
}

Result<void> Rollouts::tick(const std::string& endpoint, std::int64_t now_us) {
    const std::scoped_lock lock(tick_mutex_);
    GYRE_TRY(std::optional<Rollout> open, open_on(endpoint));
    if (open && !open->paused && now_us > open->as_of_us) {
        GYRE_TRY_VOID(look(*open, now_us));
    }
    return begin_due(endpoint, now_us);
}

Result<void> Rollouts::look(Rollout& rollout, std::int64_t now_us) {
    GYRE_TRY(RolloutMachine machine, RolloutMachine::parse(rollout.policy, rollout.machine));
    GYRE_TRY_VOID(observe(rollout, machine, now_us));
    rollout.as_of_us = now_us;
    if (rollout.pending && now_us < rollout.pending->effective_us) {  // decided, and waiting for its time
        rollout.machine = machine.state();
        return database_.write([&](storage::Transaction& tx) { return save(tx, rollout); });
    }
    bool decided_now = false;
    if (!rollout.pending) {
        GYRE_TRY(const std::int64_t min_us, parse_duration_us(rollout.options.min_span));
        const evidence::RolloutDecision decision =
            machine.decide(now_us, rollout.counted_until_us - rollout.started_us, min_us);
        rollout.evidence = gyre::to_json(decision.finding);
        note_look(rollout, decision.finding, now_us);
        const bool moves = decision.action == RolloutAction::increased ||
                           decision.action == RolloutAction::promoted ||
                           decision.action == RolloutAction::rolled_back;
        if (moves) {
            GYRE_TRY(const std::int64_t delay_us, parse_duration_us(rollout.options.effect_delay));
            rollout.pending = PendingChange{decision.action, decision.exposure, now_us + delay_us};
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
    GYRE_TRY(serving::StoredEndpoint stored, serving::get_endpoint(tx, principal.project, rollout.endpoint));
    place_candidate(stored.spec, rollout);
    const serving::Change cause{principal,
                                "rollout " + rollout.id + ": " + std::string(gyre::name_of(change.action)),
                                rollout.as_of_us};
    GYRE_TRY(const serving::StoredEndpoint updated, serving::update_endpoint(tx, stored.spec, cause));
    static_cast<void>(updated);
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
    return change(id, [&](storage::Transaction& tx, Rollout& rollout) {
        rollout.reason = "promoted by " + principal.name;
        rollout.pending = PendingChange{RolloutAction::promoted, 1.0, rollout.as_of_us};
        return apply(tx, rollout, principal);
    });
}

Result<Rollout> Rollouts::abort(const std::string& id, const Principal& principal) {
    return change(id, [&](storage::Transaction& tx, Rollout& rollout) {
        rollout.reason = "aborted by " + principal.name;
        rollout.pending = PendingChange{RolloutAction::rolled_back, 0.0, rollout.as_of_us};
        return apply(tx, rollout, principal);
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
