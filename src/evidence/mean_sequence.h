#pragma once
// MeanSequence: an anytime-valid confidence sequence for the mean of bounded variables, by betting.
//
// For x in [-1, 1] and a fixed bet theta in (-1, 1) the wealth of a bettor against "the mean is m" is
//   K_n(m) = prod (1 + theta x_i) / (1 + theta m)^n,
// a non-negative martingale when the mean is m (Waudby-Smith, Ramdas 2023, "Estimating means of bounded
// random variables by betting", with lambda = theta / (1 + theta m)). A mixture over bets is one too, and by
// Ville's inequality exceeds 1/alpha, ever, with probability at most alpha. Positive bets give the lower
// bound, negative ones the upper. The mixture is a discrete universal portfolio (Orabona, Jun 2023), so
// nothing is tuned to the variance. Because log is concave, the bounds hold for the running average of the
// conditional means when the mean moves (divide by prod (1 + theta mu_i) and apply Jensen).
//
// The state is one logarithm per bet; it does not depend on the order of rows seen so far. A plain value;
// not thread-safe.
#include <array>
#include <cstdint>
#include <vector>

#include "base/fields.h"

namespace gyre::evidence {

struct Bet {
    double theta;
    double weight;
};
/// Prior mass is larger on large bets: differences of bounded losses have a small variance, for which the
/// best bet is near the edge of what is allowed.
inline constexpr std::array<Bet, 9> kBets{{{0.95, 0.20},
                                           {0.75, 0.16},
                                           {0.55, 0.14},
                                           {0.38, 0.12},
                                           {0.25, 0.11},
                                           {0.15, 0.09},
                                           {0.08, 0.08},
                                           {0.04, 0.06},
                                           {0.015, 0.04}}};

struct MeanSequence {
    std::int64_t n = 0;
    double sum = 0.0;
    std::vector<double> up = std::vector<double>(kBets.size(), 0.0);    // sum of log(1 + theta x)
    std::vector<double> down = std::vector<double>(kBets.size(), 0.0);  // sum of log(1 - theta x)

    /// `x` in [-1, 1]; anything else is an error and changes nothing.
    Result<void> add(double x);
    [[nodiscard]] double mean() const { return n == 0 ? 0.0 : sum / static_cast<double>(n); }
    /// One-sided bounds of the mean, each valid at all n together with probability 1 - alpha.
    [[nodiscard]] double lower(double alpha) const;
    [[nodiscard]] double upper(double alpha) const;
    /// The state of a document from outside: as many sums as bets, finite numbers, n >= 0.
    [[nodiscard]] Result<void> check() const;

    static constexpr auto fields() {
        return std::tuple{
            Field{"n", &MeanSequence::n, "Observations."},
            Field{"sum", &MeanSequence::sum, "Their sum."},
            Field{"up", &MeanSequence::up, "Log wealth of each bet on a larger mean, before centring."},
            Field{"down", &MeanSequence::down, "Log wealth of each bet on a smaller mean, before centring."},
        };
    }
};

}  // namespace gyre::evidence
