#include "runtime/http/event_stream.h"

#include <utility>

#include "runtime/http/limits.h"

namespace gyre::http {
namespace {

void call(const std::function<void()>& function) {
    if (function) {
        function();
    }
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
    out.append(name).append(": ");
    for (const char c : value) {
        out.push_back(c == '\n' || c == '\r' || c == '\0' ? ' ' : c);
    }
    out.push_back('\n');
}

}  // namespace

std::string format_event(std::string_view id, std::string_view event, std::string_view data) {
    std::string out;
    out.reserve(data.size() + id.size() + event.size() + 32);
    if (!id.empty()) {
        append_field(out, "id", id);
    }
    if (!event.empty()) {
        append_field(out, "event", event);
    }
    std::size_t from = 0;
    for (;;) {
        const std::size_t end = data.find('\n', from);
        append_field(out, "data", data.substr(from, end == std::string_view::npos ? end : end - from));
        if (end == std::string_view::npos) {
            break;
        }
        from = end + 1;
    }
    out.push_back('\n');
    return out;
}

bool EventStream::send(std::string_view id, std::string_view event, std::string_view data) {
    std::string frame = format_event(id, event, data);
    std::unique_lock lock(mutex_);
    if (closed_) {
        return false;
    }
    if (frames_.size() >= kEventQueueMax || bytes_ + frame.size() > kEventQueueBytesMax) {
        end(lock);
        return false;
    }
    bytes_ += frame.size();
    frames_.push_back(std::move(frame));
    auto waker = std::exchange(waker_, nullptr);
    lock.unlock();
    call(waker);
    return true;
}

void EventStream::end(std::unique_lock<std::mutex>& lock) {
    closed_ = true;
    auto waker = std::exchange(waker_, nullptr);
    auto ended = std::exchange(on_end_, nullptr);
    lock.unlock();
    call(waker);
    call(ended);
}

void EventStream::close() {
    std::unique_lock lock(mutex_);
    if (!closed_) {
        end(lock);
    }
}

void EventStream::abandon() {
    std::unique_lock lock(mutex_);
    frames_.clear();
    bytes_ = 0;
    if (!closed_) {
        end(lock);
    }
}

bool EventStream::closed() const {
    const std::scoped_lock lock(mutex_);
    return closed_;
}

void EventStream::on_end(std::function<void()> callback) {
    std::unique_lock lock(mutex_);
    if (!closed_) {
        on_end_ = std::move(callback);
        return;
    }
    lock.unlock();
    call(callback);
}

std::string EventStream::take() {
    const std::scoped_lock lock(mutex_);
    std::string out;
    out.reserve(bytes_);
    for (const std::string& frame : frames_) {
        out.append(frame);
    }
    frames_.clear();
    bytes_ = 0;
    return out;
}

bool EventStream::arm(std::function<void()> waker) {
    const std::scoped_lock lock(mutex_);
    if (closed_ || !frames_.empty()) {
        return false;
    }
    waker_ = std::move(waker);
    return true;
}

}  // namespace gyre::http
