#include "stats/moments.h"

#include <algorithm>
#include <cmath>

namespace gyre::stats {

namespace {

/// `merge` of `weight` copies of one value.
void add_one(Moments& sum, double value, std::int64_t weight) {
    if (sum.count == 0) {
        sum = {weight, value, 0.0, value, value};
        return;
    }
    const double share = static_cast<double>(weight) / static_cast<double>(sum.count + weight);
    const double delta = value - sum.mean;
    sum.m2 += delta * delta * static_cast<double>(sum.count) * share;
    sum.mean += delta * share;
    sum.count += weight;
    sum.min = std::min(sum.min, value);
    sum.max = std::max(sum.max, value);
}

}  // namespace

void Moments::add(double value, std::int64_t weight) {
    if (weight > 0) {
        add_one(*this, value, weight);
    }
}

void Moments::add(std::span<const double> values) {
    Moments sum = *this;  // in registers
    for (const double value : values) {
        add_one(sum, value, 1);
    }
    *this = sum;
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
