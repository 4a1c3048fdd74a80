#pragma once
// Server: the HTTP/1.1 transport. One I/O loop per thread, each with its own listening socket (SO_REUSEPORT).
// It knows bytes, limits and time; what a request means is the Application's.
#include <cstdint>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "runtime/http/message.h"
#include "runtime/pool.h"

namespace gyre::http {

enum class BodyMode : std::uint8_t { buffered, streamed };

/// What the application wants done with a request whose head it has seen.
struct Plan {
    bool answered = false;  // the Response is final; the body, if any, is dropped
    BodyMode body = BodyMode::buffered;
    std::size_t body_bytes_max = kBodyBytesDefault;
    runtime::ThreadPool* pool = nullptr;  // null: on the I/O thread, which must not be held up
};

/// Called by many threads at once. None of these may throw.
class Application {
 public:
    virtual ~Application() = default;
    /// Sees the head only. On the I/O thread: must not block.
    virtual Plan plan(Request& request, Response& response) = 0;
    /// A buffered request, on the plan's pool or the I/O thread.
    virtual void run(Request& request, Response& response) = 0;
    /// A streamed request, on the plan's pool. Null: `response` holds the refusal.
    virtual std::unique_ptr<BodySink> open_sink(Request& request, Response& response) = 0;
    /// What the transport refuses by itself (bad request, too large, pool full). `planned`: plan() was
    /// called.
    virtual void refuse(Request& request, bool planned, int status, const Error& error,
                        Response& response) = 0;
    /// After the answer is made (before it is sent); only for requests that were planned.
    virtual void done(const Request& request, int status) = 0;
};

struct ServerOptions {
    std::string host = "127.0.0.1";  // a numeric address, or "localhost"
    std::uint16_t port = 0;          // 0 picks a free one
    std::size_t io_threads = 2;
    Limits limits;
};

inline constexpr std::size_t kIoThreadsMax = 64;

/// Metrics: gyre_http_connections, gyre_http_connections_refused_total, gyre_http_timeouts_total.
class Server {
 public:
    /// Listens, and answers from now on. Pools and application must outlive the server.
    /// Errors: invalid_argument (address), conflict (the port is in use), permission_denied, unavailable.
    static Result<std::unique_ptr<Server>> start(const ServerOptions& options, Application& application,
                                                 Metrics& metrics);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    [[nodiscard]] std::uint16_t port() const;
    /// Stops listening, closes idle connections and event streams, lets running requests end (at most
    /// limits.drain_ms, then their connections are cut), joins the loops. Idempotent.
    void drain();

 private:
    struct Impl;
    explicit Server(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace gyre::http
