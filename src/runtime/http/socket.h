#pragma once
// Socket: one client's non-blocking stream socket on its loop. It remembers what epoll said, so that it asks
// the kernel only where there is something to get. At most one reader and one writer wait at a time. All of
// it belongs to the loop's thread.
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/file.h"
#include "runtime/http/event_loop.h"

namespace gyre::http {

class Socket final : public Watched {
 public:
    /// `fd` is non-blocking. A socket that cannot be watched is closed at once.
    Socket(EventLoop& loop, Fd fd);
    ~Socket() { close(); }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    class Read;
    /// Awaits the next bytes, at most `size` > 0; gives their number, or 0 at the end of the stream, after
    /// an error and when closed.
    Read read(char* data, std::size_t size);
    class Writable;
    /// Awaits room for writing, or the end.
    Writable writable();
    /// Bytes that the kernel took at once: 0 when it has no room now, nothing when the connection is broken.
    std::optional<std::size_t> write_some(std::string_view bytes);

    /// The client sees the end of the stream; it may still send.
    void shutdown_send();
    /// Whoever waits goes on in the end of this turn. Idempotent.
    void close();
    [[nodiscard]] bool closed() const { return !fd_.valid(); }

    void became_ready(std::uint32_t events) override;

 private:
    /// Fills got_; false when there is nothing to read yet.
    bool try_read();

    EventLoop& loop_;
    Fd fd_;
    char* wanted_ = nullptr;
    std::size_t wanted_size_ = 0;
    std::size_t got_ = 0;
    std::coroutine_handle<> reader_;
    std::coroutine_handle<> writer_;
    bool may_read_ = true;  // false: epoll will tell
    bool may_write_ = true;
    bool hung_up_ = false;  // no more edges will tell of what is left to read
};

class Socket::Read {
 public:
    Read(Socket& socket, char* data, std::size_t size) : socket_(socket) {
        socket_.wanted_ = data;
        socket_.wanted_size_ = size;
    }
    [[nodiscard]] bool await_ready() const { return socket_.try_read(); }
    void await_suspend(std::coroutine_handle<> awaiter) const { socket_.reader_ = awaiter; }
    [[nodiscard]] std::size_t await_resume() const { return socket_.got_; }

 private:
    Socket& socket_;
};

class Socket::Writable {
 public:
    explicit Writable(Socket& socket) : socket_(socket) {}
    [[nodiscard]] bool await_ready() const { return socket_.may_write_ || socket_.closed(); }
    void await_suspend(std::coroutine_handle<> awaiter) const { socket_.writer_ = awaiter; }
    void await_resume() const noexcept {}

 private:
    Socket& socket_;
};

inline Socket::Read Socket::read(char* data, std::size_t size) {
    return {*this, data, size};
}

inline Socket::Writable Socket::writable() {
    return Writable(*this);
}

}  // namespace gyre::http
