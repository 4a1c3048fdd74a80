#include "monitoring/monitor.h"

#include <algorithm>

#include "base/id.h"
#include "events/events.h"

namespace gyre::monitoring {
namespace {

using storage::Reader;
using storage::Statement;
using storage::Transaction;

/// Windows before the newest that are looked at again for late labels.
constexpr std::size_t kLateWindows = 8;

constexpr std::string_view kSelectMonitors =
    "SELECT id, spec, position_us, state, created_at_us FROM monitors WHERE project = ?1 AND "
    "(?2 = '' OR endpoint = ?2) ORDER BY created_at_us, id";
constexpr std::string_view kSelectMonitor =
    "SELECT id, spec, position_us, state, created_at_us FROM monitors WHERE project = ? AND id = ?";
constexpr std::string_view kInsertMonitor =
    "INSERT INTO monitors (project, id, endpoint, name, spec, state, created_at_us) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kMoveMonitor =
    "UPDATE monitors SET position_us = ? WHERE id = ? AND position_us IS ?";
constexpr std::string_view kSaveState = "UPDATE monitors SET state = ? WHERE id = ?";
constexpr std::string_view kInsertResult =
    "INSERT INTO monitor_results (monitor_id, end_us, start_us, as_of_us, verdict, body) "
    "VALUES (?, ?, ?, ?, ?, ?)";
constexpr std::string_view kInsertAlert =
    "INSERT INTO alerts (project, id, monitor_id, endpoint, kind, metric, value, low, high, threshold, "
    "severity, state, opened_at_us, as_of_us, message) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'firing', ?, ?, ?)";
constexpr std::string_view kResolveAlert =
    "UPDATE alerts SET state = 'resolved', resolved_at_us = ? WHERE id = ?";
constexpr std::string_view kSelectAlerts =
    "SELECT id, monitor_id, endpoint, kind, metric, value, low, high, threshold, severity, state, "
    "opened_at_us, resolved_at_us, as_of_us, message FROM alerts WHERE project = ?1 AND "
    "(?2 = '' OR endpoint = ?2) AND (?3 = 0 OR state = 'firing') "
    "ORDER BY opened_at_us DESC, id DESC LIMIT ?4";
constexpr std::string_view kSelectWindow =
    "SELECT revision, labelled FROM performance_windows WHERE project = ? AND endpoint = ? AND model = ? AND "
    "start_us = ? AND end_us = ?";
constexpr std::string_view kUpsertWindow =
    "INSERT INTO performance_windows (project, endpoint, model, start_us, end_us, revision, labelled, body) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (project, endpoint, model, start_us, end_us) DO UPDATE SET "
    "revision = excluded.revision, labelled = excluded.labelled, body = excluded.body";
constexpr std::string_view kUpsertWatermarks =
    "INSERT INTO monitoring_watermarks (project, endpoint, first_event_us, predictions_us, labels_us) "
    "VALUES (?, ?, ?, ?, ?) ON CONFLICT (project, endpoint) DO UPDATE SET first_event_us = "
    "excluded.first_event_us, "
    "predictions_us = excluded.predictions_us, labels_us = excluded.labels_us";

constexpr std::string_view kSelectWatermarks =
    "SELECT first_event_us, predictions_us, labels_us FROM monitoring_watermarks WHERE project = ? AND "
    "endpoint = ?";

std::string project() {
    return default_project().str();
}

/// Whether the stored watermarks of the endpoint are of the same day as these.
Result<bool> stored_that_day(Reader& reader, const std::string& endpoint, const Watermarks& marks) {
    GYRE_TRY(Statement row, reader.query(kSelectWatermarks, project(), endpoint));
    GYRE_TRY(const bool found, row.step());
    return found && row.integer(0) == marks.first_event_us &&
           row.integer(1) / kUsPerDay == marks.predictions_us / kUsPerDay &&
           row.integer(2) / kUsPerDay == marks.labels_us / kUsPerDay;
}

template <class T>
Result<T> read_json(std::string_view text) {
    GYRE_TRY(const Json json, parse_json(text));
    return from_json<T>(json);
}

Result<Monitor> read_monitor(const Statement& row) {
    Monitor monitor;
    monitor.id = row.string(0);
    GYRE_TRY(monitor.spec, read_json<MonitorSpec>(row.text(1)));
    monitor.position_us = row.optional_integer(2);
    GYRE_TRY(monitor.state, read_json<MonitorState>(row.text(3)));
    monitor.created_at_us = row.integer(4);
    return monitor;
}

std::optional<double> optional_number(const Statement& row, int column) {
    return row.is_null(column) ? std::nullopt : std::optional(row.number(column));
}

Result<Alert> read_alert(const Statement& row) {
    Alert alert;
    alert.id = row.string(0);
    alert.monitor_id = row.string(1);
    alert.endpoint = row.string(2);
    GYRE_TRY(alert.kind, parse_enum<MonitorKind>(row.text(3)));
    alert.metric = row.string(4);
    alert.value = optional_number(row, 5);
    alert.low = optional_number(row, 6);
    alert.high = optional_number(row, 7);
    alert.threshold = optional_number(row, 8);
    GYRE_TRY(alert.severity, parse_enum<Severity>(row.text(9)));
    alert.firing = row.text(10) == "firing";
    alert.opened_at_us = row.integer(11);
    alert.resolved_at_us = row.optional_integer(12);
    alert.as_of_us = row.integer(13);
    alert.message = row.string(14);
    return alert;
}

/// All rows of a statement, by a function of one row.
template <class T, class Read>
Result<std::vector<T>> read_all(Statement statement, Read read) {
    std::vector<T> out;
    for (;;) {
        GYRE_TRY(const bool more, statement.step());
        if (!more) {
            return out;
        }
        GYRE_TRY(T value, read(statement));
        out.push_back(std::move(value));
    }
}

/// The next boundary after `position`: an end whose window begins at or after the endpoint's first day.
TimeWindow next_window(const Monitor& monitor, std::int64_t first_event_us) {
    const MonitorSpec& spec = monitor.spec;
    if (monitor.position_us) {
        const std::int64_t end = *monitor.position_us + spec.step_us();
        return {end - spec.window_us(), end};
    }
    return window_at(first_event_us, spec.window_us(), first_event_us);
}

/// What one metric or column says at a boundary.
struct Signal {
    std::string metric;
    evidence::Verdict verdict = evidence::Verdict::insufficient;
    std::optional<double> value;
    std::optional<double> low;
    std::optional<double> high;
    std::optional<double> threshold;
    std::string reason;
    std::string statistic = {};
};

std::vector<Signal> signals_of(const Evaluation& evaluation) {
    std::vector<Signal> signals;
    if (evaluation.finding) {
        const evidence::Finding& f = *evaluation.finding;
        signals.push_back({f.metric, f.verdict, f.estimate, f.low, f.high, f.threshold, f.reason});
    }
    if (evaluation.drift) {
        for (const DriftColumn& column : evaluation.drift->columns) {
            const auto verdict = column.insufficient ? evidence::Verdict::insufficient
                                 : column.drifted    ? evidence::Verdict::fail
                                                     : evidence::Verdict::pass;
            signals.push_back({column.column, verdict, column.value, std::nullopt, std::nullopt,
                               column.threshold, column.reason, column.statistic});
        }
    }
    return signals;
}

enum class Change : std::uint8_t { none, open, resolve };

/// Moves one track; insufficient evidence leaves it where it is.
Change advance(AlertTrack& track, evidence::Verdict verdict, const MonitorSpec& spec) {
    if (verdict == evidence::Verdict::fail) {
        ++track.breaches;
        track.passes = 0;
        return track.alert_id.empty() && track.breaches >= spec.open_after ? Change::open : Change::none;
    }
    if (verdict == evidence::Verdict::pass) {
        ++track.passes;
        track.breaches = 0;
        return !track.alert_id.empty() && track.passes >= spec.resolve_after ? Change::resolve : Change::none;
    }
    return Change::none;
}

struct NewsItem {
    std::string type;
    Json data;
};

Result<void> append_event(Transaction& tx, const Monitor& monitor, const Evaluation& evaluation,
                          NewsItem item) {
    Json& data = item.data;
    data.set("monitor", monitor.id);
    data.set("window_start_us", evaluation.span.start_us);
    data.set("window_end_us", evaluation.span.end_us);
    GYRE_TRY(const events::Event event, events::append(tx, {.type = std::move(item.type),
                                                            .subject = "endpoint/" + monitor.spec.endpoint,
                                                            .principal = system_principal(),
                                                            .as_of_us = evaluation.as_of_us,
                                                            .data = std::move(data)}));
    static_cast<void>(event);
    return {};
}

Result<void> append_change(Transaction& tx, std::string_view type, const Monitor& monitor,
                           const Principal& principal) {
    Json data = Json::object({{"monitor", monitor.id}, {"spec", to_json(monitor.spec)}});
    GYRE_TRY_VOID(events::append(tx, {.type = std::string(type),
                                      .subject = "endpoint/" + monitor.spec.endpoint,
                                      .principal = principal,
                                      .as_of_us = std::nullopt,
                                      .data = std::move(data)}));
    return {};
}

Json signal_json(const Signal& signal) {
    Json json = Json::object({{"metric", signal.metric}});
    const auto set = [&json](std::string_view key, const std::optional<double>& value) {
        if (value) {
            json.set(key, *value);
        }
    };
    if (!signal.statistic.empty()) {
        json.set("statistic", signal.statistic);
    }
    set("value", signal.value);
    set("low", signal.low);
    set("high", signal.high);
    set("threshold", signal.threshold);
    return json;
}

/// Opens and resolves alerts by the signals; `news` become Events after all rows are written.
Result<void> apply_signals(Transaction& tx, Monitor& monitor, Evaluation& evaluation,
                           std::vector<NewsItem>& news) {
    Json drifted = Json::array();
    for (const Signal& signal : signals_of(evaluation)) {
        AlertTrack& track = monitor.state.tracks[signal.metric];
        const Change change = advance(track, signal.verdict, monitor.spec);
        Json data = signal_json(signal);
        if (change == Change::open) {
            track.alert_id = make_hex_id();
            GYRE_TRY_VOID(tx.run(kInsertAlert, project(), track.alert_id, monitor.id, monitor.spec.endpoint,
                                 name_of(monitor.spec.kind), signal.metric, signal.value, signal.low,
                                 signal.high, signal.threshold, name_of(monitor.spec.severity), tx.now_us(),
                                 evaluation.as_of_us, signal.reason));
            evaluation.opened.push_back(track.alert_id);
            data.set("alert", track.alert_id);
            if (monitor.spec.kind == MonitorKind::performance) {
                news.push_back({"performance.degraded", data});
            } else {
                drifted.push_back(data);
            }
            news.push_back({"alert.opened", std::move(data)});
        } else if (change == Change::resolve) {
            GYRE_TRY_VOID(tx.run(kResolveAlert, tx.now_us(), track.alert_id));
            evaluation.resolved.push_back(track.alert_id);
            data.set("alert", track.alert_id);
            track = {};
            news.push_back({"alert.resolved", std::move(data)});
        }
    }
    if (!drifted.items().empty()) {
        Json data = Json::object({{"columns", std::move(drifted)}, {"share", evaluation.drift->share}});
        news.insert(news.begin(), {"drift.detected", std::move(data)});
    }
    return {};
}

}  // namespace

MonitorService::MonitorService(storage::Database& database, ScoreStore& scores, ProfileStore& profiles,
                               PredictionLog* log, ContextProvider context, const Clock& clock)
    : database_(database),
      scores_(scores),
      profiles_(profiles),
      log_(log),
      context_(std::move(context)),
      clock_(clock) {}

Result<Monitor> MonitorService::create(const MonitorSpec& spec, const Principal& principal) {
    GYRE_TRY_VOID(spec.check());
    Monitor monitor{
        .id = make_uuid7(clock_), .spec = spec, .position_us = {}, .state = {}, .created_at_us = {}};
    return database_.write([&](Transaction& tx) -> Result<Monitor> {
        GYRE_TRY(Statement count, tx.query("SELECT count(*) FROM monitors WHERE project = ?", project()));
        GYRE_TRY(const bool row, count.step());
        if (row && count.integer(0) >= static_cast<std::int64_t>(kMonitorsMax)) {
            return resource_exhausted("there are " + std::to_string(kMonitorsMax) + " monitors already");
        }
        monitor.created_at_us = tx.now_us();
        auto inserted = tx.run(kInsertMonitor, project(), monitor.id, spec.endpoint, spec.name,
                               to_json(spec).dump(), to_json(monitor.state).dump(), monitor.created_at_us);
        if (!inserted && inserted.error().code() == ErrorCode::already_exists) {
            return already_exists("endpoint '" + spec.endpoint + "' has a monitor '" + spec.name +
                                  "' already; remove it first with 'gyre monitor remove'");
        }
        GYRE_TRY_VOID(std::move(inserted));
        GYRE_TRY_VOID(append_change(tx, "monitor.created", monitor, principal));
        return monitor;
    });
}

Result<Monitor> MonitorService::remove(const std::string& id, const Principal& principal) {
    return database_.write([&](Transaction& tx) -> Result<Monitor> {
        GYRE_TRY(Statement row, tx.query(kSelectMonitor, project(), id));
        GYRE_TRY(const bool found, row.step());
        if (!found) {
            return not_found("there is no monitor '" + id + "'; 'gyre monitor list' shows their ids");
        }
        GYRE_TRY(Monitor monitor, read_monitor(row));
        GYRE_TRY_VOID(
            tx.run("UPDATE alerts SET state = 'resolved', resolved_at_us = ? WHERE monitor_id = ? AND "
                   "state = 'firing'",
                   tx.now_us(), id));
        GYRE_TRY_VOID(tx.run("DELETE FROM monitor_results WHERE monitor_id = ?", id));
        GYRE_TRY_VOID(tx.run("DELETE FROM monitors WHERE id = ?", id));
        GYRE_TRY_VOID(append_change(tx, "monitor.removed", monitor, principal));
        return monitor;
    });
}

Result<std::vector<Monitor>> MonitorService::list(const std::string& endpoint) {
    return database_.read([&](Reader& reader) -> Result<std::vector<Monitor>> {
        GYRE_TRY(Statement rows, reader.query(kSelectMonitors, project(), endpoint));
        return read_all<Monitor>(std::move(rows), read_monitor);
    });
}

Result<std::vector<Evaluation>> MonitorService::evaluate_due(const std::string& endpoint) {
    std::vector<Evaluation> evaluations;
    const Watermarks watermarks = scores_.watermarks(endpoint);
    if (watermarks.first_event_us == kNoTime) {
        return evaluations;
    }
    GYRE_TRY(const EndpointContext context, context_(endpoint));
    GYRE_TRY(std::vector<Monitor> monitors, list(endpoint));
    for (Monitor& monitor : monitors) {
        const bool drift = monitor.spec.kind == MonitorKind::drift;
        const std::int64_t watermark = drift ? watermarks.predictions_us : watermarks.labels_us;
        for (std::size_t i = 0; i < kEvaluationsPerCallMax; ++i) {
            const TimeWindow span = next_window(monitor, watermarks.first_event_us);
            if (watermark == kNoTime || span.end_us > watermark) {
                break;
            }
            GYRE_TRY(Evaluation evaluation, evaluate(monitor, context, span));
            evaluations.push_back(std::move(evaluation));
        }
    }
    GYRE_TRY_VOID(store_performance(endpoint, context));
    // A restart takes watermarks from the log and the labels; what is stored stands in for rows that
    // retention let go. So a day's step is fine enough, but for what windows have been judged by.
    GYRE_TRY(const bool stored, database_.read([&](Reader& reader) {
        return stored_that_day(reader, endpoint, scores_.watermarks(endpoint));
    }));
    if (!stored || !evaluations.empty()) {
        GYRE_TRY_VOID(store_watermarks(endpoint));
    }
    return evaluations;
}

Result<Evaluation> MonitorService::evaluate(Monitor& monitor, const EndpointContext& context,
                                            TimeWindow span) {
    Evaluation evaluation{.monitor_id = monitor.id,
                          .span = span,
                          .as_of_us = span.end_us,
                          .drift = {},
                          .finding = {},
                          .opened = {},
                          .resolved = {}};
    if (monitor.spec.kind == MonitorKind::drift) {
        GYRE_TRY_VOID(evaluate_drift(monitor, context, evaluation));
    } else {
        evaluation.as_of_us = span.end_us + scores_.options().label_lateness_us;
        const PerformanceWindow window = compute_performance(scores_, {.endpoint = monitor.spec.endpoint,
                                                                       .model = context.champion,
                                                                       .task = context.task,
                                                                       .span = span,
                                                                       .as_of_us = evaluation.as_of_us});
        evaluation.finding = judge_performance(monitor.spec, context, window);
        evaluation.verdict = evaluation.finding->verdict;
    }
    GYRE_TRY_VOID(commit(monitor, evaluation));
    return evaluation;
}

Result<void> MonitorService::evaluate_drift(Monitor& monitor, const EndpointContext& context,
                                            Evaluation& evaluation) {
    const MonitorSpec& spec = monitor.spec;
    if (!context.baseline) {
        evaluation.drift = DriftReport{.endpoint = spec.endpoint,
                                       .preset = spec.preset,
                                       .start_us = evaluation.span.start_us,
                                       .end_us = evaluation.span.end_us,
                                       .columns = {}};
        return {};
    }
    ColumnValues values;
    if (spec.preset == DriftPreset::classic && log_ != nullptr) {
        GYRE_TRY_VOID(log_->seal());
        GYRE_TRY(values, read_numeric_values(
                             log_->files_for(spec.endpoint, evaluation.span.start_us, evaluation.span.end_us),
                             spec.endpoint, evaluation.span));
    }
    evaluation.drift = judge_drift(
        {.endpoint = spec.endpoint, .preset = spec.preset, .span = evaluation.span, .options = spec.drift},
        *context.baseline, profiles_.window(spec.endpoint, evaluation.span), values, monitor.state.columns);
    const bool judged = std::ranges::any_of(evaluation.drift->columns,
                                            [](const DriftColumn& column) { return !column.insufficient; });
    evaluation.verdict = evaluation.drift->drifted ? evidence::Verdict::fail
                         : judged                  ? evidence::Verdict::pass
                                                   : evidence::Verdict::insufficient;
    return {};
}

/// Result, position, alerts and Events of one boundary, in one transaction.
Result<void> MonitorService::commit(Monitor& monitor, Evaluation& evaluation) {
    const Json body = evaluation.drift ? to_json(*evaluation.drift) : to_json(*evaluation.finding);
    GYRE_TRY(Monitor moved, database_.write([&](Transaction& tx) -> Result<Monitor> {
        Monitor next = monitor;
        next.position_us = evaluation.span.end_us;
        // The position is claimed first, so that of two evaluators only one goes on.
        GYRE_TRY_VOID(tx.run(kMoveMonitor, next.position_us, next.id, monitor.position_us));
        if (tx.changes() != 1) {
            return conflict("monitor '" + monitor.id + "' was evaluated or removed by somebody else");
        }
        GYRE_TRY_VOID(tx.run(kInsertResult, monitor.id, evaluation.span.end_us, evaluation.span.start_us,
                             evaluation.as_of_us, name_of(evaluation.verdict), body.dump()));
        evaluation.opened.clear();
        evaluation.resolved.clear();
        std::vector<NewsItem> news;
        GYRE_TRY_VOID(apply_signals(tx, next, evaluation, news));
        GYRE_TRY_VOID(tx.run(kSaveState, to_json(next.state).dump(), next.id));
        for (NewsItem& item : news) {
            GYRE_TRY_VOID(append_event(tx, next, evaluation, std::move(item)));
        }
        return next;
    }));
    monitor = std::move(moved);
    return {};
}

Result<void> MonitorService::store_performance(const std::string& endpoint, const EndpointContext& context) {
    const Watermarks watermarks = scores_.watermarks(endpoint);
    const std::vector<TimeWindow> closed =
        windows_until(watermarks.first_event_us, kPerformanceWindowUs, watermarks.labels_us);
    if (closed.empty()) {
        return {};
    }
    const std::int64_t lateness = scores_.options().label_lateness_us;
    const std::size_t from = closed.size() - std::min(closed.size(), kLateWindows);
    for (const std::string& model : scores_.models(endpoint)) {
        for (std::size_t i = from; i < closed.size(); ++i) {
            const TimeWindow span = closed[i];
            const auto known =
                database_.read([&](Reader& reader) -> Result<std::pair<std::int64_t, std::int64_t>> {
                    GYRE_TRY(Statement row, reader.query(kSelectWindow, project(), endpoint, model,
                                                         span.start_us, span.end_us));
                    GYRE_TRY(const bool found, row.step());
                    return found ? std::pair(row.integer(0), row.integer(1))
                                 : std::pair(std::int64_t{0}, std::int64_t{0});
                });
            GYRE_TRY(const auto held, known);
            // First as of its own end; later, with the labels that had come by the newest boundary.
            const std::int64_t as_of = (held.first == 0 ? span : closed.back()).end_us + lateness;
            const RowCounts counts = scores_.count_rows({endpoint, model, span.start_us, span.end_us, as_of});
            if (counts.rows == 0 || (held.first > 0 && counts.labelled == held.second)) {
                continue;
            }
            PerformanceWindow window = compute_performance(scores_, {.endpoint = endpoint,
                                                                     .model = model,
                                                                     .task = context.task,
                                                                     .span = span,
                                                                     .as_of_us = as_of});
            window.revision = held.first + 1;
            GYRE_TRY_VOID(database_.write([&](Transaction& tx) -> Result<void> {
                return tx.run(kUpsertWindow, project(), endpoint, model, span.start_us, span.end_us,
                              window.revision, window.labelled, window.to_json().dump());
            }));
        }
    }
    return {};
}

Result<void> MonitorService::store_watermarks(const std::string& endpoint) {
    const Watermarks marks = scores_.watermarks(endpoint);
    return database_.write([&](Transaction& tx) -> Result<void> {
        return tx.run(kUpsertWatermarks, project(), endpoint, marks.first_event_us, marks.predictions_us,
                      marks.labels_us);
    });
}

Result<void> MonitorService::restore_watermarks() {
    struct Row {
        std::string endpoint;
        Watermarks marks;
    };
    GYRE_TRY(const std::vector<Row> rows, database_.read([&](Reader& reader) -> Result<std::vector<Row>> {
        GYRE_TRY(Statement statement,
                 reader.query("SELECT endpoint, first_event_us, predictions_us, labels_us FROM "
                              "monitoring_watermarks WHERE project = ?",
                              project()));
        return read_all<Row>(std::move(statement), [](const Statement& row) -> Result<Row> {
            return Row{row.string(0),
                       {.predictions_us = row.integer(2),
                        .labels_us = row.integer(3),
                        .first_event_us = row.integer(1)}};
        });
    }));
    for (const Row& row : rows) {
        scores_.restore_watermarks(row.endpoint, row.marks);
    }
    return {};
}

Result<std::vector<Alert>> MonitorService::alerts(const std::string& endpoint, AlertFilter filter,
                                                  std::size_t limit) {
    return database_.read([&](Reader& reader) -> Result<std::vector<Alert>> {
        GYRE_TRY(Statement rows,
                 reader.query(kSelectAlerts, project(), endpoint, filter == AlertFilter::firing ? 1 : 0,
                              std::min(limit, kAlertsListMax)));
        return read_all<Alert>(std::move(rows), read_alert);
    });
}

Result<std::vector<Json>> MonitorService::results(const std::string& monitor_id, std::size_t limit) {
    return database_.read([&](Reader& reader) -> Result<std::vector<Json>> {
        GYRE_TRY(
            Statement rows,
            reader.query("SELECT body FROM monitor_results WHERE monitor_id = ? ORDER BY end_us DESC LIMIT ?",
                         monitor_id, std::min(limit, kEvaluationsPerCallMax)));
        return read_all<Json>(std::move(rows), [](const Statement& row) { return parse_json(row.text(0)); });
    });
}

Result<std::vector<PerformanceWindow>> MonitorService::performance(const std::string& endpoint) {
    return database_.read([&](Reader& reader) -> Result<std::vector<PerformanceWindow>> {
        GYRE_TRY(Statement rows, reader.query("SELECT body FROM performance_windows WHERE project = ? AND "
                                              "endpoint = ? ORDER BY start_us, model LIMIT 10000",
                                              project(), endpoint));
        return read_all<PerformanceWindow>(std::move(rows),
                                           [](const Statement& row) -> Result<PerformanceWindow> {
                                               GYRE_TRY(const Json json, parse_json(row.text(0)));
                                               return PerformanceWindow::from_json(json);
                                           });
    });
}

}  // namespace gyre::monitoring
