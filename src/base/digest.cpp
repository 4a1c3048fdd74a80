// Adapter: SHA-256 by OpenSSL.
#include "base/digest.h"

#include <array>

#include <openssl/evp.h>

#include "base/check.h"
#include "base/text.h"

namespace gyre {

struct Sha256::State {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    State() {
        GYRE_CHECK(context != nullptr && EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1,
                   "SHA-256 is there");
    }
    ~State() { EVP_MD_CTX_free(context); }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) {
    GYRE_CHECK(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1, "a digest in progress");
}

std::string Sha256::finish() {
    std::array<std::uint8_t, 32> out{};
    GYRE_CHECK(EVP_DigestFinal_ex(state_->context, out.data(), nullptr) == 1, "a digest in progress");
    return to_hex(out);
}

std::string sha256_hex(std::string_view bytes) {
    Sha256 digest;
    digest.update(bytes);
    return digest.finish();
}

namespace {

constexpr std::array<std::uint32_t, 256> make_crc_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t crc = i;
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc & 1U) != 0 ? (crc >> 1U) ^ 0x82F63B78U : crc >> 1U;
        }
        table[i] = crc;
    }
    return table;
}
constexpr auto kCrcTable = make_crc_table();

}  // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed) {
    std::uint32_t crc = ~seed;
    for (const char c : bytes) {
        crc = kCrcTable[(crc ^ static_cast<unsigned char>(c)) & 0xFFU] ^ (crc >> 8U);
    }
    return ~crc;
}

std::uint64_t hash64(std::string_view bytes, std::uint64_t seed) {
    std::uint64_t hash = 0xCBF29CE484222325ULL ^ seed;
    for (const char c : bytes) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
    }
    hash ^= hash >> 33U;
    hash *= 0xFF51AFD7ED558CCDULL;
    hash ^= hash >> 33U;
    hash *= 0xC4CEB9FE1A85EC53ULL;
    return hash ^ (hash >> 33U);
}

double hash_fraction(std::string_view bytes, std::uint64_t seed) {
    return static_cast<double>(hash64(bytes, seed) >> 11U) * 0x1.0p-53;
}

}  // namespace gyre
