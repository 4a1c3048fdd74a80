#pragma once
// The protocol's files, each declaring its endpoints. Private to api/mlflow.
#include "api/mlflow/wire.h"
#include "registry/registry.h"
#include "storage/blob/blob_store.h"
#include "tracking/tracking.h"

namespace gyre::api::mlflow {

void add_health_routes(RouteTable& table);
void add_experiment_routes(Routes& routes, tracking::Tracking& tracking);
void add_run_routes(Routes& routes, tracking::Tracking& tracking);
void add_metric_routes(Routes& routes, tracking::Tracking& tracking);
void add_logged_model_routes(Routes& routes, tracking::Tracking& tracking);
void add_registry_routes(Routes& routes, registry::Registry& registry);
void add_version_routes(Routes& routes, tracking::Tracking& tracking, registry::Registry& registry);
void add_artifact_routes(Routes& routes, storage::BlobStore& artifacts);
/// Artifacts by run, logged model or model version.
void add_artifact_view_routes(Routes& routes, tracking::Tracking& tracking, registry::Registry& registry,
                              storage::BlobStore& artifacts);

}  // namespace gyre::api::mlflow
