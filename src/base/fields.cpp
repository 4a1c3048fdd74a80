#include "base/fields.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace gyre::fields_detail {
namespace {

std::string shown(const Json& json) {
    constexpr std::size_t kShownMax = 40;
    if (json.is_array() || json.is_object()) {
        return std::string(json.kind_name());
    }
    std::string text = json.dump();
    if (text.size() > kShownMax) {
        text = text.substr(0, kShownMax) + "...";
    }
    return std::string(json.kind_name()) + " " + text;
}

std::string quoted(std::string_view path) {
    return path.empty() ? "the document" : "field '" + std::string(path) + "'";
}

}  // namespace

Error wrong_type(std::string_view path, std::string_view expected, const Json& got) {
    return invalid_argument(quoted(path) + ": expected " + std::string(expected) + ", got " + shown(got));
}

Result<void> check_known(const Json& json, std::string_view path,
                         const std::vector<std::string_view>& known) {
    for (const JsonMember& member : json.members()) {
        if (std::ranges::find(known, member.key) != known.end()) {
            continue;
        }
        std::string message = "unknown field '" + join_path(path, member.key) + "'";
        const std::string_view nearest = nearest_of(member.key, known);
        if (!nearest.empty()) {
            message.append("; did you mean '").append(nearest).append("'?");
        }
        return invalid_argument(std::move(message));
    }
    return {};
}

Error missing_field(std::string_view path, std::string_view name) {
    return invalid_argument("field '" + join_path(path, name) + "' is missing");
}

std::string join_path(std::string_view path, std::string_view name) {
    std::string joined(path);
    joined.append(joined.empty() ? "" : ".").append(name);
    return joined;
}

Result<std::int64_t> read_integer(const Json& json, std::string_view path, std::int64_t min,
                                  std::int64_t max) {
    std::int64_t value = 0;
    if (json.is_integer()) {
        value = json.as_integer();
    } else if (json.is_number() && std::nearbyint(json.as_number()) == json.as_number() &&
               std::abs(json.as_number()) < 9.0e15) {
        value = static_cast<std::int64_t>(json.as_number());
    } else {
        return wrong_type(path, "integer", json);
    }
    if (value < min || value > max) {
        return invalid_argument(quoted(path) + ": expected an integer from " + std::to_string(min) + " to " +
                                std::to_string(max) + ", got " + std::to_string(value));
    }
    return value;
}

Result<double> read_number(const Json& json, std::string_view path) {
    if (json.is_number()) {
        return json.as_number();
    }
    if (json.is_string()) {  // what append_json_number writes for values that JSON lacks
        const std::string& text = json.as_string();
        if (text == "NaN") {
            return std::nan("");
        }
        if (text == "Infinity" || text == "-Infinity") {
            return text[0] == '-' ? -HUGE_VAL : HUGE_VAL;
        }
    }
    return wrong_type(path, "number", json);
}

}  // namespace gyre::fields_detail
