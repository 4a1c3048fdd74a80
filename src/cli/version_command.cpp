// Adapter: CLI11. `gyre version`.
#include <cstdio>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "server/app.h"

namespace gyre::cli {

void add_version_command(CLI::App& app, Globals& globals) {
    app.add_subcommand("version", "Print the version.")->callback([&globals] {
        globals.action = [&globals] {
            const std::string version(server::version());
            if (globals.json) {
                print_json(Json::object({{"version", version}}));
            } else {
                std::printf("gyre %s\n", version.c_str());
            }
            return 0;
        };
    });
}

}  // namespace gyre::cli
