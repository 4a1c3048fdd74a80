#pragma once
// One SQLite connection and its kept statements. Private to storage/sql. One thread at a time.
//
// Why the C API and not SOCI: SOCI binds by address with indicators beside the variables, throws for every
// failure and copies each column; a Statement here binds values, steps and reads views, which is also faster.
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "storage/sql/migration.h"
#include "storage/sql/statement.h"

struct sqlite3;
struct sqlite3_stmt;

namespace gyre::storage::detail {

struct CachedStatement {
    sqlite3_stmt* handle = nullptr;
    bool busy = false;
};

enum class Access : std::uint8_t { read_only, read_write };

struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

struct Connection {
    static Result<std::unique_ptr<Connection>> open(const std::string& path, Access access,
                                                    std::int64_t pages_max);
    Connection() = default;
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    Result<Statement> prepare(std::string_view sql);
    Result<Statement> prepare_once(std::string_view sql);
    /// Prepares (kept) and runs one statement without parameters.
    Result<void> run(std::string_view sql);
    /// Runs a script of several statements.
    Result<void> execute(const std::string& script);
    /// True while no transaction is open (also after the engine has undone one by itself).
    [[nodiscard]] bool idle() const;
    /// What the last call on this connection says; kept as `last_error`.
    [[nodiscard]] Error error(int code);

    sqlite3* handle = nullptr;
    Error last_error{ErrorCode::unavailable, "database: no error"};
    std::unordered_map<std::string, CachedStatement, TextHash, std::equal_to<>> statements;
};

/// Applies the migrations that the database lacks, each in its own transaction.
Result<void> migrate(Connection& connection, std::span<const Migration> migrations, std::int64_t now_us);
/// The schema as SQL text in a fixed order.
Result<std::string> dump_schema(Connection& connection);

}  // namespace gyre::storage::detail
