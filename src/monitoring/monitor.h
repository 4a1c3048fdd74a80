#pragma once
// Monitors: what is watched on an endpoint, evaluated at every window boundary that its watermark passes.
//
// A boundary is evaluated exactly once, in order: the result, the monitor's new position and state, the
// alerts and the Events are one transaction. Drift waits for the prediction watermark, performance for the
// label watermark; a performance window is judged as of its end plus the allowed lateness of labels, whatever
// came later. Latency decides nothing on an endpoint whose time is `event`: a replay's latency is not its
// clock's. Thread-safe; run evaluate_due under one lease.
#include <functional>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/principal.h"
#include "evidence/threshold.h"
#include "monitoring/drift.h"
#include "monitoring/prediction_log.h"
#include "storage/sql/database.h"

namespace gyre::monitoring {

inline constexpr std::size_t kMonitorsMax = 10'000;
inline constexpr std::size_t kEvaluationsPerCallMax =
    1000;  // boundaries of one monitor; the next call goes on
inline constexpr std::size_t kAlertsListMax = 1000;

enum class MonitorKind : std::uint8_t { drift, performance };
constexpr auto enum_names(MonitorKind) {
    return std::array{EnumName{MonitorKind::drift, "drift"},
                      EnumName{MonitorKind::performance, "performance"}};
}
enum class ThresholdKind : std::uint8_t { absolute, relative };
constexpr auto enum_names(ThresholdKind) {
    return std::array{EnumName{ThresholdKind::absolute, "absolute"},
                      EnumName{ThresholdKind::relative, "relative"}};
}
enum class Severity : std::uint8_t { warning, critical };
constexpr auto enum_names(Severity) {
    return std::array{EnumName{Severity::warning, "warning"}, EnumName{Severity::critical, "critical"}};
}

struct MonitorSpec {
    std::string endpoint;
    std::string name;
    MonitorKind kind = MonitorKind::drift;
    std::string window = "7d";  // whole days, as is the step
    std::string step = "7d";
    DriftPreset preset = DriftPreset::baseline;
    evidence::DriftOptions drift;
    std::string metric;  // performance: "auc", "brier", "accuracy", ..., "latency_ms", "latency_ms_p99"
    ThresholdKind threshold_kind = ThresholdKind::relative;
    double threshold = 0.05;  // absolute: the floor or ceiling; relative: tolerated loss against the baseline
    evidence::Strictness strictness = evidence::Strictness::interval;
    std::int64_t min_labelled = evidence::kMinRows;
    Severity severity = Severity::warning;
    std::int64_t open_after = 1;     // breaches in a row that open an alert
    std::int64_t resolve_after = 2;  // passes in a row that resolve it

    static constexpr auto fields() {
        return std::tuple{
            Field{"endpoint", &MonitorSpec::endpoint, "Endpoint that is watched."},
            Field{"name", &MonitorSpec::name, "Name, unique within the endpoint."},
            Field{"kind", &MonitorSpec::kind, "drift or performance."},
            Field{"window", &MonitorSpec::window, "Length of a window: whole days, such as 7d or 2w.",
                  optional_field},
            Field{"step", &MonitorSpec::step, "Time between two boundaries: whole days.", optional_field},
            Field{"preset", &MonitorSpec::preset, "Drift: default or classic.", optional_field},
            Field{"drift", &MonitorSpec::drift, "Drift: options of the default preset.", optional_field},
            Field{"metric", &MonitorSpec::metric, "Performance: what is judged.", optional_field},
            Field{"threshold_kind", &MonitorSpec::threshold_kind, "absolute or relative.", optional_field},
            Field{"threshold", &MonitorSpec::threshold, "Floor, ceiling or tolerated relative loss.",
                  optional_field},
            Field{"strictness", &MonitorSpec::strictness, "estimate, or interval: all of it.",
                  optional_field},
            Field{"min_labelled", &MonitorSpec::min_labelled, "Fewer rows are no evidence.", optional_field},
            Field{"severity", &MonitorSpec::severity, "warning or critical.", optional_field},
            Field{"open_after", &MonitorSpec::open_after, "Breaches in a row that open.", optional_field},
            Field{"resolve_after", &MonitorSpec::resolve_after, "Passes in a row that resolve.",
                  optional_field}};
    }
    /// Errors: invalid_argument naming the field.
    [[nodiscard]] Result<void> check() const;
    /// Of a spec that was checked.
    [[nodiscard]] std::int64_t window_us() const;
    [[nodiscard]] std::int64_t step_us() const;
};

struct AlertTrack {
    std::int64_t breaches = 0;  // in a row
    std::int64_t passes = 0;
    std::string alert_id;  // firing when not empty
    static constexpr auto fields() {
        return std::tuple{Field{"breaches", &AlertTrack::breaches, "Breaches in a row."},
                          Field{"passes", &AlertTrack::passes, "Passes in a row."},
                          Field{"alert_id", &AlertTrack::alert_id, "The firing alert."}};
    }
};

/// What a monitor remembers between windows.
struct MonitorState {
    DriftStates columns;
    std::map<std::string, AlertTrack> tracks;  // by metric or column
    static constexpr auto fields() {
        return std::tuple{Field{"columns", &MonitorState::columns, "Drift state by column."},
                          Field{"tracks", &MonitorState::tracks, "Alerts by metric."}};
    }
};

struct Monitor {
    std::string id;
    MonitorSpec spec;
    std::optional<std::int64_t> position_us;
    MonitorState state;
    std::int64_t created_at_us = 0;
};

struct Alert {
    std::string id;
    std::string monitor_id;
    std::string endpoint;
    MonitorKind kind = MonitorKind::drift;
    std::string metric;
    std::optional<double> value;
    std::optional<double> low;
    std::optional<double> high;
    std::optional<double> threshold;
    Severity severity = Severity::warning;
    bool firing = true;
    std::int64_t opened_at_us = 0;
    std::optional<std::int64_t> resolved_at_us;
    std::int64_t as_of_us = 0;
    std::string message;
};
/// The form of the native API.
Json api_json(const Alert& alert);

/// One evaluated boundary.
struct Evaluation {
    std::string monitor_id;
    TimeWindow span;
    std::int64_t as_of_us = 0;
    evidence::Verdict verdict = evidence::Verdict::insufficient;
    std::optional<DriftReport> drift;
    std::optional<evidence::Finding> finding;
    std::vector<std::string> opened;    // alert ids
    std::vector<std::string> resolved;  // alert ids
};

/// What a monitor needs to know of its endpoint; given by whoever owns endpoints and packages.
struct EndpointContext {
    enum class Time : std::uint8_t { event, arrival };
    Task task = Task::classification;
    Time time = Time::event;
    std::string champion;                                     // "flights/1"
    std::optional<evidence::Baseline> baseline;               // of the champion's package
    std::map<std::string, stats::Interval> baseline_metrics;  // of its evaluation: "auc", "brier", ...
};
using ContextProvider = std::function<Result<EndpointContext>(const std::string& endpoint)>;

/// The plain rule over a window: accuracy below its threshold is critical, mean latency above its own is a
/// warning. Thresholds that are not given are not checked.
struct SimpleThresholds {
    std::optional<double> accuracy;
    std::optional<double> latency_ms;
};
struct SimpleAlert {
    std::string metric;
    double value = 0.0;
    double threshold = 0.0;
    Severity severity = Severity::warning;
};
std::vector<SimpleAlert> simple_alerts(const PerformanceWindow& window, const SimpleThresholds& thresholds);

/// Judges one window of a performance monitor. Pure.
evidence::Finding judge_performance(const MonitorSpec& spec, const EndpointContext& context,
                                    const PerformanceWindow& window);

class MonitorService {
 public:
    /// `log` (may be null) is read by the classic preset, which needs raw values.
    MonitorService(storage::Database& database, ScoreStore& scores, ProfileStore& profiles,
                   PredictionLog* log, ContextProvider context, const Clock& clock);

    // Definitions; each change appends its Event.
    /// Errors: invalid_argument, already_exists (name), resource_exhausted beyond kMonitorsMax.
    Result<Monitor> create(const MonitorSpec& spec, const Principal& principal);
    /// With its results; its firing alerts are resolved. Errors: not_found.
    Result<Monitor> remove(const std::string& id, const Principal& principal);
    /// All monitors, or an endpoint's; by creation.
    Result<std::vector<Monitor>> list(const std::string& endpoint = "");
    /// Evaluates every boundary that the watermarks have passed, and stores the performance windows that
    /// closed.
    Result<std::vector<Evaluation>> evaluate_due(const std::string& endpoint);

    /// Newest first. Filters: endpoint, firing only.
    enum class AlertFilter : std::uint8_t { all, firing };
    Result<std::vector<Alert>> alerts(const std::string& endpoint, AlertFilter filter,
                                      std::size_t limit = kAlertsListMax);
    /// Stored results of a monitor, newest first: bodies are DriftReport or Finding.
    Result<std::vector<Json>> results(const std::string& monitor_id, std::size_t limit = 100);
    /// Stored performance windows, by (start, model).
    Result<std::vector<PerformanceWindow>> performance(const std::string& endpoint);
    /// Watermarks of an earlier process; call before the stores are filled.
    Result<void> restore_watermarks();

 private:
    Result<Evaluation> evaluate(Monitor& monitor, const EndpointContext& context, TimeWindow span);
    Result<void> evaluate_drift(Monitor& monitor, const EndpointContext& context, Evaluation& evaluation);
    Result<void> commit(Monitor& monitor, Evaluation& evaluation);
    Result<void> store_performance(const std::string& endpoint, const EndpointContext& context);
    Result<void> store_watermarks(const std::string& endpoint);

    storage::Database& database_;
    ScoreStore& scores_;
    ProfileStore& profiles_;
    PredictionLog* log_;
    ContextProvider context_;
    const Clock& clock_;
};

}  // namespace gyre::monitoring
