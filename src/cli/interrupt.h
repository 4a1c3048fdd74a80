#pragma once
// SIGINT, SIGTERM and SIGHUP (a closed terminal) as answers instead of ends, for commands that have to tidy
// up or say something first.
#include <atomic>
#include <csignal>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

namespace gyre::cli {

/// Keeps the signals back in this thread as long as it lives. Threads that are started meanwhile inherit
/// that; child processes do not. A signal that nobody waited for takes effect at the end.
class InterruptWatch {
 public:
    InterruptWatch();
    ~InterruptWatch();
    InterruptWatch(const InterruptWatch&) = delete;
    InterruptWatch& operator=(const InterruptWatch&) = delete;
    /// True when a signal has come or comes within `timeout_ms`.
    [[nodiscard]] bool wait(std::int64_t timeout_ms) const;

 private:
    sigset_t watched_{};
    sigset_t before_{};
};

/// For work that cannot look for signals itself: a thread that waits for one. While an action is set, the
/// first signal runs it, on that thread; a second one, or one without an action, ends the process with exit
/// code 130. Make it before other threads, which must not get the signals.
class InterruptAction {
 public:
    InterruptAction();
    ~InterruptAction();
    InterruptAction(const InterruptAction&) = delete;
    InterruptAction& operator=(const InterruptAction&) = delete;
    /// Empty: none. Waits for an action that runs.
    void set(std::function<void()> action);
    [[nodiscard]] bool interrupted() const { return interrupted_; }

 private:
    void take_signal();

    InterruptWatch watch_;
    std::mutex mutex_;
    std::function<void()> action_;  // guarded by mutex_
    std::atomic<bool> interrupted_{false};
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

}  // namespace gyre::cli
