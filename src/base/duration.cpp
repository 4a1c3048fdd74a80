#include "base/duration.h"

namespace gyre {

std::string to_text(Duration duration) {
    struct DurationUnit {
        std::int64_t us;
        std::string_view suffix;
    };
    constexpr std::array<DurationUnit, 5> kUnits{
        {{kUsPerDay, "d"}, {kUsPerHour, "h"}, {60 * kUsPerSecond, "m"}, {kUsPerSecond, "s"}, {1000, "ms"}}};
    if (duration.us == 0) {
        return "0s";
    }
    for (const DurationUnit& unit : kUnits) {
        if (duration.us % unit.us == 0) {
            return std::to_string(duration.us / unit.us).append(unit.suffix);
        }
    }
    return std::to_string(duration.us) + "us";
}

template <>
Result<void> fields_detail::read_value(const Json& json, const std::string& path, Duration& out) {
    if (json.is_number() && json.as_number() == 0.0) {
        out = {};
        return {};
    }
    if (!json.is_string()) {
        return wrong_type(path, "a duration such as 90s, 30m, 2h or 14d", json);
    }
    auto us = parse_duration_us(json.as_string());
    if (!us) {
        return std::move(us).error().context("field '" + path + "'");
    }
    out.us = *us;
    return {};
}

template <>
Json fields_detail::write_value(const Duration& value) {
    return Json(to_text(value));
}

template <>
Json fields_detail::schema_value<Duration>() {
    return Json::object({{"type", "string"}});
}

}  // namespace gyre
