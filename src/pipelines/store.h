#pragma once
// The engine's rows; the only file with its SQL. Private to pipelines. Functions run inside the closures of
// Database::read and Database::write.
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/records.h"
#include "storage/sql/database.h"

namespace gyre::pipelines::store {

Result<std::vector<PipelineRecord>> list_pipelines(storage::Reader& reader);
Result<std::optional<PipelineRecord>> find_pipeline(storage::Reader& reader, std::string_view name);
Result<void> put_pipeline(storage::Transaction& tx, const PipelineRecord& record);
/// The definition and where its schedules stood; runs and decisions stay.
Result<void> remove_pipeline(storage::Transaction& tx, std::string_view name);

/// The run and its steps, all pending.
Result<void> insert_run(storage::Transaction& tx, const RunRecord& run);
Result<RunRecord> get_run(storage::Reader& reader, std::string_view id);
/// Newest first.
Result<std::vector<RunRecord>> list_runs(storage::Reader& reader, std::string_view pipeline,
                                         std::string_view before, std::size_t limit);
/// Ids of runs that have not ended, oldest first.
Result<std::vector<std::string>> live_runs(storage::Reader& reader);
Result<void> update_run(storage::Transaction& tx, const RunRecord& run);
Result<void> update_step(storage::Transaction& tx, std::string_view run_id, const StepRecord& step);

struct LiveCounts {
    std::int64_t queued = 0;           // in all
    std::int64_t of_pipeline = 0;      // queued, running or waiting runs of one pipeline
    std::vector<std::string> waiting;  // its queued runs, oldest first
};
Result<LiveCounts> live_counts(storage::Reader& reader, std::string_view pipeline);

/// A new attempt's token.
Result<std::int64_t> insert_attempt(storage::Transaction& tx, std::string_view run_id,
                                    const StepRecord& step);
Result<void> end_attempt(storage::Transaction& tx, std::int64_t token, std::string_view state,
                         std::string_view error);

/// already_exists when this source was decided before.
Result<void> insert_decision(storage::Transaction& tx, const DecisionRecord& decision);
Result<bool> decided(storage::Reader& reader, std::string_view pipeline, std::string_view source);
Result<std::optional<std::int64_t>> last_started_as_of(storage::Reader& reader, std::string_view pipeline);
Result<std::vector<DecisionRecord>> list_decisions(storage::Reader& reader, std::string_view pipeline,
                                                   std::size_t limit);

Result<std::optional<std::int64_t>> find_tick(storage::Reader& reader, std::string_view pipeline,
                                              std::string_view schedule);
Result<void> put_tick(storage::Transaction& tx, std::string_view pipeline, std::string_view schedule,
                      std::int64_t next_us);

Result<std::int64_t> cursor(storage::Reader& reader);
Result<void> put_cursor(storage::Transaction& tx, std::int64_t position);

}  // namespace gyre::pipelines::store
