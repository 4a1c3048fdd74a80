#include "cli/demo/server_process.h"

#include <unistd.h>

#include "base/file.h"

namespace gyre::cli::demo {
namespace {

constexpr std::int64_t kReadyTimeoutMs = 30'000;
constexpr std::int64_t kPollMs = 20;
constexpr std::int64_t kStopTimeoutMs = 15'000;

std::string own_program() {
    char path[4096];
    const ssize_t length = ::readlink("/proc/self/exe", path, sizeof path);
    return length > 0 ? std::string(path, static_cast<std::size_t>(length)) : "gyre";
}

/// "gyre 0.1.0 ready on http://127.0.0.1:41234 (data: ...)"
std::string url_in(const std::string& line) {
    const std::size_t start = line.find("http://");
    return start == std::string::npos ? "" : line.substr(start, line.find(' ', start) - start);
}

}  // namespace

Result<ServerProcess> ServerProcess::start(const std::string& data, const std::vector<std::string>& flags) {
    GYRE_TRY_VOID(make_directories(data));
    runtime::ChildOptions options;
    options.argv = {own_program(), "server",    "--data", data,           "--http-port",
                    "0",           "--drain-s", "2",      "--parent-pid", std::to_string(::getpid())};
    options.argv.insert(options.argv.end(), flags.begin(), flags.end());
    options.stdout_to = runtime::OutputTo::file;
    options.stderr_to = runtime::OutputTo::file;
    options.stdout_path = data + "/ready.txt";
    options.stderr_path = data + "/server.log";
    GYRE_TRY(runtime::ChildProcess process, runtime::ChildProcess::start(options));
    for (std::int64_t waited_ms = 0; waited_ms < kReadyTimeoutMs; waited_ms += kPollMs) {
        if (const auto ended = process.wait(kPollMs)) {
            return unavailable("the demo's server ended with " + ended->describe() + ": " +
                               read_file(options.stderr_path).value_or(""));
        }
        const std::string url = url_in(read_file(options.stdout_path).value_or(""));
        if (!url.empty()) {
            return ServerProcess(std::move(process), url);
        }
    }
    return Error(ErrorCode::deadline_exceeded,
                 "the demo's server was not ready in time; see " + options.stderr_path);
}

void ServerProcess::stop() {
    ask_to_stop();
    if (!process_.wait(kStopTimeoutMs)) {
        process_.stop(0);
    }
}

}  // namespace gyre::cli::demo
