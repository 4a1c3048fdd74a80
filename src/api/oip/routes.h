#pragma once
// The Open Inference Protocol, version 2, over REST with JSON tensors: /v2/...
// Every model name is an endpoint's; /versions/N pins a loaded version past routing.
#include "api/route_table.h"
#include "serving/serving.h"

namespace gyre::api {

/// {"error":"..."}, the protocol's error body.
const ErrorDialect& oip_errors();

/// `serving` must outlive the table.
void add_oip_routes(RouteTable& table, serving::Serving& serving, std::string_view server_version);

}  // namespace gyre::api
