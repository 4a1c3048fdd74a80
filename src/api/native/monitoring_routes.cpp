#include <algorithm>
#include <ranges>

#include "api/native/loop_routes.h"
#include "base/text.h"
#include "loop/report.h"

namespace gyre::api {
namespace {

constexpr std::size_t kLabelBodyBytesMax = 32U << 20U;
constexpr std::size_t kResultsShown = 120;
constexpr std::size_t kValueShownBytes = 80;

struct LabelIn {
    std::string request_id;
    Json value;
    std::string time;
    static constexpr auto fields() {
        return std::tuple{
            Field{"request_id", &LabelIn::request_id, "Request that the label belongs to."},
            Field{"value", &LabelIn::value,
                  "What really happened: a number, or the name of a class that the model was trained on."},
            Field{"time", &LabelIn::time, "When it became known; now, unless given.", optional_field}};
    }
};

struct LabelsIn {
    std::string endpoint;
    std::vector<LabelIn> labels;
    static constexpr auto fields() {
        return std::tuple{Field{"endpoint", &LabelsIn::endpoint, "Endpoint that answered."},
                          Field{"labels", &LabelsIn::labels, "At most 100,000."}};
    }
};

struct NameIn {
    std::string name;
    static constexpr auto fields() { return std::tuple{Field{"name", &NameIn::name, "Endpoint."}}; }
};

struct IdIn {
    std::string id;
    static constexpr auto fields() { return std::tuple{Field{"id", &IdIn::id, "Monitor."}}; }
};

struct DriftIn {
    std::string name;
    std::string monitor;
    static constexpr auto fields() {
        return std::tuple{
            Field{"name", &DriftIn::name, "Endpoint."},
            Field{"monitor", &DriftIn::monitor,
                  "Name of a drift monitor; the first with a result, unless given.", optional_field}};
    }
};

struct TrafficIn {
    std::string name;
    std::string bucket = "1d";
    static constexpr auto fields() {
        return std::tuple{
            Field{"name", &TrafficIn::name, "Endpoint."},
            Field{"bucket", &TrafficIn::bucket, "Length of a bucket: whole hours.", optional_field}};
    }
};

struct ReportIn {
    std::string name;
    std::string alone;
    std::string compare_from;
    std::int64_t utc_offset_minutes = 0;
    static constexpr auto fields() {
        return std::tuple{Field{"name", &ReportIn::name, "Endpoint."},
                          Field{"alone", &ReportIn::alone, "Model to compare with, such as flights/1."},
                          Field{"compare_from", &ReportIn::compare_from,
                                "The overall figure counts rows from here on.", optional_field},
                          Field{"utc_offset_minutes", &ReportIn::utc_offset_minutes,
                                "Months are those of a clock this far ahead of UTC.", optional_field}};
    }
};

struct AlertsIn {
    std::string endpoint;
    bool firing = false;
    static constexpr auto fields() {
        return std::tuple{Field{"endpoint", &AlertsIn::endpoint, "Only this endpoint's.", optional_field},
                          Field{"firing", &AlertsIn::firing, "Only those that fire.", optional_field}};
    }
};

/// The names of class 0 and 1, where the champion was trained on texts and is loaded.
std::vector<std::string> classes_of(const serving::RoutingTable& table, std::string_view endpoint) {
    const auto routed = table.find(endpoint);
    const bool loaded = routed && !(*routed)->variants.empty() && (*routed)->variants.front().model;
    return loaded ? (*routed)->variants.front().model->classes() : std::vector<std::string>();
}

Result<double> value_of(const Json& value, const std::vector<std::string>& classes) {
    if (value.is_number()) {
        return value.as_number();
    }
    if (value.is_string()) {
        const auto place = std::ranges::find(classes, value.as_string());
        if (place != classes.end()) {
            return static_cast<double>(place - classes.begin());
        }
    }
    return invalid_argument("expected a number" +
                            (classes.empty() ? "" : " or one of '" + join(classes, "', '") + "'") + ", got " +
                            value.dump().substr(0, kValueShownBytes));
}

/// A label's time moves the endpoint's: one from the far future would end every window and deadline.
Result<void> check_label(const serving::EndpointSpec& spec, double value, std::int64_t time_us,
                         std::int64_t now_us) {
    if (spec.task == serving::Task::classification && value != 0.0 && value != 1.0) {
        return invalid_argument("value: endpoint '" + spec.name +
                                "' is a classification; expected 0 or 1, got " + Json(value).dump());
    }
    if (!spec.own_clock && time_us > now_us + spec.future_skew_max_s * kUsPerSecond) {
        return invalid_argument("time: " + format_rfc3339(time_us) + " is beyond the server's clock, " +
                                format_rfc3339(now_us) + ", by more than " +
                                std::to_string(spec.future_skew_max_s) + " s");
    }
    return {};
}

class MonitoringHandlers {
 public:
    MonitoringHandlers(loop::Loop& loop, monitoring::Monitoring& monitoring, serving::Serving& serving)
        : loop_(loop), monitoring_(monitoring), serving_(serving) {}

    Result<Json> labels(const LabelsIn& in) {
        GYRE_TRY(const serving::StoredEndpoint stored, serving_.get(in.endpoint));
        const std::int64_t now_us = serving_.clock().now_us();
        const std::vector<std::string> classes = classes_of(serving_.table(), in.endpoint);
        std::vector<monitoring::Label> labels;
        labels.reserve(in.labels.size());
        for (const LabelIn& label : in.labels) {
            std::int64_t time_us = now_us;
            if (!label.time.empty()) {
                auto time = parse_rfc3339(label.time);
                if (!time) {
                    return std::move(time).error().context("labels[" + std::to_string(labels.size()) +
                                                           "].time");
                }
                time_us = *time;
            } else if (stored.spec.time == serving::TimeMode::event) {
                return invalid_argument(
                    "labels[" + std::to_string(labels.size()) + "]: endpoint '" + in.endpoint +
                    "' counts event times; say when the label became known (field 'time')");
            }
            auto value = value_of(label.value, classes);
            if (!value) {
                return std::move(value).error().context("labels[" + std::to_string(labels.size()) +
                                                        "].value");
            }
            if (auto good = check_label(stored.spec, *value, time_us, now_us); !good) {
                return std::move(good).error().context("labels[" + std::to_string(labels.size()) + "]");
            }
            labels.push_back({label.request_id, *value, time_us});
        }
        GYRE_TRY(const monitoring::LabelCounts counts, monitoring_.add_labels(in.endpoint, labels));
        return Json::object({{"accepted", counts.accepted},
                             {"duplicates", counts.duplicates},
                             {"revisions", counts.revisions},
                             {"unknown", counts.pending}});
    }

    Result<Json> traffic(const TrafficIn& in) {
        GYRE_TRY_VOID(serving_.get(in.name));
        GYRE_TRY(const std::int64_t bucket_us, parse_duration_us(in.bucket));
        if (bucket_us < kUsPerHour || bucket_us % kUsPerHour != 0) {
            return invalid_argument("field 'bucket': expected whole hours such as 1h or 1d, got '" +
                                    in.bucket + "'");
        }
        std::map<std::string, Json> series;
        for (const monitoring::TrafficPoint& point : monitoring_.scores().traffic(in.name, bucket_us)) {
            series[point.model].push_back(Json::object({{"time", format_rfc3339(point.time_us)},
                                                        {"predictions", point.predictions},
                                                        {"errors", point.errors},
                                                        {"mean_output", point.mean_output}}));
        }
        Json out = Json::array();
        for (auto& [model, points] : series) {
            out.push_back(Json::object({{"variant", model}, {"points", std::move(points)}}));
        }
        return Json::object({{"bucket_s", bucket_us / kUsPerSecond}, {"series", std::move(out)}});
    }

    Result<Json> performance(const std::string& endpoint) {
        GYRE_TRY_VOID(serving_.get(endpoint));
        GYRE_TRY(const std::vector<monitoring::PerformanceWindow> windows,
                 loop_.monitors().performance(endpoint));
        Json items = Json::array();
        for (const monitoring::PerformanceWindow& window : windows) {
            items.push_back(monitoring::api_json(window));
        }
        Json metrics = Json::array();
        for (const char* metric : {"auc", "brier", "log_loss", "accuracy", "mae", "rmse"}) {
            metrics.push_back(metric);
        }
        return Json::object({{"metrics", std::move(metrics)}, {"windows", std::move(items)}});
    }

    /// The newest result of a monitor by column, and what it was in the windows before.
    Result<Json> drift(const DriftIn& in) {
        GYRE_TRY_VOID(serving_.get(in.name));
        GYRE_TRY(const std::vector<monitoring::Monitor> monitors, loop_.monitors().list(in.name));
        Json out = Json::object(
            {{"monitor", Json()}, {"as_of", Json()}, {"preset", "default"}, {"columns", Json::array()}});
        bool known = in.monitor.empty();
        for (const monitoring::Monitor& monitor : monitors) {
            if (monitor.spec.kind != monitoring::MonitorKind::drift ||
                (!in.monitor.empty() && monitor.spec.name != in.monitor)) {
                continue;
            }
            known = true;
            GYRE_TRY(const std::vector<Json> results, loop_.monitors().results(monitor.id, kResultsShown));
            if (!results.empty()) {
                return drift_json(monitor, results);
            }
        }
        return known ? Result<Json>(std::move(out))
                     : not_found("endpoint '" + in.name + "' has no drift monitor '" + in.monitor +
                                 "'; 'gyre monitor list' shows them");
    }

    static Json drift_json(const monitoring::Monitor& monitor, const std::vector<Json>& results) {
        std::map<std::string, Json> history;
        for (const Json& result : std::views::reverse(results)) {
            for (const Json& column : result["columns"].items()) {
                history[column.string_or("column", "")].push_back(
                    Json::object({{"time", format_rfc3339(result.integer_or("end_us", 0))},
                                  {"value", column["value"]},
                                  {"drifted", column["drifted"]}}));
            }
        }
        Json columns = Json::array();
        for (Json column : results.front()["columns"].items()) {
            column.set("history", history[column.string_or("column", "")]);
            columns.push_back(std::move(column));
        }
        return Json::object({{"monitor", monitor.spec.name},
                             {"as_of", format_rfc3339(results.front().integer_or("end_us", 0))},
                             {"preset", gyre::name_of(monitor.spec.preset)},
                             {"drifted", results.front()["drifted"]},
                             {"share", results.front()["share"]},
                             {"columns", std::move(columns)}});
    }

    Result<Json> report(const ReportIn& in) {
        GYRE_TRY(const serving::StoredEndpoint stored, serving_.get(in.name));
        loop::ReportQuery query;
        query.endpoint = in.name;
        query.alone = in.alone;
        query.task = stored.spec.task == serving::Task::regression ? monitoring::Task::regression
                                                                   : monitoring::Task::classification;
        constexpr std::int64_t kOffsetMaxMinutes = std::int64_t{24} * 60;
        if (in.utc_offset_minutes < -kOffsetMaxMinutes || in.utc_offset_minutes > kOffsetMaxMinutes) {
            return invalid_argument("utc_offset_minutes: expected at most a day either way, got " +
                                    std::to_string(in.utc_offset_minutes));
        }
        query.utc_offset_us = in.utc_offset_minutes * 60'000'000;
        if (!in.compare_from.empty()) {
            GYRE_TRY(query.compare_from_us, parse_rfc3339(in.compare_from));
        }
        return loop::year_report(monitoring_.scores(), query);
    }

    Result<Json> monitors() {
        GYRE_TRY(const std::vector<monitoring::Monitor> monitors, loop_.monitors().list());
        Json items = Json::array();
        for (const monitoring::Monitor& monitor : monitors) {
            items.push_back(monitor_json(monitor));
        }
        return Json::object({{"monitors", std::move(items)}});
    }

    static Json monitor_json(const monitoring::Monitor& monitor) {
        Json out = gyre::to_json(monitor.spec);
        out.set("id", monitor.id);
        out.set("position", monitor.position_us ? Json(format_rfc3339(*monitor.position_us)) : Json());
        out.set("created_at", format_rfc3339(monitor.created_at_us));
        return out;
    }

    Result<Json> create_monitor(const Context& context, const monitoring::MonitorSpec& spec) {
        GYRE_TRY_VOID(serving_.get(spec.endpoint));
        GYRE_TRY(const monitoring::Monitor monitor, loop_.monitors().create(spec, context.principal));
        return monitor_json(monitor);
    }

    Result<Json> remove_monitor(const Context& context, const std::string& id) {
        GYRE_TRY(const monitoring::Monitor monitor, loop_.monitors().remove(id, context.principal));
        return monitor_json(monitor);
    }

    Result<Json> alerts(const AlertsIn& in) {
        using Filter = monitoring::MonitorService::AlertFilter;
        GYRE_TRY(const std::vector<monitoring::Alert> alerts,
                 loop_.monitors().alerts(in.endpoint, in.firing ? Filter::firing : Filter::all));
        if (!in.endpoint.empty() && alerts.empty()) {
            GYRE_TRY_VOID(serving_.get(in.endpoint));  // of one that there is, that is the answer
        }
        Json items = Json::array();
        for (const monitoring::Alert& alert : alerts) {
            items.push_back(monitoring::api_json(alert));
        }
        return Json::object({{"alerts", std::move(items)}});
    }

 private:
    loop::Loop& loop_;
    monitoring::Monitoring& monitoring_;
    serving::Serving& serving_;
};

RouteDoc doc(http::Method method, std::string_view path, std::string_view id, std::string_view summary,
             Access access) {
    return {.method = method,
            .path = path,
            .id = id,
            .summary = summary,
            .access = access,
            .pool = PoolName::sql,
            .tag = "monitoring"};
}

}  // namespace

void add_monitoring_routes(RouteTable& table, loop::Loop& loop, monitoring::Monitoring& monitoring,
                           serving::Serving& serving) {
    using http::Method;
    auto handlers = std::make_shared<MonitoringHandlers>(loop, monitoring, serving);
    RouteDoc labels = doc(Method::post, "/api/gyre/v1/labels", "post_labels",
                          "What really happened, by request id; durable when answered.", Access::write);
    labels.body_bytes_max = kLabelBodyBytesMax;
    table.typed<LabelsIn, Json>(labels,
                                [handlers](Context&, const LabelsIn& in) { return handlers->labels(in); });
    table.typed<TrafficIn, Json>(doc(Method::get, "/api/gyre/v1/endpoints/{name}/traffic", "endpoint_traffic",
                                     "Predictions by variant and time.", Access::read),
                                 [handlers](Context&, const TrafficIn& in) { return handlers->traffic(in); });
    table.typed<NameIn, Json>(
        doc(Method::get, "/api/gyre/v1/endpoints/{name}/performance", "endpoint_performance",
            "Metrics by window and variant, from labels.", Access::read),
        [handlers](Context&, const NameIn& in) { return handlers->performance(in.name); });
    table.typed<DriftIn, Json>(doc(Method::get, "/api/gyre/v1/endpoints/{name}/drift", "endpoint_drift",
                                   "Drift by column.", Access::read),
                               [handlers](Context&, const DriftIn& in) { return handlers->drift(in); });
    table.typed<ReportIn, Json>(
        doc(Method::get, "/api/gyre/v1/endpoints/{name}/report", "endpoint_report",
            "What users got beside one fixed model, by month, from the rows that are joined in "
            "memory: see covers_from.",
            Access::read),
        [handlers](Context&, const ReportIn& in) { return handlers->report(in); });
    table.typed<Empty, Json>(
        doc(Method::get, "/api/gyre/v1/monitors", "list_monitors", "All monitors.", Access::read),
        [handlers](Context&, const Empty&) { return handlers->monitors(); });
    RouteDoc create =
        doc(Method::post, "/api/gyre/v1/monitors", "create_monitor", "Watch an endpoint.", Access::write);
    create.success = 201;
    table.typed<monitoring::MonitorSpec, Json>(
        create, [handlers](Context& context, const monitoring::MonitorSpec& spec) {
            return handlers->create_monitor(context, spec);
        });
    table.typed<IdIn, Json>(
        doc(Method::del, "/api/gyre/v1/monitors/{id}", "remove_monitor",
            "Stop watching; its firing alerts are resolved.", Access::write),
        [handlers](Context& context, const IdIn& in) { return handlers->remove_monitor(context, in.id); });
    table.typed<AlertsIn, Json>(
        doc(Method::get, "/api/gyre/v1/alerts", "list_alerts", "Alerts, newest first.", Access::read),
        [handlers](Context&, const AlertsIn& in) { return handlers->alerts(in); });
}

}  // namespace gyre::api
