#pragma once
// Time comes only from a Clock, so that tests and replays decide what time it is.
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gyre {

/// Thread-safe.
class Clock {
 public:
    virtual ~Clock() = default;
    /// Unix time in microseconds.
    [[nodiscard]] virtual std::int64_t now_us() const = 0;
    /// Monotonic nanoseconds from an arbitrary start; for durations.
    [[nodiscard]] virtual std::int64_t steady_ns() const = 0;
    [[nodiscard]] std::int64_t now_ms() const { return now_us() / 1000; }
};

/// The machine's clock; one shared instance is enough.
Clock& system_clock();

/// A clock that moves only when told to. For tests.
class ManualClock final : public Clock {
 public:
    explicit ManualClock(std::int64_t start_us = 0) : now_us_(start_us) {}
    [[nodiscard]] std::int64_t now_us() const override { return now_us_.load(); }
    [[nodiscard]] std::int64_t steady_ns() const override { return now_us_.load() * 1000; }
    void advance_us(std::int64_t delta_us) { now_us_ += delta_us; }
    void set_us(std::int64_t now_us) { now_us_ = now_us; }

 private:
    std::atomic<std::int64_t> now_us_;
};

inline constexpr std::int64_t kUsPerSecond = 1'000'000;
inline constexpr std::int64_t kUsPerHour = 3600 * kUsPerSecond;
inline constexpr std::int64_t kUsPerDay = 24 * kUsPerHour;

/// "2013-01-31T23:59:59.250000Z"; microseconds only when they are not zero.
std::string format_rfc3339(std::int64_t unix_us);
/// Reads RFC 3339 ("2013-01-31T05:00:00Z", offsets, a space instead of 'T') and plain dates (midnight UTC).
Result<std::int64_t> parse_rfc3339(std::string_view text);
/// Days since 1970-01-01 of a proleptic Gregorian date.
std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day);
/// "90s", "30m", "2h", "14d", "4w" to microseconds.
Result<std::int64_t> parse_duration_us(std::string_view text);

}  // namespace gyre
