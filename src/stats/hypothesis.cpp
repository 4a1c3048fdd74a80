#include "stats/hypothesis.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "stats/special.h"

namespace gyre::stats {
namespace {

constexpr std::size_t kExactSmallMax = 8;
constexpr std::size_t kExactLargeMax = 200;

Result<double> total_of(std::span<const double> counts, std::string_view side) {
    double total = 0.0;
    for (const double count : counts) {
        if (!(count >= 0.0) || std::isinf(count)) {
            return invalid_argument("counts of the " + std::string(side) +
                                    " side must be finite and not negative");
        }
        total += count;
    }
    if (total <= 0.0) {
        return invalid_argument("the " + std::string(side) + " side is empty");
    }
    return total;
}

/// The number of ways to reach each U: coefficients of the Gaussian binomial (n+m choose n), as shares.
std::vector<double> exact_u_shares(std::size_t n, std::size_t m) {
    std::vector<double> shares(n * m + 1, 0.0);
    shares[0] = 1.0;
    std::size_t degree = 0;
    for (std::size_t k = 1; k <= n; ++k) {  // multiply by (1 - q^(m+k)) / (1 - q^k), scaled by k / (m+k)
        degree += m;
        for (std::size_t u = degree; u >= m + k; --u) {
            shares[u] -= shares[u - m - k];
        }
        for (std::size_t u = k; u <= degree; ++u) {
            shares[u] += shares[u - k];
        }
        const double scale = static_cast<double>(k) / static_cast<double>(m + k);
        for (std::size_t u = 0; u <= degree; ++u) {
            shares[u] *= scale;
        }
    }
    return shares;
}

struct Pooled {
    std::vector<double> values;  // first sample, then second
    std::size_t n = 0;
};

Pooled pool_finite(std::span<const double> first, std::span<const double> second) {
    Pooled pooled;
    for (const auto side : {first, second}) {
        std::copy_if(side.begin(), side.end(), std::back_inserter(pooled.values),
                     [](double v) { return std::isfinite(v); });
        if (side.data() == first.data() && pooled.n == 0) {
            pooled.n = pooled.values.size();
        }
    }
    return pooled;
}

double tie_term(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    double sum = 0.0;
    for (std::size_t i = 0; i < values.size();) {
        std::size_t j = i;
        while (j < values.size() && values[j] == values[i]) {
            ++j;
        }
        const double t = static_cast<double>(j - i);
        sum += t * t * t - t;
        i = j;
    }
    return sum;
}

}  // namespace

std::vector<double> midranks(std::span<const double> values) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
    std::vector<double> ranks(values.size());
    for (std::size_t i = 0; i < order.size();) {
        std::size_t j = i;
        while (j < order.size() && values[order[j]] == values[order[i]]) {
            ++j;
        }
        const double rank = 0.5 * static_cast<double>(i + j + 1);
        for (; i < j; ++i) {
            ranks[order[i]] = rank;
        }
    }
    return ranks;
}

Result<TestResult> chi_square_homogeneity(std::span<const double> reference, std::span<const double> current,
                                          double min_expected) {
    if (reference.size() != current.size()) {
        return invalid_argument("chi-square: expected the same categories on both sides");
    }
    GYRE_TRY(const double n, total_of(reference, "reference"));
    GYRE_TRY(const double m, total_of(current, "current"));
    const double smaller_share = std::min(n, m) / (n + m);
    TestResult result;
    double pooled_reference = 0.0;
    double pooled_current = 0.0;
    double categories = 0.0;
    const auto add_cell = [&](double r, double c) {
        const double column = r + c;
        if (column <= 0.0) {
            return;
        }
        categories += 1.0;
        const double expected_r = column * n / (n + m);
        const double expected_c = column * m / (n + m);
        result.statistic += (r - expected_r) * (r - expected_r) / expected_r;
        result.statistic += (c - expected_c) * (c - expected_c) / expected_c;
    };
    for (std::size_t k = 0; k < reference.size(); ++k) {
        if ((reference[k] + current[k]) * smaller_share < min_expected) {
            pooled_reference += reference[k];
            pooled_current += current[k];
        } else {
            add_cell(reference[k], current[k]);
        }
    }
    add_cell(pooled_reference, pooled_current);
    result.df = std::max(0.0, categories - 1.0);
    result.p_value = chi2_sf(result.statistic, result.df);
    return result;
}

Result<TestResult> chi_square_goodness_of_fit(std::span<const double> observed,
                                              std::span<const double> expected) {
    if (observed.size() != expected.size()) {
        return invalid_argument("chi-square: expected the same categories on both sides");
    }
    GYRE_TRY(const double n, total_of(observed, "observed"));
    GYRE_TRY(const double m, total_of(expected, "expected"));
    TestResult result;
    double categories = 0.0;
    for (std::size_t k = 0; k < observed.size(); ++k) {
        const double e = expected[k] * n / m;
        if (e > 0.0) {
            result.statistic += (observed[k] - e) * (observed[k] - e) / e;
            categories += 1.0;
        } else if (observed[k] > 0.0) {
            result.statistic = std::numeric_limits<double>::infinity();
            categories += 1.0;
        }
    }
    result.df = std::max(0.0, categories - 1.0);
    result.p_value = chi2_sf(result.statistic, result.df);
    return result;
}

Result<TestResult> mann_whitney(std::span<const double> first, std::span<const double> second) {
    const Pooled pooled = pool_finite(first, second);
    const std::size_t n = pooled.n;
    const std::size_t m = pooled.values.size() - n;
    if (n == 0 || m == 0) {
        return invalid_argument("mann-whitney: expected a finite value on both sides");
    }
    const std::vector<double> ranks = midranks(pooled.values);
    const double dn = static_cast<double>(n);
    const double dm = static_cast<double>(m);
    const double rank_sum =
        std::accumulate(ranks.begin(), ranks.begin() + static_cast<std::ptrdiff_t>(n), 0.0);
    TestResult result;
    result.statistic = rank_sum - dn * (dn + 1.0) / 2.0;
    const double larger = std::max(result.statistic, dn * dm - result.statistic);
    const double ties = tie_term(pooled.values);
    if (ties == 0.0 && std::min(n, m) <= kExactSmallMax && std::max(n, m) <= kExactLargeMax) {
        result.method = PValueMethod::exact;
        const std::vector<double> shares = exact_u_shares(std::min(n, m), std::max(n, m));
        const auto from = static_cast<std::ptrdiff_t>(std::ceil(larger));
        result.p_value = std::min(1.0, 2.0 * std::accumulate(shares.begin() + from, shares.end(), 0.0));
        return result;
    }
    const double total = dn + dm;
    const double variance = dn * dm / 12.0 * ((total + 1.0) - ties / (total * (total - 1.0)));
    if (variance <= 0.0) {
        return result;  // every value is equal: p = 1
    }
    result.p_value = std::min(1.0, 2.0 * normal_sf((larger - dn * dm / 2.0 - 0.5) / std::sqrt(variance)));
    return result;
}

Result<TestResult> welch_t(const Moments& first, const Moments& second) {
    if (first.count < 2 || second.count < 2) {
        return invalid_argument("welch t: expected at least two values on both sides");
    }
    const double n = static_cast<double>(first.count);
    const double m = static_cast<double>(second.count);
    const double a = first.variance() / n;
    const double b = second.variance() / m;
    TestResult result;
    const double difference = first.mean - second.mean;
    if (a + b <= 0.0) {  // two constants
        result.df = n + m - 2.0;
        if (difference != 0.0) {
            result.statistic = std::copysign(std::numeric_limits<double>::infinity(), difference);
            result.p_value = 0.0;
        }
        return result;
    }
    result.statistic = difference / std::sqrt(a + b);
    result.df = (a + b) * (a + b) / (a * a / (n - 1.0) + b * b / (m - 1.0));
    result.p_value = student_t_two_sided(result.statistic, result.df);
    return result;
}

Result<ProportionTest> two_proportion_z(std::int64_t successes1, std::int64_t n1, std::int64_t successes2,
                                        std::int64_t n2, double confidence) {
    if (n1 <= 0 || n2 <= 0 || successes1 < 0 || successes2 < 0 || successes1 > n1 || successes2 > n2) {
        return invalid_argument("two proportions: expected 0 <= successes <= n and n > 0 on both sides");
    }
    const double a = static_cast<double>(n1);
    const double b = static_cast<double>(n2);
    const double p1 = static_cast<double>(successes1) / a;
    const double p2 = static_cast<double>(successes2) / b;
    const double pooled = (p1 * a + p2 * b) / (a + b);
    const double spread = std::sqrt(pooled * (1.0 - pooled) * (1.0 / a + 1.0 / b));
    ProportionTest test;
    if (spread > 0.0) {
        test.z = (p1 - p2) / spread;
        test.p_value = std::min(1.0, 2.0 * normal_sf(std::abs(test.z)));
    }
    const double half =
        normal_quantile(0.5 + 0.5 * confidence) * std::sqrt(p1 * (1.0 - p1) / a + p2 * (1.0 - p2) / b);
    test.difference = {p1 - p2, p1 - p2 - half, p1 - p2 + half, n1 + n2};
    return test;
}

Result<TestResult> sample_ratio_mismatch(std::span<const double> units, std::span<const double> weights) {
    return chi_square_goodness_of_fit(units, weights);
}

}  // namespace gyre::stats
