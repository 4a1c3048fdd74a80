#include "evidence/baseline.h"

#include <algorithm>
#include <cmath>

namespace gyre::evidence {
namespace {

constexpr std::int64_t kVersion = 2;
/// 1970-01-01 was a Thursday; the first Monday came four days later.
constexpr std::int64_t kFirstMonday = 4 * kUsPerDay;

std::int64_t window_start(std::int64_t time_us, std::int64_t window_us) {
    std::int64_t offset = (time_us - kFirstMonday) % window_us;
    offset += offset < 0 ? window_us : 0;
    return time_us - offset;
}

Result<std::optional<std::int64_t>> read_time(const Json& json) {
    if (json.is_null()) {
        return std::optional<std::int64_t>();
    }
    if (!json.is_string()) {
        return invalid_argument("baseline: expected a time, got " + std::string(json.kind_name()));
    }
    GYRE_TRY(const std::int64_t time, parse_rfc3339(json.as_string()));
    return std::optional<std::int64_t>(time);
}

Result<std::vector<double>> read_sample(const Json& json, const std::string& column) {
    if (!json.is_array() || json.items().size() > kBaselineSampleMax) {
        return invalid_argument("column '" + column +
                                "' of the baseline has no sample, or one of more than " +
                                std::to_string(kBaselineSampleMax) + " values");
    }
    std::vector<double> sample;
    sample.reserve(json.items().size());
    for (const Json& value : json.items()) {
        if (!value.is_number() || !std::isfinite(value.as_number())) {
            return invalid_argument("the sample of column '" + column +
                                    "' holds something that is no finite number");
        }
        sample.push_back(value.as_number());
    }
    if (!std::ranges::is_sorted(sample)) {
        return invalid_argument("the sample of column '" + column + "' does not ascend");
    }
    return sample;
}

/// A column of the first form: its profile as a whole, and by week.
Result<BaselineColumn> read_first_form(const JsonMember& column, const Json& weeks) {
    std::vector<stats::Profile> windows;
    for (const Json& week : weeks.items()) {
        if (const Json* found = week["columns"].find(column.key); found != nullptr) {
            GYRE_TRY(stats::Profile profile, stats::Profile::from_json(*found));
            windows.push_back(std::move(profile));
        }
    }
    if (windows.empty()) {
        GYRE_TRY(stats::Profile whole, stats::Profile::from_json(column.value));
        windows.push_back(std::move(whole));
    }
    const std::size_t extra = windows.size() - std::min(windows.size(), kBaselineWindowsMax);
    GYRE_TRY(ColumnBaseline baseline, ColumnBaseline::build(column.key, std::span(windows).subspan(extra)));
    return BaselineColumn{std::move(baseline), {}};
}

Result<std::vector<BaselineColumn>> read_columns(const Json& json) {
    std::vector<BaselineColumn> columns;
    if (json["columns"].is_object() && json["weeks"].is_array()) {
        for (const JsonMember& member : json["columns"].members()) {
            GYRE_TRY(BaselineColumn column, read_first_form(member, json["weeks"]));
            columns.push_back(std::move(column));
        }
        return columns;
    }
    if (json.integer_or("version", 0) != kVersion || !json["columns"].is_array()) {
        return invalid_argument("expected a baseline of version " + std::to_string(kVersion) +
                                " with columns");
    }
    for (const Json& item : json["columns"].items()) {
        BaselineColumn column;
        GYRE_TRY(column.baseline, ColumnBaseline::from_json(item["baseline"]));
        GYRE_TRY(column.sample, read_sample(item["sample"], column.baseline.column));
        columns.push_back(std::move(column));
    }
    return columns;
}

}  // namespace

const BaselineColumn* Baseline::find(std::string_view column) const {
    const auto at = std::ranges::find(columns, column, [](const auto& each) { return each.baseline.column; });
    return at == columns.end() ? nullptr : &*at;
}

Json Baseline::to_json() const {
    Json out = Json::object({{"version", kVersion}, {"rows", rows}});
    if (time_min_us && time_max_us) {
        out.set("time_min", format_rfc3339(*time_min_us));
        out.set("time_max", format_rfc3339(*time_max_us));
    }
    Json list = Json::array();
    for (const BaselineColumn& column : columns) {
        Json sample = Json::array();
        for (const double value : column.sample) {
            sample.push_back(value);
        }
        list.push_back(
            Json::object({{"baseline", column.baseline.to_json()}, {"sample", std::move(sample)}}));
    }
    out.set("window_us", window_us);
    out.set("columns", std::move(list));
    if (predictions) {
        out.set("predictions", predictions->to_json());
    }
    return out;
}

Result<Baseline> Baseline::from_json(const Json& json) {
    if (!json.is_object()) {
        return invalid_argument("baseline: expected an object, got " + std::string(json.kind_name()));
    }
    Baseline out;
    out.rows = json.integer_or("rows", 0);
    out.window_us = json.integer_or("window_us", kBaselineWindowUs);
    if (out.window_us <= 0) {
        return invalid_argument("a baseline's window_us is above 0");
    }
    GYRE_TRY(out.time_min_us, read_time(json["time_min"]));
    GYRE_TRY(out.time_max_us, read_time(json["time_max"]));
    GYRE_TRY(out.columns, read_columns(json));
    if (!json["predictions"].is_null()) {
        GYRE_TRY(out.predictions, stats::Profile::from_json(json["predictions"]));
    }
    return out;
}

BaselineColumnBuilder::BaselineColumnBuilder(std::string column, stats::ColumnKind kind,
                                             std::int64_t window_us)
    : column_(std::move(column)), kind_(kind), window_us_(window_us), untimed_(kind) {}

/// Null for a value that is older than the windows that are kept.
stats::Profile* BaselineColumnBuilder::profile(std::optional<std::int64_t> event_time_us) {
    if (!event_time_us) {
        return &untimed_;
    }
    if (latest_ != nullptr && *event_time_us >= latest_from_us_ &&
        *event_time_us - latest_from_us_ < window_us_) {
        return latest_;
    }
    const std::int64_t start = window_start(*event_time_us, window_us_);
    if (windows_.size() >= kBaselineWindowsMax && !windows_.contains(start)) {
        if (start < windows_.begin()->first) {
            return nullptr;
        }
        windows_.erase(windows_.begin());
    }
    latest_ = &windows_.try_emplace(start, kind_).first->second;
    latest_from_us_ = start;
    return latest_;
}

void BaselineColumnBuilder::add_null(std::optional<std::int64_t> event_time_us) {
    if (stats::Profile* into = profile(event_time_us); into != nullptr) {
        into->add_null();
    }
}

void BaselineColumnBuilder::add(std::optional<std::int64_t> event_time_us, double value) {
    if (std::isnan(value)) {
        add_null(event_time_us);
        return;
    }
    if (stats::Profile* into = profile(event_time_us); into != nullptr) {
        into->add(value);
        if (kind_ == stats::ColumnKind::numeric && std::isfinite(value)) {
            values_.push_back(value);
        }
    }
}

void BaselineColumnBuilder::add(std::optional<std::int64_t> event_time_us, std::string_view category) {
    if (stats::Profile* into = profile(event_time_us); into != nullptr) {
        into->add(category);
    }
}

Result<BaselineColumn> BaselineColumnBuilder::build() const {
    std::vector<stats::Profile> windows;
    for (const auto& [start, window] : windows_) {
        windows.push_back(window);
    }
    if (windows.empty()) {
        windows.push_back(untimed_);
    }
    BaselineColumn out;
    GYRE_TRY(out.baseline, ColumnBaseline::build(column_, windows));
    std::vector<double> sorted = values_;
    std::ranges::sort(sorted);
    const std::size_t count = std::min(sorted.size(), kBaselineSampleMax);
    out.sample.reserve(count);
    for (std::size_t k = 0; k < count; ++k) {
        // All of them when they fit; else order statistics at even steps, the ends included.
        out.sample.push_back(sorted[k * (sorted.size() - 1) / std::max<std::size_t>(count - 1, 1)]);
    }
    return out;
}

}  // namespace gyre::evidence
