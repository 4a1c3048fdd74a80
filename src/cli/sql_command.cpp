// Adapter: CLI11. `gyre sql`: a SELECT over files, here, without a server.
#include <cstdio>
#include <filesystem>

#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/action.h"
#include "cli/source_flags.h"
#include "cli/temp_directory.h"
#include "table/session.h"

namespace gyre::cli {
namespace {

namespace fs = std::filesystem;

struct SqlFlags {
    std::string sql;
    std::vector<std::string> sources;
    CsvFlags csv;
    std::string out;
    std::int64_t limit = 100;
    std::int64_t memory_mb = 1024;
    table::OnError on_error = table::OnError::fail;
};

Result<table::SourceSpec> source_of(const std::string& text, const SqlFlags& flags) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
        return invalid_argument("--source: expected NAME=FILE such as flights=flights.csv, got '" + text +
                                "'");
    }
    table::SourceSpec spec{
        .name = text.substr(0, equals), .path = text.substr(equals + 1), .on_error = flags.on_error};
    apply(flags.csv, spec);
    return spec;
}

Result<Json> write_out(table::Session& session, const SqlFlags& flags, const std::string& path) {
    const bool parquet = path.ends_with(".parquet");
    GYRE_TRY(const std::int64_t rows,
             parquet ? session.write_parquet(flags.sql, path) : session.write_csv(flags.sql, path));
    return Json::object({{"out", flags.out}, {"rows", rows}});
}

/// The first rows; counts the others.
Result<Json> read_rows(table::Session& session, const SqlFlags& flags) {
    Json rows = Json::array();
    std::int64_t count = 0;
    const auto on_batch = [&](table::Batch&& batch) -> Result<void> {
        for (std::size_t i = 0; i < batch.rows(); ++i) {
            if (count++ < flags.limit) {
                rows.push_back(batch.row_json(i));
            }
        }
        return {};
    };
    GYRE_TRY(const table::Schema schema, session.scan(flags.sql, {}, on_batch));
    Json columns = to_json(schema);
    return Json::object({{"columns", columns["columns"]}, {"rows", std::move(rows)}, {"rows_count", count}});
}

Result<Json> run_sql(const SqlFlags& flags) {
    const std::string path = flags.out.empty() ? "" : fs::absolute(flags.out).lexically_normal().string();
    if (!path.empty() && !path.ends_with(".parquet") && !path.ends_with(".csv")) {
        return invalid_argument("--out: expected a name that ends in .parquet or .csv, got '" + flags.out +
                                "'");
    }
    GYRE_TRY(const TempDirectory temp, TempDirectory::create());
    table::SessionOptions options;
    options.engine.temp_directory = temp.path();
    options.engine.memory_bytes = flags.memory_mb << 20;
    options.output_directory = path.empty() ? "" : fs::path(path).parent_path().string();
    GYRE_TRY(const auto session, table::Session::open(options, system_clock()));
    for (const std::string& text : flags.sources) {
        GYRE_TRY(const table::SourceSpec spec, source_of(text, flags));
        GYRE_TRY(const table::SourceReport read, session->add_source(spec));
        report_skipped(read);
    }
    return path.empty() ? read_rows(*session, flags) : write_out(*session, flags, path);
}

/// As SQL would write it, and numbers with all their digits: this is data, not a summary.
std::string data_cell(const Json& value) {
    switch (value.kind()) {
        case Json::Kind::null:
            return "NULL";
        case Json::Kind::string:
            return value.as_string();
        default:
            return value.dump();
    }
}

void show(const Json& document) {
    if (document.find("out") != nullptr) {
        std::printf("%s rows in %s\n", with_thousands(document.integer_or("rows", 0)).c_str(),
                    cell(document["out"]).c_str());
        return;
    }
    std::vector<std::string> header;
    for (const Json& column : list_in(document["columns"])) {
        header.push_back(cell(column["name"]));
    }
    const Json::Array& rows = list_in(document["rows"]);
    TextTable table(header);
    for (const Json& row : rows) {
        std::vector<std::string> cells;
        for (const std::string& name : header) {
            cells.push_back(data_cell(row[name]));
        }
        table.add_row(std::move(cells));
    }
    std::fputs(table.str().c_str(), stdout);
    const std::int64_t count = document.integer_or("rows_count", 0);
    const auto shown = static_cast<std::int64_t>(rows.size());
    if (count > shown) {
        std::printf("and %s more rows; see more with --limit, or all with --out\n",
                    with_thousands(count - shown).c_str());
    }
}

}  // namespace

void add_sql_command(CLI::App& app, Globals& globals) {
    CLI::App* command = app.add_subcommand("sql", "Ask files with SQL, here (no server).");
    const auto flags = std::make_shared<SqlFlags>();
    command->add_option("sql", flags->sql, "One SELECT.")->required();
    command->add_option("--source", flags->sources, "NAME=FILE (.csv, .parquet, .jsonl, .zip); repeatable.")
        ->allow_extra_args(false);
    add_csv_flags(*command, flags->csv);
    add_on_error_flag(*command, flags->on_error);
    command->add_option("--out", flags->out, "File for all rows: .parquet or .csv.");
    command->add_option("--limit", flags->limit, "Rows shown at most.")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    command->add_option("--memory-mb", flags->memory_mb, "Memory at most, MiB; more spills to disk.")
        ->check(CLI::Range(64, 1 << 20))
        ->capture_default_str();
    on_chosen(*command, globals, [flags, &globals] { return finish(globals, run_sql(*flags), show); });
}

}  // namespace gyre::cli
