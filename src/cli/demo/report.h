#pragma once
// The demo's summary: what was measured month by month, as a table, as a picture, and against what was
// expected.
#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"

namespace gyre::cli::demo {

struct Interval {
    double estimate = 0.0;
    double low = 0.0;
    double high = 0.0;
};

/// One month of one contender ("loop": what users got; "left alone": the first model, scored on the same
/// rows).
struct MonthScore {
    std::int64_t n = 0;
    Interval auc;   // NaN for a regression
    Interval loss;  // Brier score, of a regression the mean squared error
};

struct Month {
    std::string name;  // "2013-02"
    double positive_share = 0.0;
    MonthScore loop;
    MonthScore alone;
    Interval difference;  // loop - left alone, paired; below 0 is better
};

struct YearReport {
    std::vector<Month> months;
    Interval difference;        // of the rows from `compared_from` on
    std::string compared_from;  // "2013-04-01"
    double alone_loss = 0.0;
};

/// Reads what GET /endpoints/{name}/report answers.
Result<YearReport> read_report(const Json& json);

/// The table of months, for people. `positive` heads the share of class 1.
std::string format_table(const YearReport& report, bool classification, const std::string& positive);
/// Loss and AUC by month with intervals, loop against left alone: one self-contained SVG.
std::string draw_svg(const YearReport& report, bool classification);

/// One thing that had to hold.
struct Expectation {
    std::string what;
    bool held = false;
    std::string seen;
};
std::string format_expectations(const std::vector<Expectation>& expectations);
bool all_held(const std::vector<Expectation>& expectations);

}  // namespace gyre::cli::demo
