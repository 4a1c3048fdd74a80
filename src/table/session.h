#pragma once
// Session: SQL over files. Add sources, then ask; the first question closes the door to the file system.
//
//   GYRE_TRY(auto session, table::Session::open({.temp_directory = dir}, clock));
//   GYRE_TRY(auto report, session->add_source(spec));
//   GYRE_TRY(Batch rows, session->query("SELECT carrier, count(*) AS n FROM flights GROUP BY 1", {}));
//
// CSV and JSON lines are read once, checked row by row, into the database (which spills to temp_directory);
// Parquet stays in its files. Only SELECT is accepted, one statement a call, and it sees only the sources.
// Times are UTC. Not thread-safe: one Session, one thread. Everything blocks: for child processes and pools.
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "table/engine.h"
#include "table/source.h"

namespace gyre::table {

struct SessionOptions {
    EngineOptions engine{};
    /// Where write_parquet and write_csv may write. Empty: they are refused.
    std::string output_directory{};
};

class Session {
 public:
    static Result<std::unique_ptr<Session>> open(const SessionOptions& options, const Clock& clock);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    /// Errors: invalid_argument (spec; a broken row with on_error=fail, as "file:line: column c (name):
    /// reason"), not_found, already_exists, resource_exhausted, conflict (after the first query).
    Result<SourceReport> add_source(const SourceSpec& spec);
    /// A table from memory; may be called at any time.
    Result<void> add_batch(const std::string& name, const Batch& batch);
    /// More rows for a table of add_batch, with the same schema. What does not fit into memory is spilled.
    Result<void> append_batch(const std::string& name, const Batch& batch);

    /// All rows, at most kResultRowsMax and kResultBytesMax (resource_exhausted beyond).
    Result<Batch> query(std::string_view sql, const Params& params = {});
    /// The rows in batches of at most 2,048, in order; unbounded. Stops at the first error of `on_batch`.
    Result<Schema> scan(std::string_view sql, const Params& params,
                        const std::function<Result<void>(Batch&&)>& on_batch);
    /// The schema of a SELECT's result, without running it to the end.
    Result<Schema> schema_of(std::string_view sql);

    /// Writes a SELECT's rows, replacing the file only when complete. Parquet is compressed with zstd.
    /// Returns the number of rows. `path` lies in output_directory.
    Result<std::int64_t> write_parquet(std::string_view sql, const std::string& path);
    Result<std::int64_t> write_csv(std::string_view sql, const std::string& path);

 private:
    struct Impl;
    explicit Session(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace gyre::table
