#include "api/mlflow/messages.h"
#include "api/mlflow/parts.h"

namespace gyre::api::mlflow {
namespace {

using http::Method;

struct CreateExperiment : Lenient {
    std::string name;
    std::string artifact_location = {};
    std::vector<Pair> tags = {};
    static constexpr auto fields() {
        return std::tuple{
            Field{"name", &CreateExperiment::name, "A name that no experiment has, deleted ones included."},
            Field{"artifact_location", &CreateExperiment::artifact_location, "Where its artifacts are kept.",
                  optional_field},
            Field{"tags", &CreateExperiment::tags, "Tags.", optional_field}};
    }
};

struct ExperimentId : Lenient {
    std::string experiment_id;
    static constexpr auto fields() {
        return std::tuple{Field{"experiment_id", &ExperimentId::experiment_id, "The experiment."}};
    }
};

struct ExperimentName : Lenient {
    std::string experiment_name;
    static constexpr auto fields() {
        return std::tuple{
            Field{"experiment_name", &ExperimentName::experiment_name, "The experiment's name."}};
    }
};

struct RenameExperiment : Lenient {
    std::string experiment_id;
    std::string new_name;
    static constexpr auto fields() {
        return std::tuple{Field{"experiment_id", &RenameExperiment::experiment_id, "The experiment."},
                          Field{"new_name", &RenameExperiment::new_name, "Its new name."}};
    }
};

struct ExperimentTagIn : Lenient {
    std::string experiment_id;
    std::string key;
    std::string value = {};
    static constexpr auto fields() {
        return std::tuple{Field{"experiment_id", &ExperimentTagIn::experiment_id, "The experiment."},
                          Field{"key", &ExperimentTagIn::key, "The tag's name."},
                          Field{"value", &ExperimentTagIn::value, "Its text.", optional_field}};
    }
};

struct SearchExperiments : Lenient {
    std::int64_t max_results = 1000;
    std::string page_token = {};
    std::string filter = {};
    std::vector<std::string> order_by = {};
    tracking::ViewType view_type = tracking::ViewType::active_only;
    static constexpr auto fields() {
        return std::tuple{
            Field{"max_results", &SearchExperiments::max_results, "Experiments in one answer.",
                  optional_field},
            Field{"page_token", &SearchExperiments::page_token, "Where to go on.", optional_field},
            Field{"filter", &SearchExperiments::filter, "Conditions.", optional_field},
            Field{"order_by", &SearchExperiments::order_by, "Sort keys.", optional_field},
            Field{"view_type", &SearchExperiments::view_type, "Active, deleted or all.", optional_field}};
    }
};

struct SearchDatasets : Lenient {
    std::vector<std::string> experiment_ids = {};
    static constexpr auto fields() {
        return std::tuple{Field{"experiment_ids", &SearchDatasets::experiment_ids, "At most 20 experiments.",
                                optional_field}};
    }
};

class Experiments {
 public:
    explicit Experiments(tracking::Tracking& tracking) : tracking_(tracking) {}

    Result<Json> create(const Context& context, CreateExperiment in) const {
        GYRE_TRY(const std::int64_t id,
                 tracking_.create_experiment(
                     context.principal,
                     {std::move(in.name), std::move(in.artifact_location), key_values(std::move(in.tags))}));
        return Json::object({{"experiment_id", std::to_string(id)}});
    }
    Result<Json> get(const ExperimentId& in) const {
        GYRE_TRY(const std::int64_t id, experiment_id_of(in.experiment_id));
        GYRE_TRY(const tracking::Experiment experiment, tracking_.get_experiment(id));
        return Json::object({{"experiment", wire_of(experiment)}});
    }
    Result<Json> get_by_name(const ExperimentName& in) const {
        GYRE_TRY(const tracking::Experiment experiment, tracking_.get_experiment_by_name(in.experiment_name));
        return Json::object({{"experiment", wire_of(experiment)}});
    }
    Result<Json> search(SearchExperiments in) const {
        GYRE_TRY(const auto page,
                 tracking_.search_experiments({std::move(in.filter), std::move(in.order_by), in.view_type,
                                               in.max_results, std::move(in.page_token)}));
        return page_of("experiments", page.items, page.next_page_token);
    }
    Result<Json> rename(const Context& context, const RenameExperiment& in) const {
        GYRE_TRY(const std::int64_t id, experiment_id_of(in.experiment_id));
        return empty_answer(tracking_.rename_experiment(context.principal, id, in.new_name));
    }
    Result<Json> remove(const Context& context, const ExperimentId& in) const {
        GYRE_TRY(const std::int64_t id, experiment_id_of(in.experiment_id));
        return empty_answer(tracking_.delete_experiment(context.principal, id));
    }
    Result<Json> restore(const Context& context, const ExperimentId& in) const {
        GYRE_TRY(const std::int64_t id, experiment_id_of(in.experiment_id));
        return empty_answer(tracking_.restore_experiment(context.principal, id));
    }
    Result<Json> set_tag(const ExperimentTagIn& in) const {
        GYRE_TRY(const std::int64_t id, experiment_id_of(in.experiment_id));
        return empty_answer(tracking_.set_experiment_tag(id, {in.key, in.value}));
    }
    Result<Json> delete_tag(const ExperimentTagIn& in) const {
        GYRE_TRY(const std::int64_t id, experiment_id_of(in.experiment_id));
        return empty_answer(tracking_.delete_experiment_tag(id, in.key));
    }
    Result<Json> search_datasets(const SearchDatasets& in) const {
        GYRE_TRY(const auto ids, experiment_ids_of(in.experiment_ids));
        GYRE_TRY(const auto found, tracking_.search_datasets(ids));
        Json list = Json::array();
        for (const tracking::DatasetSummary& each : found) {
            list.push_back(Json::object({{"experiment_id", std::to_string(each.experiment_id)},
                                         {"name", each.name},
                                         {"digest", each.digest},
                                         {"context", each.context}}));
        }
        return Json::object({{"dataset_summaries", std::move(list)}});
    }

 private:
    tracking::Tracking& tracking_;
};

}  // namespace

void add_experiment_routes(Routes& routes, tracking::Tracking& tracking) {
    const Experiments on(tracking);
    routes.add<CreateExperiment>(
        {Method::post, "/experiments/create", "create_experiment", "Create an experiment.", Access::write},
        [on](Context& context, CreateExperiment in) { return on.create(context, std::move(in)); });
    routes.add<ExperimentId>(
        {Method::get, "/experiments/get", "get_experiment", "An experiment.", Access::read},
        [on](Context&, const ExperimentId& in) { return on.get(in); });
    routes.add<ExperimentName>({Method::get, "/experiments/get-by-name", "get_experiment_by_name",
                                "An experiment by its name.", Access::read},
                               [on](Context&, const ExperimentName& in) { return on.get_by_name(in); });
    const auto search = [on](Context&, SearchExperiments in) { return on.search(std::move(in)); };
    routes.add<SearchExperiments>(
        {Method::post, "/experiments/search", "search_experiments", "Search experiments.", Access::read},
        search);
    routes.add<SearchExperiments>({Method::get, "/experiments/search", "search_experiments_get",
                                   "Search experiments, by query parameters.", Access::read},
                                  search);
    routes.add<RenameExperiment>(
        {Method::post, "/experiments/update", "update_experiment", "Rename an experiment.", Access::write},
        [on](Context& context, const RenameExperiment& in) { return on.rename(context, in); });
    routes.add<ExperimentId>(
        {Method::post, "/experiments/delete", "delete_experiment",
         "Delete an experiment and its runs; both can be restored.", Access::write},
        [on](Context& context, const ExperimentId& in) { return on.remove(context, in); });
    routes.add<ExperimentId>(
        {Method::post, "/experiments/restore", "restore_experiment", "Restore an experiment.", Access::write},
        [on](Context& context, const ExperimentId& in) { return on.restore(context, in); });
    routes.add<ExperimentTagIn>({Method::post, "/experiments/set-experiment-tag", "set_experiment_tag",
                                 "Set a tag of an experiment.", Access::write},
                                [on](Context&, const ExperimentTagIn& in) { return on.set_tag(in); });
    routes.add<ExperimentTagIn>({Method::post, "/experiments/delete-experiment-tag", "delete_experiment_tag",
                                 "Delete a tag of an experiment.", Access::write},
                                [on](Context&, const ExperimentTagIn& in) { return on.delete_tag(in); });
    routes.add<SearchDatasets>({Method::post, "/experiments/search-datasets", "search_datasets",
                                "Datasets that experiments' runs used.", Access::read},
                               [on](Context&, const SearchDatasets& in) { return on.search_datasets(in); });
}

}  // namespace gyre::api::mlflow
