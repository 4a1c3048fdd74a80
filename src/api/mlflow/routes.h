#pragma once
// MLflow's REST protocol (version 3.6.0), for its unmodified clients: tracking, registry, artifact proxy.
//
// Served below /api/2.0 and /ajax-api/2.0. Messages and error bodies are MLflow's; see docs/mlflow.md for
// what differs. Artifacts and model sources are named by ids of our own only; the server opens no other path.
#include "api/route_table.h"
#include "registry/registry.h"
#include "storage/blob/blob_store.h"
#include "tracking/tracking.h"

namespace gyre::api {

/// The four references must outlive the table.
void add_mlflow_routes(RouteTable& table, tracking::Tracking& tracking, registry::Registry& registry,
                       storage::BlobStore& artifacts);

}  // namespace gyre::api
