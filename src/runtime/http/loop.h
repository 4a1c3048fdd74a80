#pragma once
// Private to runtime/http: one I/O loop and what it keeps about its connections. All of it belongs to the
// loop's thread, except the counters.
#include <cstdint>
#include <list>
#include <string>

#include "base/metrics.h"
#include "runtime/http/event_loop.h"
#include "runtime/http/server.h"

namespace gyre::http {

/// A connection as its loop sees it.
class Tracked {
 public:
    virtual ~Tracked() = default;
    /// Ends the connection if its time is over.
    virtual void tick() = 0;
    /// The server stops: an idle connection ends now, a busy one after its answer.
    virtual void drain() = 0;
    /// Ends the connection now.
    virtual void cut() = 0;
};

struct ConnectionCounters {
    Gauge& open;
    Counter& refused;
    Counter& timeouts;
};

struct Loop {
    EventLoop& events;
    Application& application;
    const Limits& limits;
    ConnectionCounters& counters;
    std::string date;  // refreshed by the tick
    bool draining = false;
    std::list<Tracked*> connections;
};

/// Takes over an accepted, non-blocking socket.
void spawn_connection(Loop& loop, Fd socket, std::string remote);

}  // namespace gyre::http
