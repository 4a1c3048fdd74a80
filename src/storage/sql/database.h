#pragma once
// Database: the metadata store. One writer thread, a pool of readers, group commit.
//
//   auto run = database.write([&](Transaction& tx) -> Result<Run> { ... });
//   auto rows = database.read([&](Reader& reader) -> Result<std::vector<Run>> { ... });
//
// A write closure runs on the writer thread inside BEGIN IMMEDIATE and its own SAVEPOINT; an Error that it
// returns undoes it alone. Closures that wait together share one commit (one fsync), and write() returns only
// after that commit: what it returned is on the disk (WAL, synchronous = FULL), unless the caller asks for
// less. Keep closures short, never call write() or read() inside one, and take nothing from them but the
// returned value. A read closure sees one consistent snapshot. All of it is thread-safe.
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "storage/sql/migration.h"
#include "storage/sql/statement.h"

namespace gyre::storage {

inline constexpr std::size_t kWriteQueueMax = 4096;      // closures waiting; one more is resource_exhausted
inline constexpr std::size_t kWriteBatchMax = 256;       // closures in one commit
inline constexpr std::int64_t kWriteWaitMaxMs = 20'000;  // waiting to start; then resource_exhausted
inline constexpr std::int64_t kReadWaitMaxMs = 20'000;   // waiting for a reader; then resource_exhausted
inline constexpr std::size_t kReadersDefault = 4;
inline constexpr std::size_t kStatementsKeptMax = 512;  // prepared and kept, per connection
inline constexpr int kLikePatternBytesMax = 1000;
inline constexpr int kLockWaitMs = 5'000;  // for another process's lock; then unavailable

/// What a read closure gets. Lives only as long as the closure runs.
class Reader {
 public:
    explicit Reader(detail::Connection& connection) : connection_(connection) {}
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    /// The statement, prepared once per connection and kept; for SQL text that is constant.
    Result<Statement> prepare(std::string_view sql);
    /// Prepared for this use only; for SQL text that is put together at run time.
    Result<Statement> prepare_once(std::string_view sql);
    template <class... Args>
    Result<Statement> query(std::string_view sql, const Args&... args) {
        GYRE_TRY(Statement statement, prepare(sql));
        statement.bind(args...);
        return statement;
    }

 protected:
    friend class Database;  // for schema()
    detail::Connection& connection_;
};

/// What a write closure gets.
class Transaction : public Reader {
 public:
    Transaction(detail::Connection& connection, std::int64_t now_us, std::vector<std::string>& signals)
        : Reader(connection), now_us_(now_us), signals_(signals) {}

    template <class... Args>
    Result<void> run(std::string_view sql, const Args&... args) {
        GYRE_TRY(Statement statement, prepare(sql));
        statement.bind(args...);
        return statement.run();
    }
    /// The rowid of the last INSERT.
    [[nodiscard]] std::int64_t last_insert_id() const;
    /// Rows that the last statement inserted, changed or deleted.
    [[nodiscard]] std::int64_t changes() const;
    /// One time for everything in the transaction: Unix microseconds of the database's clock.
    [[nodiscard]] std::int64_t now_us() const { return now_us_; }
    [[nodiscard]] std::int64_t now_ms() const { return now_us_ / 1000; }
    /// After the commit, listeners of `channel` are called (once per commit). Nothing happens if it is
    /// undone.
    void signal(std::string_view channel) { signals_.emplace_back(channel); }

 private:
    std::int64_t now_us_;
    std::vector<std::string>& signals_;
};

/// What a write survives once it has returned.
enum class Durability : std::uint8_t {
    power_failure,  // it is on the disk
    kill            // only the process may end; a later write that is on the disk takes this one with it
};

struct DatabaseOptions {
    std::size_t readers = kReadersDefault;
    std::size_t write_queue_max = kWriteQueueMax;
    std::size_t write_batch_max = kWriteBatchMax;
    std::int64_t write_wait_max_ms = kWriteWaitMaxMs;
    std::int64_t read_wait_max_ms = kReadWaitMaxMs;
    const Clock* clock = nullptr;  // the machine's when null
    std::int64_t pages_max = 0;    // a cap on the file (4 KiB pages), 0 for none
};

struct DatabaseStats {
    std::uint64_t commits = 0;
    std::uint64_t writes = 0;   // closures that were committed
    std::uint64_t undone = 0;   // closures that returned an Error
    std::uint64_t refused = 0;  // the queue was full or the wait too long
    std::size_t queued = 0;
};

/// Ends a listener when it goes out of scope; the callback does not run after that. Must not outlive the
/// Database.
class Listener {
 public:
    Listener() = default;
    explicit Listener(std::function<void()> end) : end_(std::move(end)) {}
    ~Listener() {
        if (end_) {
            end_();
        }
    }
    Listener(Listener&& other) noexcept : end_(std::exchange(other.end_, nullptr)) {}
    Listener& operator=(Listener&& other) noexcept {
        std::swap(end_, other.end_);
        return *this;
    }

 private:
    std::function<void()> end_;
};

class Database {
 public:
    /// Opens or creates the file at `path` and applies the migrations that it lacks. Errors: conflict when
    /// the file is newer than this binary or an applied migration has been edited; unavailable, data_loss.
    static Result<std::unique_ptr<Database>> open(const std::string& path,
                                                  std::span<const Migration> migrations,
                                                  const DatabaseOptions& options = {});
    /// Waits for the writes that were accepted, then closes.
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    /// Runs `body(Transaction&) -> Result<T>` and returns its result once committed.
    template <class Body>
    auto write(Body&& body, Durability durability = Durability::power_failure)
        -> std::invoke_result_t<Body&, Transaction&> {
        using R = std::invoke_result_t<Body&, Transaction&>;
        std::optional<R> result;
        const auto keep = [&](Transaction& tx) {
            result.emplace(body(tx));
            return result->has_value() ? Keep::yes : Keep::no;
        };
        auto committed = run_write(keep, durability);
        if (!committed) {
            return R(std::move(committed).error());
        }
        return std::move(*result);
    }

    /// Runs `body(Reader&) -> Result<T>` on a read-only connection.
    template <class Body>
    auto read(Body&& body) -> std::invoke_result_t<Body&, Reader&> {
        using R = std::invoke_result_t<Body&, Reader&>;
        std::optional<R> result;
        auto done = run_read([&](Reader& reader) { result.emplace(body(reader)); });
        if (!done) {
            return R(std::move(done).error());
        }
        return std::move(*result);
    }

    /// Calls `callback` on the writer thread after each commit in which Transaction::signal(channel) was
    /// called. It must be quick and must not call back into the database.
    [[nodiscard]] Listener listen(std::string_view channel, std::function<void()> callback);
    [[nodiscard]] DatabaseStats stats() const;
    /// The whole schema as SQL text in a fixed order (what schema.sql holds).
    Result<std::string> schema();

 private:
    enum class Keep : std::uint8_t { yes, no };
    using WriteBody = std::function<Keep(Transaction&)>;
    struct Impl;
    explicit Database(std::unique_ptr<Impl> impl);
    Result<void> run_write(const WriteBody& body, Durability durability);
    Result<void> run_read(const std::function<void(Reader&)>& body);

    std::unique_ptr<Impl> impl_;
};

}  // namespace gyre::storage
