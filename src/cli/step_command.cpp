// Adapter: CLI11. `gyre step SPEC` (hidden): the child's side of a pipeline step; the server starts it.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "loop/child.h"
#include "runtime/child_process.h"

namespace gyre::cli {
void add_step_command(CLI::App& app, Globals& globals) {
    CLI::App* command = app.add_subcommand("step", "Run one pipeline step (the server starts it).");
    command->group("");  // hidden
    const auto spec = std::make_shared<std::string>();
    command->add_option("spec", *spec, "File that describes the step.")->required();
    command->callback([spec, &globals] {
        globals.action = [spec] {
            runtime::die_with_parent();
            return training::run_step(*spec, loop::child_steps(), system_clock());
        };
    });
}

}  // namespace gyre::cli
