#pragma once
// PredictionExport: the prediction log of an endpoint as one table, a row for every variant that scored a
// request, with the raw inputs and the label where it is known. Made in a child process; one at a time.
//
// Columns: request_id, event_time, arrival_time, model, role (when it was registered), answered (the user got
// this one), score, latency_ms, label, label_time, then the inputs; an input that is called like one of these
// is "input.NAME". Rows lie in the order of (event_time, request_id, model).
#include <atomic>
#include <string>

#include "base/file.h"
#include "loop/child.h"
#include "monitoring/limits.h"
#include "monitoring/monitoring.h"

namespace gyre::loop {

enum class ExportFormat : std::uint8_t { parquet, csv };
constexpr auto enum_names(ExportFormat) {
    return std::array{EnumName{ExportFormat::parquet, "parquet"}, EnumName{ExportFormat::csv, "csv"}};
}

struct PredictionQuery {
    std::string endpoint;
    std::int64_t from_us = monitoring::kNoTime;  // event time in [from, to)
    std::int64_t to_us = monitoring::kTimeMax;
    std::int64_t as_of_us = monitoring::kTimeMax;  // labels that had arrived before then
    ExportFormat format = ExportFormat::parquet;
};

/// A file that has no name any more: it goes when it is closed.
struct ExportedFile {
    Fd file;
    std::uint64_t bytes = 0;
    std::int64_t rows = 0;
};

struct PredictionExportOptions {
    std::string folder = {};  // its own; what a crash left there is removed
    ChildOptions child = {};
    std::int64_t requests_max = monitoring::kExportRequestsMax;  // of one export
};

/// Thread-safe.
class PredictionExport {
 public:
    static Result<std::unique_ptr<PredictionExport>> open(monitoring::Monitoring& monitoring,
                                                          PredictionExportOptions options);
    /// Everything that was logged before the call. Errors: not_found (no such rows), resource_exhausted
    /// (another export runs; more than requests_max requests; a full disk), cancelled after
    /// stop().
    Result<ExportedFile> run(const PredictionQuery& query);
    /// Ends a running export, and refuses further ones.
    void stop() { stopped_ = true; }

 private:
    PredictionExport(monitoring::Monitoring& monitoring, PredictionExportOptions options);
    Result<ExportedFile> make(const PredictionQuery& query, const std::string& folder);

    monitoring::Monitoring& monitoring_;
    const PredictionExportOptions options_;
    std::atomic<bool> busy_{false};
    std::atomic<bool> stopped_{false};
};

}  // namespace gyre::loop
