#include "api/mlflow/locations.h"
#include "api/mlflow/messages.h"
#include "api/mlflow/parts.h"
#include "base/text.h"

namespace gyre::api::mlflow {
namespace {

using http::Method;

constexpr std::int64_t kVersionsPageDefault = 10'000;

struct CreateVersion : Lenient {
    std::string name;
    std::string source;
    std::string run_id = {};
    std::vector<Pair> tags = {};
    std::string run_link = {};
    std::string description = {};
    std::string model_id = {};
    static constexpr auto fields() {
        return std::tuple{
            Field{"name", &CreateVersion::name, "The model."},
            Field{"source", &CreateVersion::source, "Where its files are: an id of this server."},
            Field{"run_id", &CreateVersion::run_id, "The run that made it.", optional_field},
            Field{"tags", &CreateVersion::tags, "Tags.", optional_field},
            Field{"run_link", &CreateVersion::run_link, "A link to the run.", optional_field},
            Field{"description", &CreateVersion::description, "Text.", optional_field},
            Field{"model_id", &CreateVersion::model_id, "The logged model.", optional_field}};
    }
};

struct VersionMessage : Lenient {
    std::string name;
    std::string version;
    std::string description = {};
    static constexpr auto fields() {
        return std::tuple{Field{"name", &VersionMessage::name, "The model."},
                          Field{"version", &VersionMessage::version, "The version's number."},
                          Field{"description", &VersionMessage::description, "Text.", optional_field}};
    }
};

struct TransitionStage : Lenient {
    std::string name;
    std::string version;
    std::string stage;
    bool archive_existing_versions = false;
    static constexpr auto fields() {
        return std::tuple{Field{"name", &TransitionStage::name, "The model."},
                          Field{"version", &TransitionStage::version, "The version's number."},
                          Field{"stage", &TransitionStage::stage, "None, Staging, Production or Archived."},
                          Field{"archive_existing_versions", &TransitionStage::archive_existing_versions,
                                "Archive the stage's other versions.", optional_field}};
    }
};

struct VersionTag : Lenient {
    std::string name;
    std::string version;
    std::string key;
    std::string value = {};
    static constexpr auto fields() {
        return std::tuple{Field{"name", &VersionTag::name, "The model."},
                          Field{"version", &VersionTag::version, "The version's number."},
                          Field{"key", &VersionTag::key, "The tag's name."},
                          Field{"value", &VersionTag::value, "Its text.", optional_field}};
    }
};

struct SearchVersions : Lenient {
    std::string filter = {};
    std::int64_t max_results = kVersionsPageDefault;
    std::vector<std::string> order_by = {};
    std::string page_token = {};
    static constexpr auto fields() {
        return std::tuple{
            Field{"filter", &SearchVersions::filter, "Conditions.", optional_field},
            Field{"max_results", &SearchVersions::max_results, "Versions in one answer.", optional_field},
            Field{"order_by", &SearchVersions::order_by, "Sort keys.", optional_field},
            Field{"page_token", &SearchVersions::page_token, "Where to go on.", optional_field}};
    }
};

Result<std::int64_t> number_of(const std::string& version) {
    const auto number = parse_integer(version);
    if (!number) {
        return invalid_argument("Parameter 'version' must be an integer, got '" + version.substr(0, 100) +
                                "'.");
    }
    return *number;
}

Result<Json> version_answer(const Result<registry::ModelVersion>& version) {
    return version ? Result<Json>(Json::object({{"model_version", wire_of(*version)}}))
                   : Result<Json>(version.error());
}

class Versions {
 public:
    Versions(tracking::Tracking& tracking, registry::Registry& registry)
        : tracking_(tracking), registry_(registry) {}

    Result<Json> create(const Context& context, CreateVersion in) const {
        registry::NewVersion version;
        GYRE_TRY(ModelSource source, resolve_source(tracking_, registry_, in.source));
        version.storage_location = std::move(source.location);
        version.name = std::move(in.name);
        version.source = std::move(in.source);
        version.run_id = in.run_id.empty() ? std::move(source.run_id) : std::move(in.run_id);
        version.run_link = std::move(in.run_link);
        version.model_id = std::move(in.model_id);
        version.description = std::move(in.description);
        for (Pair& pair : in.tags) {
            version.tags.push_back({std::move(pair.key), std::move(pair.value)});
        }
        return version_answer(registry_.create_version(context.principal, version));
    }
    Result<Json> get(const VersionMessage& in) const {
        GYRE_TRY(const std::int64_t number, number_of(in.version));
        return version_answer(registry_.get_version(in.name, number));
    }
    Result<Json> describe(const VersionMessage& in) const {
        GYRE_TRY(const std::int64_t number, number_of(in.version));
        return version_answer(registry_.describe_version(in.name, number, in.description));
    }
    Result<Json> transition(const Context& context, const TransitionStage& in) const {
        GYRE_TRY(const std::int64_t number, number_of(in.version));
        const auto archive =
            in.archive_existing_versions ? registry::ArchiveOthers::yes : registry::ArchiveOthers::no;
        return version_answer(
            registry_.transition_stage(context.principal, in.name, number, in.stage, archive));
    }
    Result<Json> remove(const Context& context, const VersionMessage& in) const {
        GYRE_TRY(const std::int64_t number, number_of(in.version));
        return empty_answer(registry_.delete_version(context.principal, in.name, number));
    }
    Result<Json> search(SearchVersions in) const {
        GYRE_TRY(const auto page, registry_.search_versions({std::move(in.filter), std::move(in.order_by),
                                                             in.max_results, std::move(in.page_token)}));
        return page_of("model_versions", page.items, page.next_page_token);
    }
    Result<Json> download_uri(const VersionMessage& in) const {
        GYRE_TRY(const std::int64_t number, number_of(in.version));
        GYRE_TRY(const registry::ModelVersion version, registry_.get_version(in.name, number));
        return Json::object({{"artifact_uri", version.storage_location}});
    }
    Result<Json> set_tag(const VersionTag& in) const {
        GYRE_TRY(const std::int64_t number, number_of(in.version));
        return empty_answer(registry_.set_version_tag(in.name, number, {in.key, in.value}));
    }
    Result<Json> delete_tag(const VersionTag& in) const {
        GYRE_TRY(const std::int64_t number, number_of(in.version));
        return empty_answer(registry_.delete_version_tag(in.name, number, in.key));
    }

 private:
    tracking::Tracking& tracking_;
    registry::Registry& registry_;
};

}  // namespace

void add_version_routes(Routes& routes, tracking::Tracking& tracking, registry::Registry& registry) {
    const Versions on(tracking, registry);
    routes.add<CreateVersion>(
        {Method::post, "/model-versions/create", "create_model_version", "Register a version.",
         Access::write},
        [on](Context& context, CreateVersion in) { return on.create(context, std::move(in)); });
    routes.add<VersionMessage>(
        {Method::get, "/model-versions/get", "get_model_version", "A version.", Access::read},
        [on](Context&, const VersionMessage& in) { return on.get(in); });
    routes.add<VersionMessage>({Method::patch, "/model-versions/update", "update_model_version",
                                "Describe a version.", Access::write},
                               [on](Context&, const VersionMessage& in) { return on.describe(in); });
    routes.add<TransitionStage>(
        {Method::post, "/model-versions/transition-stage", "transition_model_version_stage",
         "Change a version's stage.", Access::write},
        [on](Context& context, const TransitionStage& in) { return on.transition(context, in); });
    routes.add<VersionMessage>(
        {Method::del, "/model-versions/delete", "delete_model_version", "Delete a version.", Access::write},
        [on](Context& context, const VersionMessage& in) { return on.remove(context, in); });
    routes.add<SearchVersions>(
        {Method::get, "/model-versions/search", "search_model_versions", "Search versions.", Access::read},
        [on](Context&, SearchVersions in) { return on.search(std::move(in)); });
    routes.add<VersionMessage>(
        {Method::get, "/model-versions/get-download-uri", "get_model_version_download_uri",
         "Where a version's files are.", Access::read},
        [on](Context&, const VersionMessage& in) { return on.download_uri(in); });
    routes.add<VersionTag>({Method::post, "/model-versions/set-tag", "set_model_version_tag",
                            "Set a version's tag.", Access::write},
                           [on](Context&, const VersionTag& in) { return on.set_tag(in); });
    routes.add<VersionTag>({Method::del, "/model-versions/delete-tag", "delete_model_version_tag",
                            "Delete a version's tag.", Access::write},
                           [on](Context&, const VersionTag& in) { return on.delete_tag(in); });
}

}  // namespace gyre::api::mlflow
