#pragma once
// Duration: a length of time as a member of a described struct. People write and read "90s", "2h" or "28d".
#include "base/clock.h"
#include "base/fields.h"

namespace gyre {

struct Duration {
    std::int64_t us = 0;
    auto operator<=>(const Duration&) const = default;
};
constexpr Duration hours(std::int64_t count) {
    return {count * kUsPerHour};
}
constexpr Duration days(std::int64_t count) {
    return {count * kUsPerDay};
}

/// In the longest unit up to days that leaves nothing over: "36h", "7d", "0s".
std::string to_text(Duration duration);

// How base/fields.h reads, writes and describes it: a string, or the number 0, which needs no unit.
template <>
Result<void> fields_detail::read_value(const Json& json, const std::string& path, Duration& out);
template <>
Json fields_detail::write_value(const Duration& value);
template <>
Json fields_detail::schema_value<Duration>();

}  // namespace gyre
