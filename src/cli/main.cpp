// Adapter: CLI11 reads the command line.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "base/error_code.h"
#include "base/text.h"
#include "cli/command.h"

namespace gyre::cli {
namespace {

constexpr std::array kCommands{
    &add_server_command,   &add_version_command,     &add_openapi_command,  &add_config_command,
    &add_step_command,     &add_predict_command,     &add_deploy_command,   &add_endpoints_command,
    &add_labels_command,   &add_predictions_command, &add_events_command,   &add_rollout_command,
    &add_pipeline_command, &add_monitor_command,     &add_runs_command,     &add_models_command,
    &add_train_command,    &add_sql_command,         &add_datasets_command, &add_bench_command,
    &add_demo_command,     &add_completion_command};
constexpr const char* kDefaultUrl = "http://127.0.0.1:5000";
const int kExitUsage = info_of(ErrorCode::invalid_argument).exit_code;

std::string environment_or(const char* name, const char* fallback) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0' ? value : fallback;
}

/// The innermost command that was named, as typed: "gyre events".
std::string path_of(const CLI::App& app, const CLI::App*& innermost) {
    std::string path = app.get_name();
    innermost = &app;
    while (!innermost->get_subcommands().empty()) {
        innermost = innermost->get_subcommands().front();
        path += " " + innermost->get_name();
    }
    return path;
}

/// The long flags that may stand here.
std::vector<std::string_view> flags_of(const CLI::App& app, const CLI::App& innermost) {
    std::vector<std::string_view> out;
    for (const CLI::App* one : {&app, &innermost}) {
        for (const CLI::Option* option : one->get_options()) {
            for (const std::string& name : option->get_lnames()) {
                out.emplace_back(name);
            }
        }
    }
    return out;
}

/// The sentence for a command line that cannot be read.
Error usage_error(const CLI::App& app, const CLI::ParseError& failure) {
    const CLI::App* innermost = nullptr;
    const std::string path = path_of(app, innermost);
    std::string what = failure.what();
    const auto commands =
        innermost->get_subcommands([](const CLI::App* one) { return !one->get_group().empty(); });
    std::vector<std::string> words = app.remaining(true);  // of all levels
    const auto flag =
        std::ranges::find_if(words, [](const std::string& word) { return word.starts_with("--"); });
    if (flag != words.end()) {
        const std::string name = flag->substr(2, flag->find('=') - 2);
        const std::string_view near = nearest_of(name, flags_of(app, *innermost));
        return invalid_argument("no flag '--" + name + "'" +
                                (near.empty() ? "" : " (did you mean '--" + std::string(near) + "'?)") +
                                "; see '" + path + " --help'");
    }
    std::erase_if(words, [](const std::string& word) { return word.starts_with('-'); });
    if (!commands.empty() && !words.empty()) {
        std::vector<std::string> names;
        for (const CLI::App* one : commands) {
            names.push_back(one->get_name());
        }
        const std::vector<std::string_view> known(names.begin(), names.end());
        what = "no command '" + words.front() + "'" + suggestion(words.front(), known);
    } else if (failure.get_name() == "RequiredError" && !commands.empty()) {
        what = "a command is missing";
    }
    return invalid_argument(what + "; see '" + path + " --help'");
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
        return report(usage_error(app, failure), globals);
    }
    return globals.action ? globals.action() : kExitUsage;
}

/// What starts us may have closed some of the first three: the next file would get the number, be read as the
/// input or be written over by what is printed, and a child could not be given its own.
void open_standard_descriptors() {
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
        if (::fcntl(descriptor, F_GETFD) == -1) {
            static_cast<void>(::open("/dev/null", O_RDWR));  // gets the lowest number that is free: this one
        }
    }
}

}  // namespace
}  // namespace gyre::cli

int main(int argc, char** argv) {
    gyre::cli::open_standard_descriptors();
    try {
        return gyre::cli::run(argc, argv);
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "gyre: unexpected failure: %s\n", failure.what());
        return gyre::info_of(gyre::ErrorCode::internal).exit_code;
    }
}
