#pragma once
// SIGINT, SIGTERM and SIGHUP (a closed terminal) as answers instead of ends, for commands that have to tidy
// up or say something first.
#include <csignal>
#include <cstdint>

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

}  // namespace gyre::cli
