#include "serving/live.h"

namespace gyre::serving {
namespace {

constexpr double kNsPerSecond = 1e9;

std::uint64_t requests_of(const std::vector<VariantSeries>& series) {
    std::uint64_t sum = 0;
    for (const VariantSeries& one : series) {
        sum += one.metrics.requests->value();
    }
    return sum;
}

/// What was observed between two readings of the same series.
Histogram::Totals between(const Histogram::Totals& earlier, const Histogram::Totals& later) {
    Histogram::Totals span = later;
    for (std::size_t i = 0; i < Histogram::kBuckets; ++i) {
        span.counts[i] -= earlier.counts[i];
    }
    span.count -= earlier.count;
    return span;
}

}  // namespace

void add_to(Histogram::Totals& sum, const Histogram::Totals& part) {
    for (std::size_t i = 0; i < Histogram::kBuckets; ++i) {
        sum.counts[i] += part.counts[i];
    }
    sum.count += part.count;
    sum.sum_seconds += part.sum_seconds;
}

LiveHistory::Counted LiveHistory::count(const std::vector<VariantSeries>& series, std::int64_t now_ns) {
    Counted counted;
    counted.at_ns = now_ns;
    for (const VariantSeries& one : series) {
        counted.requests[one.metrics.requests] = one.metrics.requests->value();
        counted.errors += one.metrics.errors->value();
        add_to(counted.seconds, one.metrics.seconds->totals());
    }
    return counted;
}

void LiveHistory::sample(const std::vector<VariantSeries>& series, std::int64_t now_us, std::int64_t now_ns) {
    const std::uint64_t requests = requests_of(series);
    if (last_ns_ != 0 && now_ns > last_ns_) {
        rps_ = static_cast<double>(requests - last_requests_) * kNsPerSecond /
               static_cast<double>(now_ns - last_ns_);
    }
    last_requests_ = requests;
    last_ns_ = now_ns;
    if (before_.at_ns == 0) {
        before_ = count(series, now_ns);
    } else if (now_ns - before_.at_ns >= kLiveStepS * static_cast<std::int64_t>(kNsPerSecond)) {
        add_point(series, now_us, now_ns);
    }
}

void LiveHistory::add_point(const std::vector<VariantSeries>& series, std::int64_t now_us,
                            std::int64_t now_ns) {
    Counted now = count(series, now_ns);
    const double seconds = static_cast<double>(now_ns - before_.at_ns) / kNsPerSecond;
    const Histogram::Totals span = between(before_.seconds, now.seconds);
    LivePoint point;
    point.time_us = now_us;
    point.errors_per_s = static_cast<double>(now.errors - before_.errors) / seconds;
    point.p50_ms = span.quantile(0.5) * 1e3;
    point.p99_ms = span.quantile(0.99) * 1e3;
    for (const VariantSeries& one : series) {
        const std::uint64_t answered =
            now.requests[one.metrics.requests] - before_.requests[one.metrics.requests];
        if (answered > 0) {
            point.models.push_back({one.model, static_cast<double>(answered) / seconds});
            point.rps += point.models.back().rps;
        }
    }
    points_.push_back(std::move(point));
    if (points_.size() > kLivePointsMax) {
        points_.pop_front();
    }
    before_ = std::move(now);
}

}  // namespace gyre::serving
