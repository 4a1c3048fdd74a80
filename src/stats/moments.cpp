#include "stats/moments.h"

#include <algorithm>
#include <cmath>

namespace gyre::stats {

void Moments::add(double value, std::int64_t weight) {
    if (weight > 0) {
        merge(Moments{weight, value, 0.0, value, value});
    }
}

void Moments::merge(const Moments& other) {
    if (other.count == 0) {
        return;
    }
    if (count == 0) {
        *this = other;
        return;
    }
    const double total = static_cast<double>(count) + static_cast<double>(other.count);
    const double share = static_cast<double>(other.count) / total;
    const double delta = other.mean - mean;
    m2 += other.m2 + delta * delta * static_cast<double>(count) * share;
    mean += delta * share;
    count += other.count;
    min = std::min(min, other.min);
    max = std::max(max, other.max);
}

double Moments::variance() const {
    return count < 2 ? 0.0 : std::max(0.0, m2) / static_cast<double>(count - 1);
}

double Moments::stddev() const {
    return std::sqrt(variance());
}

}  // namespace gyre::stats
