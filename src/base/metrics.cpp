// Adapter: prometheus-cpp writes the text format.
#include "base/metrics.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <sstream>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "base/check.h"

namespace gyre {

namespace metrics_detail {

constinit thread_local std::size_t shard_of_thread = kMetricShards;

std::size_t take_shard() {
    static std::atomic<std::size_t> next{0};
    shard_of_thread = next.fetch_add(1, std::memory_order_relaxed) % kMetricShards;
    return shard_of_thread;
}

}  // namespace metrics_detail

std::uint64_t Counter::value() const {
    std::uint64_t sum = 0;
    for (const Shard& shard : shards_) {
        sum += shard.value.load(std::memory_order_relaxed);
    }
    return sum;
}

namespace {

// Bucket b covers (bound(b-1), bound(b)],
// bound(b) = 1 us * 2^(b/4).
std::size_t bucket_of(std::int64_t ns) {
    if (ns <= 1000) {
        return 0;
    }
    // The exponent and the mantissa, in [1, 2), of a double (IEEE 754) say which: no logarithm on the hot
    // path.
    constexpr std::array<double, 4> kQuarters{1.0, 1.189207115002721, 1.4142135623730951, 1.681792830507429};
    constexpr std::uint64_t kMantissa = (std::uint64_t{1} << 52U) - 1;
    const auto bits = std::bit_cast<std::uint64_t>(static_cast<double>(ns) / 1000.0);
    const auto octave = static_cast<std::size_t>((bits >> 52U) - 1023);
    const auto mantissa = std::bit_cast<double>((bits & kMantissa) | (std::uint64_t{1023} << 52U));
    std::size_t bucket = 4 * octave;
    for (const double quarter : kQuarters) {
        bucket += mantissa > quarter ? 1 : 0;
    }
    return std::min(bucket, Histogram::kBuckets - 1);
}

}  // namespace

double Histogram::bound_seconds(std::size_t bucket) {
    if (bucket + 1 >= kBuckets) {
        return std::numeric_limits<double>::infinity();
    }
    return 1e-6 * std::exp2(static_cast<double>(bucket) / 4.0);
}

void Histogram::observe_ns(std::int64_t ns) {
    Shard& shard = shards_[metric_shard()];
    shard.counts[bucket_of(ns)].fetch_add(1, std::memory_order_relaxed);
    shard.sum_ns.fetch_add(static_cast<std::uint64_t>(std::max<std::int64_t>(ns, 0)),
                           std::memory_order_relaxed);
}

Histogram::Totals Histogram::totals() const {
    Totals totals;
    for (const Shard& shard : shards_) {
        for (std::size_t i = 0; i < kBuckets; ++i) {
            const std::uint64_t n = shard.counts[i].load(std::memory_order_relaxed);
            totals.counts[i] += n;
            totals.count += n;
        }
        totals.sum_seconds += static_cast<double>(shard.sum_ns.load(std::memory_order_relaxed)) * 1e-9;
    }
    return totals;
}

double Histogram::Totals::quantile(double q) const {
    const double wanted = q * static_cast<double>(count);
    double seen = 0.0;
    for (std::size_t i = 0; i < kBuckets; ++i) {
        seen += static_cast<double>(counts[i]);
        if (count > 0 && seen >= wanted) {
            return std::isinf(bound_seconds(i)) ? bound_seconds(kBuckets - 2) : bound_seconds(i);
        }
    }
    return 0.0;
}

template <class Metric>
Metric& MetricFamily<Metric>::with(const std::vector<std::string>& label_values) {
    GYRE_CHECK(label_values.size() == label_names_.size(), "as many label values as names");
    const std::scoped_lock lock(mutex_);
    const auto has = [](const std::vector<std::string>& labels) {
        return [&labels](const std::unique_ptr<Series>& series) { return series->labels == labels; };
    };
    auto found = std::find_if(series_.begin(), series_.end(), has(label_values));
    if (found != series_.end()) {
        return (*found)->metric;
    }
    std::vector<std::string> labels = label_values;
    if (series_.size() + 1 >= kSeriesPerFamilyMax) {
        labels.assign(label_names_.size(), "other");
        found = std::find_if(series_.begin(), series_.end(), has(labels));
        if (found != series_.end()) {
            return (*found)->metric;
        }
    }
    series_.push_back(std::make_unique<Series>());
    series_.back()->labels = std::move(labels);
    return series_.back()->metric;
}

template class MetricFamily<Counter>;
template class MetricFamily<Gauge>;
template class MetricFamily<Histogram>;

struct Metrics::Impl {
    struct Callback {
        std::string help;
        std::function<double()> read;
    };
    mutable std::mutex mutex;
    std::map<std::string, std::unique_ptr<MetricFamily<Counter>>, std::less<>> counters;
    std::map<std::string, std::unique_ptr<MetricFamily<Gauge>>, std::less<>> gauges;
    std::map<std::string, std::unique_ptr<MetricFamily<Histogram>>, std::less<>> histograms;
    std::map<std::string, Callback, std::less<>> callbacks;
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

namespace {

/// Scraped by powers of two, kept finer inside: a quantile that is read off a scrape is within a factor of
/// two, and a series takes 28 lines.
constexpr std::size_t kBucketsPerScraped = 4;

/// Returns whether the series is shown. Counters and gauges are from the start, so that the first increase of
/// a counter is one; a histogram that has observed nothing would be 28 lines of nothing.
bool fill(prometheus::ClientMetric& out, const Counter& counter) {
    out.counter.value = static_cast<double>(counter.value());
    return true;
}

bool fill(prometheus::ClientMetric& out, const Gauge& gauge) {
    out.gauge.value = gauge.value();
    return true;
}

bool fill(prometheus::ClientMetric& out, const Histogram& histogram) {
    const Histogram::Totals totals = histogram.totals();
    out.histogram.sample_count = totals.count;
    out.histogram.sample_sum = totals.sum_seconds;
    std::uint64_t cumulative = 0;
    for (std::size_t i = 0; i < Histogram::kBuckets; ++i) {
        cumulative += totals.counts[i];
        if (i % kBucketsPerScraped == 0 || i + 1 == Histogram::kBuckets) {
            out.histogram.bucket.push_back({cumulative, Histogram::bound_seconds(i)});
        }
    }
    return totals.count > 0;
}

}  // namespace

MetricFamily<Counter>& Metrics::counter(std::string_view name, std::string_view help,
                                        std::vector<std::string> labels) {
    const std::scoped_lock lock(impl_->mutex);
    auto& family = impl_->counters[std::string(name)];
    if (!family) {
        family = std::make_unique<MetricFamily<Counter>>();
        family->name_ = name;
        family->help_ = help;
        family->label_names_ = std::move(labels);
    }
    return *family;
}

MetricFamily<Gauge>& Metrics::gauge(std::string_view name, std::string_view help,
                                    std::vector<std::string> labels) {
    const std::scoped_lock lock(impl_->mutex);
    auto& family = impl_->gauges[std::string(name)];
    if (!family) {
        family = std::make_unique<MetricFamily<Gauge>>();
        family->name_ = name;
        family->help_ = help;
        family->label_names_ = std::move(labels);
    }
    return *family;
}

MetricFamily<Histogram>& Metrics::histogram(std::string_view name, std::string_view help,
                                            std::vector<std::string> labels) {
    const std::scoped_lock lock(impl_->mutex);
    auto& family = impl_->histograms[std::string(name)];
    if (!family) {
        family = std::make_unique<MetricFamily<Histogram>>();
        family->name_ = name;
        family->help_ = help;
        family->label_names_ = std::move(labels);
    }
    return *family;
}

void Metrics::callback_gauge(std::string_view name, std::string_view help, std::function<double()> read) {
    const std::scoped_lock lock(impl_->mutex);
    impl_->callbacks[std::string(name)] = {std::string(help), std::move(read)};
}

std::string Metrics::expose() const {
    std::vector<prometheus::MetricFamily> out;
    const auto collect = [&out](const auto& families, prometheus::MetricType type) {
        for (const auto& [name, family] : families) {
            prometheus::MetricFamily collected{name, family->help_, type, {}};
            const std::scoped_lock lock(family->mutex_);
            for (const auto& series : family->series_) {
                prometheus::ClientMetric metric;
                for (std::size_t i = 0; i < series->labels.size(); ++i) {
                    metric.label.push_back({family->label_names_[i], series->labels[i]});
                }
                if (fill(metric, series->metric)) {
                    collected.metric.push_back(std::move(metric));
                }
            }
            out.push_back(std::move(collected));
        }
    };
    const std::scoped_lock lock(impl_->mutex);
    collect(impl_->counters, prometheus::MetricType::Counter);
    collect(impl_->gauges, prometheus::MetricType::Gauge);
    collect(impl_->histograms, prometheus::MetricType::Histogram);
    for (const auto& [name, callback] : impl_->callbacks) {
        prometheus::ClientMetric metric;
        metric.gauge.value = callback.read();
        out.push_back({name, callback.help, prometheus::MetricType::Gauge, {metric}});
    }
    std::ostringstream text;
    prometheus::TextSerializer().Serialize(text, out);
    return text.str();
}

std::vector<std::pair<std::string, std::string>> Metrics::describe() const {
    const std::scoped_lock lock(impl_->mutex);
    std::map<std::string, std::string> all;
    for (const auto& [name, family] : impl_->counters) {
        all[name] = family->help_;
    }
    for (const auto& [name, family] : impl_->gauges) {
        all[name] = family->help_;
    }
    for (const auto& [name, family] : impl_->histograms) {
        all[name] = family->help_;
    }
    for (const auto& [name, callback] : impl_->callbacks) {
        all[name] = callback.help;
    }
    return {all.begin(), all.end()};
}

}  // namespace gyre
