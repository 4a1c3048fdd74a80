#pragma once
// Fixed-sample confidence intervals. Pure functions. They are valid at one look only: what is watched
// continuously uses the confidence sequences of `evidence`.
#include <cstdint>
#include <span>

#include "base/fields.h"
#include "stats/moments.h"

namespace gyre::stats {

inline constexpr double kDefaultConfidence = 0.95;

/// low <= estimate <= high at a two-sided confidence level, from n observations.
struct Interval {
    double estimate = 0.0;
    double low = 0.0;
    double high = 0.0;
    std::int64_t n = 0;

    static constexpr auto fields() {
        return std::tuple{
            Field{"estimate", &Interval::estimate, "Point estimate."},
            Field{"low", &Interval::low, "Lower confidence bound."},
            Field{"high", &Interval::high, "Upper confidence bound."},
            Field{"n", &Interval::n, "Observations."},
        };
    }
};

/// Share of successes, Wilson (1927) score interval. n = 0 gives [0, 1]; successes are clamped to [0, n].
Interval wilson(std::int64_t successes, std::int64_t n, double confidence = kDefaultConfidence);
/// The exact (conservative) interval of Clopper and Pearson (1934).
Interval clopper_pearson(std::int64_t successes, std::int64_t n, double confidence = kDefaultConfidence);
/// Mean with a normal interval; n < 2 gives an infinite one.
Interval mean_interval(const Moments& moments, double confidence = kDefaultConfidence);
Interval mean_interval(std::span<const double> values, double confidence = kDefaultConfidence);

}  // namespace gyre::stats
