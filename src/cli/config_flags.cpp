// Adapter: CLI11 options from config entries.
#include "cli/config_flags.h"

#include <CLI/CLI.hpp>

namespace gyre::cli {

void add_config_flags(CLI::App& command, const ConfigTable& table,
                      const std::shared_ptr<ConfigFlags>& flags) {
    command.add_option("--config", flags->file, "Configuration file (YAML).");
    for (const ConfigEntry& entry : table.entries()) {
        const auto store = [flags, key = entry.key](const std::string& text) {
            flags->given.emplace_back(key, text);
        };
        command.add_option_function<std::string>(entry.flag, store, entry.help)
            ->type_name(entry.type)
            ->default_str(entry.default_text);
    }
}

Result<void> load_config(ConfigTable& table, const ConfigFlags& flags) {
    if (!flags.file.empty()) {
        GYRE_TRY_VOID(table.load_file(flags.file));
    }
    GYRE_TRY_VOID(table.load_environment());
    for (const auto& [key, text] : flags.given) {
        GYRE_TRY_VOID(table.set(key, text, "flag"));
    }
    return {};
}

}  // namespace gyre::cli
