#pragma once
// Statement: one prepared SQL statement, bound and stepped. Positions of parameters and columns count from 0.
//   GYRE_TRY(Statement rows, reader.query("SELECT name, step FROM runs WHERE id = ?", id));
//   for (;;) {
//       GYRE_TRY(const bool more, rows.step());
//       if (!more) { break; }
//       use(rows.text(0), rows.integer(1));
//   }
// Used by one thread, inside the closure of Database::read or Database::write only.
#include <cmath>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace gyre::storage {

/// Bytes for a BLOB parameter (a plain string_view binds as TEXT).
struct Blob {
    std::string_view bytes;
};

namespace detail {
struct Connection;
struct CachedStatement;
}  // namespace detail

class Statement {
 public:
    Statement(detail::Connection& connection, detail::CachedStatement* cached, void* handle);
    /// Resets the statement and hands it back to its connection's cache.
    ~Statement();
    Statement(Statement&& other) noexcept;
    Statement& operator=(Statement&& other) = delete;

    /// Binds the next parameters in order. A NaN is refused (SQLite would store NULL): store a flag beside
    /// it. A failure is remembered and returned by the next step().
    template <class... Args>
    Statement& bind(const Args&... args) {
        (bind_one(args), ...);
        return *this;
    }

    /// Moves to the next row; false when there is none. Errors: already_exists for a broken UNIQUE or PRIMARY
    /// KEY, conflict for another constraint, resource_exhausted for a full disk, unavailable when locked.
    Result<bool> step();
    /// Steps to the end, dropping rows; the statement can be bound and run again.
    Result<void> run();
    /// Forgets rows and parameters, to be bound again.
    void reset();

    // Columns of the current row. A NULL reads as 0 or "". Views live until the next step.
    [[nodiscard]] std::int64_t integer(int column) const;
    [[nodiscard]] double number(int column) const;
    [[nodiscard]] std::string_view text(int column) const;
    [[nodiscard]] std::string_view blob(int column) const;
    [[nodiscard]] bool is_null(int column) const;
    [[nodiscard]] std::string string(int column) const { return std::string(text(column)); }
    [[nodiscard]] std::optional<std::int64_t> optional_integer(int column) const;
    [[nodiscard]] std::optional<std::string> optional_string(int column) const;

 private:
    template <class T>
    void bind_one(const T& value) {
        if constexpr (std::same_as<T, Blob>) {
            bind_blob(value.bytes);
        } else if constexpr (std::same_as<T, std::nullptr_t>) {
            bind_null();
        } else if constexpr (std::integral<T>) {
            bind_integer(static_cast<std::int64_t>(value));
        } else if constexpr (std::floating_point<T>) {
            bind_number(value);
        } else if constexpr (requires {
                                 value.has_value();
                                 *value;
                             }) {
            value.has_value() ? bind_one(*value) : bind_null();
        } else {
            bind_text(std::string_view(value));
        }
    }
    void bind_integer(std::int64_t value);
    void bind_number(double value);
    void bind_text(std::string_view value);
    void bind_blob(std::string_view bytes);
    void bind_null();
    void note(int code);

    detail::Connection* connection_;
    detail::CachedStatement* cached_;  // null when the statement is not kept
    void* handle_;                     // sqlite3_stmt
    int next_parameter_ = 1;
    int bind_error_ = 0;
};

}  // namespace gyre::storage
