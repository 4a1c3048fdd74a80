#include "api/server_routes.h"

#include <filesystem>
#include <sys/resource.h>
#include <unistd.h>

#include "api/openapi.h"
#include "base/file.h"
#include "base/text.h"

namespace gyre::api {
namespace {

struct ServerView {
    std::string version;
    std::string started_at;
    double uptime_s = 0;
    std::string project;

    static constexpr auto fields() {
        return std::tuple{
            Field{"version", &ServerView::version, "Version of the server."},
            Field{"started_at", &ServerView::started_at, "When it started."},
            Field{"uptime_s", &ServerView::uptime_s, "Seconds since then."},
            Field{"project", &ServerView::project, "The project that requests act in."},
        };
    }
};

RouteDoc get(std::string_view path, std::string_view id, std::string_view summary, Access access,
             PoolName pool) {
    return {.method = http::Method::get,
            .path = path,
            .id = id,
            .summary = summary,
            .access = access,
            .pool = pool};
}

void add_health(RouteTable& table, std::function<std::optional<std::string>()> ready) {
    table.raw(get("/healthz", "healthz", "Says that the process answers.", Access::open, PoolName::inline_io),
              [](Context& context) -> Result<void> {
                  context.response.set(200, "application/json", R"({"status":"ok"})");
                  return {};
              });
    table.raw(get("/readyz", "readyz", "Says whether every deployed model is loaded or has failed.",
                  Access::open, PoolName::inline_io),
              [ready = std::move(ready)](Context& context) -> Result<void> {
                  if (const auto reason = ready()) {
                      return unavailable("not ready: " + *reason);
                  }
                  context.response.set(200, "application/json", R"({"status":"ready"})");
                  return {};
              });
}

void add_documents(RouteTable& table, const std::string& version) {
    table.raw(get("/openapi.json", "openapi", "This API as OpenAPI 3.1.", Access::read, PoolName::work),
              [&table, version](Context& context) -> Result<void> {
                  context.response.set(200, "application/json", openapi_document(table, version).dump());
                  return {};
              });
    table.raw(get("/docs", "docs_page", "This API as a page.", Access::read, PoolName::work),
              [&table, version](Context& context) -> Result<void> {
                  context.response.set(200, "text/html; charset=utf-8", docs_page(table, version));
                  return {};
              });
}

/// The number in field `index` (from 0) of /proc/self/statm, in pages.
double statm_pages(std::size_t index) {
    const auto text = read_file("/proc/self/statm", 4096);
    if (!text) {
        return 0;
    }
    const auto parts = split(trim(*text), ' ');
    return index < parts.size() ? parse_number(parts[index]).value_or(0) : 0;
}

double count_entries(const char* folder) {
    std::error_code failed;
    double count = 0;
    for (std::filesystem::directory_iterator it(folder, failed), end; !failed && it != end;
         it.increment(failed)) {
        ++count;
    }
    return count;
}

double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    constexpr double kMicro = 1e-6;
    return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           kMicro * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

}  // namespace

void add_server_routes(RouteTable& table, const ServerInfo& info, const Clock& clock, const Metrics& metrics,
                       std::function<std::optional<std::string>()> ready) {
    add_health(table, std::move(ready));
    table.raw(
        get("/metrics", "metrics", "Figures in the Prometheus text format.", Access::read, PoolName::work),
        [&metrics](Context& context) -> Result<void> {
            context.response.set(200, "text/plain; version=0.0.4; charset=utf-8", metrics.expose());
            return {};
        });
    add_documents(table, info.version);
    table.typed<Empty, ServerView>(get("/api/gyre/v1/server", "get_server", "Version and age of the server.",
                                       Access::read, PoolName::inline_io),
                                   [info, &clock](Context& context, Empty) -> Result<ServerView> {
                                       constexpr double kSecond = 1e-6;
                                       return ServerView{
                                           info.version, format_rfc3339(info.started_us),
                                           static_cast<double>(clock.now_us() - info.started_us) * kSecond,
                                           context.principal.project.str()};
                                   });
}

void add_process_metrics(Metrics& metrics) {
    const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
    metrics.callback_gauge("process_resident_memory_bytes", "Resident memory.",
                           [page] { return statm_pages(1) * page; });
    metrics.callback_gauge("process_cpu_seconds_total", "CPU time used.", &cpu_seconds);
    metrics.callback_gauge("process_open_fds", "Open file descriptors.",
                           [] { return count_entries("/proc/self/fd"); });
    metrics.callback_gauge("process_threads", "Threads.", [] { return count_entries("/proc/self/task"); });
}

}  // namespace gyre::api
