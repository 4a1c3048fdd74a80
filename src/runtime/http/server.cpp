// Adapter: Asio's loops and listening sockets.
#include "runtime/http/server.h"

#include <csignal>
#include <thread>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/clock.h"
#include "base/log.h"
#include "runtime/http/loop.h"

namespace gyre::http {
namespace {

namespace net = boost::asio;
using boost::system::error_code;
using net::ip::tcp;
using ReusePort = net::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

constexpr auto kTick = std::chrono::milliseconds(250);
constexpr auto kAcceptPause = std::chrono::milliseconds(100);
constexpr int kBacklog = 1024;

/// Errors go into `error` instead of an exception.
auto quiet(error_code& error) {
    return net::redirect_error(net::use_awaitable, error);
}

Error bind_error(const tcp::endpoint& endpoint, const error_code& why) {
    const std::string port = std::to_string(endpoint.port());
    if (why == net::error::address_in_use) {
        return conflict("port " + port + " is in use on " + endpoint.address().to_string() +
                        "; stop the other program or choose another port with --http-port");
    }
    if (why == net::error::access_denied) {
        return {ErrorCode::permission_denied,
                "no permission to listen on port " + port + "; choose one above 1023"};
    }
    return unavailable("cannot listen on " + endpoint.address().to_string() + " port " + port + ": " +
                       why.message());
}

enum class Sharing : std::uint8_t { alone, reuse_port };

Result<tcp::acceptor> listen_on(net::io_context& io, const tcp::endpoint& endpoint, Sharing sharing) {
    tcp::acceptor acceptor(io);
    error_code failed;
    acceptor.open(endpoint.protocol(), failed);
    if (!failed) {
        acceptor.set_option(net::socket_base::reuse_address(true), failed);
    }
    if (!failed && sharing == Sharing::reuse_port) {
        acceptor.set_option(ReusePort(true), failed);
    }
    if (!failed) {
        acceptor.set_option(tcp::no_delay(true), failed);  // accepted sockets inherit it
    }
    if (!failed) {
        acceptor.bind(endpoint, failed);
    }
    if (!failed) {
        acceptor.listen(kBacklog, failed);
    }
    if (failed) {
        return bind_error(endpoint, failed);
    }
    return acceptor;
}

Result<tcp::endpoint> parse_endpoint(const std::string& host, std::uint16_t port) {
    error_code failed;
    const auto address = net::ip::make_address(host == "localhost" ? "127.0.0.1" : host, failed);
    if (failed) {
        return invalid_argument("server.host must be a numeric address or 'localhost', got '" + host + "'");
    }
    return tcp::endpoint(address, port);
}

/// One thread, one loop, one listening socket.
class Worker {
 public:
    Worker(Application& application, const Limits& limits, ConnectionCounters& counters)
        : loop_{io_, application, limits, counters, 0, {}, false, {}},
          guard_(net::make_work_guard(io_)),
          ticker_(io_),
          pause_(io_),
          acceptor_(io_) {
        refresh_time();
    }
    net::io_context& io() { return io_; }

    void start(tcp::acceptor acceptor) {
        acceptor_ = std::move(acceptor);
        net::co_spawn(io_, tick(), net::detached);
        net::co_spawn(io_, accept(), net::detached);
        thread_ = std::thread([this] { io_.run(); });
    }
    void begin_drain() {
        net::post(io_, [this] {
            loop_.draining = true;
            error_code ignored;
            acceptor_.close(ignored);
            pause_.cancel();
            for (Tracked* connection : std::list<Tracked*>(loop_.connections)) {
                connection->drain();
            }
        });
    }
    void cut_all() {
        net::post(io_, [this] {
            for (Tracked* connection : std::list<Tracked*>(loop_.connections)) {
                connection->cut();
            }
        });
    }
    void join() {
        net::post(io_, [this] {
            stopping_ = true;
            ticker_.cancel();
        });
        guard_.reset();
        if (thread_.joinable()) {
            thread_.join();
        }
    }

 private:
    net::awaitable<void> tick();
    net::awaitable<void> accept();
    void admit(tcp::socket socket, const tcp::endpoint& peer);
    void refresh_time() {
        loop_.now_ns = system_clock().steady_ns();
        loop_.date = format_http_date(system_clock().now_us() / kUsPerSecond);
    }

    // Sockets and timers of a loop belong to its thread, so Asio need not lock them; only post() is for
    // others.
    net::io_context io_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
    Loop loop_;
    net::executor_work_guard<net::io_context::executor_type> guard_;
    net::steady_timer ticker_;
    net::steady_timer pause_;
    tcp::acceptor acceptor_;
    bool stopping_ = false;
    std::thread thread_;
};

net::awaitable<void> Worker::tick() {
    error_code ignored;
    while (!stopping_) {
        ticker_.expires_after(kTick);
        co_await ticker_.async_wait(quiet(ignored));
        refresh_time();
        for (Tracked* connection : std::list<Tracked*>(loop_.connections)) {
            connection->tick();
        }
    }
}

void Worker::admit(tcp::socket socket, const tcp::endpoint& peer) {
    if (loop_.counters.open.value() >= static_cast<double>(loop_.limits.connections)) {
        constexpr std::string_view kBusy =
            "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: "
            "close\r\n\r\n";
        loop_.counters.refused.add();
        error_code ignored;
        socket.write_some(net::buffer(kBusy.data(), kBusy.size()), ignored);
        return;
    }
    error_code failed;
    const int fd = socket.release(failed);
    if (!failed) {
        spawn_connection(loop_, fd, peer.address().to_string());
    }
}

net::awaitable<void> Worker::accept() {
    error_code failed;
    while (!loop_.draining) {
        tcp::endpoint peer;
        tcp::socket socket = co_await acceptor_.async_accept(peer, quiet(failed));
        if (!failed) {
            admit(std::move(socket), peer);
        } else if (failed != net::error::operation_aborted && failed != net::error::connection_aborted) {
            log_warn("accept_failed", {{"reason", failed.message()}});  // no descriptors left, most likely
            pause_.expires_after(kAcceptPause);
            co_await pause_.async_wait(quiet(failed));
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
    Result<void> probe(const tcp::endpoint& endpoint) const {
        if (endpoint.port() == 0) {
            return {};
        }
        net::io_context io;
        GYRE_TRY_VOID(listen_on(io, endpoint, Sharing::alone));
        return {};
    }

    Result<void> listen(Application& application) {
        GYRE_TRY(tcp::endpoint endpoint, parse_endpoint(options.host, options.port));
        GYRE_TRY_VOID(probe(endpoint));
        std::vector<tcp::acceptor> acceptors;
        for (std::size_t i = 0; i < options.io_threads; ++i) {
            workers.push_back(std::make_unique<Worker>(application, options.limits, counters));
            GYRE_TRY(tcp::acceptor acceptor, listen_on(workers.back()->io(), endpoint, Sharing::reuse_port));
            endpoint.port(acceptor.local_endpoint().port());
            acceptors.push_back(std::move(acceptor));
        }
        port = endpoint.port();
        for (std::size_t i = 0; i < workers.size(); ++i) {
            workers[i]->start(std::move(acceptors[i]));
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
