#include "base/json_number.h"

#include <charconv>
#include <system_error>

namespace gyre::json_number {
namespace {

const char* skip_digits(const char* at) {
    while (digit(*at) < 10) {
        ++at;
    }
    return at;
}

/// Behind the exponent at `at`; `at` where there is none, null where its digits are missing.
const char* skip_exponent(const char* at) {
    if ((*at | 0x20) != 'e') {
        return at;
    }
    ++at;
    at += *at == '-' || *at == '+' ? 1 : 0;
    return digit(*at) < 10 ? skip_digits(at) : nullptr;
}

}  // namespace

const char* scan_general(const char* start, double& value) {
    const char* at = skip_digits(*start == '-' ? start + 1 : start);
    at = skip_exponent(*at == '.' ? skip_digits(at + 1) : at);
    if (at == nullptr) {
        return nullptr;
    }
    const auto [end, error] = std::from_chars(start, at, value);
    return error == std::errc() && end == at ? at : nullptr;
}

}  // namespace gyre::json_number
