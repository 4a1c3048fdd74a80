#pragma once
// Routes about the server itself: /healthz, /readyz, /metrics, /openapi.json, /docs, /api/gyre/v1/server.
#include <functional>
#include <string>

#include "api/route_table.h"
#include "base/clock.h"

namespace gyre::api {

struct ServerInfo {
    std::string version;
    std::int64_t started_us = 0;
};

/// `ready` says why the server is not ready yet, or nothing when it is. Thread-safe. The table, the metrics
/// and the clock must outlive the server. Call last: /openapi.json lists what the table holds at the first
/// request.
void add_server_routes(RouteTable& table, const ServerInfo& info, const Clock& clock, const Metrics& metrics,
                       std::function<std::optional<std::string>()> ready);

/// process_resident_memory_bytes, process_cpu_seconds_total, process_open_fds, process_threads.
void add_process_metrics(Metrics& metrics);

}  // namespace gyre::api
