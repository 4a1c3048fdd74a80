#pragma once
// Telling: what the server's events and tables say, in lines for people. Pure functions.
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace gyre::cli::demo {

/// One thing that was looked at in the data before anything was trained.
struct DataCheck {
    std::string what;
    std::int64_t rows = 0;  // that it concerns
    std::string note;
};
std::string format_checks(const std::vector<DataCheck>& checks, std::int64_t all_rows);

/// Metrics of an evaluation ({"roc_auc": {"estimate", "low", "high"}, ...}) with their intervals.
std::string format_metrics(const Json& metrics);

/// An event of the loop in a line, drift as a small table. Empty for events that the story leaves out.
std::string tell(const Json& event);

/// "0.1234": four significant digits.
std::string short_number(double value);

}  // namespace gyre::cli::demo
