#include "stats/intervals.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "stats/special.h"

namespace gyre::stats {
namespace {

double critical_value(double confidence) {
    return normal_quantile(0.5 + 0.5 * std::clamp(confidence, 0.0, 1.0));
}

}  // namespace

Interval wilson(std::int64_t successes, std::int64_t n, double confidence) {
    if (n <= 0) {
        return {0.0, 0.0, 1.0, 0};
    }
    const double count = static_cast<double>(n);
    const double p = static_cast<double>(std::clamp<std::int64_t>(successes, 0, n)) / count;
    const double z = critical_value(confidence);
    const double scale = 1.0 + z * z / count;
    const double center = (p + z * z / (2.0 * count)) / scale;
    const double half = z / scale * std::sqrt(p * (1.0 - p) / count + z * z / (4.0 * count * count));
    return {p, std::max(0.0, std::min(p, center - half)), std::min(1.0, std::max(p, center + half)), n};
}

Interval clopper_pearson(std::int64_t successes, std::int64_t n, double confidence) {
    if (n <= 0) {
        return {0.0, 0.0, 1.0, 0};
    }
    const double k = static_cast<double>(std::clamp<std::int64_t>(successes, 0, n));
    const double count = static_cast<double>(n);
    const double tail = 0.5 * (1.0 - std::clamp(confidence, 0.0, 1.0));
    const double low = k == 0.0 ? 0.0 : beta_quantile(tail, k, count - k + 1.0);
    const double high = k == count ? 1.0 : beta_quantile(1.0 - tail, k + 1.0, count - k);
    return {k / count, low, high, n};
}

Interval mean_interval(const Moments& moments, double confidence) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    if (moments.count < 2) {
        return {moments.mean, -kInfinity, kInfinity, moments.count};
    }
    const double half =
        critical_value(confidence) * moments.stddev() / std::sqrt(static_cast<double>(moments.count));
    return {moments.mean, moments.mean - half, moments.mean + half, moments.count};
}

Interval mean_interval(std::span<const double> values, double confidence) {
    Moments moments;
    for (const double value : values) {
        if (std::isfinite(value)) {
            moments.add(value);
        }
    }
    return mean_interval(moments, confidence);
}

}  // namespace gyre::stats
