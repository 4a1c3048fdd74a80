#pragma once
// Subcommands: one file and one line in commands() each. A command declares its flags on the parser and
// leaves an action behind; main runs the action of the command that was chosen.
#include <functional>
#include <string>

#include "base/json.h"
#include "base/result.h"

namespace CLI {
class App;
}  // namespace CLI

namespace gyre::cli {

struct Globals {
    bool json = false;            // --json: one JSON document on stdout instead of text
    std::string url;              // --url or GYRE_URL
    std::string token;            // GYRE_TOKEN only: flags show in process lists
    std::function<int()> action;  // set by the chosen command; gives the exit code
};

// Each command's file defines one of these.
void add_server_command(CLI::App& app, Globals& globals);
void add_version_command(CLI::App& app, Globals& globals);
void add_openapi_command(CLI::App& app, Globals& globals);
void add_config_command(CLI::App& app, Globals& globals);
void add_step_command(CLI::App& app, Globals& globals);
void add_predict_command(CLI::App& app, Globals& globals);
void add_deploy_command(CLI::App& app, Globals& globals);
void add_endpoints_command(CLI::App& app, Globals& globals);
void add_labels_command(CLI::App& app, Globals& globals);
void add_events_command(CLI::App& app, Globals& globals);
void add_rollout_command(CLI::App& app, Globals& globals);
void add_pipeline_command(CLI::App& app, Globals& globals);
void add_monitor_command(CLI::App& app, Globals& globals);
void add_runs_command(CLI::App& app, Globals& globals);
void add_models_command(CLI::App& app, Globals& globals);
void add_train_command(CLI::App& app, Globals& globals);
void add_sql_command(CLI::App& app, Globals& globals);
void add_bench_command(CLI::App& app, Globals& globals);
void add_demo_command(CLI::App& app, Globals& globals);
void add_datasets_command(CLI::App& app, Globals& globals);
void add_predictions_command(CLI::App& app, Globals& globals);
void add_completion_command(CLI::App& app, Globals& globals);

/// Prints "gyre: <message>" (with --json {"code","message"}) to stderr; the exit code for the error.
int report(const Error& error, const Globals& globals);
/// Prints a document: pretty for people.
void print_json(const Json& document);

}  // namespace gyre::cli
