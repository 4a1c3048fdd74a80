#pragma once
// /api/gyre/v1/events: the stream of what changed, by page and live (Server-Sent Events).
#include "api/route_table.h"
#include "events/events.h"

namespace gyre::api {

/// `stream` must outlive the table.
void add_event_routes(RouteTable& table, events::EventStream& stream);

}  // namespace gyre::api
