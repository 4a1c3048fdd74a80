#include "loop/steps/step_kinds.h"

#include <filesystem>

namespace gyre::loop {
namespace {

Result<std::string> inside(const std::string& root, const std::string& path) {
    std::error_code error;
    const auto base = std::filesystem::weakly_canonical(root, error);
    const auto full = std::filesystem::weakly_canonical(path, error);
    const auto relative = full.lexically_relative(base);
    if (error || relative.empty() || *relative.begin() == "..") {
        return invalid_argument("expected a path below the data folder, got '" + path + "'");
    }
    return full.string();
}

table::SourceSpec filtered(const char* comparison, std::int64_t time_us) {
    table::SourceSpec source;
    source.name = "rows";
    source.sql = std::string("SELECT * FROM data WHERE event_time ") + comparison + " make_timestamp(" +
                 std::to_string(time_us) + ")";
    return source;
}

}  // namespace

Result<pipelines::StepKinds> step_kinds(const StepServices& services) {
    pipelines::StepKinds kinds;
    for (const auto add : {&add_validate_step, &add_train_step, &add_evaluate_step, &add_gate_step,
                           &add_register_step, &add_rollout_step}) {
        GYRE_TRY_VOID(add(kinds, services));
    }
    return kinds;
}

Result<table::SourceSpec> source_of(const StepServices& services, const std::string& path) {
    GYRE_TRY(const std::string full, inside(services.data_folder, path));
    table::SourceSpec source;
    source.name = "data";
    source.path = full;
    source.null_tokens = {"", "NA"};
    return source;
}

Result<std::string> package_folder(const StepServices& services, const std::string& reference) {
    if (reference.starts_with('/')) {
        return inside(services.data_folder, reference);
    }
    GYRE_TRY(const ModelRef ref, parse_model_ref(reference));
    return services.packages.folder_of(ref);
}

table::SourceSpec rows_before(std::int64_t time_us) {
    return filtered("<", time_us);
}
table::SourceSpec rows_from(std::int64_t time_us) {
    return filtered(">=", time_us);
}

}  // namespace gyre::loop
