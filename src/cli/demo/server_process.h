#pragma once
// ServerProcess: a Gyre server of the demo's own, in a process beside it, ended with it (also when the demo
// is killed: the server watches it).
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/child_process.h"

namespace gyre::cli::demo {

class ServerProcess {
 public:
    /// Starts this binary's `server` on a free port over `data` and waits until it is ready.
    static Result<ServerProcess> start(const std::string& data, const std::vector<std::string>& flags);
    ServerProcess(ServerProcess&&) = default;
    ServerProcess& operator=(ServerProcess&&) = delete;
    /// As stop().
    ~ServerProcess() {
        if (asked_) {  // not moved away
            stop();
        }
    }

    [[nodiscard]] const std::string& url() const { return url_; }
    /// Asks the server to stop and does not wait. May be called by another thread.
    void ask_to_stop() {
        if (!asked_->exchange(true)) {  // a second signal would cut its shutdown short
            process_.terminate();
        }
    }
    /// Waits until it has ended; kills it when that takes too long.
    void stop();

 private:
    ServerProcess(runtime::ChildProcess process, std::string url)
        : process_(std::move(process)), url_(std::move(url)) {}
    runtime::ChildProcess process_;
    std::string url_;
    std::unique_ptr<std::atomic<bool>> asked_ = std::make_unique<std::atomic<bool>>(false);
};

}  // namespace gyre::cli::demo
