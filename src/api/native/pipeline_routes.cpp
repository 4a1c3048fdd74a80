#include "api/native/loop_routes.h"

namespace gyre::api {
namespace {

constexpr std::int64_t kRunsShownMax = 200;
constexpr std::size_t kDecisionsShown = 200;

struct NameIn {
    std::string name;
    static constexpr auto fields() { return std::tuple{Field{"name", &NameIn::name, "Pipeline."}}; }
};

struct IdIn {
    std::string id;
    static constexpr auto fields() { return std::tuple{Field{"id", &IdIn::id, "Run."}}; }
};

struct RunsIn {
    std::string pipeline;
    std::string before;
    std::int64_t limit = 50;
    static constexpr auto fields() {
        return std::tuple{Field{"pipeline", &RunsIn::pipeline, "Only this pipeline's.", optional_field},
                          Field{"before", &RunsIn::before, "Run to go on from.", optional_field},
                          Field{"limit", &RunsIn::limit, "Runs at most, up to 200.", optional_field}};
    }
};

struct PutIn {
    std::string yaml;
    static constexpr auto fields() { return std::tuple{Field{"yaml", &PutIn::yaml, "The pipeline file."}}; }
};

struct StartIn {
    std::string name;
    Json params = Json::object();
    std::string as_of;
    static constexpr auto fields() {
        return std::tuple{Field{"name", &StartIn::name, "Pipeline."},
                          Field{"params", &StartIn::params, "Parameters of the run.", optional_field},
                          Field{"as_of", &StartIn::as_of, "Event time that it may know; now, unless given.",
                                optional_field}};
    }
};

template <class Records>
Json listed(std::string_view name, const Records& records) {
    Json items = Json::array();
    for (const auto& record : records) {
        items.push_back(to_json(record));
    }
    return Json::object({{std::string(name), std::move(items)}});
}

Result<Json> start_run(pipelines::Engine& engine, const Context& context, const StartIn& in) {
    pipelines::StartRun start{in.name, in.params, std::nullopt};
    if (!in.as_of.empty()) {
        GYRE_TRY(start.as_of_us, parse_rfc3339(in.as_of));
    }
    GYRE_TRY(const pipelines::RunRecord run, engine.start_run(start, context.principal));
    return to_json(run);
}

/// Nothing listed of a pipeline is an answer only when there is such a pipeline; a removed one's past stays.
template <class Record>
Result<void> check_known(pipelines::Engine& engine, const std::string& pipeline,
                         const std::vector<Record>& listed) {
    if (!pipeline.empty() && listed.empty()) {
        GYRE_TRY_VOID(engine.get_pipeline(pipeline));
    }
    return {};
}

/// Outputs of steps may be large; the answer about one run has them.
Result<Json> list_runs(pipelines::Engine& engine, const RunsIn& in) {
    if (in.limit < 1 || in.limit > kRunsShownMax) {
        return invalid_argument("field 'limit': expected 1 to " + std::to_string(kRunsShownMax) + ", got " +
                                std::to_string(in.limit));
    }
    GYRE_TRY(std::vector<pipelines::RunRecord> runs,
             engine.list_runs({in.pipeline, in.before, static_cast<std::size_t>(in.limit)}));
    GYRE_TRY_VOID(check_known(engine, in.pipeline, runs));
    for (pipelines::RunRecord& run : runs) {
        for (pipelines::StepRecord& step : run.steps) {
            step.outputs = Json::object();
        }
    }
    return listed("runs", runs);
}

RouteDoc doc(http::Method method, std::string_view path, std::string_view id, std::string_view summary,
             Access access) {
    return {.method = method,
            .path = path,
            .id = id,
            .summary = summary,
            .access = access,
            .pool = PoolName::sql,
            .tag = "pipelines"};
}

}  // namespace

void add_pipeline_routes(RouteTable& table, pipelines::Engine& engine) {
    using http::Method;
    table.typed<Empty, Json>(
        doc(Method::get, "/api/gyre/v1/pipelines", "list_pipelines", "All pipelines.", Access::read),
        [&engine](Context&, const Empty&) -> Result<Json> {
            GYRE_TRY(const auto pipelines, engine.list_pipelines());
            return listed("pipelines", pipelines);
        });
    table.typed<PutIn, Json>(doc(Method::post, "/api/gyre/v1/pipelines", "put_pipeline",
                                 "Create or replace a pipeline.", Access::write),
                             [&engine](Context& context, const PutIn& in) -> Result<Json> {
                                 GYRE_TRY(const pipelines::PipelineRecord record,
                                          engine.put_pipeline(in.yaml, context.principal));
                                 return to_json(record);
                             });
    table.typed<NameIn, Json>(
        doc(Method::get, "/api/gyre/v1/pipelines/{name}", "get_pipeline", "One pipeline.", Access::read),
        [&engine](Context&, const NameIn& in) -> Result<Json> {
            GYRE_TRY(const pipelines::PipelineRecord record, engine.get_pipeline(in.name));
            return to_json(record);
        });
    table.typed<NameIn, Json>(doc(Method::del, "/api/gyre/v1/pipelines/{name}", "remove_pipeline",
                                  "Remove a pipeline; its runs stay.", Access::write),
                              [&engine](Context& context, const NameIn& in) -> Result<Json> {
                                  GYRE_TRY(const pipelines::PipelineRecord record,
                                           engine.remove_pipeline(in.name, context.principal));
                                  return to_json(record);
                              });
    RouteDoc run = doc(Method::post, "/api/gyre/v1/pipelines/{name}/runs", "run_pipeline", "Start a run.",
                       Access::write);
    run.success = 201;
    table.typed<StartIn, Json>(
        run, [&engine](Context& context, const StartIn& in) { return start_run(engine, context, in); });
    table.typed<NameIn, Json>(
        doc(Method::get, "/api/gyre/v1/pipelines/{name}/decisions", "list_pipeline_decisions",
            "What triggers decided, and why nothing ran.", Access::read),
        [&engine](Context&, const NameIn& in) -> Result<Json> {
            GYRE_TRY(const auto decisions, engine.list_decisions(in.name, kDecisionsShown));
            GYRE_TRY_VOID(check_known(engine, in.name, decisions));
            return listed("decisions", decisions);
        });
    table.typed<RunsIn, Json>(doc(Method::get, "/api/gyre/v1/pipeline-runs", "list_pipeline_runs",
                                  "Runs with the states of their steps, newest first.", Access::read),
                              [&engine](Context&, const RunsIn& in) { return list_runs(engine, in); });
    table.typed<IdIn, Json>(
        doc(Method::get, "/api/gyre/v1/pipeline-runs/{id}", "get_pipeline_run", "One run.", Access::read),
        [&engine](Context&, const IdIn& in) -> Result<Json> {
            GYRE_TRY(const pipelines::RunRecord record, engine.get_run(in.id));
            return to_json(record);
        });
    table.typed<IdIn, Json>(doc(Method::post, "/api/gyre/v1/pipeline-runs/{id}/cancel", "cancel_pipeline_run",
                                "End a run.", Access::write),
                            [&engine](Context& context, const IdIn& in) -> Result<Json> {
                                GYRE_TRY(const pipelines::RunRecord record,
                                         engine.cancel(in.id, context.principal));
                                return to_json(record);
                            });
}

}  // namespace gyre::api
