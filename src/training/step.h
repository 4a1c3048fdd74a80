#pragma once
// The child's side of a pipeline step: a JSON spec in, files and result.json out. It never opens a data
// folder; the parent hands it files and commits what it leaves.
//
// Spec (StepSpec): {"kind": "train", "inputs": [SourceSpec...], "params": {...}, "output_dir": "...",
//                   "limits": {...}}
// Progress: <output_dir>/progress.jsonl, one Progress a line, at most kProgressLinesMax.
// Result: <output_dir>/result.json, written atomically at the end:
//   {"kind", "sources": [SourceReport...], "result": {...}, "duration_s"} or {"kind", "error": {"code",
//   "message"}}.
// Exit code: 0; 1 and 3 where the kind is a gate that failed or had no evidence; else the error code's.
//
// Kinds here, with their params and results:
//   train     TrainSpec     -> TrainResult; the package is <output_dir>/package
//   evaluate  EvaluateSpec  -> Evaluation
//   gate      GateSpec      -> GateResult
//   sql       SqlParams     -> SqlResult; writes <output_dir>/<output>
// Other modules' kinds (validate) are added to the table by whoever calls run_step.
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "table/session.h"
#include "training/train_spec.h"

namespace gyre::training {

struct StepLimits {
    std::int64_t memory_mb = 1024;
    std::int64_t temp_mb = 8192;
    std::int64_t threads = 2;
    std::int64_t timeout_s = 600;
    static constexpr auto fields() {
        using L = StepLimits;
        return std::tuple{
            Field{"memory_mb", &L::memory_mb, "Memory of SQL, MiB.", optional_field},
            Field{"temp_mb", &L::temp_mb, "Spill space of SQL, MiB.", optional_field},
            Field{"threads", &L::threads, "Threads of SQL; trainers have their own.", optional_field},
            Field{"timeout_s", &L::timeout_s, "Time of one SQL statement.", optional_field}};
    }
};

struct StepSpec {
    std::string kind{};
    std::vector<table::SourceSpec> inputs{};
    Json params{};
    std::string output_dir{};
    StepLimits limits{};
    static constexpr auto fields() {
        using S = StepSpec;
        return std::tuple{Field{"kind", &S::kind, "What to do."},
                          Field{"inputs", &S::inputs, "Tables to read.", optional_field},
                          Field{"params", &S::params, "The kind's own arguments.", optional_field},
                          Field{"output_dir", &S::output_dir, "Folder for everything that is written."},
                          Field{"limits", &S::limits, "Bounds of the work.", optional_field}};
    }
};

struct SqlParams {
    std::string sql{};
    std::string output{};
    static constexpr auto fields() {
        return std::tuple{
            Field{"sql", &SqlParams::sql, "One SELECT over the inputs."},
            Field{"output", &SqlParams::output, "File name in the output folder: *.parquet or *.csv."}};
    }
};

struct SqlResult {
    std::string path{};
    std::int64_t rows = 0;
    static constexpr auto fields() {
        return std::tuple{Field{"path", &SqlResult::path, "File written."},
                          Field{"rows", &SqlResult::rows, "Rows in it."}};
    }
};

struct StepContext {
    const StepSpec& spec;
    table::Session& session;
    const Clock& clock;
    std::function<Result<void>(const Progress&)> on_progress;
};
struct StepOutcome {
    Json result;
    int exit_code = 0;
};
using StepHandler = std::function<Result<StepOutcome>(StepContext&)>;
using StepHandlers = std::map<std::string, StepHandler, std::less<>>;

/// The kinds above.
StepHandlers training_steps();

/// Runs the step that the file describes and returns the exit code. Never throws; an error that leaves no
/// place for result.json is logged.
int run_step(const std::string& spec_path, const StepHandlers& handlers, const Clock& clock);

}  // namespace gyre::training
