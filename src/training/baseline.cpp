#include "training/baseline.h"

#include "base/clock.h"
#include "training/limits.h"

namespace gyre::training {
namespace {

constexpr std::int64_t kUsPerWeek = 7 * kUsPerDay;
/// 1970-01-01 was a Thursday; Mondays are three days later, modulo a week.
constexpr std::int64_t kFirstMonday = 4 * kUsPerDay;

std::int64_t week_of(std::int64_t time_us) {
    std::int64_t offset = (time_us - kFirstMonday) % kUsPerWeek;
    offset += offset < 0 ? kUsPerWeek : 0;
    return time_us - offset;
}

stats::ColumnKind kind_of(table::ColumnType type) {
    const bool category = type == table::ColumnType::text || type == table::ColumnType::boolean;
    return category ? stats::ColumnKind::categorical : stats::ColumnKind::numeric;
}

void add_value(stats::Profile& profile, const table::Column& column, std::size_t row) {
    if (!column.valid(row)) {
        profile.add_null();
    } else if (column.type() == table::ColumnType::text) {
        profile.add(column.text(row));
    } else if (column.type() == table::ColumnType::boolean) {
        profile.add(std::string_view(column.booleans()[row] != 0 ? "true" : "false"));
    } else {
        profile.add(column.number(row));
    }
}

using Weeks = std::map<std::int64_t, WeekProfiles>;

/// The week of each row with a time; the oldest beyond the bound are left out.
Weeks plan_weeks(const table::Column& time) {
    Weeks out;
    for (std::size_t row = 0; row < time.rows(); ++row) {
        if (time.valid(row)) {
            WeekProfiles& week = out[week_of(time.int64s()[row])];
            ++week.rows;
        }
    }
    while (out.size() > kBaselineWeeksMax) {
        out.erase(out.begin());
    }
    for (auto& [start, week] : out) {
        week.start_us = start;
    }
    return out;
}

void add_column(const table::Batch& batch, const std::string& name, const table::Column* time, Weeks& weeks,
                Baseline& out) {
    const table::Column& column = *batch.find(name);
    stats::Profile& whole = out.columns.emplace(name, stats::Profile(kind_of(column.type()))).first->second;
    for (auto& [start, week] : weeks) {
        week.columns.emplace(name, stats::Profile(kind_of(column.type())));
    }
    for (std::size_t row = 0; row < column.rows(); ++row) {
        add_value(whole, column, row);
        if (time == nullptr || !time->valid(row)) {
            continue;
        }
        if (const auto week = weeks.find(week_of(time->int64s()[row])); week != weeks.end()) {
            add_value(week->second.columns.find(name)->second, column, row);
        }
    }
}

void note_time_range(const table::Column& time, Baseline& out) {
    for (std::size_t row = 0; row < time.rows(); ++row) {
        if (time.valid(row)) {
            const std::int64_t at = time.int64s()[row];
            out.time_min_us = std::min(out.time_min_us.value_or(at), at);
            out.time_max_us = std::max(out.time_max_us.value_or(at), at);
        }
    }
}

Json profiles_to_json(const ColumnProfiles& profiles) {
    Json out = Json::object();
    for (const auto& [name, profile] : profiles) {
        out.set(name, profile.to_json());
    }
    return out;
}

Result<ColumnProfiles> profiles_from_json(const Json& json) {
    if (!json.is_object()) {
        return invalid_argument("baseline: expected an object of profiles, got " +
                                std::string(json.kind_name()));
    }
    ColumnProfiles out;
    for (const JsonMember& member : json.members()) {
        GYRE_TRY(stats::Profile profile, stats::Profile::from_json(member.value));
        out.insert_or_assign(member.key, std::move(profile));
    }
    return out;
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

}  // namespace

Result<Baseline> make_baseline(const table::Batch& batch, const std::vector<std::string>& features,
                               const std::string& time_column) {
    Baseline out;
    out.rows = static_cast<std::int64_t>(batch.rows());
    const table::Column* time = nullptr;
    Weeks weeks;
    if (!time_column.empty()) {
        GYRE_TRY(time, batch.get(time_column));
        if (time->type() != table::ColumnType::timestamp) {
            return invalid_argument("column '" + time_column + "': expected times, got " +
                                    std::string(name_of(time->type())));
        }
        weeks = plan_weeks(*time);
        note_time_range(*time, out);
    }
    for (const std::string& name : features) {
        GYRE_TRY(const table::Column* column, batch.get(name));
        static_cast<void>(column);
        add_column(batch, name, time, weeks, out);
    }
    for (auto& [start, week] : weeks) {
        out.weeks.push_back(std::move(week));
    }
    return out;
}

Json baseline_to_json(const Baseline& baseline) {
    Json out = Json::object({{"rows", baseline.rows}});
    if (baseline.time_min_us) {
        out.set("time_min", format_rfc3339(*baseline.time_min_us));
        out.set("time_max", format_rfc3339(*baseline.time_max_us));
    }
    out.set("columns", profiles_to_json(baseline.columns));
    Json weeks = Json::array();
    for (const WeekProfiles& week : baseline.weeks) {
        weeks.push_back(Json::object({{"start", format_rfc3339(week.start_us)},
                                      {"rows", week.rows},
                                      {"columns", profiles_to_json(week.columns)}}));
    }
    out.set("weeks", std::move(weeks));
    if (baseline.predictions) {
        out.set("predictions", baseline.predictions->to_json());
    }
    if (baseline.performance) {
        out.set("performance", to_json(*baseline.performance));
    }
    return out;
}

Result<Baseline> baseline_from_json(const Json& json) {
    Baseline out;
    out.rows = json.integer_or("rows", 0);
    GYRE_TRY(out.time_min_us, read_time(json["time_min"]));
    GYRE_TRY(out.time_max_us, read_time(json["time_max"]));
    GYRE_TRY(out.columns, profiles_from_json(json["columns"]));
    const Json& weeks = json["weeks"];
    if (!weeks.is_array() || weeks.items().size() > kBaselineWeeksMax) {
        return invalid_argument("baseline: expected at most " + std::to_string(kBaselineWeeksMax) + " weeks");
    }
    for (const Json& item : weeks.items()) {
        WeekProfiles week;
        GYRE_TRY(const std::optional<std::int64_t> start, read_time(item["start"]));
        week.start_us = start.value_or(0);
        week.rows = item.integer_or("rows", 0);
        GYRE_TRY(week.columns, profiles_from_json(item["columns"]));
        out.weeks.push_back(std::move(week));
    }
    if (!json["predictions"].is_null()) {
        GYRE_TRY(out.predictions, stats::Profile::from_json(json["predictions"]));
    }
    if (!json["performance"].is_null()) {
        GYRE_TRY(out.performance, from_json<Evaluation>(json["performance"]));
    }
    return out;
}

}  // namespace gyre::training
