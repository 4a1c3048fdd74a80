#include "loop/packages.h"

#include <filesystem>

#include "base/file.h"
#include "model/predictor.h"
#include "training/baseline.h"

namespace gyre::loop {
namespace {

constexpr std::string_view kScheme = "mlflow-artifacts:/";
constexpr std::uint64_t kBaselineBytesMax = 256U << 20U;
constexpr std::uint64_t kPackageFileBytesMax = 1ULL << 30U;

/// Evaluation metrics under the names that monitors use.
std::map<std::string, stats::Interval> monitor_metrics(const training::Evaluation& evaluation) {
    std::map<std::string, stats::Interval> metrics;
    for (const auto& [name, value] : evaluation.metrics) {
        stats::Interval interval;
        interval.estimate = value.estimate;
        interval.low = value.low;
        interval.high = value.high;
        interval.n = evaluation.n;
        metrics[name == "roc_auc" ? "auc" : name] = interval;
    }
    return metrics;
}

}  // namespace

Result<std::string> artifact_path(std::string_view location) {
    if (!location.starts_with(kScheme)) {
        return invalid_argument("expected a location that begins with " + std::string(kScheme) + ", got '" +
                                std::string(location.substr(0, 80)) +
                                "'; only this server's artifacts can be served");
    }
    std::string_view path = location.substr(kScheme.size());
    while (path.starts_with('/')) {
        path.remove_prefix(1);
    }
    return std::string(path);
}

Result<std::string> Packages::folder_of(const std::string& model, std::int64_t version) {
    ModelRef ref;
    ref.name = model;
    ref.version = version;
    return folder_of(ref);
}

Result<std::string> Packages::folder_of(const ModelRef& ref) {
    GYRE_TRY(const registry::ModelVersion version, registry_.resolve(ref));
    GYRE_TRY(const std::string path, artifact_path(version.storage_location));
    return artifacts_.local_path(path);
}

Result<void> Packages::store(const std::string& folder, std::string_view location) {
    GYRE_TRY(const std::string root, artifact_path(location));
    std::error_code error;
    for (std::filesystem::recursive_directory_iterator it(folder, error), end; !error && it != end;
         it.increment(error)) {
        if (!it->is_regular_file(error)) {
            continue;
        }
        GYRE_TRY(const std::string bytes, read_file(it->path().string(), kPackageFileBytesMax));
        const std::string name = std::filesystem::relative(it->path(), folder, error).generic_string();
        GYRE_TRY_VOID(artifacts_.put(root + "/" + name, bytes));
    }
    if (error) {
        return errno_error("read package '" + folder + "'", error.value());
    }
    return {};
}

Result<ModelFacts> Packages::facts_of(const std::string& model_ref) {
    GYRE_TRY(const ModelRef ref, parse_model_ref(model_ref));
    GYRE_TRY(const std::string folder, folder_of(ref));
    GYRE_TRY(const auto predictor, model::Predictor::open(folder));
    ModelFacts facts;
    facts.task = predictor->task() == model::Task::regression ? serving::Task::regression
                                                              : serving::Task::classification;
    for (const model::ColumnSpec& column : predictor->signature().columns) {
        facts.columns.push_back(column.name);
    }
    monitoring::EndpointContext context;
    GYRE_TRY_VOID(read_baseline(model_ref, context));
    const auto rmse = context.baseline_metrics.find("rmse");
    facts.rmse = rmse == context.baseline_metrics.end() ? 0.0 : rmse->second.estimate;
    return facts;
}

Result<void> Packages::read_baseline(const std::string& model_ref, monitoring::EndpointContext& context) {
    GYRE_TRY(const ModelRef ref, parse_model_ref(model_ref));
    GYRE_TRY(const std::string folder, folder_of(ref));
    auto text = read_file(folder + "/" + std::string(training::kBaselineFile), kBaselineBytesMax);
    if (!text) {
        return text.error().code() == ErrorCode::not_found ? Result<void>()
                                                           : Result<void>(std::move(text).error());
    }
    GYRE_TRY(const Json json, parse_json(*text));
    GYRE_TRY(training::PackageBaseline trained, training::baseline_from_json(json));
    context.baseline = std::move(trained.data);
    if (trained.performance) {
        context.baseline_metrics = monitor_metrics(*trained.performance);
    }
    return {};
}

}  // namespace gyre::loop
