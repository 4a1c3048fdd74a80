// The two-sample Kolmogorov-Smirnov test.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "stats/hypothesis.h"
#include "stats/special.h"

namespace gyre::stats {
namespace {

std::vector<double> sorted_finite(std::span<const double> values) {
    std::vector<double> out;
    out.reserve(values.size());
    for (const double value : values) {
        if (std::isfinite(value)) {
            out.push_back(value);
        }
    }
    std::sort(out.begin(), out.end());
    return out;
}

/// max |i/n - j/m| over the pooled points, times n*m: an integer below 2^53 for up to 9e7 rows a side.
double max_gap(const std::vector<double>& a, const std::vector<double>& b) {
    const double n = static_cast<double>(a.size());
    const double m = static_cast<double>(b.size());
    std::size_t i = 0;
    std::size_t j = 0;
    double gap = 0.0;
    while (i < a.size() && j < b.size()) {
        const double point = std::min(a[i], b[j]);
        while (i < a.size() && a[i] == point) {
            ++i;
        }
        while (j < b.size() && b[j] == point) {
            ++j;
        }
        gap = std::max(gap, std::abs(static_cast<double>(i) * m - static_cast<double>(j) * n));
    }
    return gap;
}

/// P(a random lattice path from (0,0) to (n,m) touches |i*m - j*n| >= gap), by the recursion on the last
/// step (Schroeer, Trenkler 1995); only cells inside the band are visited. No cancellation for small p.
double exact_outer_probability(std::int64_t n, std::int64_t m, double gap) {
    std::vector<double> hit(static_cast<std::size_t>(m) + 1, 1.0);
    const double dn = static_cast<double>(n);
    const double dm = static_cast<double>(m);
    for (std::int64_t i = 0; i <= n; ++i) {
        const double di = static_cast<double>(i);
        const double low = std::max(0.0, std::floor((di * dm - gap) / dn));
        const double high = std::min(dm, std::ceil((di * dm + gap) / dn));
        for (auto j = static_cast<std::int64_t>(low); j <= static_cast<std::int64_t>(high); ++j) {
            const auto cell = static_cast<std::size_t>(j);
            const double dj = static_cast<double>(j);
            if (std::abs(di * dm - dj * dn) >= gap) {
                hit[cell] = 1.0;
            } else if (i == 0 && j == 0) {
                hit[cell] = 0.0;
            } else {
                const double from_left = i == 0 ? 0.0 : di * hit[cell];
                const double from_below = j == 0 ? 0.0 : dj * hit[cell - 1];
                hit[cell] = (from_left + from_below) / (di + dj);
            }
        }
    }
    return hit.back();
}

}  // namespace

TestResult ks_p_value(double statistic, std::int64_t n, std::int64_t m) {
    TestResult result;
    result.statistic = statistic;
    const double dn = static_cast<double>(n);
    const double dm = static_cast<double>(m);
    const bool affordable = 2.0 * statistic * dn * dm <= kKsExactCellsMax;
    if (std::max(n, m) <= kKsExactRowsMax && affordable) {
        result.method = PValueMethod::exact;
        // D is h / lcm(n, m) for an integer h; computing with h keeps ties of the comparison exact.
        const double lcm = static_cast<double>(std::lcm(n, m));
        const double gap = std::round(statistic * lcm) * (dn * dm / lcm);
        result.p_value = gap <= 0.0 ? 1.0 : std::clamp(exact_outer_probability(n, m, gap), 0.0, 1.0);
        return result;
    }
    result.p_value = kstwo_sf(statistic, static_cast<std::int64_t>(std::nearbyint(dn * dm / (dn + dm))));
    return result;
}

Result<TestResult> ks_two_sample(std::span<const double> reference, std::span<const double> current) {
    const std::vector<double> a = sorted_finite(reference);
    const std::vector<double> b = sorted_finite(current);
    if (a.empty() || b.empty()) {
        return invalid_argument("ks test: expected a finite value on both sides, got " +
                                std::to_string(a.size()) + " and " + std::to_string(b.size()));
    }
    const double scale = static_cast<double>(a.size()) * static_cast<double>(b.size());
    return ks_p_value(max_gap(a, b) / scale, static_cast<std::int64_t>(a.size()),
                      static_cast<std::int64_t>(b.size()));
}

}  // namespace gyre::stats
