#pragma once
// Metric points in SQL: one row per (run, key) with the latest point and a short tail, and blocks of older
// points. See migrations/sqlite/0002_tracking.sql for the bytes of a point.
#include <span>
#include <string_view>
#include <vector>

#include "storage/sql/database.h"
#include "tracking/types.h"

namespace gyre::tracking {

struct Point {
    std::int64_t timestamp_ms = 0;
    std::int64_t step = 0;
    double value = 0;
};

/// Adds a batch's points to a run (`run` is the row's id); exact duplicates are dropped.
Result<void> append_metrics(storage::Transaction& tx, std::int64_t run, std::span<const Metric> metrics);
/// The latest point of each key, by key.
Result<std::vector<Metric>> latest_metrics(storage::Reader& reader, std::int64_t run);
/// All points of one key, by timestamp, step, value. Empty for an unknown key.
Result<std::vector<Point>> metric_points(storage::Reader& reader, std::int64_t run, std::string_view key);

}  // namespace gyre::tracking
