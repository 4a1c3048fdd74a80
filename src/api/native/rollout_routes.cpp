#include "api/native/loop_routes.h"

namespace gyre::api {
namespace {

struct IdIn {
    std::string id;
    static constexpr auto fields() { return std::tuple{Field{"id", &IdIn::id, "Rollout."}}; }
};

struct ListIn {
    std::string endpoint;
    static constexpr auto fields() {
        return std::tuple{Field{"endpoint", &ListIn::endpoint, "Only this endpoint's.", optional_field}};
    }
};

struct StartIn {
    std::string endpoint;
    std::string model;
    loop::Policy policy = loop::Policy::sequential;
    loop::RolloutOptions options;
    static constexpr auto fields() {
        return std::tuple{Field{"endpoint", &StartIn::endpoint, "Endpoint whose champion may change."},
                          Field{"model", &StartIn::model, "Version that may replace it, such as flights/2."},
                          Field{"policy", &StartIn::policy, "Who decides.", optional_field},
                          Field{"options", &StartIn::options, "The policy's numbers.", optional_field}};
    }
};

struct ClockIn {
    std::string name;
    std::string now;
    static constexpr auto fields() {
        return std::tuple{Field{"name", &ClockIn::name, "Endpoint."},
                          Field{"now", &ClockIn::now, "Event time reached, RFC 3339."}};
    }
};

Result<Json> start(loop::Loop& loop, serving::Serving& serving, const Context& context, const StartIn& in) {
    GYRE_TRY(const serving::EndpointView view, serving.view(in.endpoint));
    if (view.stored.spec.source == serving::Source::repository) {
        return conflict("endpoint '" + in.endpoint +
                        "' is read from the model repository, where the newest version answers; deploy a "
                        "registered model with 'gyre deploy' to roll out another");
    }
    GYRE_TRY(const ModelRef ref, parse_model_ref(in.model));
    if (!ref.version) {
        return invalid_argument("field 'model': expected a version such as " + ref.name + "/2, got '" +
                                in.model + "'");
    }
    loop::NewRollout request;
    request.endpoint = in.endpoint;
    request.model = in.model;
    request.policy = in.policy;
    request.options = in.options;
    request.cause = "started by " + context.principal.name;
    request.principal = context.principal;
    request.as_of_us = loop.now_us(view);
    GYRE_TRY(const loop::Rollout rollout, loop.rollouts().start(request));
    return loop::api_json(rollout);
}

Result<Json> list(loop::Loop& loop, const std::string& endpoint) {
    GYRE_TRY(const std::vector<loop::Rollout> rollouts, loop.rollouts().list(endpoint));
    Json items = Json::array();
    for (const loop::Rollout& rollout : rollouts) {
        items.push_back(loop::api_json(rollout));
    }
    return Json::object({{"rollouts", std::move(items)}});
}

/// What a person asked for, or a conflict when the rollout had ended otherwise before.
Result<Json> changed(Result<loop::Rollout> rollout, std::string_view verb, bool done) {
    GYRE_TRY(const loop::Rollout now, std::move(rollout));
    if (!done) {
        return conflict("rollout '" + now.id + "' has ended as " + std::string(gyre::name_of(now.state)) +
                        " and cannot " + std::string(verb) + "; 'gyre rollout start' begins another");
    }
    return loop::api_json(now);
}

Result<Json> promote(loop::Loop& loop, const Context& context, const std::string& id) {
    auto rollout = loop.rollouts().promote(id, context.principal);
    const bool done = rollout && rollout->state == loop::RolloutState::promoted;
    return changed(std::move(rollout), "be promoted", done);
}

Result<Json> abort(loop::Loop& loop, const Context& context, const std::string& id) {
    auto rollout = loop.rollouts().abort(id, context.principal);
    const bool done = rollout && rollout->state == loop::RolloutState::aborted;
    return changed(std::move(rollout), "be aborted", done);
}

Result<Json> set_paused(loop::Loop& loop, const Context& context, const std::string& id, bool paused) {
    auto rollout = loop.rollouts().set_paused(id, context.principal, paused);
    const bool done = rollout && !loop::is_over(rollout->state);
    return changed(std::move(rollout), paused ? "be paused" : "be resumed", done);
}

RouteDoc doc(http::Method method, std::string_view path, std::string_view id, std::string_view summary,
             Access access) {
    return {.method = method,
            .path = path,
            .id = id,
            .summary = summary,
            .access = access,
            .pool = PoolName::sql,
            .tag = "rollouts"};
}

}  // namespace

void add_rollout_routes(RouteTable& table, loop::Loop& loop, serving::Serving& serving) {
    using http::Method;
    table.typed<ListIn, Json>(
        doc(Method::get, "/api/gyre/v1/rollouts", "list_rollouts", "Rollouts, newest first.", Access::read),
        [&loop](Context&, const ListIn& in) { return list(loop, in.endpoint); });
    table.typed<IdIn, Json>(
        doc(Method::get, "/api/gyre/v1/rollouts/{id}", "get_rollout", "One rollout.", Access::read),
        [&loop](Context&, const IdIn& in) -> Result<Json> {
            GYRE_TRY(const loop::Rollout rollout, loop.rollouts().get(in.id));
            return loop::api_json(rollout);
        });
    RouteDoc create = doc(Method::post, "/api/gyre/v1/rollouts", "start_rollout",
                          "Replace a champion, if the evidence says so.", Access::write);
    create.success = 201;
    table.typed<StartIn, Json>(create, [&loop, &serving](Context& context, const StartIn& in) {
        return start(loop, serving, context, in);
    });
    table.typed<IdIn, Json>(
        doc(Method::post, "/api/gyre/v1/rollouts/{id}/promote", "promote_rollout",
            "Promote the candidate now.", Access::write),
        [&loop](Context& context, const IdIn& in) { return promote(loop, context, in.id); });
    table.typed<IdIn, Json>(
        doc(Method::post, "/api/gyre/v1/rollouts/{id}/abort", "abort_rollout", "Back to the champion now.",
            Access::write),
        [&loop](Context& context, const IdIn& in) { return abort(loop, context, in.id); });
    table.typed<IdIn, Json>(
        doc(Method::post, "/api/gyre/v1/rollouts/{id}/pause", "pause_rollout", "Take no decision for now.",
            Access::write),
        [&loop](Context& context, const IdIn& in) { return set_paused(loop, context, in.id, true); });
    table.typed<IdIn, Json>(
        doc(Method::post, "/api/gyre/v1/rollouts/{id}/resume", "resume_rollout", "Decide again.",
            Access::write),
        [&loop](Context& context, const IdIn& in) { return set_paused(loop, context, in.id, false); });
    RouteDoc clock =
        doc(Method::post, "/api/gyre/v1/endpoints/{name}/clock", "move_clock",
            "Tell a replay's endpoint what time it is; answers when what is due has taken effect.",
            Access::write);
    clock.pool = PoolName::work;
    table.typed<ClockIn, Json>(clock, [&loop](Context&, const ClockIn& in) -> Result<Json> {
        GYRE_TRY(const std::int64_t now_us, parse_rfc3339(in.now));
        GYRE_TRY_VOID(loop.move_clock(in.name, now_us));
        return Json::object({{"now", format_rfc3339(now_us)}});
    });
}

}  // namespace gyre::api
