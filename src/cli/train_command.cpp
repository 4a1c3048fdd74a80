// Adapter: CLI11. `gyre train`: a model package from a file, trained in a child process of this one.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <utility>

#include <CLI/CLI.hpp>

#include "base/file.h"
#include "base/model_ref.h"
#include "base/text.h"
#include "cli/action.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/remote.h"
#include "cli/source_flags.h"
#include "cli/temp_directory.h"
#include "cli/track_training.h"
#include "runtime/child_process.h"
#include "table/session.h"
#include "training/step.h"
#include "training/train.h"

namespace gyre::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kPollMs = 100;
constexpr std::string_view kTable = "rows";

struct TrainFlags {
    std::vector<std::string> data;
    std::string sql;
    std::vector<std::string> features;
    std::string task = "classification";
    std::string holdout = "fraction";
    std::string out;
    std::string name;
    std::string register_as;
    std::string experiment = "Default";
    std::int64_t memory_mb = 2048;
    CsvFlags csv;
    table::OnError on_error = table::OnError::fail;
    training::TrainSpec spec;
};

/// Makes a folder and those above it; what of them is new and still empty goes away with the command.
class NewFolders {
 public:
    static Result<NewFolders> make(const fs::path& folder) {
        NewFolders out;
        for (fs::path at = folder; !at.empty() && !fs::exists(at) && at.has_relative_path();
             at = at.parent_path()) {
            out.made_.push_back(at);
        }
        GYRE_TRY_VOID(make_directories(folder.string()));
        return out;
    }
    ~NewFolders() {
        for (const fs::path& folder : made_) {
            std::error_code not_empty;
            fs::remove(folder, not_empty);
        }
    }
    NewFolders(NewFolders&& other) noexcept : made_(std::exchange(other.made_, {})) {}
    NewFolders& operator=(NewFolders&&) = delete;
    NewFolders(const NewFolders&) = delete;
    NewFolders& operator=(const NewFolders&) = delete;

 private:
    NewFolders() = default;
    std::vector<fs::path> made_;  // the innermost first
};

/// The lines that a step adds to its progress file.
class ProgressTail {
 public:
    explicit ProgressTail(std::string path) : path_(std::move(path)) {}
    void show_in(Progress& bar) {
        if (!in_.is_open()) {
            in_.open(path_);
        }
        in_.clear();
        std::string line;
        for (std::streampos start = in_.tellg(); std::getline(in_, line); start = in_.tellg()) {
            if (in_.eof()) {  // not whole yet
                in_.clear();
                in_.seekg(start);
                return;
            }
            show(line, bar);
        }
    }

 private:
    static void show(const std::string& line, Progress& bar) {
        const auto json = parse_json(line);
        const auto progress = json ? from_json<training::Progress>(*json)
                                   : Result<training::Progress>(invalid_argument("no progress"));
        if (!progress) {
            return;
        }
        std::string note = progress->message;
        if (progress->iteration > 0) {
            note.append(" ").append(std::to_string(progress->iteration));
        }
        for (const auto& [name, value] : progress->metrics) {
            note.append(" ").append(name).append("=").append(cell(value));
        }
        if (progress->eta_s > 0) {
            note.append(" ETA ").append(human_duration(progress->eta_s));
        }
        bar.update(progress->progress, note);
    }
    std::string path_;
    std::ifstream in_;
};

std::vector<table::SourceSpec> inputs_of(const TrainFlags& flags) {
    table::SourceSpec source{.name = flags.sql.empty() ? std::string(kTable) : "data",
                             .on_error = flags.on_error};
    for (const std::string& path : flags.data) {
        source.paths.push_back(fs::absolute(path).string());
    }
    apply(flags.csv, source);
    std::vector<table::SourceSpec> out{std::move(source)};
    if (!flags.sql.empty()) {
        out.push_back({.name = std::string(kTable), .sql = flags.sql});
    }
    return out;
}

/// Every column but target and times.
Result<std::vector<std::string>> all_features(const TrainFlags& flags, const std::string& temp) {
    table::SessionOptions options;
    options.engine.temp_directory = temp;
    GYRE_TRY(const auto session, table::Session::open(options, system_clock()));
    for (const table::SourceSpec& input : inputs_of(flags)) {
        GYRE_TRY(const table::SourceReport unused, session->add_source(input));
    }
    GYRE_TRY(const table::Schema schema, session->schema_of("SELECT * FROM " + table::quote_name(kTable)));
    std::vector<std::string> out;
    for (const table::ColumnSchema& column : schema.columns) {
        if (column.name != flags.spec.target && column.name != flags.spec.time_column &&
            column.type != table::ColumnType::timestamp) {
            out.push_back(column.name);
        }
    }
    return out;
}

Result<training::StepSpec> step_of(const TrainFlags& flags, const std::string& temp) {
    training::TrainSpec spec = flags.spec;
    spec.table = kTable;
    GYRE_TRY(spec.task, parse_enum<training::TrainTask>(flags.task));
    GYRE_TRY(spec.holdout.kind, parse_enum<training::HoldoutKind>(flags.holdout));
    spec.holdout.seed = spec.params.seed;
    std::vector<std::string> names = flags.features;
    if (names.empty()) {
        GYRE_TRY(names, all_features(flags, temp));
    }
    for (const std::string& name : names) {
        spec.features.push_back({.name = name});
    }
    GYRE_TRY_VOID(training::check_train_spec(spec));
    training::StepSpec step;
    step.kind = "train";
    step.inputs = inputs_of(flags);
    step.params = to_json(spec);
    step.output_dir = temp + "/out";
    step.limits.memory_mb = flags.memory_mb;
    step.limits.threads = spec.params.threads;
    return step;
}

/// Where the package goes: --out itself, or with --name the next version in the repository --out.
Result<fs::path> destination(const TrainFlags& flags) {
    const fs::path out = fs::absolute(flags.out).lexically_normal();
    if (flags.name.empty()) {
        if (fs::exists(out)) {
            return already_exists("'" + flags.out + "' exists; name another folder with --out or remove it");
        }
        return out;
    }
    GYRE_TRY_VOID(check_model_name(flags.name));
    std::int64_t last = 0;
    std::error_code none;
    for (const fs::directory_entry& entry : fs::directory_iterator(out / flags.name, none)) {
        last = std::max(last, parse_integer(entry.path().filename().string()).value_or(0));
    }
    return out / flags.name / std::to_string(last + 1);
}

/// The result of a step that ended, or why there is none.
Result<Json> read_result(const std::string& folder, const runtime::ChildExit& exit) {
    const auto text = read_file(folder + "/result.json");
    if (!text) {
        return internal_error("the training process ended with " + exit.describe() +
                              "; if memory ran out, try fewer rows or columns");
    }
    GYRE_TRY(const Json document, parse_json(*text));
    if (const Json* error = document.find("error"); error != nullptr) {
        const auto code = parse_error_code(error->string_or("code", ""));
        return Error(code.value_or(ErrorCode::internal), error->string_or("message", "training failed"));
    }
    for (const Json& source : document["sources"].items()) {
        if (const auto report = from_json<table::SourceReport>(source)) {
            report_skipped(*report);
        }
    }
    return document["result"];
}

Result<Json> run_child_step(const training::StepSpec& step, const std::string& temp) {
    const std::string spec_path = temp + "/spec.json";
    GYRE_TRY_VOID(write_file_atomic(spec_path, to_json(step).dump()));
    const InterruptWatch watch;
    runtime::ChildOptions options;
    options.argv = {fs::read_symlink("/proc/self/exe").string(), "step", spec_path};
    options.env = {{"OMP_WAIT_POLICY", "PASSIVE"}};
    GYRE_TRY(runtime::ChildProcess child, runtime::ChildProcess::start(options));
    Progress bar("train", detect_progress_style());
    ProgressTail tail(step.output_dir + "/progress.jsonl");
    std::optional<runtime::ChildExit> exit;
    while (!(exit = child.wait(kPollMs))) {
        if (watch.wait(0)) {
            child.stop();
            return Error(ErrorCode::cancelled, "training was interrupted; nothing was written");
        }
        tail.show_in(bar);
    }
    GYRE_TRY(Json result, read_result(step.output_dir, *exit));
    bar.finish("done in " + human_duration(result.number_or("duration_s", 0)));
    return result;
}

Result<Json> train(const TrainFlags& flags, const Globals& globals) {
    if (!flags.register_as.empty()) {  // what cannot be registered is said before the work
        GYRE_TRY_VOID(check_model_name(flags.register_as));
        GYRE_TRY_VOID(Remote(globals).get("/api/2.0/mlflow/experiments/get?experiment_id=0"));
    }
    GYRE_TRY(const fs::path package, destination(flags));
    GYRE_TRY(const NewFolders parents, NewFolders::make(package.parent_path()));
    GYRE_TRY(const TempDirectory temp, TempDirectory::create(package.parent_path().string()));
    GYRE_TRY(const training::StepSpec step, step_of(flags, temp.path()));
    GYRE_TRY(Json result, run_child_step(step, temp.path()));
    std::error_code failure;
    fs::rename(step.output_dir + "/package", package, failure);
    if (failure) {
        return unavailable("move the package to '" + package.string() + "': " + failure.message());
    }
    result.set("package", package.string());
    if (const Json& classes = result["classes"]; classes.is_array() && classes.items().size() == 2) {
        result.set("predicts", "the probability of '" + classes.items()[1].as_string() + "'");
    }
    if (!flags.register_as.empty()) {
        GYRE_TRY(training::TrainResult trained, from_json<training::TrainResult>(result));
        GYRE_TRY(const Json tracked, track_training({.model = flags.register_as,
                                                     .experiment = flags.experiment,
                                                     .package = package.string(),
                                                     .progress_file = step.output_dir + "/progress.jsonl",
                                                     .result = std::move(trained)},
                                                    globals));
        result.set("run_id", tracked["run_id"]);
        result.set("model", tracked["model"]);
    }
    return result;
}

void show(const Json& result) {
    print_facts(result, {{"package", "package"},
                         {"run", "run_id"},
                         {"model", "model"},
                         {"rows trained on", "rows_train"},
                         {"rows kept back", "rows_holdout"},
                         {"rows without label", "rows_without_label"},
                         {"predicts", "predicts"},
                         {"seconds", "duration_s"}});
    Json::Array metrics;
    const Json& held = result["holdout"]["metrics"];
    const Json& known = held.is_object() ? held : result["metrics"];
    for (const JsonMember& member : known.is_object() ? known.members() : Json::Object()) {
        Json row = Json::object({{"metric", member.key}});
        if (member.value.is_object()) {
            const bool interval = member.value["low"] != member.value["high"];  // r2 and ece have none
            row.set("value", member.value["estimate"]);
            row.set("low", interval ? member.value["low"] : Json());
            row.set("high", interval ? member.value["high"] : Json());
        } else {
            row.set("value", member.value);
        }
        metrics.push_back(std::move(row));
    }
    std::printf("\n");
    if (held.is_object()) {
        print_items(
            metrics,
            {{"metric (rows kept back)", "metric"}, {"value", "value"}, {"low", "low"}, {"high", "high"}},
            "");
    } else {
        print_items(metrics, {{"metric", "metric"}, {"value", "value"}}, "no metrics");
    }
}

/// "--max-depth" and so on, one flag per field of TrainParams.
void add_param_flags(CLI::App& command, training::TrainParams& params) {
    const auto add = [&](const auto& field) {
        std::string flag = "--" + std::string(field.name);
        std::replace(flag.begin(), flag.end(), '_', '-');
        command.add_option(flag, params.*(field.member), std::string(field.doc))
            ->capture_default_str()
            ->group("Trainer");
    };
    std::apply([&](const auto&... field) { (add(field), ...); }, training::TrainParams::fields());
}

}  // namespace

void add_train_command(CLI::App& app, Globals& globals) {
    CLI::App* command = app.add_subcommand("train", "Train a model package from a file, here.");
    const auto flags = std::make_shared<TrainFlags>();
    command->add_option("--data", flags->data, "Rows: .csv, .parquet, .jsonl or a .zip of one; repeatable.")
        ->required()
        ->allow_extra_args(false);
    command->add_option("--sql", flags->sql, "SELECT over the table 'data' that makes the rows.");
    command->add_option("--target", flags->spec.target, "Column to predict.")->required();
    command->add_option("--features", flags->features, "Columns to predict from; else all others.")
        ->delimiter(',');
    command->add_option("--time", flags->spec.time_column, "Column of event time.");
    command->add_option("--task", flags->task, "classification or regression.")->capture_default_str();
    command->add_option("--out", flags->out, "Folder of the package; with --name a model repository.")
        ->required();
    command->add_option("--name", flags->name, "Write to OUT/NAME/<next version>.");
    auto* registered =
        command->add_option("--register", flags->register_as,
                            "Track the run on the server, and register the next version of this model.");
    command->add_option("--experiment", flags->experiment, "Experiment of the run.")
        ->capture_default_str()
        ->needs(registered);
    add_csv_flags(*command, flags->csv);
    add_on_error_flag(*command, flags->on_error);
    command->add_option("--holdout", flags->holdout, "Rows kept back: fraction, time or none.")
        ->capture_default_str();
    command->add_option("--holdout-fraction", flags->spec.holdout.fraction, "Share of them.")
        ->capture_default_str();
    command->add_option("--memory-mb", flags->memory_mb, "Memory for reading the rows, MiB.")
        ->capture_default_str();
    add_param_flags(*command, flags->spec.params);
    on_chosen(*command, globals, [flags, &globals] { return finish(globals, train(*flags, globals), show); });
}

}  // namespace gyre::cli
