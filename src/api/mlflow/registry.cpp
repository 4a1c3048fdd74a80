#include "api/mlflow/messages.h"
#include "api/mlflow/parts.h"

namespace gyre::api::mlflow {
namespace {

using http::Method;

struct CreateModel : Lenient {
    std::string name;
    std::vector<Pair> tags = {};
    std::string description = {};
    static constexpr auto fields() {
        return std::tuple{Field{"name", &CreateModel::name, "A name that no model has."},
                          Field{"tags", &CreateModel::tags, "Tags.", optional_field},
                          Field{"description", &CreateModel::description, "Text.", optional_field}};
    }
};

struct ModelMessage : Lenient {
    std::string name;
    std::string description = {};
    static constexpr auto fields() {
        return std::tuple{Field{"name", &ModelMessage::name, "The model."},
                          Field{"description", &ModelMessage::description, "Text.", optional_field}};
    }
};

struct RenameModel : Lenient {
    std::string name;
    std::string new_name;
    static constexpr auto fields() {
        return std::tuple{Field{"name", &RenameModel::name, "The model."},
                          Field{"new_name", &RenameModel::new_name, "Its new name."}};
    }
};

struct ModelTag : Lenient {
    std::string name;
    std::string key;
    std::string value = {};
    static constexpr auto fields() {
        return std::tuple{Field{"name", &ModelTag::name, "The model."},
                          Field{"key", &ModelTag::key, "The tag's name."},
                          Field{"value", &ModelTag::value, "Its text.", optional_field}};
    }
};

struct SearchRegistry : Lenient {
    std::string filter = {};
    std::int64_t max_results = 100;
    std::vector<std::string> order_by = {};
    std::string page_token = {};
    static constexpr auto fields() {
        return std::tuple{
            Field{"filter", &SearchRegistry::filter, "Conditions.", optional_field},
            Field{"max_results", &SearchRegistry::max_results, "Items in one answer.", optional_field},
            Field{"order_by", &SearchRegistry::order_by, "Sort keys.", optional_field},
            Field{"page_token", &SearchRegistry::page_token, "Where to go on.", optional_field}};
    }
};

struct LatestVersions : Lenient {
    std::string name;
    std::vector<std::string> stages = {};
    static constexpr auto fields() {
        return std::tuple{Field{"name", &LatestVersions::name, "The model."},
                          Field{"stages", &LatestVersions::stages, "All when absent.", optional_field}};
    }
};

struct AliasName : Lenient {
    std::string name;
    std::string alias;
    static constexpr auto fields() {
        return std::tuple{Field{"name", &AliasName::name, "The model."},
                          Field{"alias", &AliasName::alias, "The alias."}};
    }
};

struct SetAlias : Lenient {
    std::string name;
    std::string alias;
    std::int64_t version = 0;
    static constexpr auto fields() {
        return std::tuple{Field{"name", &SetAlias::name, "The model."},
                          Field{"alias", &SetAlias::alias, "The alias."},
                          Field{"version", &SetAlias::version, "The version that it names."}};
    }
};

Result<Json> model_answer(const Result<registry::RegisteredModel>& model) {
    return model ? Result<Json>(Json::object({{"registered_model", wire_of(*model)}}))
                 : Result<Json>(model.error());
}

Result<Json> create_model(registry::Registry& registry, const Context& context, CreateModel in) {
    std::vector<registry::Tag> tags;
    for (Pair& pair : in.tags) {
        tags.push_back({std::move(pair.key), std::move(pair.value)});
    }
    return model_answer(registry.create_model(context.principal, in.name, in.description, tags));
}

Result<Json> latest_versions(registry::Registry& registry, const LatestVersions& in) {
    GYRE_TRY(const auto versions, registry.latest_versions(in.name, in.stages));
    return page_of("model_versions", versions, "");
}

void add_models(Routes& routes, registry::Registry& registry) {
    routes.add<CreateModel>({Method::post, "/registered-models/create", "create_registered_model",
                             "Register a model's name.", Access::write},
                            [&registry](Context& context, CreateModel in) {
                                return create_model(registry, context, std::move(in));
                            });
    routes.add<ModelMessage>(
        {Method::get, "/registered-models/get", "get_registered_model", "A registered model.", Access::read},
        [&registry](Context&, const ModelMessage& in) { return model_answer(registry.get_model(in.name)); });
    routes.add<RenameModel>(
        {Method::post, "/registered-models/rename", "rename_registered_model", "Rename a model.",
         Access::write},
        [&registry](Context& context, const RenameModel& in) {
            return model_answer(registry.rename_model(context.principal, in.name, in.new_name));
        });
    routes.add<ModelMessage>({Method::patch, "/registered-models/update", "update_registered_model",
                              "Describe a model.", Access::write},
                             [&registry](Context&, const ModelMessage& in) {
                                 return model_answer(registry.describe_model(in.name, in.description));
                             });
    routes.add<ModelMessage>({Method::del, "/registered-models/delete", "delete_registered_model",
                              "Delete a model and its versions.", Access::write},
                             [&registry](Context& context, const ModelMessage& in) {
                                 return empty_answer(registry.delete_model(context.principal, in.name));
                             });
    routes.add<SearchRegistry>(
        {Method::get, "/registered-models/search", "search_registered_models", "Search models.",
         Access::read},
        [&registry](Context&, SearchRegistry in) -> Result<Json> {
            GYRE_TRY(const auto page, registry.search_models({std::move(in.filter), std::move(in.order_by),
                                                              in.max_results, std::move(in.page_token)}));
            return page_of("registered_models", page.items, page.next_page_token);
        });
}

void add_model_details(Routes& routes, registry::Registry& registry) {
    const auto latest = [&registry](Context&, const LatestVersions& in) {
        return latest_versions(registry, in);
    };
    routes.add<LatestVersions>({Method::post, "/registered-models/get-latest-versions", "get_latest_versions",
                                "The newest version of each stage.", Access::read},
                               latest);
    routes.add<LatestVersions>(
        {Method::get, "/registered-models/get-latest-versions", "get_latest_versions_get",
         "The newest version of each stage, by query parameters.", Access::read},
        latest);
    routes.add<ModelTag>({Method::post, "/registered-models/set-tag", "set_registered_model_tag",
                          "Set a model's tag.", Access::write},
                         [&registry](Context&, const ModelTag& in) {
                             return empty_answer(registry.set_model_tag(in.name, {in.key, in.value}));
                         });
    routes.add<ModelTag>({Method::del, "/registered-models/delete-tag", "delete_registered_model_tag",
                          "Delete a model's tag.", Access::write},
                         [&registry](Context&, const ModelTag& in) {
                             return empty_answer(registry.delete_model_tag(in.name, in.key));
                         });
    routes.add<SetAlias>(
        {Method::post, "/registered-models/alias", "set_alias", "Let an alias name a version.",
         Access::write},
        [&registry](Context& context, const SetAlias& in) {
            return empty_answer(registry.set_alias(context.principal, in.name, in.alias, in.version));
        });
    routes.add<AliasName>(
        {Method::get, "/registered-models/alias", "get_alias", "The version of an alias.", Access::read},
        [&registry](Context&, const AliasName& in) -> Result<Json> {
            GYRE_TRY(const auto version, registry.get_version_by_alias(in.name, in.alias));
            return Json::object({{"model_version", wire_of(version)}});
        });
    routes.add<AliasName>(
        {Method::del, "/registered-models/alias", "delete_alias", "Delete an alias.", Access::write},
        [&registry](Context& context, const AliasName& in) {
            return empty_answer(registry.delete_alias(context.principal, in.name, in.alias));
        });
}

}  // namespace

void add_registry_routes(Routes& routes, registry::Registry& registry) {
    add_models(routes, registry);
    add_model_details(routes, registry);
}

}  // namespace gyre::api::mlflow
