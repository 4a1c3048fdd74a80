#include "loop/prediction_export.h"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>

#include "base/id.h"

namespace gyre::loop {

PredictionExport::PredictionExport(monitoring::Monitoring& monitoring, PredictionExportOptions options)
    : monitoring_(monitoring), options_(std::move(options)) {}

Result<std::unique_ptr<PredictionExport>> PredictionExport::open(monitoring::Monitoring& monitoring,
                                                                 PredictionExportOptions options) {
    std::error_code failed;
    std::filesystem::remove_all(options.folder, failed);
    if (failed) {
        return errno_error("clear '" + options.folder + "'", failed.value());
    }
    return std::unique_ptr<PredictionExport>(new PredictionExport(monitoring, std::move(options)));
}

Result<ExportedFile> PredictionExport::run(const PredictionQuery& query) {
    if (busy_.exchange(true)) {
        return resource_exhausted("another export of predictions runs; try again when it has ended");
    }
    const std::string folder = options_.folder + "/" + make_hex_id();
    Result<ExportedFile> made = make(query, folder);
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
    busy_ = false;
    return made;
}

Result<ExportedFile> PredictionExport::make(const PredictionQuery& query, const std::string& folder) {
    GYRE_TRY(const monitoring::LogFiles files, monitoring_.files(query.endpoint, query.from_us, query.to_us));
    if (files.segments.empty()) {
        return not_found("endpoint '" + query.endpoint + "' has no predictions in that time");
    }
    ExportParams params;
    params.endpoint = query.endpoint;
    params.segments = files.segments;
    params.labels = files.labels;
    params.from_us = query.from_us;
    params.to_us = query.to_us;
    params.as_of_us = query.as_of_us;
    params.requests_max = options_.requests_max;
    params.output = "predictions." + std::string(gyre::name_of(query.format));
    training::StepSpec spec;
    spec.kind = "export_predictions";
    spec.params = gyre::to_json(params);
    spec.output_dir = folder;
    pipelines::StepContext context;
    context.cancelled = &stopped_;
    GYRE_TRY(const Json output, run_child(options_.child, context, spec));
    const std::string path = folder + "/" + params.output;
    ExportedFile out{.file = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC))};
    struct stat status{};
    if (!out.file.valid() || ::fstat(out.file.get(), &status) != 0) {
        return errno_error("open '" + path + "'", errno);
    }
    out.bytes = static_cast<std::uint64_t>(status.st_size);
    out.rows = output.integer_or("rows", 0);
    return out;
}

}  // namespace gyre::loop
