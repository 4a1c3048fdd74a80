#pragma once
// ScoreStore: the live join of predictions with their labels, per endpoint, in bounded memory. Derived:
// rebuilt from segments and labels when the server starts.
//
// A row is one request: its event time, the score of every variant that scored it, and its label once there
// is one. Rows, scores and labels may come in any order; what the queries return depends on what came, not on
// when. A label with another value than the one before replaces it from its own time on (a revision); one
// with the value already in force is a duplicate. Queries look at `as_of`: only rows with event time < as_of,
// and labels that had arrived before it. Thread-safe.
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "monitoring/label_log.h"
#include "monitoring/segment.h"

namespace gyre::monitoring {

/// 128 bits of a request id; rows that are equal in time are ordered by it.
struct RequestKey {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    auto operator<=>(const RequestKey&) const = default;
};
RequestKey request_key(std::string_view request_id);

struct ScoreStoreOptions {
    std::int64_t horizon_us = 130 * kUsPerDay;  // rows older than the endpoint's newest by this go
    std::size_t rows_max = kStoreRowsMax;       // over all endpoints; then the oldest go
    std::size_t pending_max = kPendingLabelsMax;
    // A watermark is the maximum of what was seen minus this.
    std::int64_t prediction_lateness_us = 0;
    std::int64_t label_lateness_us = 0;
};

struct LabelCounts {
    std::int64_t accepted = 0;    // new labels and revisions
    std::int64_t duplicates = 0;  // the value was in force already
    std::int64_t revisions = 0;   // of the accepted: replaced another value
    std::int64_t pending = 0;     // of the accepted: their prediction is not known (yet)
};

struct ScoredRow {
    RequestKey key = {};
    std::int64_t event_time_us = 0;
    std::optional<double> label;  // in force at as_of
    std::int64_t label_time_us = kNoTime;
    float score = 0.0F;
    std::int64_t latency_ns = 0;
    bool answered = false;  // the user got this variant's answer
};

struct RowCounts {
    std::int64_t rows = 0;
    std::int64_t labelled = 0;
};

struct PairedRow {
    RequestKey key = {};
    std::int64_t event_time_us = 0;
    std::int64_t label_time_us = 0;
    double label = 0.0;
    float score_a = 0.0F;
    float score_b = 0.0F;
};

struct ScoreQuery {
    std::string_view endpoint = {};
    std::string_view model = {};  // "flights/1"
    std::int64_t from_us = kNoTime;
    std::int64_t to_us = kTimeMax;  // event time in [from, to)
    std::int64_t as_of_us = kTimeMax;
};

struct PairedQuery {
    std::string_view endpoint = {};
    std::string_view model_a = {};
    std::string_view model_b = {};
    std::int64_t since_us = kNoTime;  // label time in [since, as_of)
    std::int64_t as_of_us = kTimeMax;
};

/// One bucket of event time of one variant. Answered rows only; failed rows are those of record_failure.
struct TrafficPoint {
    std::string model;
    std::int64_t time_us = 0;
    std::int64_t predictions = 0;
    std::int64_t errors = 0;
    double mean_output = 0.0;  // to 1e-6, so that it does not depend on the order of arrival
};

struct Watermarks {
    std::int64_t predictions_us = kNoTime;  // newest event time minus the allowed lateness
    std::int64_t labels_us = kNoTime;       // newest label time minus the allowed lateness
    std::int64_t first_event_us = kNoTime;  // of the earliest row ever seen
};

struct ScoreStoreStats {
    std::size_t rows = 0;
    std::size_t pending = 0;
    std::uint64_t evicted_rows = 0;    // over rows_max
    std::uint64_t expired_rows = 0;    // beyond the horizon
    std::uint64_t evicted_labels = 0;  // pending labels over pending_max
    std::uint64_t late_rows = 0;       // came when the horizon had passed them already
};

class ScoreStore {
 public:
    explicit ScoreStore(const ScoreStoreOptions& options);
    ~ScoreStore();
    ScoreStore(const ScoreStore&) = delete;
    ScoreStore& operator=(const ScoreStore&) = delete;

    /// Cheaper a row than one by one: what rows share is looked up once.
    void add_rows(std::span<const LoggedRow> rows);
    void add_row(const LoggedRow& row) { add_rows({&row, 1}); }
    void add_missed(const MissedRows& missed);
    LabelCounts add_labels(std::string_view endpoint, std::span<const Label> labels);
    /// True when the label would be a duplicate: it need not be logged again.
    [[nodiscard]] bool is_duplicate(std::string_view endpoint, const Label& label) const;

    /// Rows that the variant scored, ordered by (event time, key).
    [[nodiscard]] std::vector<ScoredRow> scored_rows(const ScoreQuery& query) const;
    /// How many rows scored_rows would give, and how many of them with a label.
    [[nodiscard]] RowCounts count_rows(const ScoreQuery& query) const;
    /// Labelled rows that both variants scored, ordered by (label time, key).
    [[nodiscard]] std::vector<PairedRow> paired_rows(const PairedQuery& query) const;
    /// Buckets of `bucket_us` (whole hours) with event time in [from, to), by (model, time).
    [[nodiscard]] std::vector<TrafficPoint> traffic(std::string_view endpoint, std::int64_t bucket_us,
                                                    std::int64_t from_us = kNoTime,
                                                    std::int64_t to_us = kTimeMax) const;
    /// Rows of whole hours in [from, to) that could not be logged.
    [[nodiscard]] std::int64_t dropped_rows(std::string_view endpoint, std::int64_t from_us,
                                            std::int64_t to_us) const;
    [[nodiscard]] Watermarks watermarks(std::string_view endpoint) const;
    /// Raises the watermarks to what was persisted.
    void restore_watermarks(std::string_view endpoint, const Watermarks& watermarks);
    /// Event time of the earliest row ever seen, or kNoTime.
    [[nodiscard]] std::int64_t first_event_us(std::string_view endpoint) const;
    /// Event time of the earliest row that queries still see, or kNoTime: later than first_event_us when the
    /// horizon, rows_max or retention let rows go.
    [[nodiscard]] std::int64_t oldest_event_us(std::string_view endpoint) const;
    [[nodiscard]] std::vector<std::string> endpoints() const;
    /// Models that scored rows of the endpoint, sorted.
    [[nodiscard]] std::vector<std::string> models(std::string_view endpoint) const;
    [[nodiscard]] ScoreStoreStats stats() const;
    [[nodiscard]] const ScoreStoreOptions& options() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace gyre::monitoring
