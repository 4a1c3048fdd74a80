#include "base/config.h"

#include <algorithm>
#include <cmath>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

namespace gyre {
namespace {

std::string upper(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return out;
}

Result<Json> value_of_text(const ConfigEntry& entry, std::string_view text) {
    if (entry.type == "text") {
        return Json(text);
    }
    if (entry.type == "boolean" && (text == "true" || text == "1" || text == "false" || text == "0")) {
        return Json(text == "true" || text == "1");
    }
    if (entry.type == "integer") {
        if (const auto number = parse_integer(text)) {
            return Json(*number);
        }
    }
    if (entry.type == "number") {
        if (const auto number = parse_number(text)) {
            return Json(*number);
        }
    }
    return invalid_argument("expected a value of type " + entry.type + ", got '" + std::string(text) + "'");
}

/// A bound as the key's values are written: 65535, not 65535.0.
std::string bound_text(const ConfigEntry& entry, double bound) {
    constexpr double kExact = 1e15;  // whole numbers up to here are whole in a double, too
    const bool whole = entry.type == "integer" && std::abs(bound) <= kExact;
    return whole ? std::to_string(static_cast<std::int64_t>(bound)) : Json(bound).dump();
}

/// The type and the bounds of `value` against what `entry` declares.
Result<void> check_value(const ConfigEntry& entry, const Json& value) {
    const bool fits = entry.type == "text"      ? value.is_string()
                      : entry.type == "boolean" ? value.is_bool()
                      : entry.type == "integer" ? value.is_integer()
                                                : value.is_number();
    if (!fits) {
        return invalid_argument("expected a value of type " + entry.type + ", got " + value.dump());
    }
    if (value.is_number() && (value.as_number() < entry.min || value.as_number() > entry.max)) {
        return invalid_argument("expected a value from " + bound_text(entry, entry.min) + " to " +
                                bound_text(entry, entry.max) + ", got " + value.dump());
    }
    return {};
}

Result<void> assign(ConfigEntry& entry, const Json& value, std::string_view origin) {
    if (auto fits = check_value(entry, value); !fits) {
        return std::move(fits).error().context("config key '" + entry.key + "' (" + std::string(origin) +
                                               ")");
    }
    entry.set(value);
    entry.origin = origin;
    return {};
}

}  // namespace

ConfigEntry ConfigTable::describe(std::string_view section, std::string_view name, std::string_view help) {
    ConfigEntry entry;
    entry.key = std::string(section) + "." + std::string(name);
    entry.flag = "--" + std::string(name);
    std::replace(entry.flag.begin(), entry.flag.end(), '_', '-');
    entry.variable = "GYRE_" + upper(section) + "__" + upper(name);
    entry.help = help;
    return entry;
}

ConfigEntry* ConfigTable::find(std::string_view key) {
    const auto found =
        std::find_if(entries_.begin(), entries_.end(), [&](const auto& e) { return e.key == key; });
    return found == entries_.end() ? nullptr : &*found;
}

Error ConfigTable::unknown_key(std::string_view key) const {
    std::vector<std::string_view> known;
    for (const ConfigEntry& entry : entries_) {
        known.push_back(entry.key);
    }
    return invalid_argument("unknown config key '" + std::string(key) + "'" + suggestion(key, known) +
                            "; gyre server --help lists them");
}

Result<void> ConfigTable::load_file(const std::string& path) {
    GYRE_TRY(const std::string text, read_file(path, kConfigBytesMax));
    return load_text(text, path);
}

Result<void> ConfigTable::load_text(std::string_view yaml, std::string_view name) {
    auto parsed = parse_yaml(yaml);
    if (!parsed) {
        return std::move(parsed).error().context(name);
    }
    if (parsed->is_null()) {
        return {};
    }
    if (!parsed->is_object()) {
        return invalid_argument(std::string(name) + ": expected sections of keys, got " +
                                std::string(parsed->kind_name()));
    }
    for (const JsonMember& section : parsed->members()) {
        if (!section.value.is_object()) {
            return unknown_key(section.key).context(name);
        }
        for (const JsonMember& member : section.value.members()) {
            const std::string key = section.key + "." + member.key;
            ConfigEntry* entry = find(key);
            if (entry == nullptr) {
                return unknown_key(key).context(name);
            }
            GYRE_TRY_VOID(assign(*entry, member.value, name));
        }
    }
    return {};
}

Result<void> ConfigTable::set(std::string_view key, std::string_view value, std::string_view origin) {
    ConfigEntry* entry = find(key);
    if (entry == nullptr) {
        return unknown_key(key);
    }
    auto parsed = value_of_text(*entry, value);
    if (!parsed) {
        return std::move(parsed).error().context("config key '" + entry->key + "' (" + std::string(origin) +
                                                 ")");
    }
    return assign(*entry, *parsed, origin);
}

Result<void> ConfigTable::load_environment() {
    for (char** variable = environ; *variable != nullptr; ++variable) {
        const std::string_view text(*variable);
        const std::size_t equals = text.find('=');
        const std::string_view name = text.substr(0, equals);
        if (!name.starts_with("GYRE_") || name.find("__") == std::string_view::npos) {
            continue;
        }
        const auto found =
            std::find_if(entries_.begin(), entries_.end(), [&](const auto& e) { return e.variable == name; });
        if (found == entries_.end()) {
            std::vector<std::string_view> known;
            for (const ConfigEntry& entry : entries_) {
                known.push_back(entry.variable);
            }
            return invalid_argument("environment: unknown config key '" + std::string(name) + "'" +
                                    suggestion(name, known) + "; gyre config lists them");
        }
        GYRE_TRY_VOID(set(found->key, text.substr(equals + 1), found->variable));
    }
    return {};
}

std::string ConfigTable::markdown() const {
    std::string out =
        "| key | type | default | flag | environment | what it does |\n|---|---|---|---|---|---|\n";
    for (const ConfigEntry& entry : entries_) {
        out += "| `" + entry.key + "` | " + entry.type + " | `" + entry.default_text + "` | `" + entry.flag +
               "` | `" + entry.variable + "` | " + entry.help + " |\n";
    }
    return out;
}

}  // namespace gyre
