#pragma once
// PredictionLog: every prediction, appended on the request path and never lost by `kill -9`.
//
// A thread appends to its own mapped ring (the spool, DIR/spool/*.ring): no lock, no system call, no
// allocation after its first append. One drainer thread moves what is committed when it looks into the open
// segment (DIR/segments/N.open), one write a ring, then hands it to the consumers in order of each ring, then
// frees the ring's space. What is committed meanwhile waits for its next look: more rows a write. A
// segment that is full is sealed: a footer, fsync, renamed to N.seg. Everything is synced at least every
// `sync_every_ms`, which is what a power failure can take. What a crash left in rings and in the open segment
// is recovered by the next open(), each row once. A ring that is full (the disk is full or slow) drops the
// row and counts it per endpoint and hour.
//
// append() may be called by any thread at any time; the rest is thread-safe too.
#include <functional>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/metrics.h"
#include "monitoring/limits.h"
#include "monitoring/segment.h"

namespace gyre::monitoring {

struct PredictionLogOptions {
    std::string directory = {};
    std::size_t spool_bytes = kSpoolBytesDefault;  // a power of two, at least kSpoolBytesMin
    std::uint64_t segment_bytes = kSegmentBytesDefault;
    std::int64_t drain_every_ms = 10;
    std::int64_t sync_every_ms = 1000;
    // Retention; 0 keeps all. Age counts from the endpoint's newest event time, not from the clock.
    std::int64_t keep_us = 0;
    std::uint64_t keep_bytes = 0;
};

enum class AppendOutcome : std::uint8_t {
    logged,
    dropped,   // the ring is full, or kSpoolsMax threads append already
    too_large  // over a bound of limits.h; counted as dropped too
};

/// Called on the drainer's thread with 1 to kConsumedRowsMax rows, which live until it returns; must not call
/// the log back. Rows of one thread come in its order.
using RowConsumer = std::function<void(std::span<const LoggedRow>)>;
/// Called on the drainer's thread when rows of an endpoint were dropped or failed.
using MissedConsumer = std::function<void(const MissedRows&)>;

struct PredictionLogStats {
    std::uint64_t consumed = 0;   // rows moved into segments by this process
    std::uint64_t dropped = 0;    // rows dropped by this process
    std::uint64_t recovered = 0;  // rows that open() found in the rings of a crashed process
    std::uint64_t write_failures = 0;
    std::size_t spools = 0;
};

class PredictionLog {
 public:
    /// Opens or creates the folder, recovers what a crash left, and starts the drainer once `start` is
    /// called.
    static Result<std::unique_ptr<PredictionLog>> open(const PredictionLogOptions& options,
                                                       const Clock& clock, Metrics& metrics);
    /// Drains, seals and stops. No append may run or follow.
    ~PredictionLog();
    PredictionLog(const PredictionLog&) = delete;
    PredictionLog& operator=(const PredictionLog&) = delete;

    /// Where drained rows go. Call before start().
    void consume(RowConsumer rows, MissedConsumer missed);
    void start();

    /// The id for rows of this shape; the same schema gives the same id. Written to the open segment on
    /// return. Errors: invalid_argument (bounds, equal names), resource_exhausted beyond kEndpointsMax,
    /// unavailable.
    Result<EndpointId> declare_endpoint(const EndpointSchema& schema);
    /// The id of a model version behind the endpoint. Same errors; resource_exhausted beyond kVariantsMax.
    Result<VariantId> register_variant(const std::string& endpoint, const std::string& model,
                                       const std::string& role);

    /// Logs one row; well under 1 us. The ids must come from this log.
    AppendOutcome append(const PredictionRecord& record);

    /// Counts a row that a variant failed to answer. Takes a short lock.
    void record_failure(EndpointId endpoint, VariantId variant, std::int64_t event_time_us);

    /// Waits until everything appended before the call has been written to the segment and consumed.
    /// Errors: resource_exhausted (full disk) or unavailable when the segment cannot be written (the rows
    /// stay in their rings).
    Result<void> flush();
    /// flush(), then seals the open segment if it has rows, so that files() holds everything appended before.
    /// Same errors.
    Result<void> seal();

    /// The sealed segments, oldest first.
    [[nodiscard]] std::vector<SegmentInfo> files() const;
    /// Of those, the ones that may hold rows of the endpoint with event time in [from, to).
    [[nodiscard]] std::vector<std::string> files_for(std::string_view endpoint, std::int64_t from_us,
                                                     std::int64_t to_us) const;
    /// Removes the sealed segments that retention lets go; returns how many. The drainer does it after each
    /// seal.
    Result<std::size_t> apply_retention();
    [[nodiscard]] PredictionLogStats stats() const;

 private:
    struct Impl;
    explicit PredictionLog(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace gyre::monitoring
