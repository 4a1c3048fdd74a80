#include "monitoring/baseline.h"

#include <algorithm>
#include <cmath>

#include "monitoring/limits.h"

namespace gyre::monitoring {

const BaselineColumn* Baseline::find(std::string_view column) const {
    const auto at = std::ranges::find(columns, column, [](const auto& each) { return each.baseline.column; });
    return at == columns.end() ? nullptr : &*at;
}

Json Baseline::to_json() const {
    Json list = Json::array();
    for (const BaselineColumn& column : columns) {
        Json sample = Json::array();
        for (const double value : column.sample) {
            sample.push_back(value);
        }
        list.push_back(
            Json::object({{"baseline", column.baseline.to_json()}, {"sample", std::move(sample)}}));
    }
    return Json::object({{"version", 1}, {"window_us", window_us}, {"columns", std::move(list)}});
}

Result<Baseline> Baseline::from_json(const Json& json) {
    Baseline baseline;
    if (json.integer_or("version", 0) != 1 || !json["columns"].is_array()) {
        return invalid_argument("expected a baseline of version 1 with columns");
    }
    baseline.window_us = json.integer_or("window_us", 0);
    if (baseline.window_us <= 0) {
        return invalid_argument("a baseline's window_us is above 0");
    }
    for (const Json& item : json["columns"].items()) {
        BaselineColumn column;
        GYRE_TRY(column.baseline, evidence::ColumnBaseline::from_json(item["baseline"]));
        if (!item["sample"].is_array() || item["sample"].items().size() > kBaselineSampleMax) {
            return invalid_argument("column '" + column.baseline.column +
                                    "' of the baseline has no sample, "
                                    "or one of more than " +
                                    std::to_string(kBaselineSampleMax) + " values");
        }
        for (const Json& value : item["sample"].items()) {
            if (!value.is_number() || !std::isfinite(value.as_number())) {
                return invalid_argument("the sample of column '" + column.baseline.column +
                                        "' holds something that is no finite number");
            }
            column.sample.push_back(value.as_number());
        }
        baseline.columns.push_back(std::move(column));
    }
    return baseline;
}

BaselineBuilder::BaselineBuilder(std::vector<InputColumn> columns, std::int64_t window_us)
    : columns_(std::move(columns)),
      window_us_(window_us),
      windows_(columns_.size()),
      values_(columns_.size()) {}

stats::Profile& BaselineBuilder::profile(std::size_t column, std::int64_t event_time_us) {
    const std::int64_t start = window_at(0, window_us_, event_time_us).start_us;
    const auto kind = columns_[column].kind == InputKind::number ? stats::ColumnKind::numeric
                                                                 : stats::ColumnKind::categorical;
    return windows_[column].try_emplace(start, kind).first->second;
}

void BaselineBuilder::add_number(std::size_t column, std::int64_t event_time_us, double value) {
    stats::Profile& into = profile(column, event_time_us);
    if (std::isnan(value)) {
        into.add_null();
        return;
    }
    into.add(value);
    if (std::isfinite(value)) {
        values_[column].push_back(value);
    }
}

void BaselineBuilder::add_text(std::size_t column, std::int64_t event_time_us, const TextValue& value) {
    stats::Profile& into = profile(column, event_time_us);
    value.missing ? into.add_null() : into.add(value.text);
}

Result<Baseline> BaselineBuilder::build() const {
    Baseline baseline{.window_us = window_us_, .columns = {}};
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        std::vector<stats::Profile> windows;
        for (const auto& [start, window] : windows_[i]) {
            windows.push_back(window);
        }
        BaselineColumn column;
        GYRE_TRY(column.baseline, evidence::ColumnBaseline::build(columns_[i].name, windows));
        std::vector<double> sorted = values_[i];
        std::ranges::sort(sorted);
        const std::size_t count = std::min(sorted.size(), kBaselineSampleMax);
        for (std::size_t k = 0; k < count; ++k) {
            // Order statistics at even steps; all of them when they fit.
            column.sample.push_back(sorted[k * (sorted.size() - 1) / std::max<std::size_t>(count - 1, 1)]);
        }
        baseline.columns.push_back(std::move(column));
    }
    return baseline;
}

}  // namespace gyre::monitoring
