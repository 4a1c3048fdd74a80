#pragma once
// What commands that read files of rows share: how a CSV is read, the flag for broken rows, and what is said
// about them.
#include <string>
#include <vector>

#include "cli/command.h"
#include "table/source.h"

namespace gyre::cli {

/// How a CSV is read where its own text does not say it. Other formats ignore it.
struct CsvFlags {
    std::vector<std::string> columns;
    std::vector<std::string> text_columns;
    std::vector<std::string> null_tokens;  // beside the empty one
    std::string delimiter;
};

/// --columns, --text, --null and --delimiter; `flags` outlives the command line's reading.
void add_csv_flags(CLI::App& command, CsvFlags& flags);
void apply(const CsvFlags& flags, table::SourceSpec& source);

/// --on-error fail|skip; `on_error` outlives the command line's reading.
void add_on_error_flag(CLI::App& command, table::OnError& on_error);

/// The rows that were left out, on stderr: how many, and the first of them by file, line and column. Nothing
/// when there are none.
void report_skipped(const table::SourceReport& report);

}  // namespace gyre::cli
