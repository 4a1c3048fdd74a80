#pragma once
// Structured logs: one line per event, a constant event name, key=value fields.
//   log_info("model_loaded", {{"model", ref}, {"load_ms", 12}});
// Levels: error = somebody must act; warn = degraded but served; info = state changes; debug = per request.
// Never log payloads or secrets. Thread-safe.
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/json.h"

namespace gyre {

enum class LogLevel : std::uint8_t { debug, info, warn, error, off };
enum class LogFormat : std::uint8_t { text, json };

/// Call once, before threads start; without it, logs go to stderr as text from `info` up.
void configure_log(LogLevel level, LogFormat format);
bool log_enabled(LogLevel level);

using LogFields = std::initializer_list<JsonMember>;
void log_debug(std::string_view event, LogFields fields = {});
void log_info(std::string_view event, LogFields fields = {});
void log_warn(std::string_view event, LogFields fields = {});
void log_error(std::string_view event, LogFields fields = {});

/// While alive, every line of this thread carries request_id=<id>. The id's text must outlive the scope: it
/// is not copied, as this stands on the way of every request.
class LogRequestScope {
 public:
    explicit LogRequestScope(std::string_view request_id);
    ~LogRequestScope();
    LogRequestScope(const LogRequestScope&) = delete;
    LogRequestScope& operator=(const LogRequestScope&) = delete;

 private:
    std::string_view previous_;
};

}  // namespace gyre
