#include "base/json_number.h"

#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "base/rng.h"

namespace gyre {
namespace {

std::optional<double> scan(const std::string& text, std::size_t* used = nullptr) {
    double value = 0.0;
    const std::string padded = text + std::string(json_number::kReadAhead, '\0');
    const char* to = scan_json_number(padded.c_str(), value);
    if (used != nullptr && to != nullptr) {
        *used = static_cast<std::size_t>(to - padded.c_str());
    }
    return to != nullptr ? std::optional(value) : std::nullopt;
}

TEST(JsonNumber, ReadsWhatTheGrammarAllowsAndStopsBehindIt) {
    for (const char* text : {"0",
                             "-0",
                             "7",
                             "-12",
                             "0.5",
                             "-0.1250",
                             "123456.789",
                             "1e5",
                             "1E+5",
                             "25e-3",
                             "0e0",
                             "9007199254740993",
                             "0.1",
                             "1e22",
                             "1e23",
                             "123456789012345678901234567890",
                             "2.2250738585072011e-308",
                             "4.9e-324",
                             "1.7976931348623157e308",
                             "0.000000000000000000000000000000001",
                             "8.41e21"}) {
        std::size_t used = 0;
        const std::string longer = std::string(text) + ",1";
        const auto value = scan(longer, &used);
        ASSERT_TRUE(value) << text;
        EXPECT_EQ(*value, std::strtod(text, nullptr)) << text;
        EXPECT_EQ(used, std::string_view(text).size()) << text;
        EXPECT_EQ(scan(text), value) << text << " at the end of the text";
    }
    EXPECT_TRUE(std::signbit(*scan("-0")));
}

TEST(JsonNumber, RefusesAllElse) {
    for (const char* text : {"",     "-",   "+1",   ".5",    "5.",        "01",    "-01",
                             "1e",   "1e+", "NaN",  "nan",   "-Infinity", "inf",   "e5",
                             "1.e5", "--1", "null", "\"1\"", " 1",        "1e400", "-1e999999999999999999"}) {
        EXPECT_FALSE(scan(text)) << text;
    }
    EXPECT_FALSE(scan(std::string(400, '9'))) << "beyond a double";
    EXPECT_EQ(scan("0x10"), 0.0) << "the caller sees the x";
}

/// Oracle: the C library's strtod, which rounds correctly.
TEST(JsonNumber, RoundsAsTheCLibraryDoes) {
    Rng rng(7);
    for (int i = 0; i < 200'000; ++i) {
        std::string text = rng.below(2) == 0 ? "-" : "";
        text += std::to_string(rng.next() >> rng.below(64));
        if (rng.below(3) != 0) {
            text += "." + std::string(rng.below(4), '0') + std::to_string(rng.next() >> rng.below(64));
        }
        if (rng.below(3) == 0) {
            text += "e" + std::to_string(static_cast<int>(rng.below(80)) - 40);
        }
        const auto value = scan(text);
        ASSERT_TRUE(value) << text;
        ASSERT_EQ(*value, std::strtod(text.c_str(), nullptr)) << text;
    }
}

}  // namespace
}  // namespace gyre
