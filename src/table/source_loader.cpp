#include "table/source_loader.h"

#include <filesystem>

#include "base/model_ref.h"
#include "base/text.h"
#include "table/archive.h"
#include "table/limits.h"

namespace gyre::table {
namespace {

namespace fs = std::filesystem;

/// A file to read, and what people call it.
struct InputFile {
    std::string path;
    std::string shown;  // "flights.zip!january.csv" for a member of an archive
};

std::string_view sql_type(ColumnType type) {
    static constexpr std::string_view kNames[] = {"BOOLEAN", "BIGINT", "DOUBLE", "VARCHAR", "TIMESTAMP"};
    return kNames[static_cast<std::size_t>(type)];
}

std::string list_of(const std::vector<std::string>& texts) {
    std::string out = "[";
    for (const std::string& text : texts) {
        out += out.size() > 1 ? ", " : "";
        out += quote_text(text);
    }
    return out + "]";
}

std::string list_of(const std::vector<InputFile>& files) {
    std::vector<std::string> paths;
    for (const InputFile& file : files) {
        paths.push_back(file.path);
    }
    return list_of(paths);
}

std::vector<std::string> paths_of(const SourceSpec& spec) {
    return spec.path.empty() ? spec.paths : std::vector<std::string>{spec.path};
}

/// "flights.zip!january.csv" as archive and member, unless there is a file of that name.
MemberRequest split_member(const std::string& path, const std::string& member) {
    const std::size_t mark = to_lower(path).find(".zip!");
    std::error_code unknown;
    if (mark == std::string::npos || !member.empty() || fs::exists(path, unknown)) {
        return {.archive = path, .member = member, .destination = {}};
    }
    return {.archive = path.substr(0, mark + 4), .member = path.substr(mark + 5), .destination = {}};
}

Result<void> check_path(const std::string& path) {
    if (path.find_first_of("*?[") != std::string::npos) {
        return invalid_argument("path '" + path + "' holds one of *?[; name each file in 'paths'");
    }
    std::error_code unknown;
    if (!fs::is_regular_file(path, unknown)) {
        return not_found("file '" + path + "' does not exist");
    }
    return {};
}

bool is_zip(const std::string& path) {
    return to_lower(path).ends_with(".zip");
}

Result<std::string> scratch_path(LoadContext& context, std::string_view what) {
    if (context.temp_directory.empty()) {
        return invalid_argument("reading an archive needs a folder for temporary files");
    }
    return context.temp_directory + "/" + std::to_string(++context.next_id) + "." + std::string(what);
}

Result<std::vector<InputFile>> open_inputs(const SourceSpec& spec, LoadContext& context) {
    std::vector<InputFile> out;
    for (const std::string& path : paths_of(spec)) {
        MemberRequest request = split_member(path, spec.member);
        GYRE_TRY_VOID(check_path(request.archive));
        if (!is_zip(request.archive)) {
            out.push_back({path, path});
            continue;
        }
        GYRE_TRY(request.destination, scratch_path(context, "unpacked"));
        GYRE_TRY(const std::string member, unpack_member(request));
        out.push_back({request.destination, request.archive + "!" + member});
    }
    return out;
}

std::string csv_options(const SourceSpec& spec) {
    std::string out = ", sample_size=-1, compression='none', max_line_size=" + std::to_string(kRowBytesMax) +
                      ", nullstr=" + list_of(spec.null_tokens);
    if (spec.header) {
        out += *spec.header ? ", header=true" : ", header=false";
    } else if (!spec.columns.empty()) {
        out += ", header=false";
    }
    if (!spec.columns.empty()) {
        out += ", names=" + list_of(spec.columns);
    }
    if (!spec.delimiter.empty()) {
        out += ", delim=" + quote_text(spec.delimiter);
    }
    if (spec.skip_lines > 0) {
        out += ", skip=" + std::to_string(spec.skip_lines);
    }
    std::string types;
    for (const auto& [column, type] : spec.types) {
        types += (types.empty() ? "" : ", ") + quote_text(column) + ": ";
        types += quote_text(sql_type(*parse_enum<ColumnType>(type)));
    }
    return types.empty() ? out : out + ", types={" + types + "}";
}

Result<std::int64_t> count_rows(Engine& engine, const std::string& from) {
    std::int64_t rows = 0;
    const std::string sql = "SELECT count(*) FROM " + from;
    GYRE_TRY_VOID(engine.scan({.sql = sql, .kind = StatementKind::trusted}, [&](Batch&& batch) {
        rows = batch.columns[0].int64s()[0];
        return Result<void>();
    }));
    return rows;
}

Result<void> read_rejects(Engine& engine, const std::string& errors, const InputFile& file,
                          SourceReport& report) {
    GYRE_TRY(const std::int64_t recorded, count_rows(engine, errors));
    GYRE_TRY(const std::int64_t lines, count_rows(engine, "(SELECT DISTINCT line FROM " + errors + ")"));
    report.skipped += lines;
    if (std::max(recorded, report.skipped) > static_cast<std::int64_t>(kRejectedRowsMax)) {
        return resource_exhausted("more than " + with_thousands(static_cast<std::int64_t>(kRejectedRowsMax)) +
                                  " broken rows");
    }
    const std::string sql = "SELECT line::BIGINT, column_idx::BIGINT, column_name, error_message FROM " +
                            errors + " ORDER BY line, column_idx LIMIT " +
                            std::to_string(kRejectedRowsListed);
    GYRE_TRY_VOID(engine.scan({.sql = sql, .kind = StatementKind::trusted}, [&](Batch&& batch) {
        for (std::size_t row = 0; row < batch.rows() && report.rejected.size() < kRejectedRowsListed; ++row) {
            report.rejected.push_back({.file = file.shown,
                                       .line = batch.columns[0].int64s()[row],
                                       .column = batch.columns[1].int64s()[row],
                                       .column_name = std::string(batch.columns[2].text(row)),
                                       .reason = std::string(batch.columns[3].text(row))});
        }
        return Result<void>();
    }));
    return {};
}

Error broken_row(const SourceReport& report) {
    const std::string more =
        report.skipped > 1 ? " (and " + with_thousands(report.skipped - 1) + " more)" : "";
    return invalid_argument(report.rejected.front().str() + more + "; on_error=skip leaves such rows out");
}

/// The engine takes fewer names than there are columns, and makes up the others.
Result<void> check_names(Engine& engine, const SourceSpec& spec, const std::string& table) {
    const std::string sql = "SELECT * FROM " + quote_name(table) + " LIMIT 0";
    GYRE_TRY(const Schema schema, engine.scan({.sql = sql}, [](Batch&&) { return Result<void>(); }));
    if (spec.columns.empty() || spec.columns.size() == schema.columns.size()) {
        return {};
    }
    return invalid_argument("the file has " + std::to_string(schema.columns.size()) + " columns, but " +
                            std::to_string(spec.columns.size()) + " names were given");
}

/// Reads one file into `table`, adding what was broken to the report.
Result<void> load_csv_file(const SourceSpec& spec, const InputFile& file, const std::string& table,
                           LoadContext& context, SourceReport& report) {
    const std::string id = std::to_string(++context.next_id);
    const std::string errors = "gyre_rejects_" + id;
    const std::string scans = "gyre_scans_" + id;
    Engine& engine = *context.engine;
    GYRE_TRY_VOID(engine.execute(
        "CREATE TABLE " + quote_name(table) + " AS SELECT * FROM read_csv(" + quote_text(file.path) +
        csv_options(spec) + ", store_rejects=true, rejects_table=" + quote_text(errors) + ", rejects_scan=" +
        quote_text(scans) + ", rejects_limit=" + std::to_string(kRejectedRowsMax + 1) + ")"));
    GYRE_TRY_VOID(check_names(engine, spec, table));
    GYRE_TRY_VOID(read_rejects(engine, errors, file, report));
    GYRE_TRY_VOID(engine.execute("DROP TABLE " + errors));
    GYRE_TRY_VOID(engine.execute("DROP TABLE " + scans));
    if (report.skipped > 0 && spec.on_error == OnError::fail) {
        return broken_row(report);
    }
    return {};
}

/// DuckDB records broken rows for one file at a time only, so several files are read into parts and joined.
Result<SourceReport> load_csv(const SourceSpec& spec, const std::vector<InputFile>& files,
                              LoadContext& context) {
    Engine& engine = *context.engine;
    SourceReport report{.name = spec.name};
    if (files.size() == 1) {
        GYRE_TRY_VOID(load_csv_file(spec, files.front(), spec.name, context, report));
    } else {
        std::string all;
        std::vector<std::string> parts;
        for (const InputFile& file : files) {
            parts.push_back("gyre_part_" + std::to_string(++context.next_id));
            GYRE_TRY_VOID(load_csv_file(spec, file, parts.back(), context, report));
            all += (all.empty() ? "SELECT * FROM " : " UNION ALL BY NAME SELECT * FROM ") + parts.back();
        }
        GYRE_TRY_VOID(engine.execute("CREATE TABLE " + quote_name(spec.name) + " AS " + all));
        for (const std::string& part : parts) {
            GYRE_TRY_VOID(engine.execute("DROP TABLE " + part));
        }
    }
    GYRE_TRY(report.rows, count_rows(engine, quote_name(spec.name)));
    return report;
}

Result<SourceReport> load_json_lines(const SourceSpec& spec, std::vector<InputFile> files,
                                     LoadContext& context) {
    SourceReport report{.name = spec.name};
    for (InputFile& file : files) {
        std::string clean;
        if (spec.on_error == OnError::skip) {
            GYRE_TRY(clean, scratch_path(context, "jsonl"));
        }
        GYRE_TRY(JsonLinesCheck check, check_json_lines(spec, file.path, file.shown, clean));
        report.rows += check.rows;
        report.skipped += check.skipped;
        for (RejectedRow& row : check.rejected) {
            if (report.rejected.size() < kRejectedRowsListed) {
                report.rejected.push_back(std::move(row));
            }
        }
        if (check.skipped > 0 && spec.on_error == OnError::fail) {
            return broken_row(report);
        }
        file.path = check.skipped > 0 ? clean : file.path;
    }
    std::string casts;
    for (const auto& [column, type] : spec.types) {
        casts += casts.empty() ? " REPLACE (" : ", ";
        casts += "CAST(" + quote_name(column) + " AS " +
                 std::string(sql_type(*parse_enum<ColumnType>(type))) + ") AS " + quote_name(column);
    }
    GYRE_TRY_VOID(
        context.engine->execute("CREATE TABLE " + quote_name(spec.name) + " AS SELECT *" + casts +
                                (casts.empty() ? "" : ")") + " FROM read_json(" + list_of(files) +
                                ", format='newline_delimited', compression='uncompressed', sample_size=-1, "
                                "union_by_name=true, maximum_object_size=" +
                                std::to_string(kRowBytesMax) + ")"));
    return report;
}

Result<SourceReport> load_parquet(const SourceSpec& spec, const std::vector<InputFile>& files,
                                  LoadContext& context) {
    const std::string read = "read_parquet(" + list_of(files) + ", union_by_name=true)";
    GYRE_TRY_VOID(
        context.engine->execute("CREATE VIEW " + quote_name(spec.name) + " AS SELECT * FROM " + read));
    for (const InputFile& file : files) {
        context.files_in_use.push_back(file.path);
    }
    GYRE_TRY(const std::int64_t rows, count_rows(*context.engine, read));
    return SourceReport{.name = spec.name, .rows = rows};
}

void remove_scratch(const std::vector<InputFile>& files) {
    for (const InputFile& file : files) {
        std::error_code ignored;
        if (file.path != file.shown) {
            fs::remove(file.path, ignored);
        }
    }
}

SourceFormat format_by_name(std::string_view name) {
    if (name.ends_with(".csv") || name.ends_with(".tsv")) {
        return SourceFormat::csv;
    }
    if (name.ends_with(".parquet")) {
        return SourceFormat::parquet;
    }
    if (name.ends_with(".jsonl") || name.ends_with(".ndjson")) {
        return SourceFormat::jsonl;
    }
    return SourceFormat::automatic;
}

/// By the name of the file or of the archive's member; a member without an ending goes by the archive's name.
Result<SourceFormat> format_of(const SourceSpec& spec, const std::string& shown) {
    if (spec.format != SourceFormat::automatic) {
        return spec.format;
    }
    const std::string name = to_lower(shown);
    SourceFormat format = format_by_name(name);
    if (const std::size_t mark = name.find(".zip!"); format == SourceFormat::automatic && mark != name.npos) {
        format = format_by_name(std::string_view(name).substr(0, mark));
    }
    if (format == SourceFormat::automatic) {
        return invalid_argument("the name of '" + shown +
                                "' does not tell its format; expected one that ends in .csv, .tsv, .parquet, "
                                ".jsonl, .ndjson or .zip, or 'format' set to csv, parquet or jsonl");
    }
    return format;
}

}  // namespace

std::string RejectedRow::str() const {
    std::string out = file + ":" + std::to_string(line) + ": column " + std::to_string(column);
    out += column_name.empty() ? "" : " ('" + column_name + "')";
    return out + ": " + reason;
}

Result<void> check_source(const SourceSpec& spec) {
    if (auto good = check_model_name(spec.name); !good || spec.name.starts_with("gyre_")) {
        return invalid_argument("source name '" + spec.name +
                                "' is not usable: 1 to 256 plain characters, not starting with 'gyre_'");
    }
    const int given = (spec.path.empty() ? 0 : 1) + (spec.paths.empty() ? 0 : 1) + (spec.sql.empty() ? 0 : 1);
    if (given != 1) {
        return invalid_argument("source '" + spec.name + "': give one of 'path', 'paths' and 'sql'");
    }
    if (spec.paths.size() > kSourceFilesMax) {
        return resource_exhausted("source '" + spec.name + "' has more than " +
                                  std::to_string(kSourceFilesMax) + " files");
    }
    if (spec.delimiter.size() > 4 || spec.skip_lines < 0 || spec.columns.size() > kColumnsMax) {
        return invalid_argument("source '" + spec.name +
                                "': the delimiter has 1 to 4 bytes, skip_lines is not "
                                "negative, and there are at most " +
                                std::to_string(kColumnsMax) + " columns");
    }
    for (const auto& [column, type] : spec.types) {
        if (auto parsed = parse_enum<ColumnType>(type); !parsed) {
            return std::move(parsed).error().context("source '" + spec.name + "', type of '" + column + "'");
        }
    }
    return {};
}

Result<SourceReport> load_source(const SourceSpec& spec, LoadContext& context) {
    GYRE_TRY(const std::vector<InputFile> files, open_inputs(spec, context));
    GYRE_TRY(const SourceFormat format, format_of(spec, files.front().shown));
    if (format == SourceFormat::parquet) {
        return load_parquet(spec, files, context);
    }
    Result<SourceReport> report =
        format == SourceFormat::csv ? load_csv(spec, files, context) : load_json_lines(spec, files, context);
    remove_scratch(files);
    return report;
}

}  // namespace gyre::table
