// Adapter: CLI11. `gyre server`: runs the server until it is told to stop.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/config_flags.h"
#include "runtime/child_process.h"
#include "server/app.h"

namespace gyre::cli {

void add_server_command(CLI::App& app, Globals& globals) {
    CLI::App* command = app.add_subcommand("server", "Run the server.");
    const auto config = std::make_shared<server::ServerConfig>();
    const auto flags = std::make_shared<ConfigFlags>();
    add_config_flags(*command, config->table, flags);
    const auto parent = std::make_shared<int>(0);
    command->add_option("--parent-pid", *parent, "Stop when this process, which started the server, ends.")
        ->group("");  // hidden: for the demo
    command->callback([config, flags, parent, &globals] {
        globals.action = [config, flags, parent, &globals] {
            if (*parent > 0 && !runtime::stop_with_parent(*parent)) {
                return kExitInterrupted;
            }
            if (auto loaded = load_config(config->table, *flags); !loaded) {
                return report(loaded.error(), globals);
            }
            if (auto applied = server::apply_log_section(config->log); !applied) {
                return report(applied.error(), globals);
            }
            return server::run_server(*config);
        };
    });
}

}  // namespace gyre::cli
