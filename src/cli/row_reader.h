#pragma once
// Rows of a file as JSON objects, some at a time. JSON lines pass through as they are written; CSV, Parquet
// and zips of them go through table::Session, which finds out the types.
#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "table/source.h"

namespace gyre::cli {

struct RowBatch {
    Json::Array rows;
    double fraction = 0.0;  // of the file, with these rows; 0 when unknown
};

/// `file` is one file, whatever its name; the path "-" stands for JSON lines from stdin. Skipped rows are
/// said on stderr. Calls `on_batch` with 1 to `batch_rows` objects in the file's order; stops at its first
/// error. Gives the number of rows. Errors: not_found, invalid_argument with the line, resource_exhausted for
/// a line above table::kRowBytesMax.
Result<std::int64_t> read_rows(const table::SourceSpec& file, std::size_t batch_rows,
                               const std::function<Result<void>(RowBatch&&)>& on_batch);

}  // namespace gyre::cli
