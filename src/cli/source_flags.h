#pragma once
// What commands that read files of rows share: the flag for broken rows, and what is said about them.
#include "cli/command.h"
#include "table/source.h"

namespace gyre::cli {

/// --on-error fail|skip; `on_error` outlives the command line's reading.
void add_on_error_flag(CLI::App& command, table::OnError& on_error);

/// The rows that were left out, on stderr: how many, and the first of them by file, line and column. Nothing
/// when there are none.
void report_skipped(const table::SourceReport& report);

}  // namespace gyre::cli
