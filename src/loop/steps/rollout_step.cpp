#include "loop/rollout_policy.h"
#include "loop/steps/step_kinds.h"

namespace gyre::loop {
namespace {

struct Params {
    std::string endpoint;
    std::string model;
    Policy policy = Policy::sequential;
    RolloutOptions options;
    static constexpr auto fields() {
        return std::tuple{Field{"endpoint", &Params::endpoint, "Endpoint whose champion may change."},
                          Field{"model", &Params::model, "Version that may replace it, such as flights/3."},
                          Field{"policy", &Params::policy, "Who decides.", optional_field},
                          Field{"options", &Params::options, "The policy's numbers.", optional_field}};
    }
    [[nodiscard]] Result<void> check() const {
        GYRE_TRY_VOID(RolloutMachine::start(policy, options, 0));
        return {};
    }
};

Result<Json> start_rollout(const StepServices& services, const pipelines::StepContext& context,
                           const Params& params) {
    GYRE_TRY(const serving::StoredEndpoint stored, services.serving.get(params.endpoint));
    NewRollout request;
    request.endpoint = params.endpoint;
    request.model = params.model;
    request.policy = params.policy;
    request.options = params.options;
    request.cause = "pipeline run " + context.run_id;
    if (const Json* type = context.trigger.find("type"); type != nullptr && type->is_string()) {
        request.cause += ", by " + type->as_string();
    }
    request.origin = "pipeline " + context.pipeline;
    request.principal = context.principal;
    request.as_of_us = context.as_of_us;
    if (stored.spec.own_clock) {
        request.as_of_us += services.effect_delay_us;
        if (request.options.effect_delay == Duration{}) {
            request.options.effect_delay = Duration{services.effect_delay_us};
        }
    }
    GYRE_TRY(Rollout rollout, services.rollouts.schedule(request));
    if (!stored.spec.own_clock) {  // a replay's clock starts it; else it starts now, unless another is open
        GYRE_TRY_VOID(services.rollouts.start_due(params.endpoint, request.as_of_us));
        GYRE_TRY(rollout, services.rollouts.get(rollout.id));
    }
    if (rollout.state == RolloutState::rolled_back) {  // it can end at its start for one reason only
        return unavailable("rollout " + rollout.id + " has ended: " + rollout.reason);
    }
    return Json::object({{"rollout", rollout.id}, {"starts_at", format_rfc3339(rollout.started_us)}});
}

}  // namespace

pipelines::StepKind rollout_kind() {
    return described_kind<Params>("rollout", "Replace an endpoint's champion, if the evidence says so.");
}

Result<void> add_rollout_step(pipelines::StepKinds& kinds, const StepServices& services) {
    return kinds.add(typed_step<Params>(
        rollout_kind(), [services](const pipelines::StepContext& context, const Params& params) {
            return start_rollout(services, context, params);
        }));
}

}  // namespace gyre::loop
