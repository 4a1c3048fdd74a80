#pragma once
// What the loop shows and takes: labels, the clock of a replay, rollouts, monitors, alerts, performance,
// drift, pipelines and their runs, datasets. All under /api/gyre/v1.
#include "api/route_table.h"
#include "loop/loop.h"
#include "loop/prediction_export.h"

namespace gyre::api {

// Each group is one file. All must outlive the table.
void add_rollout_routes(RouteTable& table, loop::Loop& loop, serving::Serving& serving);
void add_monitoring_routes(RouteTable& table, loop::Loop& loop, monitoring::Monitoring& monitoring,
                           serving::Serving& serving);
void add_pipeline_routes(RouteTable& table, pipelines::Engine& engine);
void add_dataset_routes(RouteTable& table, storage::BlobStore& datasets);
void add_export_routes(RouteTable& table, loop::PredictionExport& exports, serving::Serving& serving);

}  // namespace gyre::api
