#include <algorithm>

#include "loop/child.h"
#include "monitoring/export.h"
#include "validation/validate.h"

namespace gyre::loop {
namespace {

struct ValidateParams {
    std::string table;
    validation::Suite suite;
    static constexpr auto fields() {
        return std::tuple{Field{"table", &ValidateParams::table, "Source that is judged."},
                          Field{"suite", &ValidateParams::suite, "What is expected of it."}};
    }
};

Result<training::StepOutcome> run_validate(training::StepContext& step) {
    GYRE_TRY(const ValidateParams params, from_json<ValidateParams>(step.spec.params));
    GYRE_TRY(const validation::SuiteResult result,
             validation::validate(step.session, params.table, params.suite));
    return training::StepOutcome{gyre::to_json(result), result.success ? 0 : kExitGateFailed};
}

/// Rows that an export gathers before they go to the table, which spills what does not fit into memory: few
/// enough that they are in a cache still.
constexpr std::size_t kRowsAtOnce = 8192;

/// Exported rows as the table "exported": columns of the frame, then the endpoint's inputs in order. An input
/// that is called like a column of the frame becomes "input.NAME".
class RowTable {
 public:
    RowTable(table::Session& session, std::vector<table::ColumnSchema> frame)
        : session_(session), frame_(std::move(frame)) {}

    /// The frame's values are appended by the caller, then the inputs.
    table::Column& frame(std::size_t at) { return batch_.columns[at]; }
    void begin(const monitoring::EndpointSchema& schema) {
        if (!batch_.columns.empty()) {
            return;
        }
        for (const table::ColumnSchema& column : frame_) {
            add_column(column.name, column.type);
        }
        for (const monitoring::InputColumn& column : schema.columns) {
            const bool taken =
                std::ranges::find(frame_, column.name, &table::ColumnSchema::name) != frame_.end();
            add_column(taken ? "input." + column.name : column.name,
                       column.kind == monitoring::InputKind::text ? table::ColumnType::text
                                                                  : table::ColumnType::float64);
        }
    }
    Result<void> add_inputs(const monitoring::EndpointSchema& schema, const monitoring::ExportedRow& row) {
        std::size_t number = 0;
        std::size_t text = 0;
        for (std::size_t i = 0; i < schema.columns.size(); ++i) {
            table::Column& column = batch_.columns[frame_.size() + i];
            if (schema.columns[i].kind == monitoring::InputKind::text) {
                const monitoring::TextValue& value = row.texts[text++];
                value.missing ? column.append_null() : column.append_text(value.text);
            } else {
                const double value = row.numbers[number++];
                value == value ? column.append_float64(value) : column.append_null();
            }
        }
        return batch_.rows() >= kRowsAtOnce ? flush() : Result<void>();
    }
    Result<void> flush() {
        if (batch_.columns.empty()) {
            return {};
        }
        GYRE_TRY_VOID(made_ ? session_.append_batch("exported", batch_)
                            : session_.add_batch("exported", batch_));
        made_ = true;
        batch_ = table::Batch::empty(std::move(batch_.schema));
        return {};
    }

 private:
    void add_column(std::string name, table::ColumnType type) {
        batch_.schema.columns.push_back({std::move(name), type});
        batch_.columns.emplace_back(type);
    }

    table::Session& session_;
    std::vector<table::ColumnSchema> frame_;
    table::Batch batch_;
    bool made_ = false;
};

monitoring::ExportFilter filter_of(const ExportParams& params) {
    monitoring::ExportFilter filter;
    filter.endpoint = params.endpoint;
    filter.from_us = params.from_us;
    filter.to_us = params.to_us.value_or(monitoring::kTimeMax);
    filter.as_of_us = params.as_of_us;
    filter.requests_max =
        static_cast<std::size_t>(params.requests_max.value_or(monitoring::kExportRequestsMax));
    return filter;
}

/// The table has its rows in order, and the database keeps the order.
Result<training::StepOutcome> write_exported(training::StepContext& step, const ExportParams& params) {
    const std::string path = step.spec.output_dir + "/" + params.output;
    const std::string sql = params.sql.empty() ? "SELECT * FROM exported" : params.sql;
    GYRE_TRY(const std::int64_t written, path.ends_with(".csv") ? step.session.write_csv(sql, path)
                                                                : step.session.write_parquet(sql, path));
    return training::StepOutcome{Json::object({{"path", path}, {"rows", written}}), 0};
}

Result<training::StepOutcome> run_export(training::StepContext& step) {
    GYRE_TRY(const ExportParams params, from_json<ExportParams>(step.spec.params));
    using enum table::ColumnType;
    RowTable rows(
        step.session,
        {{"request_id", text}, {"event_time", timestamp}, {"label_time", timestamp}, {"label", float64}});
    const auto add = [&](const auto& schema, const monitoring::ExportedRow& row) -> Result<void> {
        rows.begin(schema);
        rows.frame(0).append_text(row.request_id);
        rows.frame(1).append_int64(row.event_time_us);
        rows.frame(2).append_int64(row.label_time_us);
        rows.frame(3).append_float64(row.label.value_or(0.0));
        return rows.add_inputs(schema, row);
    };
    GYRE_TRY(const std::int64_t count,
             monitoring::export_rows(params.segments, params.labels, filter_of(params), add));
    if (count == 0) {
        return not_found("endpoint '" + params.endpoint + "' has no labelled rows from " +
                         format_rfc3339(params.from_us) + " to " + format_rfc3339(params.as_of_us));
    }
    GYRE_TRY_VOID(rows.flush());
    return write_exported(step, params);
}

/// A row for every variant that scored a request; the label where it is known.
Result<training::StepOutcome> run_export_predictions(training::StepContext& step) {
    GYRE_TRY(const ExportParams params, from_json<ExportParams>(step.spec.params));
    using enum table::ColumnType;
    RowTable rows(step.session, {{"request_id", text},
                                 {"event_time", timestamp},
                                 {"arrival_time", timestamp},
                                 {"model", text},
                                 {"role", text},
                                 {"answered", boolean},
                                 {"score", float64},
                                 {"latency_ms", float64},
                                 {"label", float64},
                                 {"label_time", timestamp}});
    const auto add = [&](const auto& schema, const monitoring::ExportedRow& row) -> Result<void> {
        rows.begin(schema);
        for (const monitoring::ModelScore& score : row.scores) {
            constexpr double kNsPerMs = 1e6;
            rows.frame(0).append_text(row.request_id);
            rows.frame(1).append_int64(row.event_time_us);
            rows.frame(2).append_int64(score.arrival_us);
            rows.frame(3).append_text(score.model);
            rows.frame(4).append_text(score.role);
            rows.frame(5).append_boolean(score.answered);
            rows.frame(6).append_float64(static_cast<double>(score.score));
            rows.frame(7).append_float64(static_cast<double>(score.latency_ns) / kNsPerMs);
            row.label ? rows.frame(8).append_float64(*row.label) : rows.frame(8).append_null();
            row.label ? rows.frame(9).append_int64(row.label_time_us) : rows.frame(9).append_null();
            GYRE_TRY_VOID(rows.add_inputs(schema, row));
        }
        return {};
    };
    monitoring::ExportFilter filter = filter_of(params);
    filter.labels = monitoring::ExportLabels::optional;
    GYRE_TRY(const std::int64_t count, monitoring::export_rows(params.segments, params.labels, filter, add));
    if (count == 0) {
        return not_found("endpoint '" + params.endpoint + "' has no predictions in that time");
    }
    GYRE_TRY_VOID(rows.flush());
    return write_exported(step, params);
}

}  // namespace

training::StepHandlers child_steps() {
    training::StepHandlers handlers = training::training_steps();
    handlers["validate"] = run_validate;
    handlers["export"] = run_export;
    handlers["export_predictions"] = run_export_predictions;
    return handlers;
}

}  // namespace gyre::loop
