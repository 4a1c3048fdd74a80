#include "api/mlflow/locations.h"

#include <algorithm>

#include "base/text.h"
#include "storage/blob/blob_store.h"

namespace gyre::api::mlflow {
namespace {

constexpr std::string_view kArtifacts = "mlflow-artifacts:/";
constexpr std::string_view kRuns = "runs:/";
constexpr std::string_view kModels = "models:/";

std::string shown(std::string_view text) {
    return std::string(text.substr(0, 300));
}

Result<ModelSource> source_in_run(tracking::Tracking& tracking, std::string_view source) {
    const std::string_view rest = source.substr(kRuns.size());
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const std::string_view path = rest.substr(std::min(slash + 1, rest.size()));
    if (!path.empty()) {
        GYRE_TRY_VOID(storage::check_blob_path(path));
    }
    GYRE_TRY(const tracking::Run run, tracking.get_run(rest.substr(0, slash)));
    return ModelSource{path.empty() ? run.info.artifact_uri
                                    : run.info.artifact_uri + "/" + std::string(path)};
}

Result<ModelSource> source_of_model(tracking::Tracking& tracking, registry::Registry& registry,
                                    std::string_view source) {
    const std::string_view rest = source.substr(kModels.size());
    const std::size_t slash = rest.find('/');
    const std::size_t at = rest.rfind('@');
    if (slash == std::string_view::npos && at == std::string_view::npos) {
        GYRE_TRY(const tracking::LoggedModel model, tracking.get_logged_model(rest));
        return ModelSource{model.artifact_uri, model.source_run_id};
    }
    if (slash == std::string_view::npos) {
        GYRE_TRY(const registry::ModelVersion version,
                 registry.get_version_by_alias(rest.substr(0, at), rest.substr(at + 1)));
        return ModelSource{version.storage_location};
    }
    const auto number = parse_integer(rest.substr(slash + 1));
    if (!number) {
        return invalid_argument("Invalid model version source: '" + shown(source) + "'");
    }
    GYRE_TRY(const registry::ModelVersion version, registry.get_version(rest.substr(0, slash), *number));
    return ModelSource{version.storage_location};
}

}  // namespace

Result<std::string> blob_path_of(std::string_view uri, std::string_view child) {
    if (!uri.starts_with(kArtifacts)) {
        return invalid_argument("the artifacts of '" + shown(uri) + "' are not kept by this server");
    }
    std::string path(uri.substr(kArtifacts.size()));
    path.erase(0, path.find_first_not_of('/'));
    if (!child.empty()) {
        path.append(path.empty() || path.ends_with('/') ? "" : "/").append(child);
    }
    GYRE_TRY_VOID(storage::check_blob_path(path));
    return path;
}

Result<ModelSource> resolve_source(tracking::Tracking& tracking, registry::Registry& registry,
                                   std::string_view source) {
    if (source.starts_with(kArtifacts)) {
        GYRE_TRY(const std::string path, blob_path_of(source));
        return ModelSource{std::string(kArtifacts) + path};
    }
    if (source.starts_with(kRuns)) {
        return source_in_run(tracking, source);
    }
    if (source.starts_with(kModels)) {
        return source_of_model(tracking, registry, source);
    }
    return invalid_argument("Invalid model version source: '" + shown(source) +
                            "'. Expected mlflow-artifacts:/, runs:/ or models:/ of this server.");
}

}  // namespace gyre::api::mlflow
