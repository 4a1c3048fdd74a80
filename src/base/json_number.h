#pragma once
// Numbers of a JSON text, read where they stand: for arrays of thousands of them, where a call of a general
// parser for each is most of the cost.
#include <cstddef>
#include <cstdint>

namespace gyre {

/// Reads the number that begins at `at` into `value`; where it ends. Null where no number of RFC 8259 begins
/// there or where its magnitude is beyond a double's. Behind `at` there must be a byte that is no part of a
/// number, as a text's closing bracket or a string's final zero: the end is not looked for otherwise.
/// Correctly rounded: 53-bit digits and a power of ten that is exact need one operation (W. Clinger, "How to
/// read floating point numbers accurately", 1990), all others go to std::from_chars.
inline const char* scan_json_number(const char* at, double& value);

namespace json_number {

inline constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                     1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
inline constexpr std::ptrdiff_t kPowerMax = 22;
inline constexpr std::ptrdiff_t kDigitsMax = 19;  // as many fit 64 bits
inline constexpr std::uint64_t kExactMax = std::uint64_t{1} << 53U;

/// The digit's value; 10 or more for any other byte.
inline std::uint32_t digit(char c) {
    return static_cast<std::uint8_t>(c - '0');
}

/// The number at `start` in its general form: with an exponent, or with more digits than one operation takes.
const char* scan_general(const char* start, double& value);

}  // namespace json_number

// Here, not in the .cpp, so that a loop over an array has no call a number.
inline const char* scan_json_number(const char* at, double& value) {
    using json_number::digit;
    const char* start = at;
    const bool negative = *at == '-';
    at += negative ? 1 : 0;
    const char* first = at;
    std::uint64_t digits = 0;
    for (std::uint32_t next = digit(*at); next < 10; next = digit(*++at)) {
        digits = digits * 10 + next;
    }
    std::ptrdiff_t count = at - first;
    if (count == 0 || (*first == '0' && count > 1)) {
        return nullptr;
    }
    std::ptrdiff_t decimals = 0;
    if (*at == '.') {
        const char* point = ++at;
        for (std::uint32_t next = digit(*at); next < 10; next = digit(*++at)) {
            digits = digits * 10 + next;
        }
        decimals = at - point;
        count += decimals;
        if (decimals == 0) {
            return nullptr;
        }
    }
    const bool exponent = (*at | 0x20) == 'e';
    if (exponent || count > json_number::kDigitsMax || digits > json_number::kExactMax) [[unlikely]] {
        return json_number::scan_general(start, value);
    }
    const double magnitude = static_cast<double>(digits) / json_number::kPowers[decimals];
    value = negative ? -magnitude : magnitude;
    return at;
}

}  // namespace gyre
