#include "loop/child.h"

#include <algorithm>
#include <unistd.h>

#include "base/file.h"
#include "loop/limits.h"

namespace gyre::loop {
namespace {

constexpr std::int64_t kPollMs = 50;

std::string own_program() {
    char path[4096];
    const ssize_t length = ::readlink("/proc/self/exe", path, sizeof path);
    return length > 0 ? std::string(path, static_cast<std::size_t>(length)) : "gyre";
}

/// The last line of the child's progress file, when it has grown.
void report_progress(const std::string& path, std::size_t& seen, const pipelines::StepContext& context) {
    const auto text = read_file(path, kResultBytesMax);
    if (!text || text->size() <= seen || !context.report) {
        return;
    }
    seen = text->size();
    const std::size_t end = text->find_last_not_of('\n');
    const std::size_t start = end == std::string::npos ? 0 : text->rfind('\n', end);
    const std::string line = text->substr(start == std::string::npos ? 0 : start + 1);
    if (const auto json = parse_json(line); json) {
        context.report(json->number_or("progress", 0.0), json->string_or("message", ""));
    }
}

Error child_died(const runtime::ChildExit& exit, const std::string& log_path) {
    std::string output = read_file(log_path, kResultBytesMax).value_or("");
    if (output.size() > kChildLogBytesMax) {
        output = output.substr(output.size() - kChildLogBytesMax);
    }
    return internal_error("the step's process ended with " + exit.describe() +
                          (output.empty() ? "" : ": " + output));
}

Result<Json> read_result(const std::string& folder, const runtime::ChildExit& exit,
                         const std::string& log_path) {
    const auto text = read_file(folder + "/result.json", kResultBytesMax);
    if (!text) {
        return child_died(exit, log_path);
    }
    GYRE_TRY(const Json result, parse_json(*text));
    if (const Json* error = result.find("error")) {
        const auto code = parse_error_code(error->string_or("code", "internal"));
        return Error(code.value_or(ErrorCode::internal), error->string_or("message", "the step failed"));
    }
    return result["result"];
}

}  // namespace

Result<Json> run_child(const ChildOptions& options, const pipelines::StepContext& context,
                       const training::StepSpec& spec) {
    GYRE_TRY_VOID(make_directories(spec.output_dir));
    const std::string spec_path = spec.output_dir + "/spec.json";
    const std::string log_path = spec.output_dir + "/output.txt";
    GYRE_TRY_VOID(write_file_atomic(spec_path, gyre::to_json(spec).dump()));
    runtime::ChildOptions child;
    child.argv = {options.program.empty() ? own_program() : options.program, "step", spec_path};
    child.env = {{"OMP_WAIT_POLICY", "PASSIVE"}};  // spinning workers would take the cores from predictions
    child.priority = options.priority;
    child.stdout_to = runtime::OutputTo::file;
    child.stderr_to = runtime::OutputTo::file;
    child.stdout_path = log_path;
    child.stderr_path = log_path;
    GYRE_TRY(runtime::ChildProcess process, runtime::ChildProcess::start(child));
    std::size_t seen = 0;
    const std::int64_t limit_ms = std::min(options.timeout_ms, kChildTimeoutMaxMs);
    for (std::int64_t waited_ms = 0;; waited_ms += kPollMs) {
        const auto exit = process.wait(kPollMs);
        report_progress(spec.output_dir + "/progress.jsonl", seen, context);
        if (exit) {
            return read_result(spec.output_dir, *exit, log_path);
        }
        if (context.stop_requested()) {
            process.stop();
            return Error(ErrorCode::cancelled, "the step was cancelled");
        }
        if (waited_ms > limit_ms) {
            process.stop();
            return Error(ErrorCode::deadline_exceeded,
                         "the step took longer than " + std::to_string(limit_ms) + " ms");
        }
    }
}

}  // namespace gyre::loop
