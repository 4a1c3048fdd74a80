#include "server/app.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "api/openapi.h"
#include "api/server_routes.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "runtime/pool.h"
#include "runtime/shutdown.h"
#include "server/data_folder.h"

namespace gyre::server {
namespace {

constexpr std::string_view kVersion = GYRE_VERSION;

std::vector<std::string> split_names(std::string_view text) {
    std::vector<std::string> out;
    for (const std::string_view part : split(text, ',')) {
        if (!trim(part).empty()) {
            out.emplace_back(trim(part));
        }
    }
    return out;
}

/// The named pools of requests.
struct RequestPools {
    runtime::ThreadPool sql;
    runtime::ThreadPool files;
    runtime::ThreadPool work;
    runtime::ThreadPool inference;

    static runtime::PoolOptions sized(std::string name, std::int64_t threads, std::int64_t queue) {
        return {std::move(name), static_cast<std::size_t>(threads), static_cast<std::size_t>(queue)};
    }
    RequestPools(const PoolSection& section, Metrics& metrics)
        : sql(sized("sql", section.sql_threads, section.queue), metrics),
          files(sized("files", section.files_threads, section.queue), metrics),
          work(sized("work", section.work_threads, section.queue), metrics),
          inference(sized("inference", section.inference_threads, section.queue), metrics) {}
    api::Pools by_name() { return {nullptr, &sql, &files, &work, &inference}; }
};

http::ServerOptions server_options(const HttpSection& section) {
    http::ServerOptions out;
    out.host = section.host;
    out.port = static_cast<std::uint16_t>(section.http_port);
    const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
    out.io_threads = section.io_threads > 0 ? static_cast<std::size_t>(section.io_threads)
                                            : std::min(cores, http::kIoThreadsMax);
    out.limits.connections = static_cast<std::size_t>(section.connections);
    out.limits.drain_ms = section.drain_s * 1000;
    return out;
}

api::AccessOptions access_options(const HttpSection& section, const std::optional<api::AdminToken>& token) {
    api::AccessOptions out;
    out.token_required = token.has_value();
    out.token_sha256 = token ? token->sha256 : "";
    out.check_host = !token.has_value();
    out.allowed_hosts = split_names(section.allowed_hosts);
    return out;
}

}  // namespace

std::string_view version() {
    return kVersion;
}

ServerConfig::ServerConfig() {
    table.add("server", http);
    table.add("pools", pools);
    table.add("log", log);
    table.add("monitoring", monitoring);
    table.add("loop", loop);
    table.add("serving", serving);
}

Result<void> apply_log_section(const LogSection& section) {
    constexpr std::array<std::string_view, 5> kLevels{"debug", "info", "warn", "error", "off"};
    const auto level = std::find(kLevels.begin(), kLevels.end(), section.level);
    if (level == kLevels.end()) {
        return invalid_argument("log.level must be debug, info, warn, error or off, got '" + section.level +
                                "'");
    }
    if (section.format != "text" && section.format != "json") {
        return invalid_argument("log.format must be text or json, got '" + section.format + "'");
    }
    configure_log(static_cast<LogLevel>(level - kLevels.begin()),
                  section.format == "json" ? LogFormat::json : LogFormat::text);
    return {};
}

/// Members are destroyed from the last to the first: the server stops first, the data folder is let go last.
struct App::Impl {
    const ServerConfig& config;
    DataFolder folder;
    std::optional<api::AdminToken> token;
    Clock& clock = system_clock();
    Metrics metrics;
    std::unique_ptr<Platform> platform;
    RequestPools pools;
    api::RouteTable routes;
    std::unique_ptr<http::Server> server;

    Impl(const ServerConfig& given, DataFolder opened, std::optional<api::AdminToken> admin)
        : config(given),
          folder(std::move(opened)),
          token(std::move(admin)),
          pools(given.pools, metrics),
          routes(metrics, clock, pools.by_name(), api::AccessGuard(access_options(given.http, token))) {}

    /// One line a module: api::add_xxx_routes(routes, module).
    void add_routes() {
        api::add_process_metrics(metrics);
        platform->add_routes(routes);
        api::add_server_routes(routes, {std::string(version()), clock.now_us()}, clock, metrics,
                               [this] { return platform->not_ready(); });
    }

    Result<void> listen() {
        GYRE_TRY(platform,
                 Platform::open({folder.path(), config.http.model_repository, std::string(version()),
                                 config.monitoring, config.loop, config.serving},
                                metrics, clock));
        add_routes();
        GYRE_TRY_VOID(routes.check());
        GYRE_TRY_VOID(platform->start());
        GYRE_TRY(server, http::Server::start(server_options(config.http), routes, metrics));
        return {};
    }
};

App::App(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

App::~App() {
    drain();
}

Result<std::unique_ptr<App>> App::start(const ServerConfig& config) {
    GYRE_TRY(DataFolder folder, DataFolder::open(config.http.data));
    std::optional<api::AdminToken> token;
    if (!api::is_loopback(config.http.host)) {
        GYRE_TRY(token, api::load_or_make_token(folder.path()));
    }
    auto impl = std::make_unique<Impl>(config, std::move(folder), std::move(token));
    GYRE_TRY_VOID(impl->listen());
    return std::unique_ptr<App>(new App(std::move(impl)));
}

std::string App::url() const {
    const std::string& host = impl_->config.http.host;
    const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
    return "http://" + name + ":" + std::to_string(impl_->server->port());
}

std::string App::fresh_token() const {
    return impl_->token && impl_->token->fresh ? *impl_->token->fresh : std::string();
}

void App::drain() {
    if (impl_->server != nullptr) {
        impl_->server->drain();
        impl_->platform->stop_work();  // or the pools would wait for requests that wait for it
    }
}

int run_server(const ServerConfig& config) {
    runtime::ShutdownSignal shutdown;
    auto app = App::start(config);
    if (!app) {
        std::fprintf(stderr, "gyre: %s\n", app.error().message().c_str());
        return info_of(app.error().code()).exit_code;
    }
    const std::string token = (*app)->fresh_token();
    if (!token.empty()) {
        std::fprintf(stderr, "gyre: admin token, shown only this once: %s\n", token.c_str());
    }
    std::printf("gyre %s ready on %s (data: %s)\n", std::string(version()).c_str(), (*app)->url().c_str(),
                config.http.data.c_str());
    std::fflush(stdout);
    const std::string_view signal = shutdown.wait();
    log_info("server_stopping", {{"signal", signal}});
    (*app)->drain();
    log_info("server_stopped");
    return 0;
}

Result<Json> describe_api() {
    std::string folder = std::filesystem::temp_directory_path() / "gyre-describe-XXXXXX";
    if (::mkdtemp(folder.data()) == nullptr) {
        return errno_error("make a temporary folder", errno);
    }
    Metrics metrics;
    auto document = [&]() -> Result<Json> {
        GYRE_TRY(const auto platform,
                 Platform::open({folder, "", std::string(version()), {}, {}, {}}, metrics, system_clock()));
        api::RouteTable routes(metrics, system_clock(), {}, api::AccessGuard({}));
        platform->add_routes(routes);
        api::add_server_routes(routes, {std::string(version()), 0}, system_clock(), metrics,
                               [] { return std::optional<std::string>(); });
        GYRE_TRY_VOID(routes.check());
        return api::openapi_document(routes, version());
    }();
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
    return document;
}

}  // namespace gyre::server
