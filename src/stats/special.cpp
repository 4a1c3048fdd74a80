// Adapter: Boost.Math (special functions and distributions).
#include "stats/special.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/erf.hpp>

namespace gyre::stats {
namespace {

namespace bm = boost::math;
using Quiet = bm::policies::policy<bm::policies::domain_error<bm::policies::ignore_error>,
                                   bm::policies::overflow_error<bm::policies::ignore_error>,
                                   bm::policies::evaluation_error<bm::policies::ignore_error>,
                                   bm::policies::promote_double<false>>;

constexpr double kTiny = 1e-300;

double clamp_probability(double p) {
    return std::clamp(p, kTiny, 1.0 - 1e-16);
}

}  // namespace

double normal_cdf(double z) {
    return 0.5 * std::erfc(-z / std::numbers::sqrt2);
}

double normal_sf(double z) {
    return 0.5 * std::erfc(z / std::numbers::sqrt2);
}

double normal_quantile(double p) {
    return -std::numbers::sqrt2 * bm::erfc_inv(2.0 * clamp_probability(p), Quiet());
}

double chi2_sf(double x, double df) {
    if (df <= 0.0 || x <= 0.0) {
        return 1.0;
    }
    if (std::isinf(x)) {
        return 0.0;
    }
    return bm::cdf(bm::complement(bm::chi_squared_distribution<double, Quiet>(df), x));
}

double beta_quantile(double p, double a, double b) {
    const double clamped = std::clamp(p, 0.0, 1.0);
    return bm::quantile(bm::beta_distribution<double, Quiet>(std::max(a, kTiny), std::max(b, kTiny)),
                        clamped);
}

double student_t_two_sided(double t, double df) {
    if (std::isinf(t)) {
        return 0.0;
    }
    const bm::students_t_distribution<double, Quiet> law(std::max(df, 1e-6));
    return std::min(1.0, 2.0 * bm::cdf(bm::complement(law, std::abs(t))));
}

double student_t_quantile(double p, double df) {
    const bm::students_t_distribution<double, Quiet> law(std::max(df, 1e-6));
    return bm::quantile(law, clamp_probability(p));
}

}  // namespace gyre::stats
