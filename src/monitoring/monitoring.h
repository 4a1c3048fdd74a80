#pragma once
// Monitoring: the log, the labels, the live index and the profiles of one data folder, wired together.
//
//   GYRE_TRY(auto monitoring, Monitoring::open({.directory = dir + "/monitoring"}, clock, metrics));
//   ... declare endpoints, append predictions through monitoring->log() ...
//   GYRE_TRY(LabelCounts counts, monitoring->add_labels("flights", labels));
//
// open() recovers what a crash left and rebuilds the index and the profiles from segments and labels within
// the horizon. Thread-safe.
#include <memory>

#include "monitoring/drift.h"
#include "monitoring/prediction_log.h"
#include "monitoring/score_store.h"

namespace gyre::monitoring {

struct MonitoringOptions {
    std::string directory = {};     // predictions/ and labels/ below it
    PredictionLogOptions log = {};  // its directory is set by open()
    ScoreStoreOptions scores = {};
    std::uint64_t label_segment_bytes = kSegmentBytesDefault;
    // Retention of labels; 0 keeps all. Labels that are gone are missing from the index after a restart, so
    // keep them for the horizon at least.
    std::int64_t label_keep_us = 0;
    std::uint64_t label_keep_bytes = 0;
};

/// Files of everything that was logged before the call, for export_rows in a child process.
struct LogFiles {
    std::vector<std::string> segments;
    std::vector<std::string> labels;
};

class Monitoring {
 public:
    static Result<std::unique_ptr<Monitoring>> open(const MonitoringOptions& options, const Clock& clock,
                                                    Metrics& metrics);
    ~Monitoring();
    Monitoring(const Monitoring&) = delete;
    Monitoring& operator=(const Monitoring&) = delete;

    PredictionLog& log();
    ScoreStore& scores();
    ProfileStore& profiles();

    /// Durable on return; duplicates are counted and not logged again. Errors: those of LabelLog::append.
    Result<LabelCounts> add_labels(std::string_view endpoint, std::span<const Label> labels);
    /// Drains and seals, so that the files hold all that was appended before. Event time in [from, to).
    Result<LogFiles> files(std::string_view endpoint, std::int64_t from_us, std::int64_t to_us);

 private:
    struct Impl;
    explicit Monitoring(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace gyre::monitoring
