#pragma once
// Report: what users got, month by month, beside one fixed model that scored the same rows.
#include <string>

#include "base/json.h"
#include "monitoring/score_store.h"
#include "monitoring/types.h"

namespace gyre::loop {

struct ReportQuery {
    std::string endpoint;
    std::string alone;  // the fixed model, "flights/1"
    monitoring::Task task = monitoring::Task::classification;
    std::int64_t from_us = monitoring::kNoTime;
    std::int64_t to_us = monitoring::kTimeMax;
    std::int64_t utc_offset_us = 0;                      // months begin at this clock's midnight
    std::int64_t compare_from_us = monitoring::kNoTime;  // the overall difference counts rows from here on
};

/// {"months":[{"month","positive_share","loop":{"n","auc","loss"},"alone":{...},"difference"}],
///  "difference","alone_loss","covers_from","complete"}.
/// loss is the Brier score, for regression the mean squared error; difference is loop minus alone, paired,
/// with its 95 % interval. Labelled rows that both scored. Rows are those of the live join, which reaches
/// back to `covers_from`; `complete` is false when the endpoint answered before it.
Json year_report(const monitoring::ScoreStore& scores, const ReportQuery& query);

}  // namespace gyre::loop
