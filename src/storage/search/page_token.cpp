#include <array>

#include "base/json.h"
#include "storage/search/filter.h"

namespace gyre::storage {

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t kTokenBytesMax = 256;

std::string base64_encode(std::string_view bytes) {
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        for (std::size_t j = 0; j < 3; ++j) {
            group = (group << 8U) | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
        }
        for (unsigned j = 0; j < 4; ++j) {
            out += i + j <= bytes.size() ? kAlphabet[(group >> (18 - 6 * j)) & 0x3FU] : '=';
        }
    }
    return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
    std::string out;
    std::uint32_t bits = 0;
    unsigned count = 0;
    while (text.ends_with('=')) {
        text.remove_suffix(1);
    }
    for (const char c : text) {
        const std::size_t digit = kAlphabet.find(c);
        if (digit == std::string_view::npos) {
            return std::nullopt;
        }
        bits = (bits << 6U) | static_cast<std::uint32_t>(digit);
        count += 6;
        if (count >= 8) {
            count -= 8;
            out += static_cast<char>((bits >> count) & 0xFFU);
        }
    }
    return out;
}

}  // namespace

std::string make_page_token(std::int64_t offset) {
    return base64_encode(Json::object({{"offset", offset}}).dump());
}

Result<std::int64_t> parse_page_token(std::string_view token) {
    if (token.empty()) {
        return 0;
    }
    const auto decoded = token.size() > kTokenBytesMax ? std::nullopt : base64_decode(token);
    if (!decoded) {
        return invalid_argument("Invalid page token, could not base64-decode");
    }
    auto json = parse_json(*decoded);
    const std::int64_t offset = json ? json->integer_or("offset", -1) : -1;
    if (offset < 0 || offset > kPageOffsetMax) {
        return invalid_argument("Invalid page token, parsed value=" + *decoded);
    }
    return offset;
}

}  // namespace gyre::storage
