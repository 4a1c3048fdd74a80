// Artifacts by what they belong to: a run, a logged model, a model version.
#include "api/mlflow/artifact_files.h"
#include "api/mlflow/locations.h"
#include "api/mlflow/messages.h"
#include "api/mlflow/parts.h"
#include "base/text.h"

namespace gyre::api::mlflow {
namespace {

using http::Method;
using storage::BlobStore;

constexpr std::size_t kUploadBytesMax = 10U << 20U;

struct ListArtifacts : Lenient {
    std::string run_id;
    std::string path = {};
    static constexpr auto fields() {
        return std::tuple{
            Field{"run_id", &ListArtifacts::run_id, "The run."},
            Field{"path", &ListArtifacts::path, "A folder below its artifacts.", optional_field}};
    }
};

struct ListModelArtifacts : Lenient {
    std::string model_id;
    std::string artifact_directory_path = {};
    static constexpr auto fields() {
        return std::tuple{Field{"model_id", &ListModelArtifacts::model_id, "The logged model."},
                          Field{"artifact_directory_path", &ListModelArtifacts::artifact_directory_path,
                                "A folder below its artifacts.", optional_field}};
    }
};

Result<Json> list_below(BlobStore& artifacts, const std::string& root, const std::string& path) {
    GYRE_TRY(const std::string folder, blob_path_of(root, path));
    GYRE_TRY(Json files, files_below(artifacts, folder, path));
    Json out = Json::object({{"root_uri", root}});
    if (!files.items().empty()) {
        out.set("files", std::move(files));
    }
    return out;
}

Result<std::string> required_query(const Context& context, std::string_view name) {
    std::string value = context.query(name).value_or("");
    return value.empty() ? Result<std::string>(missing_parameter(name))
                         : Result<std::string>(std::move(value));
}

/// The run named by "run_id", or by "run_uuid" as once.
Result<tracking::Run> run_of(tracking::Tracking& tracking, const Context& context) {
    const auto run_id = context.query("run_id");
    GYRE_TRY(const std::string id,
             run_id ? Result<std::string>(*run_id) : required_query(context, "run_uuid"));
    return tracking.get_run(id);
}

Result<void> get_run_artifact(tracking::Tracking& tracking, BlobStore& artifacts, Context& context) {
    GYRE_TRY(const std::string path, required_query(context, "path"));
    GYRE_TRY(const tracking::Run run, run_of(tracking, context));
    GYRE_TRY(const std::string blob, blob_path_of(run.info.artifact_uri, path));
    return send_file(artifacts, blob, context);
}

Result<void> get_version_artifact(registry::Registry& registry, BlobStore& artifacts, Context& context) {
    GYRE_TRY(const std::string path, required_query(context, "path"));
    GYRE_TRY(const std::string name, required_query(context, "name"));
    GYRE_TRY(const std::string version, required_query(context, "version"));
    const auto number = parse_integer(version);
    if (!number) {
        return invalid_argument("Parameter 'version' must be an integer, got '" + version.substr(0, 100) +
                                "'.");
    }
    GYRE_TRY(const registry::ModelVersion found, registry.get_version(name, *number));
    GYRE_TRY(const std::string blob, blob_path_of(found.storage_location, path));
    return send_file(artifacts, blob, context);
}

Result<void> get_model_artifact(tracking::Tracking& tracking, BlobStore& artifacts, Context& context) {
    GYRE_TRY(const std::string path, required_query(context, "artifact_file_path"));
    GYRE_TRY(const tracking::LoggedModel model, tracking.get_logged_model(context.param("model_id")));
    GYRE_TRY(const std::string blob, blob_path_of(model.artifact_uri, path));
    return send_file(artifacts, blob, context);
}

Result<void> upload_to_run(tracking::Tracking& tracking, BlobStore& artifacts, Context& context) {
    GYRE_TRY(const std::string path, required_query(context, "path"));
    GYRE_TRY(const tracking::Run run, run_of(tracking, context));
    GYRE_TRY(const std::string blob, blob_path_of(run.info.artifact_uri, path));
    GYRE_TRY_VOID(artifacts.put(blob, context.request.body));
    context.response.set(200, "application/json", "{}");
    return {};
}

void add_files(RouteTable& table, tracking::Tracking& tracking, registry::Registry& registry,
               BlobStore& artifacts) {
    table.raw({.method = Method::get,
               .path = "/get-artifact",
               .id = "mlflow_get_run_artifact",
               .summary = "A file of a run.",
               .access = Access::read,
               .pool = PoolName::files,
               .tag = "mlflow",
               .errors = &errors()},
              [&](Context& context) { return get_run_artifact(tracking, artifacts, context); });
    table.raw({.method = Method::get,
               .path = "/model-versions/get-artifact",
               .id = "mlflow_get_model_version_artifact",
               .summary = "A file of a model version.",
               .access = Access::read,
               .pool = PoolName::files,
               .tag = "mlflow",
               .errors = &errors()},
              [&](Context& context) { return get_version_artifact(registry, artifacts, context); });
}

}  // namespace

void add_artifact_view_routes(Routes& routes, tracking::Tracking& tracking, registry::Registry& registry,
                              BlobStore& artifacts) {
    routes.add<ListArtifacts>(
        {Method::get, "/artifacts/list", "list_artifacts", "Files of a run.", Access::read},
        [&](Context&, const ListArtifacts& in) -> Result<Json> {
            GYRE_TRY(const tracking::Run run, tracking.get_run(in.run_id));
            return list_below(artifacts, run.info.artifact_uri, in.path);
        });
    routes.add<ListModelArtifacts>(
        {Method::get, "/logged-models/{model_id}/artifacts/directories", "list_logged_model_artifacts",
         "Files of a logged model.", Access::read},
        [&](Context&, const ListModelArtifacts& in) -> Result<Json> {
            GYRE_TRY(const tracking::LoggedModel model, tracking.get_logged_model(in.model_id));
            return list_below(artifacts, model.artifact_uri, in.artifact_directory_path);
        });
    routes.raw(
        {Method::get, "/logged-models/{model_id}/artifacts/files", "get_logged_model_artifact",
         "A file of a logged model.", Access::read},
        "mlflow", PoolName::files,
        [&](Context& context) { return get_model_artifact(tracking, artifacts, context); }, Prefixes::ajax);
    routes.raw(
        {Method::post, "/upload-artifact", "upload_run_artifact", "Store a small file of a run.",
         Access::write, kUploadBytesMax},
        "mlflow", PoolName::files,
        [&](Context& context) { return upload_to_run(tracking, artifacts, context); }, Prefixes::ajax);
    add_files(routes.table(), tracking, registry, artifacts);
}

}  // namespace gyre::api::mlflow
