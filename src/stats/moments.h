#pragma once
// Count, mean, variance and range of numbers, mergeable. A plain value; not thread-safe.
#include <cstdint>
#include <span>

#include "base/fields.h"

namespace gyre::stats {

/// Merging is Chan, Golub, LeVeque (1979): the result depends on the order only in the last bits.
struct Moments {
    std::int64_t count = 0;
    double mean = 0.0;
    double m2 = 0.0;   // sum of squared deviations from the mean
    double min = 0.0;  // 0 when count is 0
    double max = 0.0;

    /// Adds `weight` (> 0, else ignored) copies of a finite value.
    void add(double value, std::int64_t weight = 1);
    /// One after the other; the same result to the bit.
    void add(std::span<const double> values);
    void merge(const Moments& other);
    /// Unbiased (n - 1); 0 below two values.
    [[nodiscard]] double variance() const;
    [[nodiscard]] double stddev() const;

    static constexpr auto fields() {
        return std::tuple{
            Field{"count", &Moments::count, "Finite values seen."},
            Field{"mean", &Moments::mean, "Their mean."},
            Field{"m2", &Moments::m2, "Sum of squared deviations from the mean."},
            Field{"min", &Moments::min, "Smallest value; 0 without values."},
            Field{"max", &Moments::max, "Largest value; 0 without values."},
        };
    }
};

}  // namespace gyre::stats
