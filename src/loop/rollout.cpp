#include "loop/rollout.h"

#include "base/clock.h"

namespace gyre::loop {

Json api_json(const Rollout& rollout) {
    Json evidence = Json::object();
    const Json& finding = rollout.evidence;
    if (finding.is_object()) {
        evidence = finding;
    }
    Json steps = Json::array();
    const std::vector<double>& shares = rollout.policy == Policy::unpaired ? rollout.options.unpaired.steps
                                                                           : rollout.options.sequential.steps;
    for (const double share : shares) {
        steps.push_back(share);
    }
    Json history = Json::array();
    for (const RolloutMoment& moment : rollout.history) {
        history.push_back(gyre::to_json(moment));
    }
    Json out = Json::object(
        {{"id", rollout.id},
         {"endpoint", rollout.endpoint},
         {"champion", rollout.champion},
         {"candidate", rollout.candidate},
         {"policy", gyre::name_of(rollout.policy)},
         {"state",
          rollout.paused && !is_over(rollout.state) ? Json("paused") : Json(gyre::name_of(rollout.state))},
         {"exposure", rollout.exposure},
         {"reason", rollout.reason},
         {"cause", rollout.cause},
         {"started_at", format_rfc3339(rollout.started_us)},
         {"as_of", format_rfc3339(rollout.as_of_us)},
         {"ended_at", rollout.ended_us == 0 ? Json() : Json(format_rfc3339(rollout.ended_us))},
         {"evidence", std::move(evidence)},
         {"steps", std::move(steps)},
         {"exposed_predictions", rollout.exposed_predictions},
         {"history", std::move(history)}});
    if (rollout.pending) {
        out.set("pending", Json::object({{"action", gyre::name_of(rollout.pending->action)},
                                         {"exposure", rollout.pending->exposure},
                                         {"effective_at", format_rfc3339(rollout.pending->effective_us)}}));
    }
    return out;
}

}  // namespace gyre::loop
