#pragma once
// Hypothesis tests as SciPy defines them. Pure functions over samples or counts; non-finite values are
// dropped before anything is computed. Never NaN: a test that cannot be computed returns
// invalid_argument with the reason, and callers report it as insufficient evidence.
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/fields.h"
#include "stats/intervals.h"

namespace gyre::stats {

enum class PValueMethod : std::uint8_t { exact, asymptotic };
constexpr auto enum_names(PValueMethod) {
    return std::array{EnumName{PValueMethod::exact, "exact"},
                      EnumName{PValueMethod::asymptotic, "asymptotic"}};
}

struct TestResult {
    double statistic = 0.0;
    double p_value = 1.0;  // two-sided
    double df = 0.0;       // degrees of freedom, where the test has them
    PValueMethod method = PValueMethod::asymptotic;

    static constexpr auto fields() {
        return std::tuple{
            Field{"statistic", &TestResult::statistic, "The test's statistic."},
            Field{"p_value", &TestResult::p_value, "Two-sided p-value."},
            Field{"df", &TestResult::df, "Degrees of freedom; 0 where the test has none."},
            Field{"method", &TestResult::method, "How the p-value was computed."},
        };
    }
};

/// Exact p-values are used while max(n, m) <= kKsExactRowsMax and the lattice needs at most
/// kKsExactCellsMax cells (about 0.1 s); asymptotic ones (kstwo with round(nm / (n + m))) otherwise.
inline constexpr std::int64_t kKsExactRowsMax = 10'000;
inline constexpr double kKsExactCellsMax = 2e7;

/// Two-sample Kolmogorov-Smirnov, two-sided (scipy.stats.ks_2samp, method auto). Needs one finite value on
/// each side. O(n log n).
Result<TestResult> ks_two_sample(std::span<const double> reference, std::span<const double> current);
/// The p-value of a statistic D of samples with n and m values.
TestResult ks_p_value(double statistic, std::int64_t n, std::int64_t m);

/// Categories whose expected count on either side is below `min_expected` are pooled into one.
inline constexpr double kMinExpectedCount = 5.0;

/// Chi-square test of homogeneity of a 2 x K table (both sides count the same K categories). One category
/// left after pooling gives p = 1. Errors: different lengths, a negative count, an empty side.
Result<TestResult> chi_square_homogeneity(std::span<const double> reference, std::span<const double> current,
                                          double min_expected = kMinExpectedCount);
/// Chi-square goodness of fit of `observed` to the shares of `expected` (rescaled to the same total).
/// A category that was observed where none is expected gives p = 0.
Result<TestResult> chi_square_goodness_of_fit(std::span<const double> observed,
                                              std::span<const double> expected);

/// Mann-Whitney U of the first sample, two-sided: exact while min(n, m) <= 8, max(n, m) <= 200 and there are
/// no ties; else normal with tie and continuity correction (scipy.stats.mannwhitneyu).
Result<TestResult> mann_whitney(std::span<const double> first, std::span<const double> second);

/// Welch's t of two samples' moments. Errors: fewer than two values on a side.
Result<TestResult> welch_t(const Moments& first, const Moments& second);

/// Pooled two-proportion z and the unpooled interval of p1 - p2.
struct ProportionTest {
    double z = 0.0;
    double p_value = 1.0;
    Interval difference;
};
Result<ProportionTest> two_proportion_z(std::int64_t successes1, std::int64_t n1, std::int64_t successes2,
                                        std::int64_t n2, double confidence = kDefaultConfidence);

/// Sample ratio mismatch: chi-square of the units seen per variant against the declared weights. Alarm
/// when p < kSrmAlpha. Count units, not requests.
inline constexpr double kSrmAlpha = 0.001;
Result<TestResult> sample_ratio_mismatch(std::span<const double> units, std::span<const double> weights);

/// Ranks 1..n with ties sharing their mean rank, in the order of `values`.
std::vector<double> midranks(std::span<const double> values);

}  // namespace gyre::stats
