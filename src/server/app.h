#pragma once
// App: the composition root. Modules are made here in the order of their layers and destroyed in reverse;
// each gets its own plain options, and its routes are added by one call. Nothing else knows everything.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/config.h"
#include "base/result.h"
#include "server/platform.h"

namespace gyre::server {

std::string_view version();

struct HttpSection {
    std::string host = "127.0.0.1";
    std::int64_t http_port = 5000;
    std::string data = "gyre-data";
    std::string model_repository;
    std::string allowed_hosts;
    std::int64_t io_threads = 0;
    std::int64_t connections = 4096;
    std::int64_t drain_s = 10;

    static constexpr auto options() {
        return std::tuple{
            Option{"host", &HttpSection::host,
                   "Address to listen on; any but a loopback one demands the token."},
            Option{"http_port", &HttpSection::http_port, "HTTP port; 0 picks a free one.", 0, 65535},
            Option{"data", &HttpSection::data, "Data folder; made when missing."},
            Option{"model_repository", &HttpSection::model_repository,
                   "Folder of models to serve read-only."},
            Option{"allowed_hosts", &HttpSection::allowed_hosts,
                   "Further names of this server, comma-separated, e.g. behind a proxy."},
            Option{"io_threads", &HttpSection::io_threads, "I/O loops; 0 means one a core.", 0, 64},
            Option{"connections", &HttpSection::connections, "Open connections at most.", 1, 1e6},
            Option{"drain_s", &HttpSection::drain_s, "Seconds that running requests get at shutdown.", 0,
                   3600},
        };
    }
};

struct PoolSection {
    std::int64_t sql_threads = 4;
    std::int64_t files_threads = 4;
    std::int64_t work_threads = 2;
    std::int64_t inference_threads = 2;
    std::int64_t queue = 1024;

    static constexpr auto options() {
        return std::tuple{
            Option{"sql_threads", &PoolSection::sql_threads, "Threads of requests that use the database.", 1,
                   256},
            Option{"files_threads", &PoolSection::files_threads, "Threads of requests that move files.", 1,
                   256},
            Option{"work_threads", &PoolSection::work_threads, "Threads of requests that compute.", 1, 256},
            Option{"inference_threads", &PoolSection::inference_threads, "Threads of larger predictions.", 1,
                   256},
            Option{"queue", &PoolSection::queue, "Requests that may wait for a pool; more are answered 429.",
                   1, 1e6},
        };
    }
};

struct LogSection {
    std::string level = "info";
    std::string format = "text";

    static constexpr auto options() {
        return std::tuple{
            Option{"level", &LogSection::level, "debug, info, warn, error or off."},
            Option{"format", &LogSection::format, "text or json."},
        };
    }
};

/// Everything that can be configured, and the table over it.
struct ServerConfig {
    HttpSection http;
    PoolSection pools;
    LogSection log;
    MonitoringSection monitoring;
    LoopSection loop;
    ServingSection serving;

    ServerConfig();
    ServerConfig(const ServerConfig&) = delete;
    ServerConfig& operator=(const ServerConfig&) = delete;
    ConfigTable table;
};

/// Applies log.level and log.format. Errors: invalid_argument.
Result<void> apply_log_section(const LogSection& section);

class App {
 public:
    /// Opens the data folder and listens. `config` must outlive the app.
    /// Errors: conflict (the folder or the port is in use), invalid_argument, unavailable.
    static Result<std::unique_ptr<App>> start(const ServerConfig& config);
    /// Drains.
    ~App();
    App(const App&) = delete;
    App& operator=(const App&) = delete;

    /// "http://127.0.0.1:5000"
    [[nodiscard]] std::string url() const;
    /// The admin token when it was made at this start; "" otherwise. Shown once.
    [[nodiscard]] std::string fresh_token() const;
    /// Stops listening, lets running requests end.
    void drain();

 private:
    struct Impl;
    explicit App(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// Runs until SIGTERM or SIGINT; prints the ready line. The exit code.
int run_server(const ServerConfig& config);

/// The OpenAPI document of a server with all its modules, without starting one.
Result<Json> describe_api();

}  // namespace gyre::server
