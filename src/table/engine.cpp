// Adapter: DuckDB's C API, resolved with dlsym. The header gives the types; nothing is linked.
#include "table/engine.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <filesystem>
#include <limits>
#include <thread>

#include <duckdb.h>

#include "base/text.h"
#include "table/limits.h"

namespace gyre::table {
namespace {

// NOLINTBEGIN(cppcoreguidelines-macro-usage): one list gives the table's fields and their loading.
// clang-format off
#define GYRE_DUCKDB_FUNCTIONS(X)                                                                        \
    X(library_version) X(create_config) X(set_config) X(destroy_config) X(open_ext) X(close)            \
    X(free) X(connect) X(disconnect) X(interrupt) X(query) X(destroy_result) X(result_error)            \
    X(extract_statements) X(extract_statements_error) X(prepare_extracted_statement)                    \
    X(destroy_extracted) X(prepare_error) X(destroy_prepare) X(prepared_statement_type) X(nparams)      \
    X(bind_null) X(bind_boolean) X(bind_int64) X(bind_double) X(bind_varchar_length)                    \
    X(bind_timestamp) X(pending_prepared_streaming) X(pending_execute_task)                             \
    X(pending_execution_is_finished) X(pending_error) X(execute_pending) X(destroy_pending)             \
    X(column_count) X(column_name) X(column_logical_type) X(get_type_id) X(destroy_logical_type)        \
    X(decimal_internal_type) X(decimal_scale) X(fetch_chunk) X(destroy_data_chunk)                      \
    X(data_chunk_get_size) X(data_chunk_get_vector) X(vector_get_data) X(vector_get_validity)           \
    X(appender_create) X(appender_error) X(appender_close) X(appender_destroy) X(append_data_chunk)     \
    X(create_logical_type) X(create_data_chunk) X(data_chunk_reset) X(data_chunk_set_size)              \
    X(vector_size) X(vector_ensure_validity_writable) X(vector_assign_string_element_len)
// clang-format on
// NOLINTEND(cppcoreguidelines-macro-usage)

struct Api {
#define GYRE_FIELD(name) decltype(&::duckdb_##name) name = nullptr;  // NOLINT: declares `name`
    GYRE_DUCKDB_FUNCTIONS(GYRE_FIELD)
#undef GYRE_FIELD
};

constexpr std::string_view kVersion = "v1.4.";
constexpr std::string_view kInstalled = "../lib/gyre/libduckdb.so";
constexpr std::string_view kFromNpm = "npm/node_modules/@duckdb/node-bindings-linux-x64/libduckdb.so";
constexpr int kParentsSearched = 8;

std::string find_library(const std::string& configured) {
    if (!configured.empty()) {
        return configured;
    }
    const char* variable = std::getenv("GYRE_DUCKDB_LIBRARY");  // NOLINT(concurrency-mt-unsafe)
    if (variable != nullptr && *variable != '\0') {
        return variable;
    }
    std::error_code failed;
    std::filesystem::path folder = std::filesystem::read_symlink("/proc/self/exe", failed).parent_path();
    std::filesystem::path candidate = folder / kInstalled;
    for (int i = 0; i < kParentsSearched && !std::filesystem::exists(candidate, failed); ++i) {
        candidate = folder / kFromNpm;
        folder = folder.parent_path();
    }
    return candidate.lexically_normal().string();
}

struct LibraryCloser {
    void operator()(void* handle) const { ::dlclose(handle); }
};
using Library = std::unique_ptr<void, LibraryCloser>;

/// Loading is most of what a short child does. The library's own symbols come first, so that each is not
/// looked for in all the others; functions are bound when they are called.
constexpr int load_mode() {
#if defined(GYRE_SANITIZED)  // they want to see every symbol first
    return RTLD_LAZY | RTLD_LOCAL;
#else
    return RTLD_LAZY | RTLD_LOCAL | RTLD_DEEPBIND;
#endif
}

Result<Library> load_library(const EngineOptions& options, Api& api) {
    const std::string path = find_library(options.library_path);
    Library library(::dlopen(path.c_str(), load_mode()));
    if (library == nullptr) {
        return unavailable(
            "SQL over files needs DuckDB's library, and '" + path +
            "' cannot be opened; put libduckdb.so 1.4 there or name it in GYRE_DUCKDB_LIBRARY");
    }
    bool complete = true;
#define GYRE_LOAD(name)                                                                       \
    api.name = reinterpret_cast<decltype(api.name)>(::dlsym(library.get(), "duckdb_" #name)); \
    complete = complete && api.name != nullptr;
    GYRE_DUCKDB_FUNCTIONS(GYRE_LOAD)
#undef GYRE_LOAD
    if (!complete || !std::string_view(api.library_version()).starts_with(kVersion)) {
        return unavailable("'" + path + "' is not DuckDB 1.4; put libduckdb.so 1.4 there");
    }
    return library;
}

struct LogicalType {
    duckdb_type id = DUCKDB_TYPE_INVALID;
    duckdb_type internal = DUCKDB_TYPE_INVALID;  // of a decimal
    double scale = 1.0;                          // of a decimal
};

std::optional<ColumnType> column_type_of(duckdb_type id) {
    switch (id) {
        case DUCKDB_TYPE_BOOLEAN:
            return ColumnType::boolean;
        case DUCKDB_TYPE_TINYINT:
        case DUCKDB_TYPE_SMALLINT:
        case DUCKDB_TYPE_INTEGER:
        case DUCKDB_TYPE_BIGINT:
        case DUCKDB_TYPE_UTINYINT:
        case DUCKDB_TYPE_USMALLINT:
        case DUCKDB_TYPE_UINTEGER:
            return ColumnType::int64;
        case DUCKDB_TYPE_UBIGINT:
        case DUCKDB_TYPE_HUGEINT:
        case DUCKDB_TYPE_DECIMAL:
        case DUCKDB_TYPE_FLOAT:
        case DUCKDB_TYPE_DOUBLE:
            return ColumnType::float64;
        case DUCKDB_TYPE_DATE:
        case DUCKDB_TYPE_TIMESTAMP:
        case DUCKDB_TYPE_TIMESTAMP_S:
        case DUCKDB_TYPE_TIMESTAMP_MS:
        case DUCKDB_TYPE_TIMESTAMP_NS:
        case DUCKDB_TYPE_TIMESTAMP_TZ:
            return ColumnType::timestamp;
        case DUCKDB_TYPE_VARCHAR:
        case DUCKDB_TYPE_SQLNULL:
            return ColumnType::text;
        default:
            return std::nullopt;
    }
}

/// One vector of a chunk, as memory of a known type.
struct RawVector {
    const void* data = nullptr;
    const std::uint64_t* validity = nullptr;
    std::size_t rows = 0;
    [[nodiscard]] bool valid(std::size_t row) const {
        return validity == nullptr || ((validity[row / 64] >> (row % 64)) & 1U) != 0;
    }
};

template <class T, class Append>
void for_each_value(const RawVector& vector, Column& out, const Append& append) {
    const T* values = static_cast<const T*>(vector.data);
    for (std::size_t row = 0; row < vector.rows; ++row) {
        if (vector.valid(row)) {
            append(values[row]);
        } else {
            out.append_null();
        }
    }
}

template <class T>
void copy_integers(const RawVector& vector, Column& out, std::int64_t multiplier = 1,
                   std::int64_t divisor = 1) {
    for_each_value<T>(vector, out, [&](const T& value) {
        const auto wide = static_cast<std::int64_t>(value);  // NOLINT(bugprone-signed-char-misuse): a number
        const std::int64_t whole = wide / divisor - (wide % divisor < 0 ? 1 : 0);
        const bool finite = whole <= std::numeric_limits<std::int64_t>::max() / multiplier &&
                            whole >= std::numeric_limits<std::int64_t>::min() / multiplier;
        if (finite) {
            out.append_int64(whole * multiplier);
        } else {
            out.append_null();  // 'infinity' of a date
        }
    });
}

template <class T>
void copy_numbers(const RawVector& vector, Column& out, double scale = 1.0) {
    for_each_value<T>(vector, out,
                      [&](const T& value) { out.append_float64(static_cast<double>(value) / scale); });
}

void copy_hugeints(const RawVector& vector, Column& out, double scale) {
    for_each_value<duckdb_hugeint>(vector, out, [&](const duckdb_hugeint& value) {
        out.append_float64((static_cast<double>(value.upper) * 0x1.0p64 + static_cast<double>(value.lower)) /
                           scale);
    });
}

void copy_texts(const RawVector& vector, Column& out) {
    for_each_value<duckdb_string_t>(vector, out, [&](const duckdb_string_t& value) {
        const std::uint32_t length = value.value.inlined.length;
        constexpr std::uint32_t kInlinedMax = 12;
        const char* text = length <= kInlinedMax ? value.value.inlined.inlined : value.value.pointer.ptr;
        out.append_text({text, length});
    });
}

void copy_decimals(const RawVector& vector, const LogicalType& type, Column& out) {
    switch (type.internal) {
        case DUCKDB_TYPE_SMALLINT:
            copy_numbers<std::int16_t>(vector, out, type.scale);
            break;
        case DUCKDB_TYPE_INTEGER:
            copy_numbers<std::int32_t>(vector, out, type.scale);
            break;
        case DUCKDB_TYPE_BIGINT:
            copy_numbers<std::int64_t>(vector, out, type.scale);
            break;
        default:
            copy_hugeints(vector, out, type.scale);
            break;
    }
}

void copy_vector(const RawVector& vector, const LogicalType& type, Column& out) {
    switch (type.id) {
        case DUCKDB_TYPE_BOOLEAN:
            for_each_value<bool>(vector, out, [&](bool value) { out.append_boolean(value); });
            break;
        case DUCKDB_TYPE_TINYINT:
            copy_integers<std::int8_t>(vector, out);
            break;
        case DUCKDB_TYPE_SMALLINT:
            copy_integers<std::int16_t>(vector, out);
            break;
        case DUCKDB_TYPE_INTEGER:
            copy_integers<std::int32_t>(vector, out);
            break;
        case DUCKDB_TYPE_UTINYINT:
            copy_integers<std::uint8_t>(vector, out);
            break;
        case DUCKDB_TYPE_USMALLINT:
            copy_integers<std::uint16_t>(vector, out);
            break;
        case DUCKDB_TYPE_UINTEGER:
            copy_integers<std::uint32_t>(vector, out);
            break;
        case DUCKDB_TYPE_BIGINT:
        case DUCKDB_TYPE_TIMESTAMP:
        case DUCKDB_TYPE_TIMESTAMP_TZ:
            copy_integers<std::int64_t>(vector, out);
            break;
        case DUCKDB_TYPE_TIMESTAMP_S:
            copy_integers<std::int64_t>(vector, out, kUsPerSecond);
            break;
        case DUCKDB_TYPE_TIMESTAMP_MS:
            copy_integers<std::int64_t>(vector, out, 1000);
            break;
        case DUCKDB_TYPE_TIMESTAMP_NS:
            copy_integers<std::int64_t>(vector, out, 1, 1000);
            break;
        case DUCKDB_TYPE_DATE:
            copy_integers<std::int32_t>(vector, out, kUsPerDay);
            break;
        case DUCKDB_TYPE_UBIGINT:
            copy_numbers<std::uint64_t>(vector, out);
            break;
        case DUCKDB_TYPE_FLOAT:
            copy_numbers<float>(vector, out);
            break;
        case DUCKDB_TYPE_DOUBLE:
            copy_numbers<double>(vector, out);
            break;
        case DUCKDB_TYPE_HUGEINT:
            copy_hugeints(vector, out, 1.0);
            break;
        case DUCKDB_TYPE_DECIMAL:
            copy_decimals(vector, type, out);
            break;
        case DUCKDB_TYPE_VARCHAR:
            copy_texts(vector, out);
            break;
        default:
            for (std::size_t row = 0; row < vector.rows; ++row) {
                out.append_null();  // the type of a bare NULL
            }
    }
}

/// Calls a destroy function of the C API on leaving a scope.
template <class Handle>
struct Scoped {
    void (*destroy)(Handle*);
    Handle handle{};
    explicit Scoped(void (*function)(Handle*)) : destroy(function) {}
    ~Scoped() { destroy(&handle); }
    Scoped(const Scoped&) = delete;
    Scoped& operator=(const Scoped&) = delete;
};

std::string text_or_empty(const char* text) {
    return text == nullptr ? std::string() : std::string(text);
}

struct RowRange {
    std::size_t first = 0;
    std::size_t count = 0;
};

}  // namespace

struct Engine::Impl {
    Library library;
    Api api;
    duckdb_database database = nullptr;
    duckdb_connection connection = nullptr;
    const Clock* clock = nullptr;
    std::int64_t timeout_ns = 0;

    ~Impl() {
        if (connection != nullptr) {
            api.disconnect(&connection);
        }
        if (database != nullptr) {
            api.close(&database);
        }
        // The allocator of the library keeps threads of its own for a moment: it stays loaded.
        static_cast<void>(library.release());
    }

    Result<void> open(const EngineOptions& options);
    Result<void> bind(duckdb_prepared_statement prepared, const Params& params) const;
    Result<void> prepare(const Statement& statement, duckdb_prepared_statement* out) const;
    Result<void> run_pending(duckdb_pending_result pending, std::int64_t deadline_ns) const;
    LogicalType read_type(duckdb_logical_type type) const;
    Result<Schema> read_schema(duckdb_result* result, std::vector<LogicalType>& types) const;
    Result<void> fetch(duckdb_result* result, const Schema& schema, const std::vector<LogicalType>& types,
                       std::int64_t deadline_ns, const std::function<Result<void>(Batch&&)>& on_batch) const;
    Result<void> append_rows(duckdb_appender appender, const Batch& batch) const;
    Result<void> create_chunk(const Schema& schema, duckdb_data_chunk* out) const;
    void fill_vector(duckdb_vector vector, const Column& column, RowRange rows) const;
};

Result<void> Engine::Impl::open(const EngineOptions& options) {
    const std::pair<std::string, std::string> settings[] = {
        {"autoinstall_known_extensions", "false"},
        {"autoload_known_extensions", "false"},
        {"allow_community_extensions", "false"},
        {"memory_limit", std::to_string(options.memory_bytes) + "B"},
        {"threads", std::to_string(options.threads)},
        {"temp_directory", options.temp_directory},
        {"max_temp_directory_size", std::to_string(options.temp_bytes_max) + "B"},
        {"preserve_insertion_order", "true"},
    };
    duckdb_config config = nullptr;
    if (api.create_config(&config) != DuckDBSuccess) {
        return internal_error("DuckDB gives no configuration");
    }
    for (const auto& [name, value] : settings) {
        if (api.set_config(config, name.c_str(), value.c_str()) != DuckDBSuccess) {
            api.destroy_config(&config);
            return invalid_argument("DuckDB refuses the setting " + name + " = '" + value + "'");
        }
    }
    char* reason = nullptr;
    const duckdb_state state = api.open_ext(nullptr, &database, config, &reason);
    api.destroy_config(&config);
    if (state != DuckDBSuccess) {
        Error error = engine_error(text_or_empty(reason));
        api.free(reason);
        return error;
    }
    if (api.connect(database, &connection) != DuckDBSuccess) {
        return internal_error("DuckDB gives no connection");
    }
    return {};
}

Result<void> Engine::Impl::bind(duckdb_prepared_statement prepared, const Params& params) const {
    if (api.nparams(prepared) != params.size()) {
        return invalid_argument("the statement has " + std::to_string(api.nparams(prepared)) +
                                " parameters, got " + std::to_string(params.size()));
    }
    for (idx_t i = 0; i < params.size(); ++i) {
        const Value& value = params[i];
        duckdb_state state = DuckDBError;
        if (const auto* flag = std::get_if<bool>(&value)) {
            state = api.bind_boolean(prepared, i + 1, *flag);
        } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
            state = api.bind_int64(prepared, i + 1, *integer);
        } else if (const auto* number = std::get_if<double>(&value)) {
            state = api.bind_double(prepared, i + 1, *number);
        } else if (const auto* text = std::get_if<std::string>(&value)) {
            state = api.bind_varchar_length(prepared, i + 1, text->data(), text->size());
        } else if (const auto* time = std::get_if<Timestamp>(&value)) {
            state = api.bind_timestamp(prepared, i + 1, duckdb_timestamp{time->unix_us});
        } else {
            state = api.bind_null(prepared, i + 1);
        }
        if (state != DuckDBSuccess) {
            return invalid_argument("parameter " + std::to_string(i + 1) +
                                    " of the statement cannot be bound");
        }
    }
    return {};
}

Result<void> Engine::Impl::prepare(const Statement& statement, duckdb_prepared_statement* out) const {
    if (statement.sql.size() > kSqlBytesMax) {
        return resource_exhausted("the statement is longer than " + human_bytes(kSqlBytesMax));
    }
    const std::string sql(statement.sql);
    Scoped<duckdb_extracted_statements> extracted(api.destroy_extracted);
    const idx_t count = api.extract_statements(connection, sql.c_str(), &extracted.handle);
    if (count == 0) {
        const std::string reason = text_or_empty(api.extract_statements_error(extracted.handle));
        return reason.empty() ? invalid_argument("sql: the statement is empty") : engine_error(reason);
    }
    if (count != 1) {
        return invalid_argument("sql: expected one statement, got " + std::to_string(count));
    }
    if (api.prepare_extracted_statement(connection, extracted.handle, 0, out) != DuckDBSuccess) {
        return engine_error(text_or_empty(api.prepare_error(*out)));
    }
    if (statement.kind == StatementKind::select_only &&
        api.prepared_statement_type(*out) != DUCKDB_STATEMENT_TYPE_SELECT) {
        return Error(ErrorCode::permission_denied, "sql: only SELECT is allowed here");
    }
    const Params none;
    return bind(*out, statement.params == nullptr ? none : *statement.params);
}

Result<void> Engine::Impl::run_pending(duckdb_pending_result pending, std::int64_t deadline_ns) const {
    for (;;) {
        const duckdb_pending_state state = api.pending_execute_task(pending);
        if (state == DUCKDB_PENDING_ERROR) {
            return engine_error(text_or_empty(api.pending_error(pending)));
        }
        if (api.pending_execution_is_finished(state)) {
            return {};
        }
        if (clock->steady_ns() >= deadline_ns) {
            api.interrupt(connection);
            return Error(ErrorCode::deadline_exceeded, "sql: the statement ran past its time limit");
        }
        if (state == DUCKDB_PENDING_NO_TASKS_AVAILABLE) {
            std::this_thread::yield();  // the database's own threads are at work
        }
    }
}

LogicalType Engine::Impl::read_type(duckdb_logical_type type) const {
    LogicalType out;
    out.id = api.get_type_id(type);
    if (out.id == DUCKDB_TYPE_DECIMAL) {
        out.internal = api.decimal_internal_type(type);
        out.scale = std::pow(10.0, api.decimal_scale(type));
    }
    return out;
}

Result<Schema> Engine::Impl::read_schema(duckdb_result* result, std::vector<LogicalType>& types) const {
    const idx_t count = api.column_count(result);
    if (count > kColumnsMax) {
        return resource_exhausted("the result has more than " + std::to_string(kColumnsMax) + " columns");
    }
    Schema schema;
    for (idx_t i = 0; i < count; ++i) {
        Scoped<duckdb_logical_type> type(api.destroy_logical_type);
        type.handle = api.column_logical_type(result, i);
        const std::string name = text_or_empty(api.column_name(result, i));
        types.push_back(read_type(type.handle));
        const std::optional<ColumnType> known = column_type_of(types.back().id);
        if (!known) {
            return invalid_argument("column '" + name +
                                    "' has a type that tables do not hold; cast it to VARCHAR");
        }
        schema.columns.push_back({name, *known});
    }
    return schema;
}

Result<void> Engine::Impl::fetch(duckdb_result* result, const Schema& schema,
                                 const std::vector<LogicalType>& types, std::int64_t deadline_ns,
                                 const std::function<Result<void>(Batch&&)>& on_batch) const {
    for (;;) {
        Scoped<duckdb_data_chunk> chunk(api.destroy_data_chunk);
        chunk.handle = api.fetch_chunk(*result);
        if (chunk.handle == nullptr) {
            const std::string reason = text_or_empty(api.result_error(result));
            return reason.empty() ? Result<void>() : Result<void>(engine_error(reason));
        }
        const std::size_t rows = api.data_chunk_get_size(chunk.handle);
        if (rows == 0) {
            continue;
        }
        Batch batch = Batch::empty(schema);
        for (std::size_t i = 0; i < types.size(); ++i) {
            const duckdb_vector vector = api.data_chunk_get_vector(chunk.handle, i);
            const RawVector raw{api.vector_get_data(vector), api.vector_get_validity(vector), rows};
            batch.columns[i].reserve(rows);
            copy_vector(raw, types[i], batch.columns[i]);
        }
        GYRE_TRY_VOID(on_batch(std::move(batch)));
        if (clock->steady_ns() >= deadline_ns) {
            return Error(ErrorCode::deadline_exceeded, "sql: the statement ran past its time limit");
        }
    }
}

/// An empty chunk with the schema's columns.
Result<void> Engine::Impl::create_chunk(const Schema& schema, duckdb_data_chunk* out) const {
    static constexpr duckdb_type kTypes[] = {DUCKDB_TYPE_BOOLEAN, DUCKDB_TYPE_BIGINT, DUCKDB_TYPE_DOUBLE,
                                             DUCKDB_TYPE_VARCHAR, DUCKDB_TYPE_TIMESTAMP};
    std::vector<duckdb_logical_type> types;
    for (const ColumnSchema& column : schema.columns) {
        types.push_back(api.create_logical_type(kTypes[static_cast<std::size_t>(column.type)]));
    }
    *out = api.create_data_chunk(types.data(), types.size());
    for (duckdb_logical_type& type : types) {
        api.destroy_logical_type(&type);
    }
    return *out != nullptr ? Result<void>() : internal_error("DuckDB gives no chunk of rows");
}

/// Copies the rows of a column from `first` on.
void Engine::Impl::fill_vector(duckdb_vector vector, const Column& column, RowRange rows) const {
    const auto copy = [&](const auto& values) {
        const auto part = values.subspan(rows.first, rows.count);
        std::memcpy(api.vector_get_data(vector), part.data(), part.size_bytes());
    };
    switch (column.type()) {
        case ColumnType::boolean:
            copy(column.booleans());
            break;
        case ColumnType::int64:
        case ColumnType::timestamp:
            copy(column.int64s());
            break;
        case ColumnType::float64:
            copy(column.float64s());
            break;
        case ColumnType::text:
            for (std::size_t i = 0; i < rows.count; ++i) {
                const std::string_view text = column.text(rows.first + i);
                api.vector_assign_string_element_len(vector, i, text.data(), text.size());
            }
            break;
    }
    api.vector_ensure_validity_writable(vector);
    std::uint64_t* validity = api.vector_get_validity(vector);
    for (std::size_t i = 0; i < rows.count; ++i) {
        if (!column.valid(rows.first + i)) {
            validity[i / 64] &= ~(std::uint64_t{1} << (i % 64));
        }
    }
}

Result<void> Engine::Impl::append_rows(duckdb_appender appender, const Batch& batch) const {
    Scoped<duckdb_data_chunk> chunk(api.destroy_data_chunk);
    GYRE_TRY_VOID(create_chunk(batch.schema, &chunk.handle));
    const std::size_t rows_max = api.vector_size();
    for (std::size_t first = 0; first < batch.rows(); first += rows_max) {
        const RowRange rows{first, std::min(rows_max, batch.rows() - first)};
        api.data_chunk_reset(chunk.handle);
        for (std::size_t i = 0; i < batch.columns.size(); ++i) {
            fill_vector(api.data_chunk_get_vector(chunk.handle, i), batch.columns[i], rows);
        }
        api.data_chunk_set_size(chunk.handle, rows.count);
        if (api.append_data_chunk(appender, chunk.handle) != DuckDBSuccess) {
            return engine_error(text_or_empty(api.appender_error(appender)));
        }
    }
    if (api.appender_close(appender) != DuckDBSuccess) {
        return engine_error(text_or_empty(api.appender_error(appender)));
    }
    return {};
}

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::open(const EngineOptions& options, const Clock& clock) {
    auto impl = std::make_unique<Impl>();
    GYRE_TRY(impl->library, load_library(options, impl->api));
    impl->clock = &clock;
    impl->timeout_ns = options.timeout_ms * 1'000'000;
    GYRE_TRY_VOID(impl->open(options));
    return std::unique_ptr<Engine>(new Engine(std::move(impl)));
}

Result<void> Engine::execute(const std::string& sql) {
    const Statement statement{.sql = sql, .params = nullptr, .kind = StatementKind::trusted};
    Result<Schema> done = scan(statement, [](Batch&&) { return Result<void>(); });
    if (!done) {  // the statement is ours: showing it explains nothing
        const std::string& message = done.error().message();
        return Error(done.error().code(), message.substr(0, message.find(" LINE 1:")));
    }
    return {};
}

Result<Schema> Engine::scan(const Statement& statement,
                            const std::function<Result<void>(Batch&&)>& on_batch) {
    const Api& api = impl_->api;
    const std::int64_t deadline_ns = impl_->clock->steady_ns() + impl_->timeout_ns;
    Scoped<duckdb_prepared_statement> prepared(api.destroy_prepare);
    GYRE_TRY_VOID(impl_->prepare(statement, &prepared.handle));
    Scoped<duckdb_pending_result> pending(api.destroy_pending);
    if (api.pending_prepared_streaming(prepared.handle, &pending.handle) != DuckDBSuccess) {
        return engine_error(text_or_empty(api.pending_error(pending.handle)));
    }
    GYRE_TRY_VOID(impl_->run_pending(pending.handle, deadline_ns));
    Scoped<duckdb_result> result(api.destroy_result);
    if (api.execute_pending(pending.handle, &result.handle) != DuckDBSuccess) {
        return engine_error(text_or_empty(api.result_error(&result.handle)));
    }
    std::vector<LogicalType> types;
    GYRE_TRY(Schema schema, impl_->read_schema(&result.handle, types));
    GYRE_TRY_VOID(impl_->fetch(&result.handle, schema, types, deadline_ns, on_batch));
    return schema;
}

Result<void> Engine::create_table(const std::string& name, const Batch& batch) {
    static constexpr std::string_view kTypes[] = {"BOOLEAN", "BIGINT", "DOUBLE", "VARCHAR", "TIMESTAMP"};
    std::string sql = "CREATE TABLE " + quote_name(name) + " (";
    for (const ColumnSchema& column : batch.schema.columns) {
        sql += sql.ends_with('(') ? "" : ", ";
        sql += quote_name(column.name) + " ";
        sql += kTypes[static_cast<std::size_t>(column.type)];
    }
    GYRE_TRY_VOID(execute(sql + ")"));
    return append_table(name, batch);
}

Result<void> Engine::append_table(const std::string& name, const Batch& batch) {
    duckdb_appender appender = nullptr;
    if (impl_->api.appender_create(impl_->connection, nullptr, name.c_str(), &appender) != DuckDBSuccess) {
        return internal_error("no rows can be appended to the table '" + name + "'");
    }
    Result<void> outcome = impl_->append_rows(appender, batch);
    impl_->api.appender_destroy(&appender);
    return outcome;
}

}  // namespace gyre::table
