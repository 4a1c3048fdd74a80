#include "api/native/endpoint_routes.h"

#include <algorithm>

#include "api/native/predict_codec.h"
#include "api/predict.h"
#include "base/text.h"

namespace gyre::api {
namespace {

constexpr std::size_t kPredictBodyBytesMax = 64U << 20U;

struct NameIn {
    std::string name;
    static constexpr auto fields() { return std::tuple{Field{"name", &NameIn::name, "Endpoint."}}; }
};

struct ShadowIn {
    std::string name;
    std::string model;
    static constexpr auto fields() {
        return std::tuple{
            Field{"name", &ShadowIn::name, "Name of the variant."},
            Field{"model", &ShadowIn::model, "Model reference, such as flights/1 or flights@champion."}};
    }
};

struct CreateIn {
    std::string name;
    std::string model;
    std::optional<serving::Task> task;
    serving::TimeMode time = serving::TimeMode::arrival;
    std::string sticky_by = "request_id";
    std::int64_t future_skew_max_s = serving::kFutureSkewMaxDefaultS;
    bool own_clock = false;
    std::vector<ShadowIn> shadows;
    static constexpr auto fields() {
        using C = CreateIn;
        return std::tuple{
            Field{"name", &C::name, "Name that clients will call."},
            Field{"model", &C::model, "Champion: a model reference, such as flights/1 or flights@champion."},
            Field{"task", &C::task, "classification or regression; left out: what the model does.",
                  optional_field},
            Field{"time", &C::time, "event or arrival.", optional_field},
            Field{"sticky_by", &C::sticky_by, "request_id or a column.", optional_field},
            Field{"future_skew_max_s", &C::future_skew_max_s, "How far event times may be ahead.",
                  optional_field},
            Field{"own_clock", &C::own_clock, "A replay: POST .../clock moves its time.", optional_field},
            Field{"shadows", &C::shadows, "Variants that score every request and never answer.",
                  optional_field}};
    }
};

Json variant_json(const serving::VariantState& state) {
    return Json::object({{"name", state.spec.name},
                         {"model", state.spec.model},
                         {"version", state.spec.version},
                         {"role", gyre::name_of(state.spec.role)},
                         {"weight", state.spec.weight},
                         {"state", gyre::name_of(state.state)},
                         {"reason", state.reason}});
}

Json endpoint_json(const serving::EndpointView& view, const RolloutView& rollout) {
    const serving::EndpointSpec& spec = view.stored.spec;
    Json variants = Json::array();
    for (const serving::VariantState& state : view.variants) {
        variants.push_back(variant_json(state));
    }
    const serving::EndpointStats& stats = view.stats;
    const serving::Variant* champion = spec.champion();
    return Json::object(
        {{"name", spec.name},
         {"task", gyre::name_of(spec.task)},
         {"time", gyre::name_of(spec.time)},
         {"source", gyre::name_of(spec.source)},
         {"now", view.now_us && *view.now_us != 0 ? Json(format_rfc3339(*view.now_us)) : Json()},
         // Nobody created what a folder's file names say.
         {"created_at", spec.source == serving::Source::repository
                            ? Json()
                            : Json(format_rfc3339(view.stored.created_at_us))},
         {"generation", view.stored.generation},
         {"champion", champion == nullptr ? Json() : Json(champion->ref())},
         {"variants", std::move(variants)},
         {"rollout", rollout(spec.name)},
         {"stats", Json::object({{"requests", Json(stats.requests)},
                                 {"rows", Json(stats.rows)},
                                 {"errors", Json(stats.errors)},
                                 {"rps", stats.rps},
                                 {"p50_ms", stats.p50_ms},
                                 {"p99_ms", stats.p99_ms},
                                 {"shadow_dropped", Json(stats.shadow_dropped)}})}});
}

/// Said here, before anything is created that could never be served.
Result<void> check_sticky(const std::string& sticky_by, const ResolvedModel& model) {
    const std::vector<std::string_view> known(model.columns.begin(), model.columns.end());
    if (sticky_by == "request_id" || std::ranges::find(known, sticky_by) != known.end()) {
        return {};
    }
    return invalid_argument("sticky_by: model '" + model.name + "' has no column '" + sticky_by + "'" +
                            suggestion(sticky_by, known) + "; expected one of its columns, or request_id");
}

Result<void> refuse_repository(const serving::EndpointSpec& spec, std::string_view verb) {
    return spec.source == serving::Source::repository
               ? conflict("endpoint '" + spec.name + "' is read from the model repository and cannot " +
                          std::string(verb) + " here; change the folder and start the server again")
               : Result<void>();
}

class EndpointHandlers {
 public:
    EndpointHandlers(serving::Serving& serving, ModelResolver resolve, RolloutView rollout)
        : serving_(serving), resolve_(std::move(resolve)), rollout_(std::move(rollout)) {}

    Result<Json> list() {
        GYRE_TRY(const std::vector<serving::EndpointView> views, serving_.list());
        Json endpoints = Json::array();
        for (const serving::EndpointView& view : views) {
            endpoints.push_back(endpoint_json(view, rollout_));
        }
        return Json::object({{"endpoints", std::move(endpoints)}});
    }

    Result<Json> get(const std::string& name) {
        GYRE_TRY(const serving::EndpointView view, serving_.view(name));
        return endpoint_json(view, rollout_);
    }

    Result<Json> live(const std::string& name) {
        GYRE_TRY(const std::vector<serving::LivePoint> points, serving_.live(name));
        Json out = Json::array();
        for (const serving::LivePoint& point : points) {
            Json models = Json::array();
            for (const serving::ModelRate& one : point.models) {
                models.push_back(Json::object({{"variant", one.model}, {"rps", one.rps}}));
            }
            out.push_back(Json::object({{"time", format_rfc3339(point.time_us)},
                                        {"rps", point.rps},
                                        {"errors_per_s", point.errors_per_s},
                                        {"p50_ms", point.p50_ms},
                                        {"p99_ms", point.p99_ms},
                                        {"models", std::move(models)}}));
        }
        return Json::object({{"step_s", serving::kLiveStepS}, {"points", std::move(out)}});
    }

    Result<Json> create(Context& context, const CreateIn& in) {
        serving::EndpointSpec spec;
        spec.name = in.name;
        spec.time = in.time;
        spec.sticky_by = in.sticky_by;
        spec.future_skew_max_s = in.future_skew_max_s;
        spec.own_clock = in.own_clock;
        GYRE_TRY(const ModelRef ref, parse_model_ref(in.model));
        GYRE_TRY(const ResolvedModel champion, resolve_(ref));
        GYRE_TRY_VOID(check_sticky(in.sticky_by, champion));
        spec.task = in.task.value_or(champion.task);
        spec.variants.push_back({"champion", champion.name, champion.version, serving::Role::champion, 1.0});
        for (const ShadowIn& shadow : in.shadows) {
            GYRE_TRY(const ModelRef shadow_ref, parse_model_ref(shadow.model));
            GYRE_TRY(const ResolvedModel model, resolve_(shadow_ref));
            spec.variants.push_back({shadow.name, model.name, model.version, serving::Role::shadow, 0.0});
        }
        const serving::Change change{context.principal, "deployed"};
        GYRE_TRY(const serving::StoredEndpoint stored, serving_.create(spec, change));
        GYRE_TRY_VOID(serving_.wait_published(stored.spec.name, stored.generation));
        return get(in.name);
    }

    Result<Json> remove(Context& context, const std::string& name) {
        GYRE_TRY(const serving::StoredEndpoint stored, serving_.get(name));
        GYRE_TRY_VOID(refuse_repository(stored.spec, "be removed"));
        const serving::Change change{context.principal, "removed"};
        GYRE_TRY_VOID(serving_.remove(name, change));
        return Json::object();
    }

    Result<void> predict(Context& context) {
        serving::StageTimer stages(serving_.clock(), context.request.started_ns);
        GYRE_TRY(const PredictTarget target, find_target(serving_, context.param("name"), ""));
        thread_local serving::RowBuffer rows;
        thread_local native::PredictRequest request;
        GYRE_TRY_VOID(native::read_predict(context.request.body, target.model().signature(), rows, request));
        const auto texts = std::move(request.texts_owner);  // a large parser goes with this request
        stages.end(serving::Stage::parse);
        PredictInput input;
        input.stages = &stages;
        input.request_ids = request.request_ids.empty() ? nullptr : &request.request_ids;
        input.event_time_us = request.event_time_us;
        input.event_times_us = request.event_times_us;
        GYRE_TRY(const PredictOutput output, run_predict(serving_, target, rows, input, context));
        context.response.content_type = "application/json";
        native::write_predict({output.values, output.request_ids, output.variant->spec.model,
                               output.variant->version_text, output.variant->spec.name},
                              context.response.body);
        stages.end(serving::Stage::write);
        stages.record(output.variant->metrics.stages);
        return {};
    }

 private:
    serving::Serving& serving_;
    ModelResolver resolve_;
    RolloutView rollout_;
};

RouteDoc doc(http::Method method, std::string_view path, std::string_view id, std::string_view summary,
             Access access) {
    return {.method = method,
            .path = path,
            .id = id,
            .summary = summary,
            .access = access,
            .pool = PoolName::sql,
            .tag = "endpoints"};
}

}  // namespace

void add_endpoint_routes(RouteTable& table, serving::Serving& serving, ModelResolver resolve,
                         RolloutView rollout) {
    auto handlers = std::make_shared<EndpointHandlers>(serving, std::move(resolve), std::move(rollout));
    table.typed<Empty, Json>(doc(http::Method::get, "/api/gyre/v1/endpoints", "list_endpoints",
                                 "All endpoints with their state.", Access::read),
                             [handlers](Context&, const Empty&) { return handlers->list(); });
    table.typed<NameIn, Json>(doc(http::Method::get, "/api/gyre/v1/endpoints/{name}", "get_endpoint",
                                  "One endpoint.", Access::read),
                              [handlers](Context&, const NameIn& in) { return handlers->get(in.name); });
    table.typed<NameIn, Json>(
        doc(http::Method::get, "/api/gyre/v1/endpoints/{name}/live", "endpoint_live",
            "Rates and latencies of the last ten minutes, and which model versions answered.", Access::read),
        [handlers](Context&, const NameIn& in) { return handlers->live(in.name); });
    RouteDoc create = doc(http::Method::post, "/api/gyre/v1/endpoints", "create_endpoint",
                          "Deploy a model under a name.", Access::write);
    create.success = 201;
    table.typed<CreateIn, Json>(
        create, [handlers](Context& context, const CreateIn& in) { return handlers->create(context, in); });
    table.typed<NameIn, Json>(
        doc(http::Method::del, "/api/gyre/v1/endpoints/{name}", "remove_endpoint", "Remove an endpoint.",
            Access::write),
        [handlers](Context& context, const NameIn& in) { return handlers->remove(context, in.name); });
    RouteDoc predict = doc(http::Method::post, "/api/gyre/v1/endpoints/{name}/predict", "predict",
                           "Predict rows given as objects by column name.", Access::write);
    predict.pool = PoolName::inline_io;
    predict.body_bytes_max = kPredictBodyBytesMax;
    table.raw(predict, [handlers](Context& context) { return handlers->predict(context); });
}

}  // namespace gyre::api
