#pragma once
// ServerProcess: a Gyre server of the demo's own, in a process beside it, ended with it.
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/child_process.h"

namespace gyre::cli::demo {

class ServerProcess {
 public:
    /// Starts this binary's `server` on a free port over `data` and waits until it is ready.
    static Result<ServerProcess> start(const std::string& data, const std::vector<std::string>& flags);
    [[nodiscard]] const std::string& url() const { return url_; }
    void stop() { process_.stop(); }

 private:
    ServerProcess(runtime::ChildProcess process, std::string url)
        : process_(std::move(process)), url_(std::move(url)) {}
    runtime::ChildProcess process_;
    std::string url_;
};

}  // namespace gyre::cli::demo
