#include "base/clock.h"

#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <optional>

#include "base/text.h"

namespace gyre {
namespace {

class SystemClock final : public Clock {
 public:
    [[nodiscard]] std::int64_t now_us() const override {
        return std::chrono::duration_cast<std::chrono::microseconds>(
                   std::chrono::system_clock::now().time_since_epoch())
            .count();
    }
    [[nodiscard]] std::int64_t steady_ns() const override {
        return std::chrono::duration_cast<std::chrono::nanoseconds>(
                   std::chrono::steady_clock::now().time_since_epoch())
            .count();
    }
};

struct CivilDate {
    std::int64_t year;
    unsigned month;
    unsigned day;
};

// Both conversions: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
CivilDate civil_from_days(std::int64_t days) {
    days += 719468;
    const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    const auto doe = static_cast<unsigned>(days - era * 146097);
    const unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    const unsigned mp = (5 * doy + 2) / 153;
    const unsigned month = mp < 10 ? mp + 3 : mp - 9;
    return {static_cast<std::int64_t>(yoe) + era * 400 + (month <= 2 ? 1 : 0), month,
            doy - (153 * mp + 2) / 5 + 1};
}

/// Reads exactly `count` digits at `at`; nothing when they are not there.
std::optional<std::int64_t> digits(std::string_view text, std::size_t at, std::size_t count) {
    if (at + count > text.size()) {
        return std::nullopt;
    }
    std::int64_t value = 0;
    for (std::size_t i = at; i < at + count; ++i) {
        if (text[i] < '0' || text[i] > '9') {
            return std::nullopt;
        }
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

struct TimeOfDay {
    std::int64_t us = 0;
    std::size_t end = 0;
};

/// "HH:MM[:SS[.ffffff]]" at `at`.
std::optional<TimeOfDay> read_time(std::string_view text, std::size_t at) {
    const auto hour = digits(text, at, 2);
    const auto minute = digits(text, at + 3, 2);
    if (!hour || !minute || text[at + 2] != ':' || *hour > 23 || *minute > 59) {
        return std::nullopt;
    }
    TimeOfDay time{(*hour * 3600 + *minute * 60) * kUsPerSecond, at + 5};
    if (time.end < text.size() && text[time.end] == ':') {
        const auto second = digits(text, time.end + 1, 2);
        if (!second || *second > 60) {
            return std::nullopt;
        }
        time.us += *second * kUsPerSecond;
        time.end += 3;
    }
    if (time.end < text.size() && text[time.end] == '.') {
        std::int64_t unit = kUsPerSecond / 10;
        for (++time.end; time.end < text.size() && text[time.end] >= '0' && text[time.end] <= '9';
             ++time.end) {
            time.us += (text[time.end] - '0') * unit;
            unit /= 10;
        }
    }
    return time;
}

/// "Z", "+02:00" or nothing at `at`, as microseconds to subtract.
std::optional<std::int64_t> read_offset(std::string_view text, std::size_t at) {
    if (at == text.size() || text.substr(at) == "Z" || text.substr(at) == "z") {
        return 0;
    }
    const auto hours = digits(text, at + 1, 2);
    const auto minutes = digits(text, at + 4, 2);
    if ((text[at] != '+' && text[at] != '-') || !hours || !minutes || text[at + 3] != ':' ||
        at + 6 != text.size()) {
        return std::nullopt;
    }
    const std::int64_t us = (*hours * 3600 + *minutes * 60) * kUsPerSecond;
    return text[at] == '-' ? -us : us;
}

}  // namespace

Clock& system_clock() {
    static SystemClock clock;
    return clock;
}

std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day) {
    year -= month <= 2 ? 1 : 0;
    const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
    const auto yoe = static_cast<unsigned>(year - era * 400);
    const unsigned doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    const unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + static_cast<std::int64_t>(doe) - 719468;
}

std::string format_rfc3339(std::int64_t unix_us) {
    std::int64_t days = unix_us / kUsPerDay;
    std::int64_t rest = unix_us % kUsPerDay;
    if (rest < 0) {
        rest += kUsPerDay;
        --days;
    }
    const CivilDate date = civil_from_days(days);
    const auto seconds = static_cast<int>(rest / kUsPerSecond);
    char buffer[80];
    int length = std::snprintf(buffer, sizeof buffer, "%04lld-%02u-%02uT%02d:%02d:%02d",
                               static_cast<long long>(date.year), date.month, date.day, seconds / 3600,
                               seconds / 60 % 60, seconds % 60);
    if (rest % kUsPerSecond != 0) {
        length += std::snprintf(buffer + length, sizeof buffer - static_cast<std::size_t>(length), ".%06d",
                                static_cast<int>(rest % kUsPerSecond));
    }
    return std::string(buffer, static_cast<std::size_t>(length)) + "Z";
}

Result<std::int64_t> parse_rfc3339(std::string_view text) {
    const Error bad = invalid_argument("expected a time such as 2013-01-31T05:00:00Z, got '" +
                                       std::string(text.substr(0, 40)) + "'");
    const auto year = digits(text, 0, 4);
    const auto month = digits(text, 5, 2);
    const auto day = digits(text, 8, 2);
    if (!year || !month || !day || text[4] != '-' || text[7] != '-') {
        return bad;
    }
    constexpr std::array<std::int64_t, 12> kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (*year % 4 == 0 && *year % 100 != 0) || *year % 400 == 0;
    if (*month < 1 || *month > 12 || *day < 1 ||
        *day > kDays[static_cast<std::size_t>(*month - 1)] + (*month == 2 && leap ? 1 : 0)) {
        return bad;
    }
    const std::int64_t midnight =
        days_from_civil(*year, static_cast<unsigned>(*month), static_cast<unsigned>(*day)) * kUsPerDay;
    if (text.size() == 10) {
        return midnight;
    }
    const auto time =
        text[10] == 'T' || text[10] == ' ' || text[10] == 't' ? read_time(text, 11) : std::nullopt;
    const auto offset = time ? read_offset(text, time->end) : std::nullopt;
    if (!offset) {
        return bad;
    }
    return midnight + time->us - *offset;
}

Result<std::int64_t> parse_duration_us(std::string_view text) {
    struct DurationUnit {
        std::string_view suffix;
        std::int64_t us;
    };
    constexpr std::array<DurationUnit, 7> kUnits{{{"us", 1},
                                                  {"ms", 1000},
                                                  {"s", kUsPerSecond},
                                                  {"m", 60 * kUsPerSecond},
                                                  {"h", kUsPerHour},
                                                  {"d", kUsPerDay},
                                                  {"w", 7 * kUsPerDay}}};
    for (const DurationUnit& unit : kUnits) {
        if (!text.ends_with(unit.suffix)) {
            continue;
        }
        const auto number = parse_number(text.substr(0, text.size() - unit.suffix.size()));
        if (number && *number >= 0 && *number * static_cast<double>(unit.us) < 9.0e17) {
            return std::llround(*number * static_cast<double>(unit.us));
        }
    }
    return invalid_argument("expected a duration such as 90s, 30m, 2h or 14d, got '" + std::string(text) +
                            "'");
}

}  // namespace gyre
