#pragma once
// Digests and hashes. sha256 for identity of content, crc32c for torn writes, hash64 for placement.
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace gyre {

/// SHA-256 in pieces. Not thread-safe.
class Sha256 {
 public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;
    void update(std::string_view bytes);
    /// 64 lower-case hex digits; the object is spent.
    std::string finish();

 private:
    struct State;
    std::unique_ptr<State> state_;
};

/// 64 lower-case hex digits.
std::string sha256_hex(std::string_view bytes);

/// CRC-32C (Castagnoli), as in iSCSI: crc32c("123456789") == 0xE3069283.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed = 0);

/// 64 well-mixed bits (FNV-1a, then a murmur3 finaliser). Stable for ever: assignments are derived from it.
std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0);
/// hash64 with two seeds in the time of one: each chain of multiplications waits for itself only.
std::array<std::uint64_t, 2> hash64_twice(std::string_view bytes, std::array<std::uint64_t, 2> seeds);
/// hash64 as a fraction in [0, 1).
double hash_fraction(std::string_view bytes, std::uint64_t seed = 0);

}  // namespace gyre
