#include "cli/row_reader.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "base/file.h"
#include "base/text.h"
#include "cli/source_flags.h"
#include "cli/temp_directory.h"
#include "table/limits.h"
#include "table/session.h"

namespace gyre::cli {
namespace {

using OnBatch = std::function<Result<void>(RowBatch&&)>;

/// Collects rows and hands them on in batches.
class Batcher {
 public:
    Batcher(std::size_t batch_rows, const OnBatch& on_batch) : batch_rows_(batch_rows), on_batch_(on_batch) {}
    Result<void> add(Json row, double fraction) {
        ++count_;
        batch_.rows.push_back(std::move(row));
        batch_.fraction = fraction;
        return batch_.rows.size() < batch_rows_ ? Result<void>() : flush();
    }
    Result<void> flush() {
        if (batch_.rows.empty()) {
            return {};
        }
        RowBatch full;
        std::swap(full, batch_);
        return on_batch_(std::move(full));
    }
    [[nodiscard]] std::int64_t count() const { return count_; }

 private:
    std::size_t batch_rows_;
    const OnBatch& on_batch_;
    RowBatch batch_;
    std::int64_t count_ = 0;
};

bool is_json_lines(const std::string& path) {
    return path == "-" || path.ends_with(".jsonl") || path.ends_with(".ndjson");
}

Result<Json> parse_line(const std::string& line, const std::string& where) {
    if (line.size() > table::kRowBytesMax) {
        return resource_exhausted(where + ": a row of more than " + human_bytes(table::kRowBytesMax));
    }
    auto row = parse_json(line);
    if (!row) {
        return std::move(row).error().context(where);
    }
    if (!row->is_object()) {
        return invalid_argument(where + ": expected an object, got " + std::string(row->kind_name()));
    }
    return row;
}

void note_rejected(table::SourceReport& report, const std::string& path, std::int64_t line,
                   const std::string& reason) {
    ++report.skipped;
    if (report.rejected.size() < table::kRejectedRowsListed) {
        report.rejected.push_back({.file = path, .line = line, .column = 1, .reason = reason});
    }
}

Result<void> read_lines(std::istream& in, const table::SourceSpec& file, double bytes, Batcher& batcher) {
    std::string line;
    std::int64_t number = 0;
    double read = 0;
    table::SourceReport rejected;
    while (std::getline(in, line)) {
        read += static_cast<double>(line.size() + 1);
        const std::string where = file.path + ":" + std::to_string(++number);
        if (trim(line).empty()) {
            continue;
        }
        auto row = parse_line(line, where);
        if (!row && file.on_error == table::OnError::fail) {
            return std::move(row).error();
        }
        if (!row) {
            note_rejected(rejected, file.path, number, row.error().message());
            continue;
        }
        ++rejected.rows;
        GYRE_TRY_VOID(batcher.add(*std::move(row), bytes > 0 ? read / bytes : 0.0));
    }
    report_skipped(rejected);
    return batcher.flush();
}

Result<void> read_json_lines(const table::SourceSpec& file, Batcher& batcher) {
    if (file.path == "-") {
        return read_lines(std::cin, file, 0, batcher);
    }
    std::ifstream in(file.path, std::ios::binary);
    std::error_code failure;
    const auto bytes = std::filesystem::file_size(file.path, failure);
    if (!in || failure) {
        return errno_error("open '" + file.path + "'", failure ? failure.value() : errno);
    }
    return read_lines(in, file, static_cast<double>(bytes), batcher);
}

Result<void> read_table(const table::SourceSpec& file, Batcher& batcher) {
    GYRE_TRY(const TempDirectory temp, TempDirectory::create());
    table::SessionOptions options;
    options.engine.temp_directory = temp.path();
    GYRE_TRY(const auto session, table::Session::open(options, system_clock()));
    table::SourceSpec source = file;
    source.name = "rows";
    GYRE_TRY(const table::SourceReport report, session->add_source(source));
    report_skipped(report);
    const auto on_rows = [&](table::Batch&& batch) -> Result<void> {
        for (std::size_t i = 0; i < batch.rows(); ++i) {
            const double done = static_cast<double>(batcher.count() + 1);
            GYRE_TRY_VOID(batcher.add(batch.row_json(i), done / static_cast<double>(report.rows)));
        }
        return {};
    };
    GYRE_TRY(const table::Schema unused, session->scan(R"(SELECT * FROM "rows")", {}, on_rows));
    return batcher.flush();
}

}  // namespace

Result<std::int64_t> read_rows(const table::SourceSpec& file, std::size_t batch_rows,
                               const OnBatch& on_batch) {
    Batcher batcher(batch_rows, on_batch);
    GYRE_TRY_VOID(is_json_lines(file.path) ? read_json_lines(file, batcher) : read_table(file, batcher));
    return batcher.count();
}

}  // namespace gyre::cli
