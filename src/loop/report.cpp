#include "loop/report.h"

#include <map>

#include "base/clock.h"
#include "monitoring/windows.h"
#include "stats/model_metrics.h"

namespace gyre::loop {
namespace {

struct PairedScore {
    std::int64_t event_time_us = 0;  // on the report's clock
    double label = 0.0;
    double loop = 0.0;
    double alone = 0.0;
};

Json interval_json(const Result<stats::Interval>& interval) {
    if (!interval) {
        return {};
    }
    return Json::object({{"estimate", interval->estimate}, {"low", interval->low}, {"high", interval->high}});
}

double squared(double value) {
    return value * value;
}

/// What users got and what the fixed model said, for every labelled row that has both.
std::vector<PairedScore> paired_scores(const monitoring::ScoreStore& scores, const ReportQuery& query) {
    std::map<monitoring::RequestKey, double> alone;
    for (const auto& row : scores.scored_rows({query.endpoint, query.alone, query.from_us, query.to_us})) {
        alone.emplace(row.key, static_cast<double>(row.score));
    }
    std::vector<PairedScore> pairs;
    for (const std::string& model : scores.models(query.endpoint)) {
        for (const auto& row : scores.scored_rows({query.endpoint, model, query.from_us, query.to_us})) {
            const auto other = alone.find(row.key);
            if (row.answered && row.label && other != alone.end()) {
                pairs.push_back({row.event_time_us + query.utc_offset_us, *row.label,
                                 static_cast<double>(row.score), other->second});
            }
        }
    }
    return pairs;
}

Json score_json(const std::vector<double>& labels, const std::vector<double>& predictions,
                bool classification) {
    std::vector<double> losses;
    losses.reserve(labels.size());
    for (std::size_t i = 0; i < labels.size(); ++i) {
        losses.push_back(squared(predictions[i] - labels[i]));
    }
    Json out = Json::object({{"n", Json(static_cast<std::int64_t>(labels.size()))},
                             {"loss", interval_json(stats::mean_interval(losses))}});
    if (classification) {
        out.set("auc", interval_json(stats::roc_auc({labels, predictions})));
    }
    return out;
}

Json difference_json(const std::vector<PairedScore>& rows, std::int64_t from_us, std::int64_t to_us) {
    std::vector<double> differences;
    for (const PairedScore& row : rows) {
        if (row.event_time_us >= from_us && row.event_time_us < to_us) {
            differences.push_back(squared(row.loop - row.label) - squared(row.alone - row.label));
        }
    }
    return differences.empty() ? Json() : interval_json(stats::mean_interval(differences));
}

Json month_json(const std::vector<PairedScore>& rows, const monitoring::TimeWindow& month,
                bool classification) {
    std::vector<double> labels;
    std::vector<double> loop;
    std::vector<double> alone;
    double positives = 0.0;
    for (const PairedScore& row : rows) {
        if (row.event_time_us >= month.start_us && row.event_time_us < month.end_us) {
            labels.push_back(row.label);
            loop.push_back(row.loop);
            alone.push_back(row.alone);
            positives += row.label;
        }
    }
    return Json::object(
        {{"month", format_rfc3339(month.start_us).substr(0, 7)},
         {"positive_share", labels.empty() ? 0.0 : positives / static_cast<double>(labels.size())},
         {"loop", score_json(labels, loop, classification)},
         {"alone", score_json(labels, alone, classification)},
         {"difference", difference_json(rows, month.start_us, month.end_us)}});
}

/// How far back the rows reach: the live join forgets what its horizon has passed.
void set_reach(Json& report, const monitoring::ScoreStore& scores, const ReportQuery& query) {
    const std::int64_t oldest_us = scores.oldest_event_us(query.endpoint);
    const bool empty = oldest_us == monitoring::kNoTime;
    const std::int64_t wanted_us = std::max(query.from_us, scores.first_event_us(query.endpoint));
    report.set("covers_from", empty ? Json() : Json(format_rfc3339(oldest_us)));
    report.set("complete", empty ? wanted_us == monitoring::kNoTime : oldest_us <= wanted_us);
}

}  // namespace

Json year_report(const monitoring::ScoreStore& scores, const ReportQuery& query) {
    const std::vector<PairedScore> rows = paired_scores(scores, query);
    const std::int64_t compare_from_us = query.compare_from_us + query.utc_offset_us;
    Json months = Json::array();
    double alone_loss = 0.0;
    std::size_t compared = 0;
    std::int64_t first = monitoring::kTimeMax;
    std::int64_t last = monitoring::kNoTime;
    for (const PairedScore& row : rows) {
        first = std::min(first, row.event_time_us);
        last = std::max(last, row.event_time_us);
        if (row.event_time_us >= compare_from_us) {
            alone_loss += squared(row.alone - row.label);
            ++compared;
        }
    }
    if (!rows.empty()) {
        for (const monitoring::TimeWindow& month : monitoring::months_between(first, last + 1)) {
            months.push_back(month_json(rows, month, query.task == monitoring::Task::classification));
        }
    }
    Json report =
        Json::object({{"months", std::move(months)},
                      {"difference", difference_json(rows, compare_from_us, monitoring::kTimeMax)},
                      {"alone_loss", compared == 0 ? 0.0 : alone_loss / static_cast<double>(compared)}});
    set_reach(report, scores, query);
    return report;
}

}  // namespace gyre::loop
