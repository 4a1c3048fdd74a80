#include <algorithm>
#include <array>
#include <cmath>

#include "monitoring/limits.h"
#include "monitoring/monitor.h"

namespace gyre::monitoring {
namespace {

struct MetricInfo {
    std::string_view name;
    evidence::Direction better;
    bool latency = false;
};
constexpr std::array<MetricInfo, 15> kMetrics{{
    {.name = "auc", .better = evidence::Direction::at_least},
    {.name = "accuracy", .better = evidence::Direction::at_least},
    {.name = "precision", .better = evidence::Direction::at_least},
    {.name = "recall", .better = evidence::Direction::at_least},
    {.name = "f1", .better = evidence::Direction::at_least},
    {.name = "r2", .better = evidence::Direction::at_least},
    {.name = "brier", .better = evidence::Direction::at_most},
    {.name = "log_loss", .better = evidence::Direction::at_most},
    {.name = "mae", .better = evidence::Direction::at_most},
    {.name = "rmse", .better = evidence::Direction::at_most},
    {.name = "latency_ms", .better = evidence::Direction::at_most, .latency = true},
    {.name = "latency_ms_mean", .better = evidence::Direction::at_most, .latency = true},
    {.name = "latency_ms_p50", .better = evidence::Direction::at_most, .latency = true},
    {.name = "latency_ms_p95", .better = evidence::Direction::at_most, .latency = true},
    {.name = "latency_ms_p99", .better = evidence::Direction::at_most, .latency = true},
}};

const MetricInfo* find_metric(std::string_view name) {
    for (const MetricInfo& info : kMetrics) {
        if (info.name == name) {
            return &info;
        }
    }
    return nullptr;
}

std::optional<stats::Interval> latency_of(const PerformanceWindow& window, std::string_view metric) {
    constexpr std::string_view kPrefix = "latency_ms_";
    const std::string part =
        metric == "latency_ms" ? "mean" : std::string(metric.substr(std::min(kPrefix.size(), metric.size())));
    const auto at = window.latency_ms.find(part);
    if (at == window.latency_ms.end()) {
        return std::nullopt;
    }
    return stats::Interval{
        .estimate = at->second, .low = at->second, .high = at->second, .n = window.answered};
}

evidence::Finding insufficient(const MonitorSpec& spec, std::string reason) {
    evidence::Finding finding;
    finding.metric = spec.metric;
    finding.reason = std::move(reason);
    return finding;
}

Result<void> check_days(std::string_view field, const std::string& text) {
    const std::int64_t us = parse_duration_us(text).value_or(0);
    if (us <= 0 || us % kUsPerDay != 0) {
        return invalid_argument(std::string(field) +
                                ": expected whole days above 0, such as 1d, 7d or 4w, got '" + text + "'");
    }
    return {};
}

}  // namespace

std::int64_t MonitorSpec::window_us() const {
    return parse_duration_us(window).value_or(kPerformanceWindowUs);
}

std::int64_t MonitorSpec::step_us() const {
    return parse_duration_us(step).value_or(kPerformanceWindowUs);
}

Result<void> MonitorSpec::check() const {
    if (endpoint.empty() || name.empty()) {
        return invalid_argument("a monitor needs an endpoint and a name");
    }
    GYRE_TRY_VOID(check_days("window", window));
    GYRE_TRY_VOID(check_days("step", step));
    if (open_after < 1 || resolve_after < 1 || min_labelled < 1 || !std::isfinite(threshold)) {
        return invalid_argument(
            "open_after, resolve_after and min_labelled are at least 1, threshold finite");
    }
    if (kind == MonitorKind::drift) {
        return drift.check();
    }
    if (find_metric(metric) == nullptr) {
        std::string known;
        for (const MetricInfo& info : kMetrics) {
            known.append(known.empty() ? "" : ", ").append(info.name);
        }
        return invalid_argument("metric '" + metric + "' is not watched; expected one of " + known);
    }
    return {};
}

std::vector<SimpleAlert> simple_alerts(const PerformanceWindow& window, const SimpleThresholds& thresholds) {
    std::vector<SimpleAlert> alerts;
    const auto accuracy = window.metric("accuracy");
    if (thresholds.accuracy && accuracy && accuracy->estimate < *thresholds.accuracy) {
        alerts.push_back({"accuracy", accuracy->estimate, *thresholds.accuracy, Severity::critical});
    }
    const auto latency = latency_of(window, "latency_ms");
    if (thresholds.latency_ms && latency && latency->estimate > *thresholds.latency_ms) {
        alerts.push_back({"latency_ms", latency->estimate, *thresholds.latency_ms, Severity::warning});
    }
    return alerts;
}

evidence::Finding judge_performance(const MonitorSpec& spec, const EndpointContext& context,
                                    const PerformanceWindow& window) {
    const MetricInfo* info = find_metric(spec.metric);
    if (info == nullptr) {
        return insufficient(spec, "metric '" + spec.metric + "' is not watched");
    }
    if (info->latency && context.time == EndpointContext::Time::event) {
        return insufficient(spec, "latency decides nothing on an endpoint whose time is event");
    }
    const auto measured = info->latency ? latency_of(window, spec.metric) : window.metric(spec.metric);
    if (!measured) {
        const auto why = window.reasons.find(spec.metric);
        return insufficient(spec, why != window.reasons.end() ? why->second : "there is no such value yet");
    }
    if (!info->latency && window.labelled < spec.min_labelled) {
        return insufficient(spec, std::to_string(window.labelled) + " labelled rows, needs " +
                                      std::to_string(spec.min_labelled));
    }
    if (spec.threshold_kind == ThresholdKind::absolute) {
        return evidence::check_threshold({.metric = spec.metric,
                                          .direction = info->better,
                                          .value = spec.threshold,
                                          .strictness = spec.strictness,
                                          .min_rows = spec.min_labelled},
                                         measured);
    }
    const auto baseline = context.baseline_metrics.find(spec.metric);
    if (baseline == context.baseline_metrics.end()) {
        return insufficient(spec, "the champion's evaluation has no " + spec.metric);
    }
    // min_labelled is asked of the window, above. An evaluation on few rows has a wide interval, which
    // counts.
    evidence::Finding finding =
        evidence::compare_with_champion({.metric = spec.metric,
                                         .better = info->better,
                                         .relative_margin = spec.threshold,
                                         .strictness = spec.strictness,
                                         .min_rows = std::min(spec.min_labelled, kBaselineRowsMin)},
                                        measured, baseline->second);
    if (finding.estimate && finding.margin) {
        // People are shown what was measured beside what it may be, not a change beside a level.
        const double tolerated =
            info->better == evidence::Direction::at_least ? -*finding.margin : *finding.margin;
        finding.estimate = measured->estimate;
        finding.low = measured->low;
        finding.high = measured->high;
        finding.threshold = baseline->second.estimate + tolerated;
    }
    return finding;
}

Json api_json(const Alert& alert) {
    const auto number = [](const std::optional<double>& value) { return value ? Json(*value) : Json(); };
    return Json::object(
        {{"id", alert.id},
         {"endpoint", alert.endpoint},
         {"kind", name_of(alert.kind)},
         {"metric", alert.metric},
         {"value", number(alert.value)},
         {"low", number(alert.low)},
         {"high", number(alert.high)},
         {"threshold", number(alert.threshold)},
         {"severity", name_of(alert.severity)},
         {"state", alert.firing ? "firing" : "resolved"},
         {"opened_at", format_rfc3339(alert.opened_at_us)},
         {"resolved_at", alert.resolved_at_us ? Json(format_rfc3339(*alert.resolved_at_us)) : Json()},
         {"as_of", format_rfc3339(alert.as_of_us)},
         {"message", alert.message}});
}

}  // namespace gyre::monitoring
