#include "runtime/http/socket.h"

#include <cerrno>
#include <sys/socket.h>
#include <utility>

#include "base/log.h"

namespace gyre::http {

Socket::Socket(EventLoop& loop, Fd fd) : loop_(loop), fd_(std::move(fd)) {
    if (const auto watched = loop_.watch(fd_.get(), *this); !watched) {
        log_warn("connection_failed", {{"reason", watched.error().message()}});
        fd_.reset();
    }
}

bool Socket::try_read() {
    got_ = 0;
    if (closed()) {
        return true;
    }
    while (may_read_ || hung_up_) {
        const ssize_t got = ::recv(fd_.get(), wanted_, wanted_size_, 0);
        if (got >= 0) {
            got_ = static_cast<std::size_t>(got);
            may_read_ = got_ == wanted_size_;  // a short read took all; the next bytes make a new edge
            return true;
        }
        if (errno == EAGAIN) {
            may_read_ = false;
            return hung_up_;
        }
        if (errno != EINTR) {
            return true;
        }
    }
    return false;
}

std::optional<std::size_t> Socket::write_some(std::string_view bytes) {
    if (closed()) {
        return std::nullopt;
    }
    for (;;) {
        const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent >= 0) {
            return static_cast<std::size_t>(sent);
        }
        if (errno == EAGAIN) {
            may_write_ = false;
            return 0;
        }
        if (errno != EINTR) {
            return std::nullopt;
        }
    }
}

void Socket::became_ready(std::uint32_t events) {
    hung_up_ = hung_up_ || (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    may_read_ = may_read_ || hung_up_ || (events & EPOLLIN) != 0;
    may_write_ = may_write_ || (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
    if (writer_ && may_write_) {
        std::exchange(writer_, {}).resume();
    } else if (reader_ && may_read_ && try_read()) {
        loop_.resume_soon(std::exchange(reader_, {}));
    }
}

void Socket::shutdown_send() {
    ::shutdown(fd_.get(), SHUT_WR);
}

void Socket::close() {
    if (closed()) {
        return;
    }
    loop_.forget(fd_.get(), *this);
    fd_.reset();
    got_ = 0;
    for (std::coroutine_handle<>* waiting : {&reader_, &writer_}) {
        if (*waiting) {
            loop_.resume_later(std::exchange(*waiting, {}));
        }
    }
}

}  // namespace gyre::http
