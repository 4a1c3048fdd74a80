#pragma once
// /api/gyre/v1/endpoints: definitions of endpoints and predictions through them.
#include <functional>

#include "api/route_table.h"
#include "base/model_ref.h"
#include "serving/serving.h"

namespace gyre::api {

/// A reference as people write it to a registered version.
struct ResolvedModel {
    std::string name;
    std::int64_t version = 1;
    serving::Task task = serving::Task::classification;
    std::vector<std::string> columns = {};
};
using ModelResolver = std::function<Result<ResolvedModel>(const ModelRef&)>;
/// What is shown of an endpoint's rollout: null when it has none.
using RolloutView = std::function<Json(const std::string& endpoint)>;

/// All must outlive the table.
void add_endpoint_routes(RouteTable& table, serving::Serving& serving, ModelResolver resolve,
                         RolloutView rollout);

}  // namespace gyre::api
