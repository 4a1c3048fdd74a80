#pragma once
// StageTimer: where the time of a prediction goes. One request in kStageSampling of a thread is timed, the
// first one included; the others read no clock for it.
#include <array>
#include <cstdint>

#include "base/clock.h"
#include "base/fields.h"
#include "base/metrics.h"
#include "serving/limits.h"

namespace gyre::serving {

/// parse: from the request's head to its rows. predict: routing, encoding and scoring. log: the prediction
/// log, and handing the rows to the shadows. write: the answer's body. Together: the request but its sockets.
enum class Stage : std::uint8_t { parse, predict, log, write };
constexpr auto enum_names(Stage) {
    return std::array{EnumName<Stage>{Stage::parse, "parse"}, EnumName<Stage>{Stage::predict, "predict"},
                      EnumName<Stage>{Stage::log, "log"}, EnumName<Stage>{Stage::write, "write"}};
}
inline constexpr std::size_t kStages = enum_names(Stage{}).size();
using StageHistograms = std::array<Histogram*, kStages>;

/// Of one request, on its thread. Stages end in their order.
class StageTimer {
 public:
    /// Of a request whose head was read at `started_ns`, of `clock`'s steady_ns.
    StageTimer(const Clock& clock, std::int64_t started_ns)
        : clock_(is_sampled() ? &clock : nullptr), last_ns_(started_ns) {}

    void end(Stage stage) {
        if (clock_ != nullptr) {
            end_at(stage, clock_->steady_ns());
        }
    }
    /// The same for a caller that has just read the clock.
    void end_at(Stage stage, std::int64_t now_ns) {
        durations_ns_[static_cast<std::size_t>(stage)] = now_ns - last_ns_;
        last_ns_ = now_ns;
    }
    /// Call once the last stage has ended, with the histograms of the variant that answered.
    void record(const StageHistograms& histograms) const {
        for (std::size_t i = 0; clock_ != nullptr && i < kStages; ++i) {
            histograms[i]->observe_ns(durations_ns_[i]);
        }
    }

 private:
    static bool is_sampled() {
        thread_local std::uint32_t requests = 0;
        return requests++ % kStageSampling == 0;
    }

    const Clock* clock_;  // nullptr: not timed
    std::int64_t last_ns_;
    std::array<std::int64_t, kStages> durations_ns_{};
};

}  // namespace gyre::serving
