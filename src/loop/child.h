#pragma once
// Children: long work (training, evaluation, validation, export) in processes of their own, `gyre step SPEC`.
// The server hands over files and a spec, and commits what comes back; a child never opens the data folder.
#include <string>

#include "pipelines/step_kind.h"
#include "runtime/child_process.h"
#include "training/step.h"

namespace gyre::loop {

struct ChildOptions {
    std::string program;  // the gyre binary; "" for this process's own
    std::int64_t timeout_ms = 3'600'000;
    runtime::Priority priority = runtime::Priority::leftover;  // predictions come first
};

/// Runs one step to its end: result.json's "result". Progress goes to `context.report`. Errors: what the
/// child says in its result, cancelled, deadline_exceeded, internal with the end of its output when it died.
Result<Json> run_child(const ChildOptions& options, const pipelines::StepContext& context,
                       const training::StepSpec& spec);

/// What `gyre step` can do: the kinds of training, and
///   validate {"table", "suite"} -> SuiteResult
///   export   ExportParams       -> {"path", "rows"}: logged rows with their labels as Parquet
///   export_predictions ExportParams -> {"path", "rows"}: a row for every variant that scored a request
training::StepHandlers child_steps();

struct ExportParams {
    std::string endpoint;
    std::vector<std::string> segments;
    std::vector<std::string> labels;
    std::int64_t from_us = 0;
    std::int64_t as_of_us = 0;
    std::string output;                 // file name in the output folder
    std::optional<std::int64_t> to_us;  // event time; as_of_us, unless given
    std::optional<std::int64_t> requests_max;
    std::string
        sql;  // what goes out: a SELECT over "exported" and the step's inputs; "": "exported" as it is
    static constexpr auto fields() {
        using E = ExportParams;
        return std::tuple{Field{"endpoint", &E::endpoint, "Endpoint."},
                          Field{"segments", &E::segments, "Files of the prediction log."},
                          Field{"labels", &E::labels, "Files of the label log."},
                          Field{"from_us", &E::from_us, "Event time of the first row."},
                          Field{"as_of_us", &E::as_of_us, "Rows and labels known before then."},
                          Field{"output", &E::output, "File name in the output folder."},
                          Field{"to_us", &E::to_us, "Event time behind the last row.", optional_field},
                          Field{"requests_max", &E::requests_max, "Most requests.", optional_field},
                          Field{"sql", &E::sql, "What is written, over \"exported\".", optional_field}};
    }
};

}  // namespace gyre::loop
