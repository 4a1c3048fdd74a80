#include "training/step.h"

#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "evidence/verdict.h"
#include "training/evaluate.h"
#include "training/gate.h"
#include "training/limits.h"
#include "training/train.h"

namespace gyre::training {
namespace {

constexpr std::int64_t kMegabyte = 1LL << 20;

/// Appends lines; what a reader sees is whole lines, because each is one write.
class ProgressFile {
 public:
    static Result<ProgressFile> open(const std::string& path) {
        Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644));
        if (!fd.valid()) {
            return errno_error("write '" + path + "'", errno);
        }
        return ProgressFile(std::move(fd));
    }
    Result<void> write(const Progress& progress) {
        if (++lines_ > kProgressLinesMax) {
            return {};
        }
        const std::string line = to_json(progress).dump() + "\n";
        if (::write(fd_.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
            return errno_error("write progress", errno);
        }
        return {};
    }

 private:
    explicit ProgressFile(Fd fd) : fd_(std::move(fd)) {}
    Fd fd_;
    std::int64_t lines_ = 0;
};

Result<StepOutcome> train_step(StepContext& step) {
    GYRE_TRY(const TrainSpec spec, from_json<TrainSpec>(step.spec.params));
    const std::string folder = step.spec.output_dir + "/package";
    GYRE_TRY(const TrainResult result, train(step.session, spec, folder, step.clock, step.on_progress));
    return StepOutcome{.result = to_json(result), .exit_code = 0};
}

Result<StepOutcome> evaluate_step(StepContext& step) {
    GYRE_TRY(const EvaluateSpec spec, from_json<EvaluateSpec>(step.spec.params));
    GYRE_TRY(const Evaluation result, evaluate(step.session, spec));
    return StepOutcome{.result = to_json(result), .exit_code = 0};
}

Result<StepOutcome> gate_step(StepContext& step) {
    GYRE_TRY(const GateSpec spec, from_json<GateSpec>(step.spec.params));
    GYRE_TRY(const GateResult result, gate(step.session, spec));
    return StepOutcome{.result = to_json(result), .exit_code = evidence::exit_code_of(result.verdict)};
}

Result<StepOutcome> sql_step(StepContext& step) {
    GYRE_TRY(const SqlParams params, from_json<SqlParams>(step.spec.params));
    const bool parquet = params.output.ends_with(".parquet");
    if (params.output.find('/') != std::string::npos || !(parquet || params.output.ends_with(".csv"))) {
        return invalid_argument("output '" + params.output +
                                "': expected a file name that ends in .parquet or .csv");
    }
    SqlResult result{.path = step.spec.output_dir + "/" + params.output};
    GYRE_TRY(result.rows, parquet ? step.session.write_parquet(params.sql, result.path)
                                  : step.session.write_csv(params.sql, result.path));
    return StepOutcome{.result = to_json(result), .exit_code = 0};
}

Result<StepSpec> read_spec(const std::string& path) {
    GYRE_TRY(const std::string text, read_file(path));
    GYRE_TRY(const Json json, parse_json(text));
    GYRE_TRY(StepSpec spec, from_json<StepSpec>(json));
    const StepLimits& limits = spec.limits;
    if (spec.output_dir.empty() || limits.memory_mb < 64 || limits.temp_mb < 0 || limits.threads < 1 ||
        limits.threads > kThreadsMax || limits.timeout_s < 1) {
        return invalid_argument("step: expected an output_dir, at least 64 MiB, 1 to " +
                                std::to_string(kThreadsMax) + " threads and at least 1 s");
    }
    return spec;
}

Result<std::unique_ptr<table::Session>> open_session(const StepSpec& spec, const Clock& clock) {
    table::SessionOptions options;
    options.engine.memory_bytes = spec.limits.memory_mb * kMegabyte;
    options.engine.temp_bytes_max = spec.limits.temp_mb * kMegabyte;
    options.engine.threads = spec.limits.threads;
    options.engine.timeout_ms = spec.limits.timeout_s * 1000;
    options.engine.temp_directory = spec.output_dir + "/temp";
    options.output_directory = spec.output_dir;
    return table::Session::open(options, clock);
}

/// Reads the inputs and calls the handler; `sources` keeps what was read even when the handler fails.
Result<StepOutcome> run_handler(const StepSpec& spec, const StepHandlers& handlers, const Clock& clock,
                                Json& sources) {
    const auto handler = handlers.find(spec.kind);
    if (handler == handlers.end()) {
        std::string known;
        for (const auto& [name, unused] : handlers) {
            known += (known.empty() ? "" : ", ") + name;
        }
        return invalid_argument("step: expected a kind of " + known + ", got '" + spec.kind + "'");
    }
    GYRE_TRY(ProgressFile progress, ProgressFile::open(spec.output_dir + "/progress.jsonl"));
    GYRE_TRY(const std::unique_ptr<table::Session> session, open_session(spec, clock));
    for (const table::SourceSpec& input : spec.inputs) {
        GYRE_TRY(const table::SourceReport report, session->add_source(input));
        sources.push_back(to_json(report));
    }
    StepContext context{
        .spec = spec, .session = *session, .clock = clock, .on_progress = [&](const Progress& line) {
            return progress.write(line);
        }};
    return handler->second(context);
}

Json error_json(const Error& error) {
    return Json::object({{"code", name_of(error.code())}, {"message", error.message()}});
}

}  // namespace

StepHandlers training_steps() {
    return {{"train", train_step}, {"evaluate", evaluate_step}, {"gate", gate_step}, {"sql", sql_step}};
}

int run_step(const std::string& spec_path, const StepHandlers& handlers, const Clock& clock) {
    const std::int64_t start_ns = clock.steady_ns();
    const Result<StepSpec> spec = read_spec(spec_path);
    if (!spec) {
        log_error("step_spec_refused", {{"path", spec_path}, {"reason", spec.error().message()}});
        return info_of(spec.error().code()).exit_code;
    }
    if (Result<void> made = make_directories(spec->output_dir); !made) {
        log_error("step_has_no_output_folder", {{"reason", made.error().message()}});
        return info_of(made.error().code()).exit_code;
    }
    Json report = Json::object({{"kind", spec->kind}});
    Json sources = Json::array();
    const Result<StepOutcome> outcome = run_handler(*spec, handlers, clock, sources);
    std::error_code ignored;
    std::filesystem::remove_all(spec->output_dir + "/temp", ignored);
    report.set("sources", std::move(sources));
    if (outcome) {
        report.set("result", outcome->result);
    } else {
        report.set("error", error_json(outcome.error()));
    }
    report.set("duration_s", static_cast<double>(clock.steady_ns() - start_ns) * 1e-9);
    if (Result<void> written = write_file_atomic(spec->output_dir + "/result.json", report.dump());
        !written) {
        log_error("step_result_not_written", {{"reason", written.error().message()}});
        return info_of(written.error().code()).exit_code;
    }
    return outcome ? outcome->exit_code : info_of(outcome.error().code()).exit_code;
}

}  // namespace gyre::training
