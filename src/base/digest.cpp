// Adapter: SHA-256 by OpenSSL.
#include "base/digest.h"

#include <array>
#include <cstring>

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

namespace {

std::uint32_t crc32c_by_table(std::string_view bytes, std::uint32_t crc) {
    for (const char c : bytes) {
        crc = kCrcTable[(crc ^ static_cast<unsigned char>(c)) & 0xFFU] ^ (crc >> 8U);
    }
    return crc;
}

#if defined(__x86_64__)
// SSE4.2 computes this very polynomial, eight bytes an instruction.
__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_instruction(std::string_view bytes,
                                                                      std::uint32_t crc) {
    std::uint64_t wide = crc;
    while (bytes.size() >= sizeof(std::uint64_t)) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data(), sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
        bytes.remove_prefix(sizeof word);
    }
    crc = static_cast<std::uint32_t>(wide);
    for (const char c : bytes) {
        crc = __builtin_ia32_crc32qi(crc, static_cast<unsigned char>(c));
    }
    return crc;
}
#endif

}  // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed) {
#if defined(__x86_64__)
    static const bool kHasInstruction = __builtin_cpu_supports("sse4.2") != 0;
    if (kHasInstruction) [[likely]] {
        return ~crc32c_by_instruction(bytes, ~seed);
    }
#endif
    return ~crc32c_by_table(bytes, ~seed);
}

namespace {

constexpr std::uint64_t kFnvBasis = 0xCBF29CE484222325ULL;

std::uint64_t fnv_step(std::uint64_t hash, char c) {
    return (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
}

std::uint64_t murmur_finish(std::uint64_t hash) {
    hash ^= hash >> 33U;
    hash *= 0xFF51AFD7ED558CCDULL;
    hash ^= hash >> 33U;
    hash *= 0xC4CEB9FE1A85EC53ULL;
    return hash ^ (hash >> 33U);
}

}  // namespace

std::uint64_t hash64(std::string_view bytes, std::uint64_t seed) {
    std::uint64_t hash = kFnvBasis ^ seed;
    for (const char c : bytes) {
        hash = fnv_step(hash, c);
    }
    return murmur_finish(hash);
}

std::array<std::uint64_t, 2> hash64_twice(std::string_view bytes, std::array<std::uint64_t, 2> seeds) {
    std::uint64_t first = kFnvBasis ^ seeds[0];
    std::uint64_t second = kFnvBasis ^ seeds[1];
    for (const char c : bytes) {
        first = fnv_step(first, c);
        second = fnv_step(second, c);
    }
    return {murmur_finish(first), murmur_finish(second)};
}

double hash_fraction(std::string_view bytes, std::uint64_t seed) {
    return static_cast<double>(hash64(bytes, seed) >> 11U) * 0x1.0p-53;
}

}  // namespace gyre
