#pragma once
// Export: logged rows joined with their labels, for training, evaluation and people. Needs only files, so a
// child process can do it. Each request comes once: its earliest answer, with every variant's score beside
// it.
#include <functional>

#include "monitoring/label_log.h"
#include "monitoring/limits.h"
#include "monitoring/segment.h"

namespace gyre::monitoring {

enum class ExportLabels : std::uint8_t {
    required,  // only rows whose label had arrived before as_of
    optional   // all rows; the label where there is one
};

struct ExportFilter {
    std::string endpoint = {};
    std::int64_t from_us = kNoTime;  // event time in [from, to) and before as_of
    std::int64_t to_us = kTimeMax;
    std::int64_t as_of_us = kTimeMax;
    ExportLabels labels = ExportLabels::required;
    std::size_t requests_max = kExportRequestsMax;  // held in memory, with or without a label
};

struct ModelScore {
    std::string_view model;
    std::string_view role;  // when the variant was registered
    float score = 0.0F;
    bool answered = false;  // the user got this one
    std::int64_t arrival_us = 0;
    std::int64_t latency_ns = 0;
};

/// Views live until the sink returns.
struct ExportedRow {
    std::string_view request_id;
    std::int64_t event_time_us = 0;
    std::span<const double> numbers;     // by the number columns of the schema; NaN is missing
    std::span<const TextValue> texts;    // by the text columns
    std::span<const ModelScore> scores;  // of every variant that scored it, once each, by model
    std::optional<double> label;
    std::int64_t label_time_us = kNoTime;
};

using ExportSink = std::function<Result<void>(const EndpointSchema& schema, const ExportedRow& row)>;

/// Calls `sink` with the rows in the order (event time, request id), which does not depend on the order of
/// arrival. `schema` is the newest of the files; rows of an older one are mapped by column name. Returns the
/// number of rows. Errors: those of the files and the sink; not_found when no file declares the endpoint;
/// resource_exhausted above requests_max requests.
Result<std::int64_t> export_rows(const std::vector<std::string>& segment_files,
                                 const std::vector<std::string>& label_files, const ExportFilter& filter,
                                 const ExportSink& sink);

}  // namespace gyre::monitoring
