#include "api/mlflow/routes.h"

#include "api/mlflow/parts.h"

namespace gyre::api {

void add_mlflow_routes(RouteTable& table, tracking::Tracking& tracking, registry::Registry& registry,
                       storage::BlobStore& artifacts) {
    for (const std::string_view prefix : {"/api/2.0/", "/ajax-api/", "/api/3.0/"}) {
        table.dialect_under(prefix, mlflow::path_errors());
    }
    mlflow::Routes routes(table);
    mlflow::add_health_routes(table);
    mlflow::add_experiment_routes(routes, tracking);
    mlflow::add_run_routes(routes, tracking);
    mlflow::add_metric_routes(routes, tracking);
    mlflow::add_logged_model_routes(routes, tracking);
    mlflow::add_registry_routes(routes, registry);
    mlflow::add_version_routes(routes, tracking, registry);
    mlflow::add_artifact_routes(routes, artifacts);
    mlflow::add_artifact_view_routes(routes, tracking, registry, artifacts);
}

}  // namespace gyre::api
