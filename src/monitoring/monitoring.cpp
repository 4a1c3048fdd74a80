#include "monitoring/monitoring.h"

#include <algorithm>
#include <set>

#include "base/log.h"
#include "monitoring/label_log.h"

namespace gyre::monitoring {

struct Monitoring::Impl {
    ScoreStore scores;
    ProfileStore profiles;
    std::unique_ptr<LabelLog> labels;
    std::unique_ptr<PredictionLog> log;  // last: its drainer feeds the others, so it ends first

    explicit Impl(const ScoreStoreOptions& options) : scores(options) {}
    Result<void> rebuild(std::int64_t horizon_us);
};

/// Fills index and profiles from what is on the disk, newest rows within the horizon.
Result<void> Monitoring::Impl::rebuild(std::int64_t horizon_us) {
    std::map<std::string, std::int64_t, std::less<>> newest;
    const std::vector<SegmentInfo> segments = log->files();
    for (const SegmentInfo& segment : segments) {
        for (const SegmentEndpoint& endpoint : segment.footer.endpoints) {
            const auto [at, is_new] = newest.emplace(endpoint.name, endpoint.max_event_us);
            at->second = std::max(at->second, endpoint.max_event_us);
        }
    }
    std::vector<std::string> paths;
    for (const SegmentInfo& segment : segments) {
        const bool needed =
            std::ranges::any_of(segment.footer.endpoints, [&](const SegmentEndpoint& endpoint) {
                return endpoint.max_event_us == kNoTime ||
                       endpoint.max_event_us >= newest[endpoint.name] - horizon_us;
            });
        if (needed) {
            paths.push_back(segment.path);
        }
    }
    GYRE_TRY(SegmentReader reader, SegmentReader::open(paths));
    for (;;) {
        GYRE_TRY(const bool more, reader.next());
        if (!more) {
            break;
        }
        scores.add_row(reader.row());
        profiles.add_row(reader.row());
    }
    for (const MissedRows& missed : reader.missed()) {
        scores.add_missed(missed);
    }
    return labels->replay([&](LabelBatch&& batch) -> Result<void> {
        static_cast<void>(scores.add_labels(batch.endpoint, batch.labels));
        return {};
    });
}

Monitoring::Monitoring(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Monitoring::~Monitoring() = default;

Result<std::unique_ptr<Monitoring>> Monitoring::open(const MonitoringOptions& options, const Clock& clock,
                                                     Metrics& metrics) {
    auto impl = std::make_unique<Impl>(options.scores);
    PredictionLogOptions log = options.log;
    log.directory = options.directory + "/predictions";
    GYRE_TRY(impl->labels, LabelLog::open({.directory = options.directory + "/labels",
                                           .segment_bytes = options.label_segment_bytes,
                                           .keep_us = options.label_keep_us,
                                           .keep_bytes = options.label_keep_bytes}));
    GYRE_TRY(impl->log, PredictionLog::open(log, clock, metrics));
    GYRE_TRY_VOID(impl->rebuild(options.scores.horizon_us));
    Impl* parts = impl.get();
    impl->log->consume(
        [parts](std::span<const LoggedRow> rows) {
            parts->scores.add_rows(rows);
            parts->profiles.add_rows(rows);
        },
        [parts](const MissedRows& missed) { parts->scores.add_missed(missed); });
    impl->log->start();
    const PredictionLogStats stats = impl->log->stats();
    log_info("monitoring_opened", {{"rows", static_cast<std::uint64_t>(impl->scores.stats().rows)},
                                   {"recovered_rows", stats.recovered}});
    return std::unique_ptr<Monitoring>(new Monitoring(std::move(impl)));
}

PredictionLog& Monitoring::log() {
    return *impl_->log;
}

ScoreStore& Monitoring::scores() {
    return impl_->scores;
}

ProfileStore& Monitoring::profiles() {
    return impl_->profiles;
}

Result<LabelCounts> Monitoring::add_labels(std::string_view endpoint, std::span<const Label> labels) {
    GYRE_TRY_VOID(check_labels(labels));
    std::vector<Label> fresh;
    for (const Label& label : labels) {
        if (!impl_->scores.is_duplicate(endpoint, label)) {
            fresh.push_back(label);
        }
    }
    LabelCounts counts;
    if (!fresh.empty()) {
        GYRE_TRY_VOID(impl_->labels->append(endpoint, fresh));
        counts = impl_->scores.add_labels(endpoint, fresh);
    }
    counts.duplicates += static_cast<std::int64_t>(labels.size() - fresh.size());
    return counts;
}

Result<LogFiles> Monitoring::files(std::string_view endpoint, std::int64_t from_us, std::int64_t to_us) {
    GYRE_TRY_VOID(impl_->log->seal());
    GYRE_TRY_VOID(impl_->labels->seal());
    return LogFiles{.segments = impl_->log->files_for(endpoint, from_us, to_us),
                    .labels = impl_->labels->files()};
}

}  // namespace gyre::monitoring
