// Adapter: spdlog writes the lines.
#include "base/log.h"

#include <atomic>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/clock.h"

namespace gyre {
namespace {

struct LogState {
    std::atomic<LogLevel> level{LogLevel::info};
    std::atomic<LogFormat> format{LogFormat::text};
    std::shared_ptr<spdlog::logger> logger;

    LogState()
        : logger(
              std::make_shared<spdlog::logger>("gyre", std::make_shared<spdlog::sinks::stderr_sink_mt>())) {
        logger->set_pattern("%v");
        logger->set_level(spdlog::level::trace);
        logger->flush_on(spdlog::level::trace);
    }
};

LogState& state() {
    static LogState* instance = new LogState();  // never destroyed: threads may log until the end
    return *instance;
}

constinit thread_local std::string_view request_id;

constexpr std::string_view level_name(LogLevel level) {
    constexpr std::string_view kNames[] = {"debug", "info", "warn", "error", "off"};
    return kNames[static_cast<std::size_t>(level)];
}

std::string json_line(LogLevel level, std::string_view event, LogFields fields) {
    Json line = Json::object(
        {{"time", format_rfc3339(system_clock().now_us())}, {"level", level_name(level)}, {"event", event}});
    if (!request_id.empty()) {
        line.set("request_id", request_id);
    }
    for (const JsonMember& field : fields) {
        line.set(field.key, field.value);
    }
    return line.dump();
}

std::string text_line(LogLevel level, std::string_view event, LogFields fields) {
    std::string line = format_rfc3339(system_clock().now_us());
    line.append(" ").append(level_name(level)).append(" ").append(event);
    const auto append = [&](std::string_view key, const Json& value) {
        line.append(" ").append(key).append("=");
        const bool bare = value.is_string() && !value.as_string().empty() &&
                          value.as_string().find_first_of(" \"\\=\n\r\t") == std::string::npos;
        line.append(bare ? value.as_string() : value.dump());
    };
    if (!request_id.empty()) {
        append("request_id", Json(request_id));
    }
    for (const JsonMember& field : fields) {
        append(field.key, field.value);
    }
    return line;
}

void write_log(LogLevel level, std::string_view event, LogFields fields) {
    if (!log_enabled(level)) {
        return;
    }
    const bool json = state().format.load(std::memory_order_relaxed) == LogFormat::json;
    const std::string line = json ? json_line(level, event, fields) : text_line(level, event, fields);
    state().logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace

void configure_log(LogLevel level, LogFormat format) {
    state().level = level;
    state().format = format;
}

bool log_enabled(LogLevel level) {
    return level >= state().level.load(std::memory_order_relaxed);
}

void log_debug(std::string_view event, LogFields fields) {
    write_log(LogLevel::debug, event, fields);
}
void log_info(std::string_view event, LogFields fields) {
    write_log(LogLevel::info, event, fields);
}
void log_warn(std::string_view event, LogFields fields) {
    write_log(LogLevel::warn, event, fields);
}
void log_error(std::string_view event, LogFields fields) {
    write_log(LogLevel::error, event, fields);
}

LogRequestScope::LogRequestScope(std::string_view id) : previous_(std::exchange(request_id, id)) {}
LogRequestScope::~LogRequestScope() {
    request_id = previous_;
}

}  // namespace gyre
