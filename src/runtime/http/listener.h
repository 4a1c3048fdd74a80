#pragma once
// Listener: a listening socket on its loop.
#include <coroutine>
#include <cstdint>
#include <string>

#include "base/file.h"
#include "base/result.h"
#include "runtime/http/event_loop.h"

namespace gyre::http {

enum class Sharing : std::uint8_t { alone, reuse_port };

/// Listens on a numeric address or "localhost"; port 0 picks a free one.
/// Errors: invalid_argument (address), conflict (the port is in use), permission_denied, unavailable.
Result<Fd> listen_on(const std::string& host, std::uint16_t port, Sharing sharing);
/// The port that a listening socket has.
std::uint16_t port_of(const Fd& listening);

/// Belongs to the loop's thread once it listens.
class Listener final : public Watched {
 public:
    /// A socket that cannot be watched is closed at once.
    Listener(EventLoop& loop, Fd fd);
    ~Listener() { close(); }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    struct Client {
        Fd fd;               // non-blocking; invalid after an error and when closed
        std::string remote;  // its address, numeric
        int error_number = 0;
    };
    class Accept;
    /// Awaits the next client.
    Accept accept();
    /// Whoever waits goes on in the end of this turn. Idempotent.
    void close();
    [[nodiscard]] bool closed() const { return !fd_.valid(); }

    void became_ready(std::uint32_t events) override;

 private:
    /// Fills client_; false when nobody waits to be accepted.
    bool try_accept();

    EventLoop& loop_;
    Fd fd_;
    Client client_;
    std::coroutine_handle<> waiting_;
    bool may_accept_ = true;  // false: epoll will tell
};

class Listener::Accept {
 public:
    explicit Accept(Listener& listener) : listener_(listener) {}
    [[nodiscard]] bool await_ready() const { return listener_.try_accept(); }
    void await_suspend(std::coroutine_handle<> awaiter) const { listener_.waiting_ = awaiter; }
    [[nodiscard]] Client await_resume() const { return std::move(listener_.client_); }

 private:
    Listener& listener_;
};

inline Listener::Accept Listener::accept() {
    return Accept(*this);
}

}  // namespace gyre::http
