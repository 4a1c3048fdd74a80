// Adapter: CLI11.
#include "cli/source_flags.h"

#include <cstdio>

#include <CLI/CLI.hpp>

#include "base/text.h"

namespace gyre::cli {
namespace {

constexpr std::size_t kShown = 5;

}  // namespace

void add_csv_flags(CLI::App& command, CsvFlags& flags) {
    command.add_option("--columns", flags.columns, "Names of the columns of a CSV without a header.")
        ->delimiter(',');
    command.add_option("--text", flags.text_columns, "Columns of a CSV to read as text.")->delimiter(',');
    command.add_option("--null", flags.null_tokens, "Texts of a CSV that mean null.")->delimiter(',');
    command.add_option("--delimiter", flags.delimiter,
                       "Separator of a CSV, 1 to 4 bytes such as ', '; else it is detected.");
}

void apply(const CsvFlags& flags, table::SourceSpec& source) {
    source.columns = flags.columns;
    for (const std::string& column : flags.text_columns) {
        source.types[column] = "text";
    }
    source.null_tokens.insert(source.null_tokens.end(), flags.null_tokens.begin(), flags.null_tokens.end());
    source.delimiter = flags.delimiter;
}

void add_on_error_flag(CLI::App& command, table::OnError& on_error) {
    command
        .add_option_function<std::string>(
            "--on-error",
            [&on_error](const std::string& text) {
                const auto parsed = parse_enum<table::OnError>(text);
                if (!parsed) {
                    throw CLI::ValidationError("--on-error", parsed.error().message());
                }
                on_error = *parsed;
            },
            "What a broken row of a file does: fail, or skip it and say so.")
        ->default_str(std::string(name_of(on_error)));
}

void report_skipped(const table::SourceReport& report) {
    if (report.skipped == 0) {
        return;
    }
    std::fprintf(stderr, "%s of %s rows were left out as broken\n", with_thousands(report.skipped).c_str(),
                 with_thousands(report.skipped + report.rows).c_str());
    for (std::size_t i = 0; i < report.rejected.size() && i < kShown; ++i) {
        std::fprintf(stderr, "  %s\n", report.rejected[i].str().c_str());
    }
}

}  // namespace gyre::cli
