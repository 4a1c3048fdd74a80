// Adapter: SQLite (prepared statements).
#include "storage/sql/statement.h"

#include <sqlite3.h>

#include "storage/sql/connection.h"

namespace gyre::storage {

namespace {

sqlite3_stmt* raw(void* handle) {
    return static_cast<sqlite3_stmt*>(handle);
}

}  // namespace

Statement::Statement(detail::Connection& connection, detail::CachedStatement* cached, void* handle)
    : connection_(&connection), cached_(cached), handle_(handle) {}

Statement::Statement(Statement&& other) noexcept
    : connection_(other.connection_),
      cached_(other.cached_),
      handle_(std::exchange(other.handle_, nullptr)),
      next_parameter_(other.next_parameter_),
      bind_error_(other.bind_error_) {}

Statement::~Statement() {
    if (handle_ == nullptr) {
        return;
    }
    if (cached_ == nullptr) {
        sqlite3_finalize(raw(handle_));
        return;
    }
    sqlite3_reset(raw(handle_));
    sqlite3_clear_bindings(raw(handle_));
    cached_->busy = false;
}

Result<bool> Statement::step() {
    if (bind_error_ == SQLITE_MISMATCH) {
        return internal_error("database: a NaN cannot be stored in a column");
    }
    if (bind_error_ != SQLITE_OK) {
        return connection_->error(bind_error_);
    }
    const int code = sqlite3_step(raw(handle_));
    if (code == SQLITE_ROW) {
        return true;
    }
    if (code == SQLITE_DONE) {
        return false;
    }
    Error error = connection_->error(code);
    sqlite3_reset(raw(handle_));
    return error;
}

Result<void> Statement::run() {
    for (;;) {
        GYRE_TRY(const bool more, step());
        if (!more) {
            break;
        }
    }
    reset();
    return {};
}

void Statement::reset() {
    sqlite3_reset(raw(handle_));
    next_parameter_ = 1;
    bind_error_ = SQLITE_OK;
}

void Statement::note(int code) {
    if (bind_error_ == SQLITE_OK) {
        bind_error_ = code;
    }
}

void Statement::bind_integer(std::int64_t value) {
    note(sqlite3_bind_int64(raw(handle_), next_parameter_++, value));
}

void Statement::bind_number(double value) {
    note(std::isnan(value) ? SQLITE_MISMATCH : sqlite3_bind_double(raw(handle_), next_parameter_, value));
    ++next_parameter_;
}

void Statement::bind_text(std::string_view value) {
    const char* data = value.data() == nullptr ? "" : value.data();
    note(sqlite3_bind_text64(raw(handle_), next_parameter_++, data, value.size(), SQLITE_TRANSIENT,
                             SQLITE_UTF8));
}

void Statement::bind_blob(std::string_view bytes) {
    const char* data = bytes.data() == nullptr ? "" : bytes.data();
    note(sqlite3_bind_blob64(raw(handle_), next_parameter_++, data, bytes.size(), SQLITE_TRANSIENT));
}

void Statement::bind_null() {
    note(sqlite3_bind_null(raw(handle_), next_parameter_++));
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(raw(handle_), column);
}
double Statement::number(int column) const {
    return sqlite3_column_double(raw(handle_), column);
}

std::string_view Statement::text(int column) const {
    const void* data = sqlite3_column_text(raw(handle_), column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(raw(handle_), column));
    return data == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(data), size);
}

std::string_view Statement::blob(int column) const {
    const void* data = sqlite3_column_blob(raw(handle_), column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(raw(handle_), column));
    return data == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(data), size);
}

bool Statement::is_null(int column) const {
    return sqlite3_column_type(raw(handle_), column) == SQLITE_NULL;
}

std::optional<std::int64_t> Statement::optional_integer(int column) const {
    return is_null(column) ? std::nullopt : std::optional(integer(column));
}

std::optional<std::string> Statement::optional_string(int column) const {
    return is_null(column) ? std::nullopt : std::optional(string(column));
}

}  // namespace gyre::storage
