// Adapter: CLI11. `gyre server`: runs the server until it is told to stop.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/config_flags.h"
#include "server/app.h"

namespace gyre::cli {

void add_server_command(CLI::App& app, Globals& globals) {
    CLI::App* command = app.add_subcommand("server", "Run the server.");
    const auto config = std::make_shared<server::ServerConfig>();
    const auto flags = std::make_shared<ConfigFlags>();
    add_config_flags(*command, config->table, flags);
    command->callback([config, flags, &globals] {
        globals.action = [config, flags, &globals] {
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
