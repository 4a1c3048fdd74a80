#include "training/baseline.h"

#include <algorithm>

#include "base/file.h"

namespace gyre::training {
namespace {

stats::ColumnKind kind_of(table::ColumnType type) {
    const bool category = type == table::ColumnType::text || type == table::ColumnType::boolean;
    return category ? stats::ColumnKind::categorical : stats::ColumnKind::numeric;
}

std::optional<std::int64_t> time_of(const table::Column* time, std::size_t row) {
    return time != nullptr && time->valid(row) ? std::optional(time->int64s()[row]) : std::nullopt;
}

Result<evidence::BaselineColumn> column_baseline(const std::string& name, const table::Column& column,
                                                 const table::Column* time) {
    evidence::BaselineColumnBuilder builder(name, kind_of(column.type()));
    for (std::size_t row = 0; row < column.rows(); ++row) {
        const std::optional<std::int64_t> at = time_of(time, row);
        if (!column.valid(row)) {
            builder.add_null(at);
        } else if (column.type() == table::ColumnType::text) {
            builder.add(at, column.text(row));
        } else if (column.type() == table::ColumnType::boolean) {
            builder.add(at, std::string_view(column.booleans()[row] != 0 ? "true" : "false"));
        } else {
            builder.add(at, column.number(row));
        }
    }
    return builder.build();
}

void note_time_range(const table::Column& time, evidence::Baseline& out) {
    for (std::size_t row = 0; row < time.rows(); ++row) {
        if (const std::optional<std::int64_t> at = time_of(&time, row)) {
            out.time_min_us = std::min(out.time_min_us.value_or(*at), *at);
            out.time_max_us = std::max(out.time_max_us.value_or(*at), *at);
        }
    }
}

}  // namespace

Result<evidence::Baseline> make_baseline(const table::Batch& batch, std::vector<std::string> features,
                                         const std::string& time_column) {
    evidence::Baseline out;
    out.rows = static_cast<std::int64_t>(batch.rows());
    const table::Column* time = nullptr;
    if (!time_column.empty()) {
        GYRE_TRY(time, batch.get(time_column));
        if (time->type() != table::ColumnType::timestamp) {
            return invalid_argument("column '" + time_column + "': expected times, got " +
                                    std::string(name_of(time->type())));
        }
        note_time_range(*time, out);
    }
    std::ranges::sort(features);
    for (const std::string& name : features) {
        GYRE_TRY(const table::Column* column, batch.get(name));
        GYRE_TRY(evidence::BaselineColumn built, column_baseline(name, *column, time));
        out.columns.push_back(std::move(built));
    }
    return out;
}

Json baseline_to_json(const PackageBaseline& baseline) {
    Json out = baseline.data.to_json();
    if (baseline.performance) {
        out.set("performance", to_json(*baseline.performance));
    }
    return out;
}

Result<PackageBaseline> baseline_from_json(const Json& json) {
    PackageBaseline out;
    GYRE_TRY(out.data, evidence::Baseline::from_json(json));
    if (!json["performance"].is_null()) {
        GYRE_TRY(out.performance, from_json<Evaluation>(json["performance"]));
    }
    return out;
}

Result<void> set_performance(const std::string& package, const Json& evaluation) {
    const std::string path = package + "/" + std::string(kBaselineFile);
    GYRE_TRY(const std::string text, read_file(path));
    GYRE_TRY(Json baseline, parse_json(text));
    baseline.set("performance", evaluation);
    return write_file_atomic(path, baseline.dump());
}

}  // namespace gyre::training
