#include <algorithm>
#include <set>

#include "api/mlflow/messages.h"
#include "api/mlflow/parts.h"

namespace gyre::api::mlflow {
namespace {

using http::Method;

constexpr std::size_t kBulkRunsMax = 100;
constexpr std::int64_t kIntervalPointsMax = 2500;  // per run

struct MetricMessage : Lenient {
    std::string key;
    double value = 0;
    std::int64_t timestamp = 0;
    std::int64_t step = 0;
    std::string model_id = {};
    std::string dataset_name = {};
    std::string dataset_digest = {};
    static constexpr auto fields() {
        return std::tuple{
            Field{"key", &MetricMessage::key, "Name."},
            Field{"value", &MetricMessage::value, "Number; NaN and infinities as text."},
            Field{"timestamp", &MetricMessage::timestamp, "Unix ms."},
            Field{"step", &MetricMessage::step, "Step.", optional_field},
            Field{"model_id", &MetricMessage::model_id, "A logged model it is of.", optional_field},
            Field{"dataset_name", &MetricMessage::dataset_name, "Measured on.", optional_field},
            Field{"dataset_digest", &MetricMessage::dataset_digest, "Measured on.", optional_field}};
    }
};

struct LogMetric : Lenient {
    std::string run_id;
    std::string key;
    double value = 0;
    std::int64_t timestamp = 0;
    std::int64_t step = 0;
    std::string model_id = {};
    std::string dataset_name = {};
    std::string dataset_digest = {};
    static constexpr auto fields() {
        return std::tuple{
            Field{"run_id", &LogMetric::run_id, "The run."},
            Field{"key", &LogMetric::key, "Name."},
            Field{"value", &LogMetric::value, "Number; NaN and infinities as text."},
            Field{"timestamp", &LogMetric::timestamp, "Unix ms."},
            Field{"step", &LogMetric::step, "Step.", optional_field},
            Field{"model_id", &LogMetric::model_id, "A logged model it is of.", optional_field},
            Field{"dataset_name", &LogMetric::dataset_name, "Measured on.", optional_field},
            Field{"dataset_digest", &LogMetric::dataset_digest, "Measured on.", optional_field}};
    }
};

struct LogBatch : Lenient {
    std::string run_id;
    std::vector<MetricMessage> metrics = {};
    std::vector<Pair> params = {};
    std::vector<Pair> tags = {};
    static constexpr auto fields() {
        return std::tuple{Field{"run_id", &LogBatch::run_id, "The run."},
                          Field{"metrics", &LogBatch::metrics, "At most 1000.", optional_field},
                          Field{"params", &LogBatch::params, "At most 100.", optional_field},
                          Field{"tags", &LogBatch::tags, "At most 100.", optional_field}};
    }
};

struct GetHistory : Lenient {
    std::string run_id;
    std::string metric_key;
    std::int64_t max_results = tracking::kHistoryPageMax;
    std::string page_token = {};
    static constexpr auto fields() {
        return std::tuple{
            Field{"run_id", &GetHistory::run_id, "The run."},
            Field{"metric_key", &GetHistory::metric_key, "The metric."},
            Field{"max_results", &GetHistory::max_results, "Points in one answer.", optional_field},
            Field{"page_token", &GetHistory::page_token, "Where to go on.", optional_field}};
    }
};

struct GetBulk : Lenient {
    std::vector<std::string> run_id = {};
    std::string metric_key;
    std::int64_t max_results = tracking::kHistoryPageMax;
    static constexpr auto fields() {
        return std::tuple{
            Field{"run_id", &GetBulk::run_id, "Runs, at most 100."},
            Field{"metric_key", &GetBulk::metric_key, "The metric."},
            Field{"max_results", &GetBulk::max_results, "Points in one answer.", optional_field}};
    }
};

struct GetInterval : Lenient {
    std::vector<std::string> run_ids = {};
    std::string metric_key;
    std::optional<std::int64_t> start_step = {};
    std::optional<std::int64_t> end_step = {};
    std::int64_t max_results = kIntervalPointsMax;
    static constexpr auto fields() {
        return std::tuple{
            Field{"run_ids", &GetInterval::run_ids, "Runs, at most 100."},
            Field{"metric_key", &GetInterval::metric_key, "The metric."},
            Field{"start_step", &GetInterval::start_step, "First step.", optional_field},
            Field{"end_step", &GetInterval::end_step, "Last step.", optional_field},
            Field{"max_results", &GetInterval::max_results, "Points of a run.", optional_field}};
    }
};

template <class Message>
tracking::Metric metric_of(Message in) {
    return {std::move(in.key),
            in.value,
            in.timestamp,
            in.step,
            std::move(in.model_id),
            std::move(in.dataset_name),
            std::move(in.dataset_digest)};
}

Result<Json> log_batch(tracking::Tracking& tracking, LogBatch in) {
    tracking::Batch batch;
    batch.metrics.reserve(in.metrics.size());
    for (MetricMessage& metric : in.metrics) {
        batch.metrics.push_back(metric_of(std::move(metric)));
    }
    batch.params = key_values(std::move(in.params));
    batch.tags = key_values(std::move(in.tags));
    return empty_answer(tracking.log_batch(in.run_id, batch));
}

Result<Json> log_metric(tracking::Tracking& tracking, LogMetric in) {
    const std::string run_id = in.run_id;
    tracking::Batch batch;
    batch.metrics.push_back(metric_of(std::move(in)));
    return empty_answer(tracking.log_batch(run_id, batch));
}

Result<Json> get_history(tracking::Tracking& tracking, const GetHistory& in) {
    GYRE_TRY(const auto page,
             tracking.metric_history(in.run_id, in.metric_key, in.max_results, in.page_token));
    return page_of("metrics", page.items, page.next_page_token);
}

/// The runs asked for, each once. Errors: none, or too many.
Result<std::set<std::string>> runs_of(const std::vector<std::string>& ids, std::string_view endpoint,
                                      std::string_view name) {
    if (ids.empty()) {
        return invalid_argument(std::string(endpoint) + " request must specify at least one " +
                                std::string(name) + ".");
    }
    std::set<std::string> out(ids.begin(), ids.end());
    if (out.size() > kBulkRunsMax) {
        return invalid_argument(std::string(endpoint) + " request cannot specify more than " +
                                std::to_string(kBulkRunsMax) + " " + std::string(name) + "s. Received " +
                                std::to_string(out.size()) + " " + std::string(name) + "s.");
    }
    return out;
}

Json point_of(const tracking::Metric& metric, const std::string& run) {
    Json out = wire_of(metric);
    out.set("run_id", run);
    return out;
}

Result<Json> get_bulk(tracking::Tracking& tracking, const GetBulk& in) {
    GYRE_TRY(const auto runs, runs_of(in.run_id, "GetMetricHistoryBulk", "run_id"));
    std::int64_t left = std::clamp<std::int64_t>(in.max_results, 1, tracking::kHistoryPageMax);
    Json points = Json::array();
    for (const std::string& run : runs) {
        if (left == 0) {
            break;
        }
        GYRE_TRY(const auto page, tracking.metric_history(run, in.metric_key, left, ""));
        for (const tracking::Metric& metric : page.items) {
            points.push_back(point_of(metric, run));
        }
        left -= static_cast<std::int64_t>(page.items.size());
    }
    return Json::object({{"metrics", std::move(points)}});
}

/// All points of a run between two steps, by step.
Result<std::vector<tracking::Metric>> points_between(tracking::Tracking& tracking, const std::string& run,
                                                     const GetInterval& in) {
    std::vector<tracking::Metric> out;
    std::string token;
    do {
        GYRE_TRY(auto page, tracking.metric_history(run, in.metric_key, tracking::kHistoryPageMax, token));
        for (tracking::Metric& metric : page.items) {
            if (!in.start_step || (metric.step >= *in.start_step && metric.step <= *in.end_step)) {
                out.push_back(std::move(metric));
            }
        }
        token = page.next_page_token;
    } while (!token.empty());
    std::sort(out.begin(), out.end(), [](const tracking::Metric& a, const tracking::Metric& b) {
        return std::tie(a.step, a.timestamp_ms) < std::tie(b.step, b.timestamp_ms);
    });
    return out;
}

/// At most `max_results` rows a run, evenly spaced; the first and the last step are always among them.
Result<Json> get_interval(tracking::Tracking& tracking, const GetInterval& in) {
    GYRE_TRY(const auto runs, runs_of(in.run_ids, "GetMetricHistoryBulkInterval", "run_id"));
    if (in.max_results < 1 || in.max_results > kIntervalPointsMax) {
        return invalid_argument("max_results must be between 1 and " + std::to_string(kIntervalPointsMax) +
                                ".");
    }
    if (in.start_step.has_value() != in.end_step.has_value()) {
        return invalid_argument(
            "If either start step or end step are specified, both start step and end step must be "
            "specified.");
    }
    if (in.start_step && *in.start_step > *in.end_step) {
        return invalid_argument(
            "end_step must be greater than start_step. Found start_step=" + std::to_string(*in.start_step) +
            " and end_step=" + std::to_string(*in.end_step) + ".");
    }
    Json points = Json::array();
    for (const std::string& run : runs) {
        GYRE_TRY(const auto all, points_between(tracking, run, in));
        const std::size_t most = std::max<std::size_t>(2, static_cast<std::size_t>(in.max_results));
        const std::size_t taken = std::min(all.size(), most);
        for (std::size_t i = 0; i < taken; ++i) {
            const std::size_t at = taken < 2 ? 0 : i * (all.size() - 1) / (taken - 1);
            points.push_back(point_of(all[at], run));
        }
    }
    return Json::object({{"metrics", std::move(points)}});
}

}  // namespace

void add_metric_routes(Routes& routes, tracking::Tracking& tracking) {
    routes.add<LogMetric>(
        {Method::post, "/runs/log-metric", "log_metric", "Log one point of a metric.", Access::write},
        [&tracking](Context&, LogMetric in) { return log_metric(tracking, std::move(in)); });
    routes.add<LogBatch>({Method::post, "/runs/log-batch", "log_batch",
                          "Log metrics, params and tags; all of them or none.", Access::write},
                         [&tracking](Context&, LogBatch in) { return log_batch(tracking, std::move(in)); });
    routes.add<GetHistory>({Method::get, "/metrics/get-history", "get_metric_history",
                            "Points of a metric by time, step and value.", Access::read},
                           [&tracking](Context&, const GetHistory& in) { return get_history(tracking, in); });
    routes.add<GetInterval>(
        {Method::get, "/metrics/get-history-bulk-interval", "get_metric_history_interval",
         "Evenly sampled points of a metric of several runs.", Access::read},
        [&tracking](Context&, const GetInterval& in) { return get_interval(tracking, in); });
    routes.add<GetBulk>(
        {Method::get, "/metrics/get-history-bulk", "get_metric_history_bulk",
         "Points of a metric of several runs.", Access::read},
        [&tracking](Context&, const GetBulk& in) { return get_bulk(tracking, in); }, Prefixes::ajax);
}

}  // namespace gyre::api::mlflow
