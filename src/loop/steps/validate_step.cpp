#include "base/text.h"
#include "loop/steps/step_kinds.h"
#include "validation/suite.h"

namespace gyre::loop {
namespace {

Result<void> check_duration(const std::string& text) {
    GYRE_TRY_VOID(parse_duration_us(text));
    return {};
}

struct Params {
    std::string source;
    std::string window = "92d";
    std::string include;
    std::optional<validation::Suite> suite;
    static constexpr auto fields() {
        return std::tuple{Field{"source", &Params::source, "dataset://NAME or endpoint://NAME."},
                          Field{"window", &Params::window,
                                "Of an endpoint: how far back rows go, such as 92d, or all.", optional_field},
                          Field{"include", &Params::include,
                                "Of an endpoint: dataset://NAME with rows from before it "
                                "was deployed.",
                                optional_field},
                          Field{"suite", &Params::suite, "Expectations of the rows.", optional_field}};
    }
    [[nodiscard]] Result<void> check() const {
        if (!source.empty() && !source.starts_with("dataset://") && !source.starts_with("endpoint://")) {
            return invalid_argument("source: expected dataset://NAME or endpoint://NAME, got '" + source +
                                    "'");
        }
        return window == "all" ? Result<void>() : check_duration(window);
    }
};

/// The event time from which rows are taken.
Result<std::int64_t> window_start_us(const std::string& window, std::int64_t as_of_us) {
    if (window == "all") {
        return std::int64_t{0};
    }
    GYRE_TRY(const std::int64_t window_us, parse_duration_us(window));
    return as_of_us - window_us;
}

/// Adds a dataset (column id is its request id) to what an export writes: its rows of the same window.
Result<void> include_dataset(const StepServices& services, const std::string& include,
                             const ExportParams& window, training::StepSpec& spec, std::string& sql) {
    constexpr std::string_view kDataset = "dataset://";
    if (!include.starts_with(kDataset)) {
        return invalid_argument("include: expected dataset://NAME, got '" + include + "'");
    }
    GYRE_TRY(const std::string path, services.datasets.local_path(include.substr(kDataset.size())));
    GYRE_TRY(table::SourceSpec source, source_of(services, path));
    source.name = "included";
    spec.inputs.push_back(std::move(source));
    sql =
        "SELECT * FROM (SELECT * FROM exported UNION ALL BY NAME SELECT id AS request_id, * EXCLUDE (id) "
        "FROM "
        "included WHERE event_time >= make_timestamp(" +
        std::to_string(window.from_us) + ") AND label_time < make_timestamp(" +
        std::to_string(window.as_of_us) + ")) ORDER BY event_time, request_id";
    return {};
}

/// The labelled rows of an endpoint that were known at the step's as_of, written by a child.
Result<std::string> export_endpoint(const StepServices& services, const pipelines::StepContext& context,
                                    const Params& step, const std::string& endpoint) {
    ExportParams params;
    params.endpoint = endpoint;
    params.as_of_us = context.as_of_us;
    GYRE_TRY(params.from_us, window_start_us(step.window, context.as_of_us));
    params.output = "rows.parquet";
    GYRE_TRY(monitoring::LogFiles files,
             services.monitoring.files(endpoint, params.from_us, params.as_of_us));
    params.segments = std::move(files.segments);
    params.labels = std::move(files.labels);
    training::StepSpec spec;
    spec.kind = "export";
    if (!step.include.empty()) {
        GYRE_TRY_VOID(include_dataset(services, step.include, params, spec, params.sql));
    }
    spec.params = gyre::to_json(params);
    spec.output_dir = context.work_dir + "/export";
    GYRE_TRY(const Json result, run_child(services.child, context, spec));
    return result.string_or("path", "");
}

Result<std::string> table_of(const StepServices& services, const pipelines::StepContext& context,
                             const Params& params) {
    constexpr std::string_view kDataset = "dataset://";
    constexpr std::string_view kEndpoint = "endpoint://";
    const std::string_view source = params.source;
    if (source.starts_with(kEndpoint)) {
        return export_endpoint(services, context, params, std::string(source.substr(kEndpoint.size())));
    }
    if (source.starts_with(kDataset)) {
        const std::string_view name = source.substr(kDataset.size());
        GYRE_TRY(const storage::BlobInfo info, services.datasets.stat(name));
        static_cast<void>(info);
        return services.datasets.local_path(name);
    }
    return invalid_argument("source: expected dataset://NAME or endpoint://NAME, got '" + params.source +
                            "'");
}

Result<Json> validate(const StepServices& services, const pipelines::StepContext& context,
                      const Params& params) {
    GYRE_TRY(const std::string path, table_of(services, context, params));
    training::StepSpec spec;
    spec.kind = "validate";
    GYRE_TRY(table::SourceSpec source, source_of(services, path));
    spec.inputs.push_back(std::move(source));
    validation::Suite suite = params.suite.value_or(validation::Suite{"rows", {}});
    spec.params = Json::object({{"table", "data"}, {"suite", gyre::to_json(suite)}});
    spec.output_dir = context.work_dir + "/validate";
    GYRE_TRY(const Json result, run_child(services.child, context, spec));
    if (!result.bool_or("success", false)) {
        return invalid_argument("the rows do not meet what is expected of them: " + result["results"].dump());
    }
    return Json::object({{"table", path}, {"rows", result["rows"]}, {"results", result["results"]}});
}

}  // namespace

pipelines::StepKind validate_kind() {
    return described_kind<Params>("validate", "Gather rows and check them against expectations.");
}

Result<void> add_validate_step(pipelines::StepKinds& kinds, const StepServices& services) {
    return kinds.add(typed_step<Params>(
        validate_kind(), [services](const pipelines::StepContext& context, const Params& params) {
            return validate(services, context, params);
        }));
}

}  // namespace gyre::loop
