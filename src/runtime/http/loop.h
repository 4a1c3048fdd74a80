#pragma once
// Private to runtime/http: one I/O loop and what it keeps about its connections. All of it belongs to the
// loop's thread, except the counters.
#include <cstdint>
#include <list>
#include <string>

#include "base/metrics.h"
#include "runtime/http/server.h"

namespace boost::asio {
class io_context;
}  // namespace boost::asio

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
    boost::asio::io_context& io;
    Application& application;
    const Limits& limits;
    ConnectionCounters& counters;
    std::int64_t now_ns = 0;  // refreshed by the tick
    std::string date;
    bool draining = false;
    std::list<Tracked*> connections;
};

/// Takes over an accepted socket.
void spawn_connection(Loop& loop, int socket, std::string remote);

}  // namespace gyre::http
