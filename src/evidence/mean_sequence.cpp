#include "evidence/mean_sequence.h"

#include <algorithm>
#include <cmath>

namespace gyre::evidence {
namespace {

/// log of the mixture's wealth against mean m; decreasing in m for bets on a larger mean.
double log_wealth(const std::vector<double>& sums, double n, double m) {
    std::array<double, kBets.size()> terms{};
    for (std::size_t i = 0; i < kBets.size(); ++i) {
        terms[i] = std::log(kBets[i].weight) + sums[i] - n * std::log1p(kBets[i].theta * m);
    }
    const double top = *std::max_element(terms.begin(), terms.end());
    double total = 0.0;
    for (const double term : terms) {
        total += std::exp(term - top);
    }
    return top + std::log(total);
}

/// Smallest mean that the bets on a larger mean cannot refute.
double bound(const std::vector<double>& sums, double n, double alpha) {
    constexpr int kSteps = 45;  // 2 / 2^45: far below a display digit
    const double limit = std::log(1.0 / alpha);
    double low = -1.0;
    double high = 1.0;
    if (log_wealth(sums, n, low) < limit) {
        return low;
    }
    for (int step = 0; step < kSteps; ++step) {
        const double middle = 0.5 * (low + high);
        (log_wealth(sums, n, middle) >= limit ? low : high) = middle;
    }
    return low;
}

}  // namespace

Result<void> MeanSequence::add(double x) {
    if (!(x >= -1.0 && x <= 1.0)) {
        return invalid_argument("confidence sequence: expected a value in [-1, 1]");
    }
    ++n;
    sum += x;
    for (std::size_t i = 0; i < kBets.size(); ++i) {
        up[i] += std::log1p(kBets[i].theta * x);
        down[i] += std::log1p(-kBets[i].theta * x);
    }
    return {};
}

double MeanSequence::lower(double alpha) const {
    return bound(up, static_cast<double>(n), alpha);
}

double MeanSequence::upper(double alpha) const {
    return -bound(down, static_cast<double>(n), alpha);
}

Result<void> MeanSequence::check() const {
    const auto finite = [](double v) { return std::isfinite(v); };
    const bool sound = n >= 0 && std::isfinite(sum) && up.size() == kBets.size() &&
                       down.size() == kBets.size() && std::all_of(up.begin(), up.end(), finite) &&
                       std::all_of(down.begin(), down.end(), finite);
    if (!sound) {
        return invalid_argument("confidence sequence: the stored state is broken");
    }
    return {};
}

}  // namespace gyre::evidence
