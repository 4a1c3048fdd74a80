#pragma once
// Reconciler: the one place that turns definitions of endpoints into the picture that requests see.
//
// It tells the inference manager what should be loaded, waits for it in the background, and publishes a
// picture in which an endpoint changes only once every variant that answers is ready: load, warm up, publish,
// then let the old one drain. Before that the endpoint keeps its former picture. One thread; thread-safe.
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "base/snapshot.h"
#include "inference/manager.h"
#include "monitoring/prediction_log.h"
#include "serving/endpoint_store.h"
#include "serving/live.h"
#include "serving/routing.h"

namespace gyre::serving {

/// Why the newest picture of an endpoint is not published.
struct RoutingProblem {
    std::string reason;
    std::string model;            // the variant that is in the way, "flights/2"; empty when it is none
    std::int64_t generation = 0;  // of the definition
    bool passes = false;          // by itself: the model is loading
};

class Reconciler {
 public:
    Reconciler(inference::Manager& manager, monitoring::PredictionLog& log, Metrics& metrics);
    ~Reconciler();
    Reconciler(const Reconciler&) = delete;
    Reconciler& operator=(const Reconciler&) = delete;

    /// What should be; replaces what was said before.
    void set_desired(std::vector<StoredEndpoint> endpoints);
    /// Looks again: a model's state has changed.
    void poke();
    /// Waits until `name` is published at `generation` or later. Errors: unavailable with the reason when a
    /// variant failed to load, deadline_exceeded.
    Result<void> wait_published(std::string_view name, std::int64_t generation, std::int64_t timeout_ms);

    /// Of the newest definition that was looked at; nothing when that is published.
    [[nodiscard]] std::optional<RoutingProblem> problem_of(const std::string& endpoint) const;

    [[nodiscard]] const Snapshot<RoutingTable>& table() const { return table_; }
    [[nodiscard]] std::uint64_t shadow_dropped() const;
    /// Every model version that was ever on the endpoint, each once, also when it has left.
    [[nodiscard]] std::vector<VariantSeries> series_of(const std::string& endpoint) const;
    void stop();

 private:
    void run();
    void reconcile(const std::map<std::string, StoredEndpoint>& desired);
    std::shared_ptr<RoutedEndpoint> route(const StoredEndpoint& stored);
    std::shared_ptr<const RoutedEndpoint> stand_in(const StoredEndpoint& stored,
                                                   std::shared_ptr<const RoutedEndpoint> former,
                                                   std::shared_ptr<RoutedEndpoint> routed);
    std::optional<RoutingProblem> find_problem(const RoutedEndpoint& endpoint) const;
    Result<void> attach(RoutedEndpoint& endpoint);
    VariantMetrics metrics_of(const std::string& endpoint, const Variant& variant);

    inference::Manager& manager_;
    monitoring::PredictionLog& log_;
    MetricFamily<Counter>& requests_;
    MetricFamily<Counter>& rows_;
    MetricFamily<Counter>& errors_;
    MetricFamily<Counter>& dropped_;
    MetricFamily<Histogram>& seconds_;
    MetricFamily<Histogram>& stage_seconds_;
    Snapshot<RoutingTable> table_;

    mutable std::mutex mutex_;
    std::condition_variable moved_;
    std::map<std::string, StoredEndpoint> desired_;  // guarded by mutex_, as what follows
    std::map<std::string, std::vector<VariantSeries>> series_;
    std::map<std::string, RoutingProblem> problems_;  // by endpoint
    std::map<std::string, std::shared_ptr<std::atomic<std::int64_t>>> clocks_;
    bool dirty_ = false;
    bool stopping_ = false;
    std::thread worker_;
};

}  // namespace gyre::serving
