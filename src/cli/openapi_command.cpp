// Adapter: CLI11. `gyre openapi`: prints the API's description; docs/openapi.json is its output.
#include <CLI/CLI.hpp>

#include "base/log.h"
#include "cli/command.h"
#include "server/app.h"

namespace gyre::cli {

void add_openapi_command(CLI::App& app, Globals& globals) {
    app.add_subcommand("openapi", "Print the HTTP API as OpenAPI 3.1.")->callback([&globals] {
        globals.action = [&globals] {
            configure_log(LogLevel::warn, LogFormat::text);
            const auto document = server::describe_api();
            if (!document) {
                return report(document.error(), globals);
            }
            print_json(*document);
            return 0;
        };
    });
}

}  // namespace gyre::cli
