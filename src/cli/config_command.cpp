// Adapter: CLI11. `gyre config`: what can be configured, and what is in force and why.
#include <cstdio>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/config_flags.h"
#include "cli/table.h"
#include "server/app.h"

namespace gyre::cli {
namespace {

std::string shown_value(const ConfigEntry& entry) {
    return entry.secret ? "(secret)" : entry.get();
}

Json as_json(const ConfigTable& table) {
    Json out = Json::array();
    for (const ConfigEntry& entry : table.entries()) {
        out.push_back(Json::object({{"key", entry.key},
                                    {"value", shown_value(entry)},
                                    {"default", entry.default_text},
                                    {"origin", entry.origin},
                                    {"flag", entry.flag},
                                    {"variable", entry.variable},
                                    {"help", entry.help}}));
    }
    return out;
}

enum class Form : std::uint8_t { values, explain, markdown };

void print_values(const ConfigTable& table, Form form) {
    TextTable text(form == Form::explain ? std::vector<std::string>{"key", "value", "origin", "help"}
                                         : std::vector<std::string>{"key", "value"});
    for (const ConfigEntry& entry : table.entries()) {
        std::vector<std::string> row{entry.key, shown_value(entry)};
        if (form == Form::explain) {
            row.push_back(entry.origin);
            row.push_back(entry.help);
        }
        text.add_row(std::move(row));
    }
    std::fputs(text.str().c_str(), stdout);
}

}  // namespace

void add_config_command(CLI::App& app, Globals& globals) {
    CLI::App* command = app.add_subcommand("config", "Show the configuration in force.");
    const auto config = std::make_shared<server::ServerConfig>();
    const auto flags = std::make_shared<ConfigFlags>();
    const auto form = std::make_shared<Form>(Form::values);
    command->add_flag_callback(
        "--explain", [form] { *form = Form::explain; }, "Say where each value comes from.");
    command->add_flag_callback(
        "--markdown", [form] { *form = Form::markdown; }, "Print the documents' table.");
    add_config_flags(*command, config->table, flags);
    command->callback([config, flags, form, &globals] {
        globals.action = [config, flags, form, &globals] {
            if (*form == Form::markdown) {
                std::fputs(config->table.markdown().c_str(), stdout);
                return 0;
            }
            if (auto loaded = load_config(config->table, *flags); !loaded) {
                return report(loaded.error(), globals);
            }
            if (globals.json) {
                print_json(as_json(config->table));
            } else {
                print_values(config->table, *form);
            }
            return 0;
        };
    });
}

}  // namespace gyre::cli
