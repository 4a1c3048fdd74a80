// Adapter: CLI11 reads the command line.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include <CLI/CLI.hpp>

#include "base/error_code.h"
#include "cli/command.h"

namespace gyre::cli {
namespace {

constexpr std::array kCommands{&add_server_command,  &add_version_command,   &add_openapi_command,
                               &add_config_command,  &add_step_command,      &add_predict_command,
                               &add_deploy_command,  &add_endpoints_command, &add_labels_command,
                               &add_events_command,  &add_rollout_command,   &add_pipeline_command,
                               &add_monitor_command, &add_runs_command,      &add_models_command,
                               &add_train_command,   &add_sql_command,       &add_demo_command,
                               &add_completion_command};
constexpr const char* kDefaultUrl = "http://127.0.0.1:5000";
const int kExitUsage = info_of(ErrorCode::invalid_argument).exit_code;

std::string environment_or(const char* name, const char* fallback) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0' ? value : fallback;
}

int run(int argc, char** argv) {
    Globals globals;
    globals.url = environment_or("GYRE_URL", kDefaultUrl);
    globals.token = environment_or("GYRE_TOKEN", "");
    CLI::App app("Gyre: one server for the production loop of machine learning.", "gyre");
    app.require_subcommand(1);
    app.fallthrough();
    app.add_flag("--json", globals.json, "Print one JSON document.");
    app.add_option("--url", globals.url, "Server to talk to (or GYRE_URL).");
    for (const auto add : kCommands) {
        add(app, globals);
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& failure) {
        if (failure.get_exit_code() == 0) {  // --help
            return app.exit(failure);
        }
        std::fprintf(stderr, "gyre: %s; see 'gyre --help'\n", failure.what());
        return kExitUsage;
    }
    return globals.action ? globals.action() : kExitUsage;
}

}  // namespace
}  // namespace gyre::cli

int main(int argc, char** argv) {
    try {
        return gyre::cli::run(argc, argv);
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "gyre: unexpected failure: %s\n", failure.what());
        return gyre::info_of(gyre::ErrorCode::internal).exit_code;
    }
}
