#pragma once
// Platform: every module of a server, made in the order of their layers and destroyed in reverse. The
// composition root proper; App puts listeners in front of it.
#include <memory>
#include <string>

#include "api/route_table.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/metrics.h"
#include "base/result.h"

namespace gyre::server {

struct MonitoringSection {
    std::int64_t score_horizon_days = 130;
    std::int64_t prediction_log_days = 0;
    std::int64_t prediction_log_bytes = 0;
    std::int64_t label_log_days = 0;
    std::int64_t label_log_bytes = 0;
    std::int64_t export_requests_max = 5'000'000;

    static constexpr auto options() {
        return std::tuple{
            Option{"score_horizon_days", &MonitoringSection::score_horizon_days,
                   "Days of event time for which predictions are joined with labels in memory.", 1, 4000},
            Option{"prediction_log_days", &MonitoringSection::prediction_log_days,
                   "Days of event time that the prediction log keeps; 0 keeps all.", 0, 36500},
            Option{"prediction_log_bytes", &MonitoringSection::prediction_log_bytes,
                   "Bytes that the prediction log keeps at most; 0 for no bound.", 0, 1e15},
            Option{"label_log_days", &MonitoringSection::label_log_days,
                   "Days of label time that labels are kept, at least score_horizon_days; 0 keeps all.", 0,
                   36500},
            Option{"label_log_bytes", &MonitoringSection::label_log_bytes,
                   "Bytes that the label log keeps at most; 0 for no bound.", 0, 1e15},
            Option{"export_requests_max", &MonitoringSection::export_requests_max,
                   "Requests that one export of predictions takes at most; its process holds them in memory.",
                   1, 1e9},
        };
    }
};

struct LoopSection {
    std::string effect_delay = "1d";
    std::int64_t workers = 1;
    std::int64_t work_runs_kept = 20;

    static constexpr auto options() {
        return std::tuple{
            Option{"effect_delay", &LoopSection::effect_delay,
                   "Event time from a decision to its effect, on endpoints with a clock of their own."},
            Option{"workers", &LoopSection::workers, "Pipeline steps that run at the same time.", 1, 16},
            Option{"work_runs_kept", &LoopSection::work_runs_kept,
                   "Ended pipeline runs whose working files are kept, the newest.", 0, 10000}};
    }
};

struct ServingSection {
    bool prediction_log = true;

    static constexpr auto options() {
        return std::tuple{
            Option{"prediction_log", &ServingSection::prediction_log,
                   "Log every prediction; without it there is no drift, performance or rollout evidence."},
        };
    }
};

struct PlatformOptions {
    std::string data;              // the data folder; exists
    std::string model_repository;  // or ""
    std::string version;
    MonitoringSection monitoring;
    LoopSection loop;
    ServingSection serving;
};

class Platform {
 public:
    /// Opens or creates everything below the data folder, and recovers what a crash left.
    static Result<std::unique_ptr<Platform>> open(const PlatformOptions& options, Metrics& metrics,
                                                  Clock& clock);
    ~Platform();
    Platform(const Platform&) = delete;
    Platform& operator=(const Platform&) = delete;

    /// One line a protocol or module.
    void add_routes(api::RouteTable& table);
    /// Why the server is not ready yet, or nothing.
    [[nodiscard]] std::optional<std::string> not_ready();
    /// Starts background work. Call when the routes are there.
    Result<void> start();
    /// Ends timers, pipelines and exports, and with them the requests that wait for such; others go on. Once,
    /// by one thread.
    void stop_work();
    /// Ends background work; what was acknowledged is on the disk afterwards.
    void stop();

 private:
    struct Impl;
    explicit Platform(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace gyre::server
