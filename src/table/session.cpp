#include "table/session.h"

#include <fcntl.h>
#include <filesystem>
#include <set>
#include <unistd.h>

#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include "table/limits.h"
#include "table/source_loader.h"

namespace gyre::table {
namespace {

namespace fs = std::filesystem;

/// A SELECT that stands inside another statement: no final semicolon, and a comment at its end stays its own.
std::string embedded(std::string_view sql) {
    std::string_view text = trim(sql);
    while (text.ends_with(';')) {
        text = trim(text.substr(0, text.size() - 1));
    }
    return "(" + std::string(text) + "\n)";
}

std::string list_of(const std::vector<std::string>& texts) {
    std::string out = "[";
    for (const std::string& text : texts) {
        out += out.size() > 1 ? ", " : "";
        out += quote_text(text);
    }
    return out + "]";
}

Result<void> sync_file(const std::string& path) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.valid() || ::fsync(fd.get()) != 0) {
        return errno_error("sync '" + path + "'", errno);
    }
    return {};
}

}  // namespace

struct Session::Impl {
    std::unique_ptr<Engine> engine;
    LoadContext load;
    std::string scratch;
    std::string output_directory;
    std::set<std::string> names;
    enum class Door : std::uint8_t { open, closed } door = Door::open;

    ~Impl() {
        engine.reset();
        std::error_code ignored;
        if (!scratch.empty()) {
            fs::remove_all(scratch, ignored);
        }
    }

    Result<void> close_door();
    Result<void> claim_name(const std::string& name);
    Result<SourceReport> add_sql(const SourceSpec& spec);
    Result<std::int64_t> copy_to(std::string_view sql, const std::string& path, std::string_view format);
    Result<void> check_output(const std::string& path) const;
};

/// From here on the database reaches only the sources' Parquet files, its spill folder and the output folder.
Result<void> Session::Impl::close_door() {
    if (door == Door::closed) {
        return {};
    }
    if (!load.files_in_use.empty()) {
        GYRE_TRY_VOID(engine->execute("SET allowed_paths = " + list_of(load.files_in_use)));
    }
    if (!output_directory.empty()) {
        GYRE_TRY_VOID(engine->execute("SET allowed_directories = " + list_of({output_directory})));
    }
    GYRE_TRY_VOID(engine->execute("SET enable_external_access = false"));
    GYRE_TRY_VOID(engine->execute("SET lock_configuration = true"));
    door = Door::closed;
    return {};
}

Result<void> Session::Impl::claim_name(const std::string& name) {
    if (names.size() >= kSourcesMax) {
        return resource_exhausted("a session has at most " + std::to_string(kSourcesMax) + " sources");
    }
    if (!names.insert(to_lower(name)).second) {
        return already_exists("there is already a source '" + name + "'");
    }
    return {};
}

Result<SourceReport> Session::Impl::add_sql(const SourceSpec& spec) {
    GYRE_TRY_VOID(close_door());
    SourceReport report{.name = spec.name, .rows = 0, .skipped = 0, .rejected = {}};
    const std::string check = "SELECT * FROM " + embedded(spec.sql) + " LIMIT 0";
    GYRE_TRY_VOID(engine->scan({.sql = check}, [](Batch&&) { return Result<void>(); }));
    GYRE_TRY_VOID(engine->execute("CREATE TABLE " + quote_name(spec.name) + " AS " + embedded(spec.sql)));
    const std::string count = "SELECT count(*) FROM " + quote_name(spec.name);
    GYRE_TRY_VOID(engine->scan({.sql = count}, [&](Batch&& batch) {
        report.rows = batch.columns[0].int64s()[0];
        return Result<void>();
    }));
    return report;
}

Result<void> Session::Impl::check_output(const std::string& path) const {
    std::error_code failed;
    const fs::path folder = fs::weakly_canonical(fs::path(path).parent_path(), failed);
    const fs::path allowed = fs::weakly_canonical(output_directory, failed);
    const bool inside =
        std::mismatch(allowed.begin(), allowed.end(), folder.begin(), folder.end()).first == allowed.end();
    if (output_directory.empty() || failed || !inside) {
        return Error(ErrorCode::permission_denied, "'" + path + "' is not in this session's output folder");
    }
    return {};
}

Result<std::int64_t> Session::Impl::copy_to(std::string_view sql, const std::string& path,
                                            std::string_view format) {
    GYRE_TRY_VOID(check_output(path));
    GYRE_TRY_VOID(close_door());
    const std::string check = "SELECT * FROM " + embedded(sql) + " LIMIT 0";
    GYRE_TRY_VOID(engine->scan({.sql = check}, [](Batch&&) { return Result<void>(); }));
    const std::string part = path + ".part";
    const std::string copy =
        "COPY " + embedded(sql) + " TO " + quote_text(part) + " (" + std::string(format) + ")";
    std::int64_t rows = 0;
    GYRE_TRY_VOID(engine->scan({.sql = copy, .kind = StatementKind::trusted}, [&](Batch&& batch) {
        rows = batch.columns[0].int64s()[0];
        return Result<void>();
    }));
    GYRE_TRY_VOID(sync_file(part));
    if (::rename(part.c_str(), path.c_str()) != 0) {
        return errno_error("write '" + path + "'", errno);
    }
    GYRE_TRY_VOID(sync_directory(fs::path(path).parent_path().string()));
    return rows;
}

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::~Session() = default;

Result<std::unique_ptr<Session>> Session::open(const SessionOptions& options, const Clock& clock) {
    auto impl = std::make_unique<Impl>();
    EngineOptions engine = options.engine;
    if (!engine.temp_directory.empty()) {
        impl->scratch = engine.temp_directory + "/session-" + make_hex_id();
        GYRE_TRY_VOID(make_directories(impl->scratch + "/files"));
        impl->load.temp_directory = impl->scratch + "/files";
        engine.temp_directory = impl->scratch + "/spill";
    }
    GYRE_TRY(impl->engine, Engine::open(engine, clock));
    impl->load.engine = impl->engine.get();
    impl->output_directory = options.output_directory;
    GYRE_TRY_VOID(impl->engine->execute("SET TimeZone = 'UTC'"));
    return std::unique_ptr<Session>(new Session(std::move(impl)));
}

Result<SourceReport> Session::add_source(const SourceSpec& spec) {
    GYRE_TRY_VOID(check_source(spec));
    if (impl_->door == Impl::Door::closed && spec.sql.empty()) {
        return conflict("source '" + spec.name + "' comes too late: files are added before the first query");
    }
    GYRE_TRY_VOID(impl_->claim_name(spec.name));
    Result<SourceReport> report = spec.sql.empty() ? load_source(spec, impl_->load) : impl_->add_sql(spec);
    if (!report) {
        impl_->names.erase(to_lower(spec.name));
        static_cast<void>(impl_->engine->execute("DROP TABLE IF EXISTS " + quote_name(spec.name)));
        return std::move(report).error().context("source '" + spec.name + "'");
    }
    return report;
}

Result<void> Session::add_batch(const std::string& name, const Batch& batch) {
    if (batch.columns.empty() || batch.columns.size() > kColumnsMax) {
        return invalid_argument("table '" + name + "' needs 1 to " + std::to_string(kColumnsMax) +
                                " columns");
    }
    GYRE_TRY_VOID(impl_->claim_name(name));
    return impl_->engine->create_table(name, batch);
}

Result<void> Session::append_batch(const std::string& name, const Batch& batch) {
    if (!impl_->names.contains(name)) {
        return not_found("no table '" + name + "' to append to");
    }
    return impl_->engine->append_table(name, batch);
}

Result<Schema> Session::scan(std::string_view sql, const Params& params,
                             const std::function<Result<void>(Batch&&)>& on_batch) {
    GYRE_TRY_VOID(impl_->close_door());
    return impl_->engine->scan({.sql = sql, .params = &params}, on_batch);
}

Result<Batch> Session::query(std::string_view sql, const Params& params) {
    Batch all;
    std::uint64_t bytes = 0;
    GYRE_TRY(Schema schema, scan(sql, params, [&](Batch&& batch) -> Result<void> {
                 bytes += batch.bytes();
                 if (all.rows() + batch.rows() > kResultRowsMax || bytes > kResultBytesMax) {
                     return resource_exhausted("the result is larger than " +
                                               with_thousands(static_cast<std::int64_t>(kResultRowsMax)) +
                                               " rows or " + human_bytes(kResultBytesMax) +
                                               "; aggregate it or write it to a file");
                 }
                 if (all.columns.empty()) {
                     all = std::move(batch);
                 } else {
                     all.append(batch);
                 }
                 return {};
             }));
    return all.columns.empty() ? Batch::empty(std::move(schema)) : std::move(all);
}

Result<Schema> Session::schema_of(std::string_view sql) {
    return scan("SELECT * FROM " + embedded(sql) + " LIMIT 0", {}, [](Batch&&) { return Result<void>(); });
}

Result<std::int64_t> Session::write_parquet(std::string_view sql, const std::string& path) {
    return impl_->copy_to(sql, path, "FORMAT parquet, COMPRESSION zstd");
}

Result<std::int64_t> Session::write_csv(std::string_view sql, const std::string& path) {
    return impl_->copy_to(sql, path, "FORMAT csv, HEADER true");
}

}  // namespace gyre::table
