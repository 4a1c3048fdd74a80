#pragma once
// Replay: a year of predictions and outcomes sent to a server in the order in which they happened.
//
// Time moves in ticks. In a tick every prediction whose event falls in it is one request, over several kept
// connections; then the outcomes that became known in it are posted; then the endpoint's clock is moved to
// the tick's end. The server answers that call once everything that is due by then has taken effect, so
// decisions depend on the data alone, never on how fast the machine is.
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/demo/dataset.h"
#include "runtime/http_client.h"

namespace gyre::cli::demo {

struct ReplayOptions {
    std::string url;  // "http://127.0.0.1:5000"
    std::string endpoint;
    std::int64_t from_us = 0;  // first tick
    std::int64_t to_us = 0;
    std::int64_t tick_us = 6 * 3'600'000'000LL;
    double days_per_second = 3.0;  // 0: as fast as it goes
    std::size_t connections = 4;
};

struct ReplayTotals {
    std::int64_t sent = 0;
    std::int64_t answered = 0;
    std::int64_t errors = 0;  // answers other than 200, and requests that got none
    std::int64_t labels = 0;
    std::string first_error;
    double clock_s = 0.0;  // spent on moving the clock: what falls due there is waited for
    std::vector<std::uint32_t> latencies_us;
    /// Quantile q of the round trips, in milliseconds.
    [[nodiscard]] double latency_ms(double q);
};

class Replay {
 public:
    Replay(const Dataset& dataset, ReplayOptions options);
    ~Replay();

    /// Called after each tick, once its decisions have taken effect, with the event time reached.
    using OnTick = std::function<Result<void>(std::int64_t now_us)>;
    /// Replays [from, to). Errors: what on_tick returned, or a clock that could not be moved.
    Result<void> run(const OnTick& on_tick);
    /// After the last event: posts the outcomes that are still open, moving the clock with them.
    Result<void> finish(const OnTick& on_tick);

    [[nodiscard]] ReplayTotals& totals() { return totals_; }

 private:
    struct Worker;
    Result<void> tick(std::int64_t now_us, std::int64_t end_us);
    void send_predictions(std::size_t first, std::size_t last);
    Result<void> send_labels(std::int64_t before_us);
    Result<void> move_clock(std::int64_t now_us);
    void keep_pace(std::int64_t now_us);

    const Dataset& dataset_;
    ReplayOptions options_;
    std::vector<std::size_t> by_label_time_;
    std::size_t next_label_ = 0;
    std::size_t next_row_ = 0;
    std::int64_t started_ns_ = 0;
    ReplayTotals totals_;
    std::vector<std::unique_ptr<Worker>> workers_;
    runtime::HttpClient client_;
};

}  // namespace gyre::cli::demo
