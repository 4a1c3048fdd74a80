#pragma once
// EventStream: Server-Sent Events to one client. The producer pushes complete frames from any thread; the
// connection takes them on its own loop. The queue is bounded: a client that is too slow is dropped, and
// resumes at the last id that it saw (Last-Event-ID). Thread-safe.
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace gyre::http {

class EventStream {
 public:
    /// Queues one frame. False when the stream is over: closed, or this frame did not fit (which closes it).
    bool send(std::string_view id, std::string_view event, std::string_view data);
    /// No more frames; what is queued is still sent.
    void close();
    [[nodiscard]] bool closed() const;
    /// Called once when the stream ends for any reason, at once if it has ended. For unsubscribing.
    void on_end(std::function<void()> callback);

    // The transport's side.
    /// Takes all that is queued, as wire text.
    std::string take();
    /// Calls `waker` once at the next send or close. False (and nothing is kept) when there is something to
    /// do.
    bool arm(std::function<void()> waker);
    /// The client is gone.
    void abandon();

 private:
    void end(std::unique_lock<std::mutex>& lock);

    mutable std::mutex mutex_;
    std::deque<std::string> frames_;  // guarded by mutex_, as all below
    std::size_t bytes_ = 0;
    bool closed_ = false;
    std::function<void()> waker_;
    std::function<void()> on_end_;
};

/// The wire text of one event; line breaks in `data` become several data lines.
std::string format_event(std::string_view id, std::string_view event, std::string_view data);

}  // namespace gyre::http
