#include "cli/demo/dataset.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <set>

#include "base/clock.h"
#include "base/rng.h"
#include "cli/demo/flights_sql.h"
#include "table/session.h"

namespace gyre::cli::demo {
namespace {

/// The columns that describe a row, as opposed to what the model sees.
constexpr std::string_view kFrameColumns[] = {"id", "event_time", "label_time", "label"};

constexpr std::size_t kChecksShownMax = 12;

bool is_frame(std::string_view name) {
    return std::find(std::begin(kFrameColumns), std::end(kFrameColumns), name) != std::end(kFrameColumns);
}

/// A prepared table (id, event_time, label_time, label, features...) to a Dataset.
Result<Dataset> from_batch(std::string name, const table::Batch& batch) {
    Dataset dataset;
    dataset.name = std::move(name);
    GYRE_TRY(const table::Column* ids, batch.get("id"));
    GYRE_TRY(const table::Column* events, batch.get("event_time"));
    GYRE_TRY(const table::Column* outcomes, batch.get("label_time"));
    GYRE_TRY(const table::Column* labels, batch.get("label"));
    if (batch.rows() == 0) {
        return invalid_argument("the table has no rows");
    }
    std::set<std::string_view> seen;
    for (std::size_t row = 0; row < batch.rows(); ++row) {
        std::string id = ids->display(row);
        dataset.ids.push_back(std::move(id));
        dataset.event_us.push_back(events->int64s()[row]);
        dataset.label_us.push_back(outcomes->int64s()[row]);
        dataset.labels.push_back(labels->number(row));
    }
    for (std::size_t row = 0; row < dataset.ids.size(); ++row) {
        if (!seen.insert(dataset.ids[row]).second) {
            dataset.ids[row] += "#" + std::to_string(row);
        }
    }
    for (std::size_t i = 0; i < batch.schema.columns.size(); ++i) {
        if (!is_frame(batch.schema.columns[i].name)) {
            dataset.features.schema.columns.push_back(batch.schema.columns[i]);
            dataset.features.columns.push_back(batch.columns[i]);
        }
    }
    return dataset;
}

Result<std::unique_ptr<table::Session>> open_session(const std::string& scratch) {
    table::SessionOptions options;
    options.engine.temp_directory = scratch;
    return table::Session::open(options, system_clock());
}

std::string quoted_name(std::string_view name) {
    std::string out = "\"";
    for (const char c : name) {
        out.append(c == '"' ? "\"\"" : std::string(1, c));
    }
    return out + "\"";
}

constexpr std::string_view kFlightChecksSql =
    "SELECT count(*) FILTER (WHERE f.tailnum IS NULL), count(*) FILTER (WHERE f.dep_time IS NULL), "
    "count(*) FILTER (WHERE f.dep_time IS NOT NULL AND f.arr_delay IS NULL), "
    "count(*) FILTER (WHERE w.origin IS NULL), count(*) FILTER (WHERE w.wind_gust IS NULL) "
    "FROM flights AS f LEFT JOIN weather AS w ON w.origin = f.origin AND w.time_hour = f.time_hour";

/// What a look at the flights finds before anything is trained.
Result<std::vector<DataCheck>> check_flights(table::Session& session) {
    constexpr std::array<std::array<const char*, 2>, 5> kMeaning{
        {{"no tail number", "never left, most of them; not a feature"},
         {"cancelled", "counts as late: it did not arrive"},
         {"diverted, or no arrival noted", "counts as late"},
         {"no weather for its hour", "stays missing"},
         {"no gust measured", "stays missing"}}};
    GYRE_TRY(const table::Batch counts, session.query(std::string(kFlightChecksSql)));
    std::vector<DataCheck> checks;
    for (std::size_t i = 0; i < kMeaning.size(); ++i) {
        checks.push_back({kMeaning[i][0], counts.columns[i].int64s()[0], kMeaning[i][1]});
    }
    return checks;
}

/// Missing values by column, the columns that have some.
std::vector<DataCheck> check_missing(const table::Batch& batch) {
    std::vector<DataCheck> checks;
    for (std::size_t i = 0; i < batch.columns.size(); ++i) {
        DataCheck check{"no " + batch.schema.columns[i].name, 0, "stays missing"};
        for (std::size_t row = 0; row < batch.rows(); ++row) {
            check.rows += batch.columns[i].valid(row) ? 0 : 1;
        }
        if (check.rows > 0 && checks.size() < kChecksShownMax) {
            checks.push_back(std::move(check));
        }
    }
    return checks;
}

/// Columns that are there, and times that are times.
Result<const table::ColumnSchema*> check_columns(const table::Schema& schema, const TableOptions& options) {
    GYRE_TRY(const table::ColumnSchema* time, schema.get(options.time));
    if (time->type != table::ColumnType::timestamp) {
        return invalid_argument("column '" + options.time + "' is " + std::string(name_of(time->type)) +
                                ", expected times such as 2024-01-31 05:00:00");
    }
    return schema.get(options.target);
}

/// Of a target with two values the rarer one, as text; empty for a target of numbers.
Result<std::string> positive_class(table::Session& session, const TableOptions& options) {
    GYRE_TRY(const table::Schema schema, session.schema_of("SELECT * FROM data"));
    GYRE_TRY(const table::ColumnSchema* target, check_columns(schema, options));
    const std::string name = quoted_name(options.target);
    GYRE_TRY(const table::Batch classes,
             session.query("SELECT " + name + "::VARCHAR AS v, count(*) AS n FROM data WHERE " + name +
                           " IS NOT NULL GROUP BY 1 ORDER BY n DESC, v LIMIT 3"));
    if (classes.rows() == 2) {
        return classes.columns[0].display(1);
    }
    if (target->type == table::ColumnType::text) {
        return invalid_argument("column '" + options.target +
                                "' is text with other than two values; the demo takes a target with two "
                                "values or a number");
    }
    return std::string();
}

}  // namespace

Result<Dataset> load_flights(const std::string& folder, const std::string& scratch) {
    GYRE_TRY(auto session, open_session(scratch));
    for (const char* name : {"flights", "weather", "airports"}) {
        table::SourceSpec source;
        source.name = name;
        source.path = folder + "/" + name + ".csv";
        if (std::filesystem::exists(source.path + ".zip")) {
            source.path += ".zip";
        }
        source.null_tokens = {"NA", ""};
        GYRE_TRY(const table::SourceReport report, session->add_source(source));
        static_cast<void>(report);
    }
    GYRE_TRY(const table::Batch batch, session->query("SELECT flight_id AS id, * EXCLUDE (flight_id) FROM (" +
                                                      std::string(kFlightsSql) + ")"));
    GYRE_TRY(Dataset dataset, from_batch("flights", batch));
    GYRE_TRY(dataset.checks, check_flights(*session));
    dataset.positive = "late";
    dataset.utc_offset_us = -5 * kUsPerHour;  // New York's
    return dataset;
}

Result<Dataset> load_table(const TableOptions& options, const std::string& scratch) {
    GYRE_TRY(auto session, open_session(scratch));
    table::SourceSpec source;
    source.name = "data";
    source.path = options.path;
    source.null_tokens = {"", "NA", "NaN", "null", "?"};
    GYRE_TRY(const table::SourceReport report, session->add_source(source));
    static_cast<void>(report);
    GYRE_TRY(const std::string positive, positive_class(*session, options));
    const std::string target = quoted_name(options.target);
    const std::string time = quoted_name(options.time);
    table::Params params;
    std::string label = target + "::DOUBLE";
    if (!positive.empty()) {
        label = "(" + target + "::VARCHAR = ?)::INTEGER";
        params.emplace_back(positive);
    }
    GYRE_TRY(const table::Batch batch,
             session->query("SELECT 'row-' || row_number() OVER (ORDER BY " + time + ") AS id, " + time +
                                "::TIMESTAMP AS event_time, " + time + "::TIMESTAMP + to_microseconds(" +
                                std::to_string(options.label_delay_us) + ") AS label_time, " + label +
                                " AS label, * EXCLUDE (" + target + ", " + time + ") FROM data WHERE " +
                                target + " IS NOT NULL AND " + time + " IS NOT NULL ORDER BY 2, 1",
                            params));
    GYRE_TRY(Dataset dataset, from_batch("demo", batch));
    dataset.classification = !positive.empty();
    dataset.checks = check_missing(dataset.features);
    if (dataset.classification) {
        dataset.positive = "positive";
        const auto rows = std::count(dataset.labels.begin(), dataset.labels.end(), 1.0);
        dataset.checks.insert(dataset.checks.begin(),
                              {options.target + " = " + positive, rows, "is predicted: the rarer of both"});
    }
    return dataset;
}

std::vector<std::size_t> rows_between(const Dataset& dataset, std::int64_t from_us, std::int64_t to_us) {
    const auto first = std::lower_bound(dataset.event_us.begin(), dataset.event_us.end(), from_us);
    const auto last = std::lower_bound(first, dataset.event_us.end(), to_us);
    std::vector<std::size_t> rows(static_cast<std::size_t>(last - first));
    std::iota(rows.begin(), rows.end(), static_cast<std::size_t>(first - dataset.event_us.begin()));
    return rows;
}

namespace {

constexpr std::int64_t kFirstMonthUs = 31 * kUsPerDay;

/// Every row becomes a draw of the first month's rows; its own id and time stay.
Dataset draw_from_first_month(const Dataset& dataset, std::uint64_t seed) {
    const std::int64_t month_end = (dataset.start_us() / kUsPerDay) * kUsPerDay + kFirstMonthUs;
    const std::vector<std::size_t> month = rows_between(dataset, dataset.start_us(), month_end);
    Rng rng(seed);
    std::vector<std::size_t> drawn(dataset.rows());
    for (std::size_t& row : drawn) {
        row = month[rng.below(month.size())];
    }
    Dataset out = dataset;
    out.features = dataset.features.take(drawn);
    for (std::size_t row = 0; row < drawn.size(); ++row) {
        out.labels[row] = dataset.labels[drawn[row]];
        out.label_us[row] =
            dataset.event_us[row] + (dataset.label_us[drawn[row]] - dataset.event_us[drawn[row]]);
    }
    return out;
}

Result<void> plant(Dataset& dataset, const Alteration& alteration) {
    GYRE_TRY(const table::Column* column, dataset.features.get(alteration.plant_column));
    if (column->type() == table::ColumnType::text || column->type() == table::ColumnType::boolean) {
        return invalid_argument("column '" + alteration.plant_column +
                                "' is no number; plant a shift in a number");
    }
    double sum = 0.0;
    double squares = 0.0;
    double count = 0.0;
    for (std::size_t row = 0; row < column->rows(); ++row) {
        if (column->valid(row)) {
            sum += column->number(row);
            squares += column->number(row) * column->number(row);
            count += 1.0;
        }
    }
    const double deviation = std::sqrt(std::max(squares / count - (sum / count) * (sum / count), 0.0));
    table::Column shifted(table::ColumnType::float64);
    for (std::size_t row = 0; row < column->rows(); ++row) {
        if (!column->valid(row)) {
            shifted.append_null();
        } else {
            shifted.append_float64(column->number(row) +
                                   (dataset.event_us[row] >= alteration.plant_us ? deviation : 0.0));
        }
    }
    for (std::size_t i = 0; i < dataset.features.columns.size(); ++i) {
        if (dataset.features.schema.columns[i].name == alteration.plant_column) {
            dataset.features.schema.columns[i].type = table::ColumnType::float64;
            dataset.features.columns[i] = std::move(shifted);
            break;
        }
    }
    return {};
}

void permute_outcomes(Dataset& dataset, std::int64_t from_us, std::uint64_t seed) {
    const auto rows = rows_between(dataset, from_us, dataset.end_us() + 1);
    Rng rng(seed);
    for (std::size_t i = rows.size(); i > 1; --i) {
        std::swap(dataset.labels[rows[i - 1]], dataset.labels[rows[rng.below(i)]]);
    }
}

/// Rows from then on swap their features with one another and their outcomes are inverted.
void disturb(Dataset& dataset, std::int64_t from_us, std::uint64_t seed) {
    std::vector<std::size_t> order(dataset.rows());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto rows = rows_between(dataset, from_us, dataset.end_us() + 1);
    Rng rng(seed);
    for (std::size_t i = rows.size(); i > 1; --i) {
        std::swap(order[rows[i - 1]], order[rows[rng.below(i)]]);
    }
    dataset.features = dataset.features.take(order);
    for (const std::size_t row : rows) {
        dataset.labels[row] = dataset.classification ? 1.0 - dataset.labels[row] : -dataset.labels[row];
    }
}

void append_cell(const table::Column& column, std::size_t row, std::string& out) {
    if (!column.valid(row)) {
        out += "null";
    } else if (column.type() == table::ColumnType::text) {
        append_json_string(out, column.text(row));
    } else {
        char digits[32];
        out.append(digits,
                   static_cast<std::size_t>(
                       std::to_chars(digits, digits + sizeof digits, column.number(row)).ptr - digits));
    }
}

std::string csv_text(std::string_view text) {
    if (text.find_first_of(",\"\n\r") == std::string_view::npos) {
        return std::string(text);
    }
    std::string out = "\"";
    for (const char c : text) {
        out.append(c == '"' ? "\"\"" : std::string(1, c));
    }
    return out + "\"";
}

}  // namespace

Result<Dataset> alter(Dataset dataset, const Alteration& alteration) {
    if (alteration.null_seed) {
        dataset = draw_from_first_month(dataset, *alteration.null_seed);
    }
    if (!alteration.plant_column.empty()) {
        GYRE_TRY_VOID(plant(dataset, alteration));
    }
    if (alteration.permute_from_us != 0) {
        permute_outcomes(dataset, alteration.permute_from_us, alteration.seed);
    }
    if (alteration.change_from_us != 0) {
        disturb(dataset, alteration.change_from_us, alteration.seed);
    }
    return dataset;
}

std::string to_csv(const Dataset& dataset, const std::vector<std::size_t>& rows) {
    std::string out = "id,event_time,label_time,label";
    for (const auto& column : dataset.features.schema.columns) {
        out += "," + csv_text(column.name);
    }
    out += "\n";
    for (const std::size_t row : rows) {
        out += csv_text(dataset.ids[row]) + "," + format_rfc3339(dataset.event_us[row]) + "," +
               format_rfc3339(dataset.label_us[row]) + ",";
        char digits[32];
        out.append(digits,
                   static_cast<std::size_t>(
                       std::to_chars(digits, digits + sizeof digits, dataset.labels[row]).ptr - digits));
        for (const table::Column& column : dataset.features.columns) {
            out += "," + csv_text(column.display(row));
        }
        out += "\n";
    }
    return out;
}

void append_predict_body(const Dataset& dataset, std::size_t row, std::string& out) {
    out += R"({"rows":[{)";
    for (std::size_t i = 0; i < dataset.features.columns.size(); ++i) {
        out += i > 0 ? "," : "";
        append_json_string(out, dataset.features.schema.columns[i].name);
        out += ':';
        append_cell(dataset.features.columns[i], row, out);
    }
    out += R"(}],"request_ids":[)";
    append_json_string(out, dataset.ids[row]);
    out += R"(],"event_time":")" + format_rfc3339(dataset.event_us[row]) + "\"}";
}

}  // namespace gyre::cli::demo
