#pragma once
// Rollouts: their store, and the controller that moves them along.
//
// A tick looks at every open rollout of an endpoint at one event time: it feeds the policy with what has
// become known since the last tick, records what the policy decides, and applies what is due. Each move is
// one transaction: the rollout, the endpoint's variants, the registry's alias and the Events. The same rows
// and ticks give the same decisions. Thread-safe; ticks of one endpoint are run by one thread at a time.
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/principal.h"
#include "loop/limits.h"
#include "loop/rollout.h"
#include "monitoring/score_store.h"
#include "serving/serving.h"
#include "storage/sql/database.h"

namespace gyre::loop {

struct NewRollout {
    std::string endpoint;
    std::string model;  // "flights/2": a version number, not an alias
    Policy policy = Policy::sequential;
    RolloutOptions options;
    std::string cause;
    std::string origin;         // of those that wait, the newest of an origin replaces the others
    std::int64_t as_of_us = 0;  // event time at which it starts
    Principal principal;
};

/// Baseline figures of a model that a rollout needs.
struct ModelFacts {
    serving::Task task = serving::Task::classification;
    double rmse = 0.0;                      // regression: of its evaluation; 0 when unknown
    std::vector<std::string> columns = {};  // that a request gives
};
using FactsProvider = std::function<Result<ModelFacts>(const std::string& model_ref)>;
/// Moves the registry's alias "champion" inside the transaction of a promotion.
using PromoteAlias =
    std::function<Result<void>(storage::Transaction&, const std::string& model, std::int64_t version)>;

class RolloutMachine;
struct StepAnswers;

class Rollouts {
 public:
    Rollouts(storage::Database& database, serving::Serving& serving, monitoring::ScoreStore& scores,
             FactsProvider facts, PromoteAlias promote_alias, const Clock& clock);

    /// Starts a rollout at its event time: now, or when a tick reaches it. One that is open then is
    /// superseded. When it starts now, waits until the candidate is loaded. Errors: not_found,
    /// invalid_argument (options; the candidate is the champion), unavailable (the candidate does not load,
    /// which has ended the rollout).
    Result<Rollout> start(const NewRollout& request);
    /// Records a rollout that starts at the first tick at or after `request.as_of_us` that finds none open: a
    /// candidate that is being judged is not interrupted by the next. Of those that wait the earliest goes
    /// first; of one origin only the newest goes. The same cause and candidate are recorded once. Errors:
    /// as start, and resource_exhausted (kRolloutsWaitingMax wait).
    Result<Rollout> schedule(const NewRollout& request);
    /// Starts the one whose turn it is, without a look at the open one.
    Result<void> start_due(const std::string& endpoint, std::int64_t now_us);
    Result<void> settle(const std::string& endpoint);
    /// Ends the open rollout as rolled_back when its candidate can never be served: it failed to load, or
    /// takes other columns. Returns whether it did.
    Result<bool> end_unservable(const std::string& endpoint);

    /// Looks at the endpoint's open rollout at event time `now_us`.
    Result<void> tick(const std::string& endpoint, std::int64_t now_us);

    // What people do. Each is idempotent; abort always wins.
    Result<Rollout> promote(const std::string& id, const Principal& principal);
    Result<Rollout> abort(const std::string& id, const Principal& principal);
    Result<Rollout> set_paused(const std::string& id, const Principal& principal, bool paused);

    Result<Rollout> get(const std::string& id);
    /// Newest first; all endpoints when `endpoint` is empty.
    Result<std::vector<Rollout>> list(const std::string& endpoint);
    Result<std::optional<Rollout>> open_on(const std::string& endpoint);

 private:
    Result<void> observe(Rollout& rollout, RolloutMachine& machine, std::int64_t now_us);
    /// Event times of the rows that count now and have not been counted.
    struct Counted {
        std::int64_t from_us = 0;
        std::int64_t until_us = 0;
    };
    static Counted next_rows(Rollout& rollout, std::int64_t now_us);
    Result<void> observe_pairs(Rollout& rollout, RolloutMachine& machine, std::int64_t now_us);
    Result<void> observe_arms(Rollout& rollout, RolloutMachine& machine, std::int64_t now_us);
    /// Requests since the last look, whenever they happened.
    void observe_requests(Rollout& rollout, RolloutMachine& machine) const;
    [[nodiscard]] RolloutTraffic traffic_of(const Rollout& rollout) const;
    /// Latencies and scores of the present step's answers, up to now.
    Result<void> observe_answers(Rollout& rollout, StepAnswers& answers, std::int64_t now_us);
    double loss_of(const Rollout& rollout, serving::Task task, double score, double label) const;
    Result<Rollout> prepare(const NewRollout& request);
    Result<void> define_loss(RolloutOptions& options, const NewRollout& request,
                             const serving::EndpointSpec& endpoint, const ModelFacts& candidate) const;
    Result<void> supersede_open(storage::Transaction& tx, const Rollout& next, std::int64_t now_us,
                                const Principal& principal) const;
    Result<void> begin(storage::Transaction& tx, Rollout& rollout, const Principal& principal);
    static Result<void> start_clock(Rollout& rollout, std::int64_t now_us);
    void remember(Rollout& rollout, std::int64_t time_us) const;
    Result<bool> end_unservable_locked(const std::string& endpoint);
    /// Ends a rollout as aborted, without a verdict; its variants are the caller's to place.
    Result<void> retire(storage::Transaction& tx, Rollout& rollout, std::string reason, std::int64_t now_us,
                        const Principal& principal) const;
    Result<void> begin_next(const std::string& endpoint, std::int64_t now_us);
    Result<void> look(Rollout& rollout, std::int64_t now_us);
    Result<void> apply(storage::Transaction& tx, Rollout& rollout, const Principal& principal);
    Result<Rollout> change(const std::string& id,
                           const std::function<Result<void>(storage::Transaction&, Rollout&)>& body);

    storage::Database& database_;
    serving::Serving& serving_;
    monitoring::ScoreStore& scores_;
    FactsProvider facts_;
    PromoteAlias promote_alias_;
    const Clock& clock_;
    std::mutex tick_mutex_;
};

}  // namespace gyre::loop
