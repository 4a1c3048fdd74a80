#include "runtime/http/server.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <sys/socket.h>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "runtime/http/listener.h"
#include "runtime/http/loop.h"

namespace gyre::http {
namespace {

constexpr std::int64_t kTickMs = 250;
constexpr std::int64_t kAcceptPauseMs = 100;

/// One thread, one loop, one listening socket.
class Worker {
 public:
    Worker(std::unique_ptr<EventLoop> events, Application& application, const Limits& limits,
           ConnectionCounters& counters, Fd listening)
        : events_(std::move(events)),
          loop_{*events_, application, limits, counters, {}, false, {}},
          ticker_(*events_),
          listener_(*events_, std::move(listening)) {
        refresh_date();
    }

    void start() {
        thread_ = std::thread([this] {
            events_->spawn(tick());
            events_->spawn(accept());
            events_->run();
        });
    }
    void begin_drain() {
        events_->post([this] {
            loop_.draining = true;
            listener_.close();
            for (Tracked* connection : std::list<Tracked*>(loop_.connections)) {
                connection->drain();
            }
        });
    }
    void cut_all() {
        events_->post([this] {
            for (Tracked* connection : std::list<Tracked*>(loop_.connections)) {
                connection->cut();
            }
        });
    }
    void join() {
        events_->post([this] {
            stopping_ = true;
            ticker_.cancel();
        });
        events_->stop();
        if (thread_.joinable()) {
            thread_.join();
        }
    }

 private:
    Task<void> tick();
    Task<void> accept();
    void admit(Listener::Client client);
    void refresh_date() { loop_.date = format_http_date(system_clock().now_us() / kUsPerSecond); }

    std::unique_ptr<EventLoop> events_;
    Loop loop_;
    Timer ticker_;
    Listener listener_;
    bool stopping_ = false;
    std::thread thread_;
};

Task<void> Worker::tick() {
    while (!stopping_) {
        co_await ticker_.wait(kTickMs);
        refresh_date();
        for (Tracked* connection : std::list<Tracked*>(loop_.connections)) {
            connection->tick();
        }
    }
}

void Worker::admit(Listener::Client client) {
    if (loop_.counters.open.value() >= static_cast<double>(loop_.limits.connections)) {
        constexpr std::string_view kBusy =
            "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: "
            "close\r\n\r\n";
        loop_.counters.refused.add();
        [[maybe_unused]] const ssize_t sent =
            ::send(client.fd.get(), kBusy.data(), kBusy.size(), MSG_NOSIGNAL);
        return;
    }
    spawn_connection(loop_, std::move(client.fd), std::move(client.remote));
}

Task<void> Worker::accept() {
    Timer pause(*events_);
    while (!loop_.draining) {
        Listener::Client client = co_await listener_.accept();
        if (client.fd.valid()) {
            admit(std::move(client));
        } else if (client.error_number != 0 && client.error_number != ECONNABORTED) {
            log_warn("accept_failed", {{"reason", std::strerror(client.error_number)}});  // no descriptors
            co_await pause.wait(kAcceptPauseMs);
        }
    }
}

}  // namespace

struct Server::Impl {
    ServerOptions options;
    ConnectionCounters counters;
    std::vector<std::unique_ptr<Worker>> workers;
    std::uint16_t port = 0;
    bool drained = false;

    Impl(const ServerOptions& given, Metrics& metrics)
        : options(given),
          counters{
              metrics.gauge("gyre_http_connections", "Open connections.").with({}),
              metrics.counter("gyre_http_connections_refused_total", "Connections above the bound.").with({}),
              metrics.counter("gyre_http_timeouts_total", "Connections ended because they were slow.")
                  .with({})} {}

    /// A socket without SO_REUSEPORT fails to bind where another server listens with it.
    [[nodiscard]] Result<void> probe() const {
        if (options.port != 0) {
            GYRE_TRY_VOID(listen_on(options.host, options.port, Sharing::alone));
        }
        return {};
    }

    Result<void> listen(Application& application) {
        GYRE_TRY_VOID(probe());
        port = options.port;
        for (std::size_t i = 0; i < options.io_threads; ++i) {
            GYRE_TRY(Fd listening, listen_on(options.host, port, Sharing::reuse_port));
            port = port_of(listening);
            GYRE_TRY(std::unique_ptr<EventLoop> events, EventLoop::create());
            workers.push_back(std::make_unique<Worker>(std::move(events), application, options.limits,
                                                       counters, std::move(listening)));
        }
        for (const std::unique_ptr<Worker>& worker : workers) {
            worker->start();
        }
        return {};
    }
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() {
    drain();
}

Result<std::unique_ptr<Server>> Server::start(const ServerOptions& options, Application& application,
                                              Metrics& metrics) {
    if (options.io_threads < 1 || options.io_threads > kIoThreadsMax) {
        return invalid_argument("io_threads must be 1 to " + std::to_string(kIoThreadsMax));
    }
    std::signal(SIGPIPE, SIG_IGN);
    auto impl = std::make_unique<Impl>(options, metrics);
    GYRE_TRY_VOID(impl->listen(application));
    return std::unique_ptr<Server>(new Server(std::move(impl)));
}

std::uint16_t Server::port() const {
    return impl_->port;
}

void Server::drain() {
    if (std::exchange(impl_->drained, true)) {
        return;
    }
    for (const auto& worker : impl_->workers) {
        worker->begin_drain();
    }
    const std::int64_t until_ns = system_clock().steady_ns() + impl_->options.limits.drain_ms * 1'000'000;
    while (impl_->counters.open.value() > 0 && system_clock().steady_ns() < until_ns) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    for (const auto& worker : impl_->workers) {
        worker->cut_all();
    }
    for (const auto& worker : impl_->workers) {
        worker->join();
    }
}

}  // namespace gyre::http
