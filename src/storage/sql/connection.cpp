// Adapter: SQLite (connections, settings, error codes).
#include "storage/sql/connection.h"

#include <sqlite3.h>

#include "base/no_space.h"
#include "storage/sql/database.h"

namespace gyre::storage::detail {

namespace {

ErrorCode code_of(int code) {
    switch (code) {
        case SQLITE_CONSTRAINT_UNIQUE:
        case SQLITE_CONSTRAINT_PRIMARYKEY:
        case SQLITE_CONSTRAINT_ROWID:
            return ErrorCode::already_exists;
        case SQLITE_IOERR_SHMSIZE:  // the index of the write-ahead log cannot grow
            return ErrorCode::resource_exhausted;
        default:
            break;
    }
    switch (code & 0xFF) {
        case SQLITE_CONSTRAINT:
            return ErrorCode::conflict;
        case SQLITE_FULL:
        case SQLITE_NOMEM:
        case SQLITE_TOOBIG:
            return ErrorCode::resource_exhausted;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_IOERR:
        case SQLITE_CANTOPEN:
        case SQLITE_PROTOCOL:
            return ErrorCode::unavailable;
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH:
            return ErrorCode::permission_denied;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return ErrorCode::data_loss;
        case SQLITE_INTERRUPT:
            return ErrorCode::cancelled;
        default:
            return ErrorCode::internal;
    }
}

Result<void> configure(Connection& connection, Access access, std::int64_t pages_max) {
    sqlite3* handle = connection.handle;
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_busy_timeout(handle, kLockWaitMs);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_limit(handle, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, kLikePatternBytesMax);
    std::string script = "PRAGMA foreign_keys = ON; PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;";
    if (access == Access::read_write) {
        script +=
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864;";
    } else {
        script += "PRAGMA query_only = ON; PRAGMA mmap_size = 268435456;";
    }
    if (pages_max > 0) {
        script += "PRAGMA max_page_count = " + std::to_string(pages_max) + ";";
    }
    return connection.execute(script);
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::open(const std::string& path, Access access,
                                                     std::int64_t pages_max) {
    auto connection = std::make_unique<Connection>();
    const int flags =
        SQLITE_OPEN_NOMUTEX |
        (access == Access::read_write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
    const int code = sqlite3_open_v2(path.c_str(), &connection->handle, flags, nullptr);
    if (code != SQLITE_OK) {
        return connection->error(code).context("open database '" + path + "'");
    }
    if (auto done = configure(*connection, access, pages_max); !done) {
        return std::move(done).error().context("open database '" + path + "'");
    }
    return connection;
}

Connection::~Connection() {
    for (auto& [sql, statement] : statements) {
        sqlite3_finalize(statement.handle);
    }
    sqlite3_close(handle);
}

Result<Statement> Connection::prepare(std::string_view sql) {
    auto found = statements.find(sql);
    if (found != statements.end() && !found->second.busy) {
        found->second.busy = true;
        return Statement(*this, &found->second, found->second.handle);
    }
    if (found != statements.end() || statements.size() >= kStatementsKeptMax) {
        return prepare_once(sql);
    }
    sqlite3_stmt* prepared = nullptr;
    const int code = sqlite3_prepare_v3(handle, sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
    if (code != SQLITE_OK) {
        return error(code);
    }
    found = statements.emplace(std::string(sql), CachedStatement{prepared, true}).first;
    return Statement(*this, &found->second, prepared);
}

Result<Statement> Connection::prepare_once(std::string_view sql) {
    sqlite3_stmt* prepared = nullptr;
    const int code = sqlite3_prepare_v2(handle, sql.data(), static_cast<int>(sql.size()), &prepared, nullptr);
    if (code != SQLITE_OK) {
        return error(code);
    }
    return Statement(*this, nullptr, prepared);
}

Result<void> Connection::run(std::string_view sql) {
    GYRE_TRY(Statement statement, prepare(sql));
    return statement.run();
}

Result<void> Connection::execute(const std::string& script) {
    const int code = sqlite3_exec(handle, script.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) {
        return error(code);
    }
    return {};
}

bool Connection::idle() const {
    return sqlite3_get_autocommit(handle) != 0;
}

Error Connection::error(int code) {
    const ErrorCode mapped = code_of(code);
    std::string message = "database: ";
    message += handle == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle);
    if ((code & 0xFF) == SQLITE_FULL || code == SQLITE_IOERR_SHMSIZE) {
        message += " where the data folder is";
        message += kNoSpaceAdvice;
    }
    last_error = Error(mapped, std::move(message));
    return last_error;
}

}  // namespace gyre::storage::detail

namespace gyre::storage {

Result<Statement> Reader::prepare(std::string_view sql) {
    return connection_.prepare(sql);
}
Result<Statement> Reader::prepare_once(std::string_view sql) {
    return connection_.prepare_once(sql);
}

std::int64_t Transaction::last_insert_id() const {
    return sqlite3_last_insert_rowid(connection_.handle);
}
std::int64_t Transaction::changes() const {
    return sqlite3_changes64(connection_.handle);
}

}  // namespace gyre::storage
