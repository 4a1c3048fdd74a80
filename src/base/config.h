#pragma once
// Configuration declared once: a module lists its options over its own plain struct; the file (YAML),
// the environment, the flags, --help and the documents all derive from that list.
//
//   struct HttpConfig {
//       std::string host = "127.0.0.1";
//       std::int64_t http_port = 5000;
//       static constexpr auto options() {
//           return std::tuple{Option{"host", &HttpConfig::host, "Address to listen on."},
//                             Option{"http_port", &HttpConfig::http_port, "Port; 0 picks a free one.", 0,
//                             65535}};
//       }
//   };
//   ConfigTable table;
//   table.add("server", config);             // key server.http_port, env GYRE_SERVER__HTTP_PORT, flag
//   --http-port
//
// Precedence: default < file < environment < flag. Unknown keys are errors that suggest the nearest.
// Values: bool, std::int64_t, double, std::string. Not thread-safe; used before threads start.
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/json.h"

namespace gyre {

enum class Secret : std::uint8_t { no, yes };

template <class Struct, class Member>
struct Option {
    std::string_view name;
    Member Struct::* member;
    std::string_view help;
    double min = -1e300;
    double max = 1e300;
    Secret secret = Secret::no;
};
template <class S, class M>
Option(std::string_view, M S::*, std::string_view) -> Option<S, M>;
template <class S, class M>
Option(std::string_view, M S::*, std::string_view, double, double) -> Option<S, M>;

struct ConfigEntry {
    std::string key;       // "server.http_port"
    std::string flag;      // "--http-port"
    std::string variable;  // "GYRE_SERVER__HTTP_PORT"
    std::string type;      // "integer", "number", "boolean", "text"
    std::string help;
    std::string default_text;
    std::string origin = "default";
    double min = 0;
    double max = 0;
    bool secret = false;
    std::function<void(const Json&)> set;  // the value's type is already right
    std::function<std::string()> get;
};

class ConfigTable {
 public:
    /// Declares the options of one section over `target`, which must outlive the table.
    template <class Struct>
    void add(std::string_view section, Struct& target) {
        std::apply([&](const auto&... option) { (add_option(section, target, option), ...); },
                   Struct::options());
    }

    /// Reads a YAML file of sections. Errors name file, key and line.
    Result<void> load_file(const std::string& path);
    /// Reads the same from text; `name` is used in messages.
    Result<void> load_text(std::string_view yaml, std::string_view name);
    /// Reads GYRE_* variables of the process. An unknown GYRE_<SECTION>__<KEY> is an error.
    Result<void> load_environment();
    /// Sets one key from text, as a flag or variable does.
    Result<void> set(std::string_view key, std::string_view value, std::string_view origin);

    [[nodiscard]] const std::vector<ConfigEntry>& entries() const { return entries_; }
    /// The documents' table, in Markdown.
    [[nodiscard]] std::string markdown() const;

 private:
    template <class Struct, class Member>
    void add_option(std::string_view section, Struct& target, const Option<Struct, Member>& option) {
        Member& value = target.*(option.member);
        ConfigEntry entry = describe(section, option.name, option.help);
        entry.min = option.min;
        entry.max = option.max;
        entry.secret = option.secret == Secret::yes;
        if constexpr (std::is_same_v<Member, bool>) {
            entry.type = "boolean";
            entry.set = [&value](const Json& json) { value = json.as_bool(); };
            entry.get = [&value] { return std::string(value ? "true" : "false"); };
        } else if constexpr (std::is_same_v<Member, std::int64_t>) {
            entry.type = "integer";
            entry.set = [&value](const Json& json) { value = json.as_integer(); };
            entry.get = [&value] { return std::to_string(value); };
        } else if constexpr (std::is_same_v<Member, double>) {
            entry.type = "number";
            entry.set = [&value](const Json& json) { value = json.as_number(); };
            entry.get = [&value] { return Json(value).dump(); };
        } else {
            static_assert(std::is_same_v<Member, std::string>, "bool, std::int64_t, double or std::string");
            entry.type = "text";
            entry.set = [&value](const Json& json) { value = json.as_string(); };
            entry.get = [&value] { return value; };
        }
        entry.default_text = entry.get();
        entries_.push_back(std::move(entry));
    }
    static ConfigEntry describe(std::string_view section, std::string_view name, std::string_view help);
    ConfigEntry* find(std::string_view key);
    Error unknown_key(std::string_view key) const;

    std::vector<ConfigEntry> entries_;
};

inline constexpr std::uint64_t kConfigBytesMax = 1U << 20U;
inline constexpr int kYamlDepthMax = 32;
inline constexpr std::size_t kYamlNodesMax = 100'000;

/// A YAML document as Json (scalars typed by the YAML 1.2 core rules; anchors and aliases are refused, so a
/// document cannot grow when read). Errors name line and column.
Result<Json> parse_yaml(std::string_view text);

/// Where a value stands, counted from 1: a member's key, an array's item.
struct YamlMark {
    int line = 0;
    int column = 0;
};
using YamlMarks = std::map<std::string, YamlMark>;     // by path: "steps[2].kind"
inline constexpr std::size_t kYamlPathBytesMax = 512;  // values at longer paths have no mark

/// The same, and where each value stands.
Result<Json> parse_yaml(std::string_view text, YamlMarks& marks);

}  // namespace gyre
