#include "runtime/http/listener.h"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <utility>

#include "base/log.h"

namespace gyre::http {
namespace {

constexpr int kBacklog = 1024;

/// An IPv4 or IPv6 address with its port, as the kernel wants it.
struct Endpoint {
    sockaddr_storage storage{};
    socklen_t size = sizeof(sockaddr_storage);

    [[nodiscard]] const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(&storage); }
    sockaddr* address() { return reinterpret_cast<sockaddr*>(&storage); }
};

Result<Endpoint> parse_endpoint(const std::string& host, std::uint16_t port) {
    Endpoint endpoint;
    auto& v4 = reinterpret_cast<sockaddr_in&>(endpoint.storage);
    auto& v6 = reinterpret_cast<sockaddr_in6&>(endpoint.storage);
    if (::inet_pton(AF_INET, host == "localhost" ? "127.0.0.1" : host.c_str(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        endpoint.size = sizeof v4;
    } else if (::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        endpoint.size = sizeof v6;
    } else {
        return invalid_argument("server.host must be a numeric address or 'localhost', got '" + host + "'");
    }
    return endpoint;
}

Error listen_error(const std::string& host, std::uint16_t port, int error_number) {
    const std::string number = std::to_string(port);
    if (error_number == EADDRINUSE) {
        return conflict("port " + number + " is in use on " + host +
                        "; stop the other program or choose another port with --http-port");
    }
    if (error_number == EACCES) {
        return {ErrorCode::permission_denied,
                "no permission to listen on port " + number + "; choose one above 1023"};
    }
    return unavailable("cannot listen on " + host + " port " + number + ": " + std::strerror(error_number));
}

bool set_option(const Fd& fd, int level, int option) {
    const int on = 1;
    return ::setsockopt(fd.get(), level, option, &on, sizeof on) == 0;
}

std::string text_of(const Endpoint& endpoint) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const bool v4 = endpoint.storage.ss_family == AF_INET;
    const void* address =
        v4 ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in&>(endpoint.storage).sin_addr)
           : &reinterpret_cast<const sockaddr_in6&>(endpoint.storage).sin6_addr;
    ::inet_ntop(v4 ? AF_INET : AF_INET6, address, text.data(), text.size());
    return text.data();
}

}  // namespace

Result<Fd> listen_on(const std::string& host, std::uint16_t port, Sharing sharing) {
    GYRE_TRY(const Endpoint endpoint, parse_endpoint(host, port));
    Fd fd(::socket(endpoint.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const bool listens = fd.valid() && set_option(fd, SOL_SOCKET, SO_REUSEADDR) &&
                         (sharing == Sharing::alone || set_option(fd, SOL_SOCKET, SO_REUSEPORT)) &&
                         set_option(fd, IPPROTO_TCP, TCP_NODELAY) &&  // accepted sockets inherit it
                         ::bind(fd.get(), endpoint.address(), endpoint.size) == 0 &&
                         ::listen(fd.get(), kBacklog) == 0;
    if (!listens) {
        return listen_error(host, port, errno);
    }
    return fd;
}

std::uint16_t port_of(const Fd& listening) {
    Endpoint endpoint;
    ::getsockname(listening.get(), endpoint.address(), &endpoint.size);
    return ntohs(endpoint.storage.ss_family == AF_INET
                     ? reinterpret_cast<const sockaddr_in&>(endpoint.storage).sin_port
                     : reinterpret_cast<const sockaddr_in6&>(endpoint.storage).sin6_port);
}

Listener::Listener(EventLoop& loop, Fd fd) : loop_(loop), fd_(std::move(fd)) {
    if (const auto watched = loop_.watch(fd_.get(), *this); !watched) {
        log_error("listen_failed", {{"reason", watched.error().message()}});
        fd_.reset();
    }
}

bool Listener::try_accept() {
    client_ = {};
    if (closed()) {
        return true;
    }
    if (!may_accept_) {
        return false;
    }
    Endpoint peer;
    client_.fd = Fd(::accept4(fd_.get(), peer.address(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (client_.fd.valid()) {
        client_.remote = text_of(peer);
        return true;
    }
    client_.error_number = errno;
    may_accept_ = errno != EAGAIN;
    return may_accept_;
}

void Listener::became_ready(std::uint32_t /*events*/) {
    may_accept_ = true;
    if (waiting_ && try_accept()) {
        std::exchange(waiting_, {}).resume();
    }
}

void Listener::close() {
    if (closed()) {
        return;
    }
    loop_.forget(fd_.get(), *this);
    fd_.reset();
    client_ = {};
    if (waiting_) {
        loop_.resume_later(std::exchange(waiting_, {}));
    }
}

}  // namespace gyre::http
