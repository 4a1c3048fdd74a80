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

/// Exported rows as a table: request_id, event_time, label_time, label, and the endpoint's inputs in order.
class RowTable {
 public:
    void add(const monitoring::EndpointSchema& schema, const monitoring::ExportedRow& row) {
        if (batch_.columns.empty()) {
            make_columns(schema);
        }
        batch_.columns[0].append_text(row.request_id);
        batch_.columns[1].append_int64(row.event_time_us);
        batch_.columns[2].append_int64(row.label_time_us);
        batch_.columns[3].append_float64(row.label.value_or(0.0));
        std::size_t number = 0;
        std::size_t text = 0;
        for (std::size_t i = 0; i < schema.columns.size(); ++i) {
            table::Column& column = batch_.columns[kFrame + i];
            if (schema.columns[i].kind == monitoring::InputKind::text) {
                const auto& value = row.texts[text++];
                value ? column.append_text(*value) : column.append_null();
            } else {
                const double value = row.numbers[number++];
                value == value ? column.append_float64(value) : column.append_null();
            }
        }
    }
    [[nodiscard]] const table::Batch& batch() const { return batch_; }

 private:
    static constexpr std::size_t kFrame = 4;

    void add_column(std::string name, table::ColumnType type) {
        batch_.schema.columns.push_back({std::move(name), type});
        batch_.columns.emplace_back(type);
    }
    void make_columns(const monitoring::EndpointSchema& schema) {
        add_column("request_id", table::ColumnType::text);
        add_column("event_time", table::ColumnType::timestamp);
        add_column("label_time", table::ColumnType::timestamp);
        add_column("label", table::ColumnType::float64);
        for (const monitoring::InputColumn& column : schema.columns) {
            add_column(column.name, column.kind == monitoring::InputKind::text ? table::ColumnType::text
                                                                               : table::ColumnType::float64);
        }
    }
    table::Batch batch_;
};

Result<training::StepOutcome> run_export(training::StepContext& step) {
    GYRE_TRY(const ExportParams params, from_json<ExportParams>(step.spec.params));
    RowTable rows;
    monitoring::ExportFilter filter;
    filter.endpoint = params.endpoint;
    filter.from_us = params.from_us;
    filter.as_of_us = params.as_of_us;
    GYRE_TRY(const std::int64_t count,
             monitoring::export_rows(params.segments, params.labels, filter,
                                     [&](const auto& schema, const auto& row) -> Result<void> {
                                         rows.add(schema, row);
                                         return {};
                                     }));
    if (count == 0) {
        return not_found("endpoint '" + params.endpoint + "' has no labelled rows from " +
                         format_rfc3339(params.from_us) + " to " + format_rfc3339(params.as_of_us));
    }
    GYRE_TRY_VOID(step.session.add_batch("exported", rows.batch()));
    const std::string path = step.spec.output_dir + "/" + params.output;
    GYRE_TRY(const std::int64_t written,
             step.session.write_parquet("SELECT * FROM exported ORDER BY event_time, request_id", path));
    return training::StepOutcome{Json::object({{"path", path}, {"rows", written}}), 0};
}

}  // namespace

training::StepHandlers child_steps() {
    training::StepHandlers handlers = training::training_steps();
    handlers["validate"] = run_validate;
    handlers["export"] = run_export;
    return handlers;
}

}  // namespace gyre::loop
