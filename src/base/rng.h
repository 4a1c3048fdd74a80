#pragma once
// Seeded random numbers: the same seed gives the same numbers on every machine and compiler.
#include <array>
#include <cstdint>
#include <span>

namespace gyre {

/// xoshiro256** (D. Blackman, S. Vigna, 2018), seeded by splitmix64. Not thread-safe, not for secrets.
class Rng {
 public:
    explicit Rng(std::uint64_t seed);

    std::uint64_t next();
    /// Uniform in [0, 1).
    double uniform() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }
    /// Uniform in [0, bound), without bias. `bound` > 0.
    std::uint64_t below(std::uint64_t bound);
    /// Standard normal (polar method).
    double normal();

    // What the standard library's algorithms ask of a generator.
    using result_type = std::uint64_t;
    static constexpr std::uint64_t min() { return 0; }
    static constexpr std::uint64_t max() { return ~std::uint64_t{0}; }
    std::uint64_t operator()() { return next(); }

 private:
    std::array<std::uint64_t, 4> state_{};
};

/// Bytes from the kernel; for ids, salts and tokens. Thread-safe.
void fill_random(std::span<std::uint8_t> out);

}  // namespace gyre
