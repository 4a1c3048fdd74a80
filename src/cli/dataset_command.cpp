// Adapter: CLI11. `gyre datasets`: tables on the server, for pipelines.
#include <cstdio>

#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/action.h"
#include "cli/remote.h"

namespace gyre::cli {
namespace {

void show_datasets(const Json& document) {
    print_items(list_in(document), {{"dataset", "name"}, {"bytes", "bytes"}},
                "no datasets; upload one with 'gyre datasets put NAME FILE'");
}

}  // namespace

void add_datasets_command(CLI::App& app, Globals& globals) {
    CLI::App* command = app.add_subcommand("datasets", "Tables for pipelines (dataset://NAME).");
    on_chosen(*command, globals, [&globals] {
        return finish(globals, Remote(globals).get(native("/datasets")), show_datasets);
    });
    CLI::App* put = command->add_subcommand("put", "Upload a table: CSV, Parquet or JSON lines.");
    const auto name = std::make_shared<std::string>();
    const auto file = std::make_shared<std::string>();
    put->add_option("name", *name, "Name to give it, with its ending: flights.csv.")->required();
    put->add_option("file", *file, "File.")->required();
    on_chosen(*put, globals, [name, file, &globals] {
        return finish(globals, Remote(globals).upload("PUT", native("datasets", *name), *file),
                      [&](const Json& answer) {
                          const auto bytes = static_cast<std::uint64_t>(answer.integer_or("bytes", 0));
                          std::printf("put dataset %s (%s)\n", name->c_str(), human_bytes(bytes).c_str());
                      });
    });
}

}  // namespace gyre::cli
