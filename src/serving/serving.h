#pragma once
// Serving: endpoints, and predictions through them. The facade that `api` and `loop` use. Thread-safe.
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "serving/live.h"
#include "serving/reconciler.h"
#include "serving/row_buffer.h"
#include "serving/shadow_queue.h"
#include "serving/stages.h"

namespace gyre::serving {

/// What a request says beside its rows; all spans have one entry a row.
struct RequestMeta {
    std::span<const std::string_view> request_ids;
    std::span<const std::int64_t> event_times_us;
    std::int64_t arrival_us = 0;
    std::int64_t received_ns = 0;  // Clock::steady_ns when the request was read
    StageTimer* stages = nullptr;  // may be null
};

struct EndpointStats {
    std::uint64_t requests = 0;
    std::uint64_t rows = 0;
    std::uint64_t errors = 0;
    std::uint64_t shadow_dropped = 0;
    double rps = 0.0;
    double p50_ms = 0.0;
    double p99_ms = 0.0;
};

struct VariantState {
    Variant spec;
    inference::ModelState state = inference::ModelState::loading;
    std::string reason;
};

struct EndpointView {
    StoredEndpoint stored;
    std::vector<VariantState> variants;
    EndpointStats stats;
    std::optional<std::int64_t> now_us;  // the replay's clock
};

struct ServingOptions {
    bool prediction_log = true;  // false: no row is logged, so nothing can be monitored or replayed
};

class Serving {
 public:
    Serving(storage::Database& database, inference::Manager& manager, monitoring::PredictionLog& log,
            Metrics& metrics, const Clock& clock, ServingOptions options = {});
    ~Serving();

    /// Reads the definitions and starts reconciling. `repository` are read-only endpoints from a folder.
    Result<void> start(std::vector<EndpointSpec> repository);
    void stop();

    // Definitions. They return once the change is committed; wait_published() waits for it to be served.
    Result<StoredEndpoint> create(const EndpointSpec& spec, const Change& change);
    Result<StoredEndpoint> update(const EndpointSpec& spec, const Change& change);
    Result<void> remove(std::string_view name, const Change& change);
    Result<StoredEndpoint> get(std::string_view name);
    /// Looks at the definitions again, after a transaction of somebody else's changed them.
    Result<void> reload();
    Result<void> wait_published(std::string_view name, std::int64_t generation,
                                std::int64_t timeout_ms = kPublishWaitMaxMs) {
        return reconciler_.wait_published(name, generation, timeout_ms);
    }
    /// What keeps the present definition from being served; nothing when it is, or is about to be.
    Result<std::optional<RoutingProblem>> problem_of(const std::string& name);
    Result<std::vector<EndpointView>> list();
    Result<EndpointView> view(std::string_view name);
    /// True when every endpoint is served or has terminally failed.
    [[nodiscard]] bool settled();

    /// The current picture; valid on this thread until its next call.
    [[nodiscard]] const RoutingTable& table() const { return *reconciler_.table().read(); }
    void poke() { reconciler_.poke(); }

    /// Scores `rows` with `variant`, writes [rows, outputs] to `out`, logs every row and queues the shadows.
    /// Errors: invalid_argument (rows that do not fit the signature), unavailable (the model is not ready).
    Result<void> predict(const RoutedEndpoint& endpoint, const RoutedVariant& variant, const RowBuffer& rows,
                         const RequestMeta& meta, std::vector<float>& out);
    /// Checks a request's event time against the endpoint's declaration; returns the time that counts.
    Result<std::int64_t> event_time_of(const RoutedEndpoint& endpoint, std::optional<std::int64_t> stated_us,
                                       std::int64_t arrival_us) const;

    /// Moves the clock of a replay, for the next process too; after a power failure it stands at least where
    /// the last decision found it. Errors: not_found; invalid_argument when it would go back.
    Result<void> set_clock(std::string_view name, std::int64_t now_us);
    /// Returns when every shadow row queued before has been scored and logged.
    void drain_shadows() { shadows_.drain(); }
    [[nodiscard]] std::size_t shadow_queue_rows() const { return shadows_.queued_rows(); }
    /// Call every second: the rates that stats and live() show.
    void sample_rates();
    /// The last minutes of an endpoint, oldest first. Errors: not_found.
    Result<std::vector<LivePoint>> live(const std::string& name);
    [[nodiscard]] const Clock& clock() const { return clock_; }

 private:
    void score_shadow(ShadowJob& job);
    void log_rows(const RoutedEndpoint& endpoint, const RoutedVariant& variant, const RowBuffer* rows,
                  const RequestMeta& meta, std::span<const float> out, std::int64_t latency_ns);
    void queue_shadows(const RoutedEndpoint& endpoint, const RoutedVariant& answered, const RowBuffer& rows,
                       const RequestMeta& meta);
    EndpointView view_of(const StoredEndpoint& stored);
    EndpointStats stats_of(const std::string& name);

    storage::Database& database_;
    inference::Manager& manager_;
    monitoring::PredictionLog& log_;
    const Clock& clock_;
    const ServingOptions options_;
    std::vector<EndpointSpec> repository_;
    Reconciler reconciler_;
    std::mutex live_mutex_;
    std::map<std::string, LiveHistory> live_;  // by endpoint; guarded by live_mutex_
    ShadowQueue shadows_;                      // last: its worker uses the others
};

}  // namespace gyre::serving
