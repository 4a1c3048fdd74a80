#pragma once
// The web UI at /: the files of the bundle, and nothing else.
#include "api/route_table.h"

namespace gyre::api {

void add_ui_routes(RouteTable& table);

}  // namespace gyre::api
