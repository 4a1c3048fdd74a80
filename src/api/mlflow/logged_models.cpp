#include "api/mlflow/messages.h"
#include "api/mlflow/parts.h"

namespace gyre::api::mlflow {
namespace {

using http::Method;

struct CreateLoggedModel : Lenient {
    std::string experiment_id;
    std::string name = {};
    std::string model_type = {};
    std::string source_run_id = {};
    std::vector<Pair> params = {};
    std::vector<Pair> tags = {};
    static constexpr auto fields() {
        return std::tuple{
            Field{"experiment_id", &CreateLoggedModel::experiment_id, "The experiment."},
            Field{"name", &CreateLoggedModel::name, "Made up when absent.", optional_field},
            Field{"model_type", &CreateLoggedModel::model_type, "Kind of model.", optional_field},
            Field{"source_run_id", &CreateLoggedModel::source_run_id, "Its run.", optional_field},
            Field{"params", &CreateLoggedModel::params, "Params.", optional_field},
            Field{"tags", &CreateLoggedModel::tags, "Tags.", optional_field}};
    }
};

struct ModelName : Lenient {
    std::string model_id;
    static constexpr auto fields() {
        return std::tuple{Field{"model_id", &ModelName::model_id, "The logged model."}};
    }
};

struct FinalizeModel : Lenient {
    std::string model_id;
    tracking::ModelStatus status = tracking::ModelStatus::ready;
    static constexpr auto fields() {
        return std::tuple{Field{"model_id", &FinalizeModel::model_id, "The logged model."},
                          Field{"status", &FinalizeModel::status, "READY or UPLOAD_FAILED."}};
    }
};

struct ModelPairs : Lenient {
    std::string model_id;
    std::vector<Pair> params = {};
    std::vector<Pair> tags = {};
    static constexpr auto fields() {
        return std::tuple{Field{"model_id", &ModelPairs::model_id, "The logged model."},
                          Field{"params", &ModelPairs::params, "Params.", optional_field},
                          Field{"tags", &ModelPairs::tags, "Tags.", optional_field}};
    }
};

struct ModelTagName : Lenient {
    std::string model_id;
    std::string tag_key;
    static constexpr auto fields() {
        return std::tuple{Field{"model_id", &ModelTagName::model_id, "The logged model."},
                          Field{"tag_key", &ModelTagName::tag_key, "The tag."}};
    }
};

struct DatasetFilter : Lenient {
    std::string dataset_name;
    std::string dataset_digest = {};
    static constexpr auto fields() {
        return std::tuple{Field{"dataset_name", &DatasetFilter::dataset_name, "Name."},
                          Field{"dataset_digest", &DatasetFilter::dataset_digest, "Digest.", optional_field}};
    }
};

struct OrderMessage : Lenient {
    std::string field_name;
    bool ascending = true;
    std::string dataset_name = {};
    std::string dataset_digest = {};
    static constexpr auto fields() {
        return std::tuple{
            Field{"field_name", &OrderMessage::field_name, "Attribute, or metrics.NAME."},
            Field{"ascending", &OrderMessage::ascending, "Direction.", optional_field},
            Field{"dataset_name", &OrderMessage::dataset_name, "Of a metric.", optional_field},
            Field{"dataset_digest", &OrderMessage::dataset_digest, "Of a metric.", optional_field}};
    }
};

struct SearchModels : Lenient {
    std::vector<std::string> experiment_ids = {};
    std::string filter = {};
    std::vector<DatasetFilter> datasets = {};
    std::int64_t max_results = 50;
    std::vector<OrderMessage> order_by = {};
    std::string page_token = {};
    static constexpr auto fields() {
        return std::tuple{
            Field{"experiment_ids", &SearchModels::experiment_ids, "Experiments."},
            Field{"filter", &SearchModels::filter, "Conditions.", optional_field},
            Field{"datasets", &SearchModels::datasets, "Datasets of the metrics.", optional_field},
            Field{"max_results", &SearchModels::max_results, "Models in one answer.", optional_field},
            Field{"order_by", &SearchModels::order_by, "Sort keys.", optional_field},
            Field{"page_token", &SearchModels::page_token, "Where to go on.", optional_field}};
    }
};

Json model_answer(const tracking::LoggedModel& model) {
    return Json::object({{"model", wire_of(model)}});
}

Result<Json> create(tracking::Tracking& tracking, const Context& context, CreateLoggedModel in) {
    GYRE_TRY(const std::int64_t experiment, experiment_id_of(in.experiment_id));
    GYRE_TRY(const tracking::LoggedModel model,
             tracking.create_logged_model(
                 context.principal,
                 {experiment, std::move(in.name), std::move(in.model_type), std::move(in.source_run_id),
                  key_values(std::move(in.params)), key_values(std::move(in.tags))}));
    return model_answer(model);
}

Result<Json> finalize(tracking::Tracking& tracking, const Context& context, const FinalizeModel& in) {
    if (in.status == tracking::ModelStatus::pending) {
        return invalid_argument(
            "Invalid model status: LOGGED_MODEL_PENDING. Expected statuses include READY and FAILED.");
    }
    GYRE_TRY(const tracking::LoggedModel model,
             tracking.finalize_logged_model(context.principal, in.model_id, in.status));
    return model_answer(model);
}

Result<Json> search(tracking::Tracking& tracking, SearchModels in) {
    tracking::SearchLoggedModels query;
    GYRE_TRY(query.experiment_ids, experiment_ids_of(in.experiment_ids));
    query.filter = std::move(in.filter);
    query.results_max = in.max_results;
    query.page_token = std::move(in.page_token);
    for (DatasetFilter& dataset : in.datasets) {
        tracking::Dataset& added = query.datasets.emplace_back();
        added.name = std::move(dataset.dataset_name);
        added.digest = std::move(dataset.dataset_digest);
    }
    for (OrderMessage& order : in.order_by) {
        query.order_by.push_back({std::move(order.field_name), order.ascending, std::move(order.dataset_name),
                                  std::move(order.dataset_digest)});
    }
    GYRE_TRY(const auto page, tracking.search_logged_models(query));
    return page_of("models", page.items, page.next_page_token);
}

void add_model_life(Routes& routes, tracking::Tracking& tracking) {
    routes.add<CreateLoggedModel>(
        {Method::post, "/logged-models", "create_logged_model", "Begin to log a model.", Access::write},
        [&tracking](Context& context, CreateLoggedModel in) {
            return create(tracking, context, std::move(in));
        });
    routes.add<ModelName>(
        {Method::get, "/logged-models/{model_id}", "get_logged_model", "A logged model.", Access::read},
        [&tracking](Context&, const ModelName& in) -> Result<Json> {
            GYRE_TRY(const tracking::LoggedModel model, tracking.get_logged_model(in.model_id));
            return model_answer(model);
        });
    routes.add<FinalizeModel>(
        {Method::patch, "/logged-models/{model_id}", "finalize_logged_model", "End logging a model.",
         Access::write},
        [&tracking](Context& context, const FinalizeModel& in) { return finalize(tracking, context, in); });
    routes.add<ModelName>(
        {Method::del, "/logged-models/{model_id}", "delete_logged_model", "Delete a logged model.",
         Access::write},
        [&tracking](Context& context, const ModelName& in) {
            return empty_answer(tracking.delete_logged_model(context.principal, in.model_id));
        });
    routes.add<SearchModels>(
        {Method::post, "/logged-models/search", "search_logged_models", "Search logged models.",
         Access::read},
        [&tracking](Context&, SearchModels in) { return search(tracking, std::move(in)); });
}

}  // namespace

void add_logged_model_routes(Routes& routes, tracking::Tracking& tracking) {
    add_model_life(routes, tracking);
    routes.add<ModelPairs>(
        {Method::post, "/logged-models/{model_id}/params", "log_model_params",
         "Log params of a logged model.", Access::write},
        [&tracking](Context&, ModelPairs in) {
            return empty_answer(tracking.log_model_params(in.model_id, key_values(std::move(in.params))));
        });
    routes.add<ModelPairs>(
        {Method::patch, "/logged-models/{model_id}/tags", "set_logged_model_tags",
         "Set tags of a logged model.", Access::write},
        [&tracking](Context&, ModelPairs in) {
            return empty_answer(tracking.set_model_tags(in.model_id, key_values(std::move(in.tags))));
        });
    routes.add<ModelTagName>({Method::del, "/logged-models/{model_id}/tags/{tag_key}",
                              "delete_logged_model_tag", "Delete a tag of a logged model.", Access::write},
                             [&tracking](Context&, const ModelTagName& in) {
                                 return empty_answer(tracking.delete_model_tag(in.model_id, in.tag_key));
                             });
}

}  // namespace gyre::api::mlflow
