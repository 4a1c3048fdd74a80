#pragma once
// Engine: one in-memory DuckDB database behind a narrow door. Internal to the module; Session is the public
// face.
//
// The library (libduckdb.so, version 1.4.x) is opened at first use, never linked: from `library_path`, else
// $GYRE_DUCKDB_LIBRARY, else ../lib/gyre/ beside the executable, else node_modules in a build/npm above it.
// Not thread-safe: one Engine, one thread.
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "table/batch.h"

namespace gyre::table {

struct Timestamp {
    std::int64_t unix_us = 0;
};
/// A parameter of a statement: bound, never spliced into the text.
using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string, Timestamp>;
using Params = std::vector<Value>;

struct EngineOptions {
    std::string library_path{};
    std::int64_t memory_bytes = 1LL << 30;
    std::int64_t threads = 2;
    std::string temp_directory{};  // empty: nothing is spilled
    std::int64_t temp_bytes_max = 8LL << 30;
    std::int64_t timeout_ms = 600'000;
};

enum class StatementKind : std::uint8_t { trusted, select_only };

class Engine {
 public:
    /// Errors: unavailable (no library, wrong version; the sentence says how to get it), invalid_argument.
    static Result<std::unique_ptr<Engine>> open(const EngineOptions& options, const Clock& clock);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// One of our own statements, without a result.
    Result<void> execute(const std::string& sql);

    struct Statement {
        std::string_view sql;
        const Params* params = nullptr;
        StatementKind kind = StatementKind::select_only;
    };
    /// Runs one statement and hands out its rows in batches of at most 2,048, in order. Stops at the first
    /// error of `on_batch`. Errors: invalid_argument (SQL, types), permission_denied, resource_exhausted
    /// (memory), deadline_exceeded.
    Result<Schema> scan(const Statement& statement, const std::function<Result<void>(Batch&&)>& on_batch);

    /// Creates a table from a batch.
    Result<void> create_table(const std::string& name, const Batch& batch);
    /// Adds the rows of a batch of the table's own columns.
    Result<void> append_table(const std::string& name, const Batch& batch);

 private:
    struct Impl;
    explicit Engine(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// A DuckDB message as one of our errors: its kind decides the code, the text is cut to one short paragraph.
Error engine_error(std::string_view message);

/// "name" with quotes, 'text' with quotes: safe inside SQL whatever they hold.
std::string quote_name(std::string_view name);
std::string quote_text(std::string_view text);

}  // namespace gyre::table
