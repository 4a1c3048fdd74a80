#pragma once
// Metrics: counters, gauges and histograms whose hot side is a relaxed add on this thread's own shard;
// shards are merged when somebody scrapes. Resolve a series once (`with`), keep the reference, then add.
//
//   auto& family = metrics.counter("gyre_http_requests_total", "Requests answered.", {"route", "code"});
//   Counter& hits = family.with({"get_run", "200"});      // cold: takes a mutex
//   hits.add();                                            // hot
//
// Names: gyre_<module>_<noun>_<unit>[_total], base units. Labels come from bounded sets, never ids: a family
// holds at most kSeriesPerFamilyMax series, further ones share one series labelled "other". Thread-safe.
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace gyre {

inline constexpr std::size_t kSeriesPerFamilyMax = 2000;
inline constexpr std::size_t kMetricShards = 8;

namespace metrics_detail {
extern constinit thread_local std::size_t shard_of_thread;  // kMetricShards: none yet
std::size_t take_shard();
}  // namespace metrics_detail

/// This thread's shard; threads are spread over shards in turn.
inline std::size_t metric_shard() {
    const std::size_t mine = metrics_detail::shard_of_thread;
    return mine < kMetricShards ? mine : metrics_detail::take_shard();
}

class Counter {
 public:
    void add(std::uint64_t n = 1) { shards_[metric_shard()].value.fetch_add(n, std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t value() const;

 private:
    struct alignas(64) Shard {
        std::atomic<std::uint64_t> value{0};
    };
    std::array<Shard, kMetricShards> shards_;
};

class Gauge {
 public:
    void set(double value) { value_.store(value, std::memory_order_relaxed); }
    void add(double delta) { value_.fetch_add(delta, std::memory_order_relaxed); }
    [[nodiscard]] double value() const { return value_.load(std::memory_order_relaxed); }

 private:
    std::atomic<double> value_{0.0};
};

/// Durations from 1 us to about 70 s in log-linear buckets (4 per power of two: at most 19 % wide).
class Histogram {
 public:
    static constexpr std::size_t kBuckets = 108;

    void observe_ns(std::int64_t ns);
    struct Totals {
        std::array<std::uint64_t, kBuckets> counts{};
        std::uint64_t count = 0;
        double sum_seconds = 0.0;
        /// Upper bound of the bucket that holds quantile q, in seconds; 0 when empty.
        [[nodiscard]] double quantile(double q) const;
    };
    [[nodiscard]] Totals totals() const;
    /// Upper bound of bucket i in seconds; the last is infinite.
    static double bound_seconds(std::size_t bucket);

 private:
    struct alignas(64) Shard {
        std::array<std::atomic<std::uint64_t>, kBuckets> counts{};
        std::atomic<std::uint64_t> sum_ns{0};
    };
    std::array<Shard, kMetricShards> shards_;
};

template <class Metric>
class MetricFamily {
 public:
    /// The series with these label values, made when new. Cold. The reference stays valid.
    Metric& with(const std::vector<std::string>& label_values);

 private:
    friend class Metrics;
    struct Series {
        std::vector<std::string> labels;
        Metric metric;
    };
    std::string name_;
    std::string help_;
    std::vector<std::string> label_names_;
    mutable std::mutex mutex_;
    std::vector<std::unique_ptr<Series>> series_;  // guarded by mutex_
};

class Metrics {
 public:
    Metrics();
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    // Declaring a name twice with the same labels gives the same family.
    MetricFamily<Counter>& counter(std::string_view name, std::string_view help,
                                   std::vector<std::string> labels = {});
    MetricFamily<Gauge>& gauge(std::string_view name, std::string_view help,
                               std::vector<std::string> labels = {});
    MetricFamily<Histogram>& histogram(std::string_view name, std::string_view help,
                                       std::vector<std::string> labels = {});
    /// A gauge without labels that is read when somebody scrapes. `read` must be thread-safe.
    void callback_gauge(std::string_view name, std::string_view help, std::function<double()> read);

    /// The Prometheus text format, version 0.0.4.
    [[nodiscard]] std::string expose() const;
    /// Name and help of every family, sorted; for the documents.
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> describe() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace gyre
