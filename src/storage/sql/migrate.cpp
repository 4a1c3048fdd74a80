#include "base/digest.h"
#include "base/log.h"
#include "storage/sql/connection.h"

namespace gyre::storage::detail {

namespace {

constexpr std::string_view kCreateTable =
    "CREATE TABLE IF NOT EXISTS schema_migrations ("
    "number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_us INTEGER NOT NULL)";

std::string label_of(const Migration& migration) {
    return std::to_string(migration.number) + "_" + std::string(migration.name);
}

Result<void> check_not_newer(Connection& connection, std::int64_t known) {
    GYRE_TRY(Statement row, connection.prepare("SELECT max(number) FROM schema_migrations"));
    GYRE_TRY_VOID(row.step());
    if (row.integer(0) > known) {
        return conflict("its schema is version " + std::to_string(row.integer(0)) + ", this binary knows " +
                        std::to_string(known) + "; use a newer gyre");
    }
    return {};
}

/// True when it is applied already, with the same text.
Result<bool> is_applied(Connection& connection, const Migration& migration) {
    GYRE_TRY(Statement row, connection.prepare("SELECT checksum FROM schema_migrations WHERE number = ?"));
    row.bind(migration.number);
    GYRE_TRY(const bool found, row.step());
    if (found && row.text(0) != sha256_hex(migration.sql)) {
        return conflict("migration " + label_of(migration) + " was edited after it had been applied");
    }
    return found;
}

Result<void> apply_inside(Connection& connection, const Migration& migration, std::int64_t now_us) {
    GYRE_TRY(const bool applied, is_applied(connection, migration));
    if (applied) {
        return {};
    }
    GYRE_TRY_VOID(connection.execute(std::string(migration.sql)));
    GYRE_TRY(Statement insert,
             connection.prepare("INSERT INTO schema_migrations (number, name, checksum, applied_us) "
                                "VALUES (?, ?, ?, ?)"));
    insert.bind(migration.number, migration.name, sha256_hex(migration.sql), now_us);
    GYRE_TRY_VOID(insert.run());
    log_info("migration_applied", {{"migration", label_of(migration)}});
    return {};
}

Result<void> apply(Connection& connection, const Migration& migration, std::int64_t now_us) {
    GYRE_TRY_VOID(connection.run("BEGIN IMMEDIATE"));  // two servers that start together take turns
    auto done = apply_inside(connection, migration, now_us);
    if (done) {
        done = connection.run("COMMIT");
    }
    if (!done && !connection.idle()) {
        static_cast<void>(connection.run("ROLLBACK"));
    }
    if (!done) {
        return std::move(done).error().context("migration " + label_of(migration));
    }
    return {};
}

}  // namespace

Result<void> migrate(Connection& connection, std::span<const Migration> migrations, std::int64_t now_us) {
    GYRE_TRY_VOID(connection.run(kCreateTable));
    GYRE_TRY_VOID(check_not_newer(connection, migrations.empty() ? 0 : migrations.back().number));
    std::int64_t expected = 1;
    for (const Migration& migration : migrations) {
        GYRE_CHECK(migration.number == expected, "migrations are numbered from 1 without gaps");
        ++expected;
        GYRE_TRY_VOID(apply(connection, migration, now_us));
    }
    return {};
}

Result<std::string> dump_schema(Connection& connection) {
    GYRE_TRY(Statement rows,
             connection.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL "
                                "AND name NOT LIKE 'sqlite_%' ORDER BY tbl_name, type DESC, name"));
    std::string out;
    for (;;) {
        GYRE_TRY(const bool more, rows.step());
        if (!more) {
            return out;
        }
        out.append(rows.text(0)).append(";\n\n");
    }
}

}  // namespace gyre::storage::detail
