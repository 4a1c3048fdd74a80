#pragma once
// Shutdown: SIGTERM and SIGINT become a value that the main thread waits for. A second signal ends the
// process at once with exit code 130.
#include <string_view>

namespace gyre::runtime {

/// Make it in main before any other thread starts: it blocks the signals in this thread, and threads
/// started later inherit that. Also ignores SIGPIPE.
class ShutdownSignal {
 public:
    ShutdownSignal();
    ShutdownSignal(const ShutdownSignal&) = delete;
    ShutdownSignal& operator=(const ShutdownSignal&) = delete;

    /// Waits for the first signal; gives its name ("SIGTERM"). From then on a second one ends the process.
    std::string_view wait();
};

}  // namespace gyre::runtime
