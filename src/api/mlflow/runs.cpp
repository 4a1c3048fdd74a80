#include "api/mlflow/messages.h"
#include "api/mlflow/parts.h"

namespace gyre::api::mlflow {
namespace {

using http::Method;

struct CreateRun : Lenient {
    std::string experiment_id = {};
    std::string user_id = {};
    std::string run_name = {};
    std::int64_t start_time = 0;
    std::vector<Pair> tags = {};
    static constexpr auto fields() {
        return std::tuple{
            Field{"experiment_id", &CreateRun::experiment_id, "\"0\" when absent.", optional_field},
            Field{"user_id", &CreateRun::user_id, "Who runs it.", optional_field},
            Field{"run_name", &CreateRun::run_name, "Made up when absent.", optional_field},
            Field{"start_time", &CreateRun::start_time, "Unix ms.", optional_field},
            Field{"tags", &CreateRun::tags, "Tags.", optional_field}};
    }
};

struct UpdateRun : Lenient {
    std::string run_id;
    std::optional<tracking::RunStatus> status = {};
    std::optional<std::int64_t> end_time = {};
    std::string run_name = {};
    static constexpr auto fields() {
        return std::tuple{Field{"run_id", &UpdateRun::run_id, "The run."},
                          Field{"status", &UpdateRun::status, "Its new status.", optional_field},
                          Field{"end_time", &UpdateRun::end_time, "Unix ms.", optional_field},
                          Field{"run_name", &UpdateRun::run_name, "Its new name.", optional_field}};
    }
};

struct RunPair : Lenient {
    std::string run_id;
    std::string key;
    std::string value = {};
    static constexpr auto fields() {
        return std::tuple{Field{"run_id", &RunPair::run_id, "The run."}, Field{"key", &RunPair::key, "Name."},
                          Field{"value", &RunPair::value, "Text.", optional_field}};
    }
};

struct DatasetMessage : Lenient {
    std::string name;
    std::string digest;
    std::string source_type = {};
    std::string source = {};
    std::string schema = {};
    std::string profile = {};
    static constexpr auto fields() {
        return std::tuple{
            Field{"name", &DatasetMessage::name, "Name."},
            Field{"digest", &DatasetMessage::digest, "Digest of the content."},
            Field{"source_type", &DatasetMessage::source_type, "Kind of source.", optional_field},
            Field{"source", &DatasetMessage::source, "Where it comes from.", optional_field},
            Field{"schema", &DatasetMessage::schema, "Columns.", optional_field},
            Field{"profile", &DatasetMessage::profile, "Statistics.", optional_field}};
    }
};

struct DatasetInputMessage : Lenient {
    std::vector<Pair> tags = {};
    DatasetMessage dataset = {};
    static constexpr auto fields() {
        return std::tuple{Field{"tags", &DatasetInputMessage::tags, "What it is used for.", optional_field},
                          Field{"dataset", &DatasetInputMessage::dataset, "The dataset."}};
    }
};

struct ModelLinkMessage : Lenient {
    std::string model_id;
    std::int64_t step = 0;
    static constexpr auto fields() {
        return std::tuple{
            Field{"model_id", &ModelLinkMessage::model_id, "A logged model."},
            Field{"step", &ModelLinkMessage::step, "Step at which it was made.", optional_field}};
    }
};

struct LogInputs : Lenient {
    std::string run_id;
    std::vector<DatasetInputMessage> datasets = {};
    std::vector<ModelLinkMessage> models = {};
    static constexpr auto fields() {
        return std::tuple{Field{"run_id", &LogInputs::run_id, "The run."},
                          Field{"datasets", &LogInputs::datasets, "Datasets that it reads.", optional_field},
                          Field{"models", &LogInputs::models, "Models that it uses.", optional_field}};
    }
};

struct LogModel : Lenient {
    std::string run_id;
    std::string model_json;
    static constexpr auto fields() {
        return std::tuple{Field{"run_id", &LogModel::run_id, "The run."},
                          Field{"model_json", &LogModel::model_json, "The MLmodel document as JSON text."}};
    }
};

struct SearchRuns : Lenient {
    std::vector<std::string> experiment_ids = {};
    std::string filter = {};
    tracking::ViewType run_view_type = tracking::ViewType::active_only;
    std::int64_t max_results = 1000;
    std::vector<std::string> order_by = {};
    std::string page_token = {};
    static constexpr auto fields() {
        return std::tuple{
            Field{"experiment_ids", &SearchRuns::experiment_ids, "Experiments.", optional_field},
            Field{"filter", &SearchRuns::filter, "Conditions.", optional_field},
            Field{"run_view_type", &SearchRuns::run_view_type, "Active, deleted or all.", optional_field},
            Field{"max_results", &SearchRuns::max_results, "Runs in one answer.", optional_field},
            Field{"order_by", &SearchRuns::order_by, "Sort keys.", optional_field},
            Field{"page_token", &SearchRuns::page_token, "Where to go on.", optional_field}};
    }
};

std::vector<tracking::ModelLink> links_of(const std::vector<ModelLinkMessage>& messages) {
    std::vector<tracking::ModelLink> out;
    for (const ModelLinkMessage& message : messages) {
        out.push_back({message.model_id, message.step});
    }
    return out;
}

Result<Json> create_run(tracking::Tracking& tracking, const Context& context, CreateRun in) {
    GYRE_TRY(const std::int64_t experiment,
             experiment_id_of(in.experiment_id.empty() ? "0" : in.experiment_id));
    GYRE_TRY(
        const tracking::Run run,
        tracking.create_run(context.principal, {experiment, std::move(in.user_id), std::move(in.run_name),
                                                in.start_time, key_values(std::move(in.tags))}));
    return Json::object({{"run", wire_of(run)}});
}

Result<Json> update_run(tracking::Tracking& tracking, const Context& context, const UpdateRun& in) {
    GYRE_TRY(const tracking::RunInfo info,
             tracking.update_run(context.principal, in.run_id, {in.status, in.end_time, in.run_name}));
    return Json::object({{"run_info", wire_of(info)}});
}

Result<Json> search_runs(tracking::Tracking& tracking, SearchRuns in) {
    GYRE_TRY(auto ids, experiment_ids_of(in.experiment_ids));
    GYRE_TRY(const auto page,
             tracking.search_runs({std::move(ids), std::move(in.filter), std::move(in.order_by),
                                   in.run_view_type, in.max_results, std::move(in.page_token)}));
    return page_of("runs", page.items, page.next_page_token);
}

Result<Json> log_inputs(tracking::Tracking& tracking, LogInputs in) {
    std::vector<tracking::DatasetInput> datasets;
    for (DatasetInputMessage& each : in.datasets) {
        DatasetMessage& d = each.dataset;
        datasets.push_back({{std::move(d.name), std::move(d.digest), std::move(d.source_type),
                             std::move(d.source), std::move(d.schema), std::move(d.profile)},
                            key_values(std::move(each.tags))});
    }
    return empty_answer(tracking.log_inputs(in.run_id, datasets, links_of(in.models)));
}

Result<Json> log_model(tracking::Tracking& tracking, const LogModel& in) {
    auto model = parse_json(in.model_json);
    if (!model || !model->is_object()) {
        return invalid_argument("Malformed model info. \n " + in.model_json.substr(0, 300) +
                                " \n is not valid JSON");
    }
    for (const std::string_view name : {"artifact_path", "flavors", "utc_time_created", "run_id"}) {
        if (model->find(name) == nullptr) {
            return invalid_argument("Model json is missing mandatory fields: " + std::string(name));
        }
    }
    return empty_answer(tracking.record_model(in.run_id, *model));
}

void add_run_life(Routes& routes, tracking::Tracking& tracking) {
    routes.add<CreateRun>(
        {Method::post, "/runs/create", "create_run", "Start a run.", Access::write},
        [&tracking](Context& context, CreateRun in) { return create_run(tracking, context, std::move(in)); });
    routes.add<RunName>(
        {Method::get, "/runs/get", "get_run", "A run with all that was logged.", Access::read},
        [&tracking](Context&, const RunName& in) -> Result<Json> {
            GYRE_TRY(const tracking::Run run, tracking.get_run(in.run_id));
            return Json::object({{"run", wire_of(run)}});
        });
    routes.add<UpdateRun>(
        {Method::post, "/runs/update", "update_run", "Change a run's status, end or name.", Access::write},
        [&tracking](Context& context, const UpdateRun& in) { return update_run(tracking, context, in); });
    routes.add<RunName>(
        {Method::post, "/runs/delete", "delete_run", "Delete a run; it can be restored.", Access::write},
        [&tracking](Context& context, const RunName& in) {
            return empty_answer(tracking.delete_run(context.principal, in.run_id));
        });
    routes.add<RunName>({Method::post, "/runs/restore", "restore_run", "Restore a run.", Access::write},
                        [&tracking](Context& context, const RunName& in) {
                            return empty_answer(tracking.restore_run(context.principal, in.run_id));
                        });
    routes.add<SearchRuns>(
        {Method::post, "/runs/search", "search_runs", "Search runs.", Access::read},
        [&tracking](Context&, SearchRuns in) { return search_runs(tracking, std::move(in)); });
}

void add_run_logging(Routes& routes, tracking::Tracking& tracking) {
    routes.add<RunPair>(
        {Method::post, "/runs/log-parameter", "log_param", "Log a param; it does not change.", Access::write},
        [&tracking](Context&, RunPair in) {
            return empty_answer(
                tracking.log_batch(in.run_id, {{}, {{std::move(in.key), std::move(in.value)}}, {}}));
        });
    routes.add<RunPair>({Method::post, "/runs/set-tag", "set_tag", "Set a run's tag.", Access::write},
                        [&tracking](Context&, RunPair in) {
                            return empty_answer(tracking.log_batch(
                                in.run_id, {{}, {}, {{std::move(in.key), std::move(in.value)}}}));
                        });
    routes.add<RunPair>(
        {Method::post, "/runs/delete-tag", "delete_tag", "Delete a run's tag.", Access::write},
        [&tracking](Context&, const RunPair& in) {
            return empty_answer(tracking.delete_tag(in.run_id, in.key));
        });
    routes.add<LogInputs>(
        {Method::post, "/runs/log-inputs", "log_inputs", "Log datasets and models that a run uses.",
         Access::write, kInputsBodyBytesMax},
        [&tracking](Context&, LogInputs in) { return log_inputs(tracking, std::move(in)); });
    routes.add<LogInputs>(
        {Method::post, "/runs/outputs", "log_outputs", "Log models that a run made.", Access::write},
        [&tracking](Context&, const LogInputs& in) {
            return empty_answer(tracking.log_outputs(in.run_id, links_of(in.models)));
        });
    routes.add<LogModel>(
        {Method::post, "/runs/log-model", "log_model", "Note a model in a run's tag.", Access::write},
        [&tracking](Context&, const LogModel& in) { return log_model(tracking, in); });
}

}  // namespace

void add_run_routes(Routes& routes, tracking::Tracking& tracking) {
    add_run_life(routes, tracking);
    add_run_logging(routes, tracking);
}

}  // namespace gyre::api::mlflow
