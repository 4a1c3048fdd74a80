#include "loop/rollout.h"

#include "loop/limits.h"

namespace gyre::loop {
namespace {

/// Every second look goes, the newest stays.
void thin(std::vector<RolloutLook>& looks) {
    std::size_t kept = 0;
    for (std::size_t i = 1; i < looks.size(); i += 2) {
        looks[kept++] = std::move(looks[i]);
    }
    looks.resize(kept);
}

}  // namespace

void note_look(Rollout& rollout, const evidence::Finding& finding, std::int64_t time_us) {
    std::vector<RolloutLook>& looks = rollout.looks;
    if (!finding.estimate || finding.n == 0) {
        return;
    }
    if (!looks.empty() && looks.back().metric == finding.metric && looks.back().n == finding.n) {
        return;
    }
    if (looks.size() >= kRolloutLooksMax) {
        thin(looks);
    }
    looks.push_back({format_rfc3339(time_us), finding.metric, finding.n, *finding.estimate, finding.low,
                     finding.high, finding.margin});
}

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
    Json looks = Json::array();
    for (const RolloutLook& look : rollout.looks) {
        looks.push_back(gyre::to_json(look));
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
         {"history", std::move(history)},
         {"looks", std::move(looks)}});
    if (rollout.policy == Policy::simple || rollout.policy == Policy::simple_literal) {
        out.set("success", rollout.options.simple.success.text());
    }
    if (rollout.pending) {
        out.set("pending", Json::object({{"action", gyre::name_of(rollout.pending->action)},
                                         {"exposure", rollout.pending->exposure},
                                         {"effective_at", format_rfc3339(rollout.pending->effective_us)}}));
    }
    return out;
}

}  // namespace gyre::loop
