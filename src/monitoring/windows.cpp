#include "monitoring/windows.h"

#include <algorithm>
#include <cmath>

#include "monitoring/limits.h"
#include "stats/model_metrics.h"

namespace gyre::monitoring {
namespace {

std::int64_t floor_to(std::int64_t time_us, std::int64_t step_us) {
    const std::int64_t n = time_us / step_us - (time_us % step_us < 0 ? 1 : 0);
    return n * step_us;
}

/// Year and month (1 to 12) of a time, by the day count (H. Hinnant, chrono-compatible date algorithms).
std::pair<std::int64_t, unsigned> year_month_of(std::int64_t time_us) {
    const std::int64_t z = floor_to(time_us, kUsPerDay) / kUsPerDay + 719'468;
    const std::int64_t era = (z >= 0 ? z : z - 146'096) / 146'097;
    const std::int64_t day_of_era = z - era * 146'097;
    const std::int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
    const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t shifted = (5 * day_of_year + 2) / 153;
    const std::int64_t month = shifted < 10 ? shifted + 3 : shifted - 9;
    return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), static_cast<unsigned>(month)};
}

/// The value at share q, linear between order statistics (numpy.percentile's default).
double quantile_of(const std::vector<double>& sorted, double q) {
    const double place = q * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

void add_latency(PerformanceWindow& window, const std::vector<ScoredRow>& rows) {
    std::vector<double> latencies;
    double sum = 0.0;
    for (const ScoredRow& row : rows) {
        if (row.answered) {
            latencies.push_back(static_cast<double>(row.latency_ns) / 1e6);
        }
    }
    if (latencies.empty()) {
        return;
    }
    std::ranges::sort(latencies);
    for (const double value : latencies) {
        sum += value;
    }
    window.latency_ms = {{"mean", sum / static_cast<double>(latencies.size())},
                         {"p50", quantile_of(latencies, 0.5)},
                         {"p95", quantile_of(latencies, 0.95)},
                         {"p99", quantile_of(latencies, 0.99)}};
}

void put(PerformanceWindow& window, const std::string& name, const Result<stats::Interval>& value) {
    if (value && std::isfinite(value->estimate) && std::isfinite(value->low) && std::isfinite(value->high)) {
        window.metrics[name] = *value;
    } else {
        window.reasons[name] =
            value ? "its interval is not finite: too few rows or labels" : value.error().message();
    }
}

stats::Interval point(double value, std::int64_t n) {
    return {.estimate = value, .low = value, .high = value, .n = n};
}

void add_classification(PerformanceWindow& window, stats::LabelledRows rows, double threshold) {
    put(window, "auc", stats::roc_auc(rows));
    put(window, "brier", stats::brier_score(rows));
    put(window, "log_loss", stats::log_loss(rows));
    const auto counts = stats::confusion_matrix(rows, threshold);
    if (!counts) {
        window.reasons["accuracy"] = counts.error().message();
        return;
    }
    const std::int64_t n = counts->n();
    put(window, "accuracy", stats::wilson(counts->true_positives + counts->true_negatives, n));
    put(window, "precision",
        stats::wilson(counts->true_positives, counts->true_positives + counts->false_positives));
    put(window, "recall",
        stats::wilson(counts->true_positives, counts->true_positives + counts->false_negatives));
    put(window, "f1", counts->f1_interval());
}

void add_regression(PerformanceWindow& window, stats::LabelledRows rows) {
    const auto metrics = stats::regression_metrics(rows);
    if (!metrics) {
        window.reasons["mae"] = metrics.error().message();
        return;
    }
    put(window, "mae", metrics->mae);
    put(window, "rmse", metrics->rmse);
    put(window, "r2", metrics->r2);
}

}  // namespace

TimeWindow window_at(std::int64_t origin_us, std::int64_t length_us, std::int64_t time_us) {
    const std::int64_t origin = floor_to(origin_us, kUsPerDay);
    const std::int64_t start = origin + floor_to(time_us - origin, length_us);
    return {start, start + length_us};
}

std::vector<TimeWindow> windows_until(std::int64_t origin_us, std::int64_t length_us, std::int64_t until_us) {
    std::vector<TimeWindow> windows;
    if (origin_us == kNoTime || until_us == kNoTime) {
        return windows;
    }
    TimeWindow window = window_at(origin_us, length_us, origin_us);
    while (window.end_us <= until_us && windows.size() < kWindowsMax) {
        windows.push_back(window);
        window = {window.end_us, window.end_us + length_us};
    }
    return windows;
}

std::vector<TimeWindow> months_between(std::int64_t from_us, std::int64_t to_us) {
    std::vector<TimeWindow> months;
    if (from_us == kNoTime || to_us <= from_us) {
        return months;
    }
    auto [year, month] = year_month_of(from_us);
    std::int64_t start = days_from_civil(year, month, 1) * kUsPerDay;
    while (start < to_us && months.size() < kWindowsMax) {
        year += month == 12 ? 1 : 0;
        month = month == 12 ? 1 : month + 1;
        const std::int64_t end = days_from_civil(year, month, 1) * kUsPerDay;
        months.push_back({start, end});
        start = end;
    }
    return months;
}

std::optional<stats::Interval> PerformanceWindow::metric(const std::string& name) const {
    const auto at = metrics.find(name);
    return at == metrics.end() ? std::nullopt : std::optional(at->second);
}

PerformanceWindow compute_performance(const ScoreStore& store, const PerformanceQuery& query) {
    PerformanceWindow window{
        .endpoint = query.endpoint, .model = query.model, .span = query.span, .as_of_us = query.as_of_us};
    const std::vector<ScoredRow> rows = store.scored_rows({.endpoint = query.endpoint,
                                                           .model = query.model,
                                                           .from_us = query.span.start_us,
                                                           .to_us = query.span.end_us,
                                                           .as_of_us = query.as_of_us});
    std::vector<double> labels;
    std::vector<double> scores;
    double sum = 0.0;
    for (const ScoredRow& row : rows) {
        window.answered += row.answered ? 1 : 0;
        sum += static_cast<double>(row.score);
        if (row.label) {
            labels.push_back(*row.label);
            scores.push_back(static_cast<double>(row.score));
        }
    }
    window.n = static_cast<std::int64_t>(rows.size());
    window.labelled = static_cast<std::int64_t>(labels.size());
    window.dropped = store.dropped_rows(query.endpoint, query.span.start_us, query.span.end_us);
    const double expected = static_cast<double>(window.n + window.dropped);
    window.coverage = expected > 0.0 ? static_cast<double>(window.n) / expected : 1.0;
    add_latency(window, rows);
    if (window.n > 0 && std::isfinite(sum)) {
        window.metrics["mean_output"] = point(sum / static_cast<double>(window.n), window.n);
    }
    if (labels.empty()) {
        window.reasons["labels"] = "no row of the window had a label by then";
    } else if (query.task == Task::classification) {
        add_classification(window, {labels, scores}, query.threshold);
    } else {
        add_regression(window, {labels, scores});
    }
    return window;
}

Json PerformanceWindow::to_json() const {
    Json json = Json::object({{"endpoint", endpoint},
                              {"model", model},
                              {"start_us", span.start_us},
                              {"end_us", span.end_us},
                              {"as_of_us", as_of_us},
                              {"revision", revision},
                              {"n", n},
                              {"answered", answered},
                              {"labelled", labelled},
                              {"dropped", dropped},
                              {"coverage", coverage}});
    Json values = Json::object();
    for (const auto& [name, interval] : metrics) {
        values.set(name, gyre::to_json(interval));
    }
    Json latencies = Json::object();
    for (const auto& [name, value] : latency_ms) {
        latencies.set(name, value);
    }
    Json why = Json::object();
    for (const auto& [name, reason] : reasons) {
        why.set(name, reason);
    }
    json.set("metrics", std::move(values));
    json.set("latency_ms", std::move(latencies));
    json.set("reasons", std::move(why));
    return json;
}

Result<PerformanceWindow> PerformanceWindow::from_json(const Json& json) {
    PerformanceWindow window{.endpoint = json.string_or("endpoint", ""),
                             .model = json.string_or("model", ""),
                             .span = {json.integer_or("start_us", 0), json.integer_or("end_us", 0)},
                             .as_of_us = json.integer_or("as_of_us", 0),
                             .revision = json.integer_or("revision", 1),
                             .n = json.integer_or("n", 0),
                             .answered = json.integer_or("answered", 0),
                             .labelled = json.integer_or("labelled", 0),
                             .dropped = json.integer_or("dropped", 0),
                             .coverage = json.number_or("coverage", 1.0)};
    if (!json["metrics"].is_object() || !json["latency_ms"].is_object() || !json["reasons"].is_object()) {
        return invalid_argument("expected a performance window with metrics, latency_ms and reasons");
    }
    for (const JsonMember& member : json["metrics"].members()) {
        GYRE_TRY(window.metrics[member.key], gyre::from_json<stats::Interval>(member.value));
    }
    for (const JsonMember& member : json["latency_ms"].members()) {
        window.latency_ms[member.key] = member.value.is_number() ? member.value.as_number() : 0.0;
    }
    for (const JsonMember& member : json["reasons"].members()) {
        window.reasons[member.key] = member.value.is_string() ? member.value.as_string() : "";
    }
    return window;
}

Json api_json(const PerformanceWindow& window) {
    Json json = Json::object({{"start", format_rfc3339(window.span.start_us)},
                              {"end", format_rfc3339(window.span.end_us)},
                              {"variant", window.model},
                              {"n", window.n},
                              {"labelled", window.labelled},
                              {"coverage", window.coverage},
                              {"revision", window.revision}});
    for (const auto& [name, interval] : window.metrics) {
        json.set(name, interval.estimate);
        if (interval.low != interval.high) {
            json.set(name + "_low", interval.low);
            json.set(name + "_high", interval.high);
        }
    }
    for (const auto& [name, value] : window.latency_ms) {
        json.set("latency_ms_" + name, value);
    }
    return json;
}

}  // namespace gyre::monitoring
