#pragma once
// LiveHistory: the last minutes of one endpoint, from its counters: rates, latencies and who answered. In
// memory only. One thread at a time.
#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "serving/limits.h"
#include "serving/routing.h"

namespace gyre::serving {

/// What one model version has counted on an endpoint since the server started.
struct VariantSeries {
    std::string model;  // "flights/7"
    VariantMetrics metrics;
};

struct ModelRate {
    std::string model;
    double rps = 0.0;
};

/// Adds the observations of `part`.
void add_to(Histogram::Totals& sum, const Histogram::Totals& part);

/// One stretch of time; figures that nobody made are 0.
struct LivePoint {
    std::int64_t time_us = 0;  // its end
    double rps = 0.0;
    double errors_per_s = 0.0;
    double p50_ms = 0.0;
    double p99_ms = 0.0;
    std::vector<ModelRate> models;  // those that answered
};

class LiveHistory {
 public:
    /// Call every second with the endpoint's series; every kLiveStepS seconds a point is added.
    void sample(const std::vector<VariantSeries>& series, std::int64_t now_us, std::int64_t now_ns);

    /// Requests per second between the last two samples.
    [[nodiscard]] double rps() const { return rps_; }
    /// Oldest first, at most kLivePointsMax.
    [[nodiscard]] const std::deque<LivePoint>& points() const { return points_; }

 private:
    struct Counted {
        std::map<const Counter*, std::uint64_t> requests;  // by series
        std::uint64_t errors = 0;
        Histogram::Totals seconds;
        std::int64_t at_ns = 0;
    };
    static Counted count(const std::vector<VariantSeries>& series, std::int64_t now_ns);
    void add_point(const std::vector<VariantSeries>& series, std::int64_t now_us, std::int64_t now_ns);

    double rps_ = 0.0;
    std::uint64_t last_requests_ = 0;
    std::int64_t last_ns_ = 0;
    Counted before_;  // at the end of the last point
    std::deque<LivePoint> points_;
};

}  // namespace gyre::serving
