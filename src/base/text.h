#pragma once
// Small text helpers: pure functions, no locale.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace gyre {

/// The entry of `known` nearest to `name` by edit distance, or "" when nothing is near enough to suggest.
std::string_view nearest_of(std::string_view name, std::span<const std::string_view> known);
/// " (did you mean 'x'?)", or "" when nothing is near.
std::string suggestion(std::string_view name, std::span<const std::string_view> known);

std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(std::span<const std::string> parts, std::string_view separator);
std::string_view trim(std::string_view text);
std::string to_lower(std::string_view text);

/// The whole of `text` as a number; nothing when any of it is left over.
std::optional<std::int64_t> parse_integer(std::string_view text);
std::optional<double> parse_number(std::string_view text);

std::string to_hex(std::span<const std::uint8_t> bytes);
std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text);

/// Percent-decodes once ("%2F" becomes "/"); nothing for broken escapes. '+' stays as it is.
std::optional<std::string> percent_decode(std::string_view text);
std::string percent_encode(std::string_view text);

/// "1.5 s", "20 ms", "3.2 GiB": for people, never for parsing.
std::string human_duration(double seconds);
std::string human_bytes(std::uint64_t bytes);
/// 336776 as "336,776".
std::string with_thousands(std::int64_t value);

}  // namespace gyre
