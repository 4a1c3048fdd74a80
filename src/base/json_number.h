#pragma once
// Numbers of a JSON text, read where they stand: for arrays of thousands of them, where a call of a general
// parser for each is most of the cost.
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace gyre {

/// Reads the number that begins at `at` into `value`; where it ends. Null where no number of RFC 8259 begins
/// there or where its magnitude is beyond a double's. Behind `at` there must be a byte that is no part of a
/// number, as a text's closing bracket or a string's final zero: the end is not looked for otherwise. From
/// that byte on kReadAhead bytes must be readable. Correctly rounded: 53-bit digits and a power of ten that
/// is exact need one operation (W. Clinger, "How to read floating point numbers accurately", 1990), all
/// others go to std::from_chars.
inline const char* scan_json_number(const char* at, double& value);

namespace json_number {

inline constexpr std::size_t kReadAhead = sizeof(std::uint64_t);

inline constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                     1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
inline constexpr std::uint64_t kWholePowers[] = {1,      10,      100,      1000,     10000,
                                                 100000, 1000000, 10000000, 100000000};
inline constexpr std::ptrdiff_t kDigitsMax = 19;  // as many fit 64 bits
inline constexpr std::uint64_t kExactMax = std::uint64_t{1} << 53U;

/// The digit's value; 10 or more for any other byte.
inline std::uint32_t digit(char c) {
    return static_cast<std::uint8_t>(c - '0');
}

struct Digits {
    std::uint64_t value = 0;
    std::ptrdiff_t count = 0;
};

/// The digits that `at` begins with, eight at most. All at once and without a branch, as how many there are
/// is what a processor cannot guess.
inline Digits up_to_eight_digits(const char* at) {
    static_assert(std::endian::native == std::endian::little);
    constexpr std::uint64_t kOnes = 0x0101010101010101U;
    constexpr std::uint64_t kPairs = 0x000000FF000000FFU;
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, at, sizeof bytes);
    bytes ^= '0' * kOnes;  // digits become their values
    const std::uint64_t others = (bytes | (bytes + (0x80 - 10) * kOnes)) & (0x80 * kOnes);
    const int bits = std::countr_zero(others) & ~7;
    const int half = (64 - bits) / 2;
    std::uint64_t x = bytes << half << half;  // leading zeros make them eight
    x = x * 10 + (x >> 8U);                   // two digits in every second byte
    x = ((x & kPairs) * (100 + (1'000'000ULL << 32U)) + ((x >> 16U) & kPairs) * (1 + (10'000ULL << 32U))) >>
        32U;
    return {.value = x, .count = bits / 8};
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
    if (count != 1) {  // asked first, as it can be guessed
        if (count == 0 || *first == '0') {
            return nullptr;
        }
    }
    std::ptrdiff_t decimals = 0;
    if (*at == '.') {
        ++at;
        for (json_number::Digits next{.count = 8}; next.count == 8; at += next.count) {
            next = json_number::up_to_eight_digits(at);
            digits = digits * json_number::kWholePowers[next.count] + next.value;
            decimals += next.count;
        }
        if (decimals == 0) {
            return nullptr;
        }
        count += decimals;
    }
    const bool exponent = (*at | 0x20) == 'e';
    if (exponent || count > json_number::kDigitsMax || digits > json_number::kExactMax) [[unlikely]] {
        return json_number::scan_general(start, value);
    }
    // As a signed number, which is one instruction to convert.
    const double magnitude =
        static_cast<double>(static_cast<std::int64_t>(digits)) / json_number::kPowers[decimals];
    value = std::bit_cast<double>(std::bit_cast<std::uint64_t>(magnitude) |
                                  (static_cast<std::uint64_t>(negative) << 63U));
    return at;
}

}  // namespace gyre
