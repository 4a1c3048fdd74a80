#pragma once
// The flags of a ConfigTable on a command, and reading all sources in order: file, environment, flags.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/config.h"
#include "cli/command.h"

namespace gyre::cli {

struct ConfigFlags {
    std::string file;                                        // --config
    std::vector<std::pair<std::string, std::string>> given;  // key, text
};

/// Declares --config and one flag per entry; `flags` is filled when the command line is parsed.
void add_config_flags(CLI::App& command, const ConfigTable& table, const std::shared_ptr<ConfigFlags>& flags);
Result<void> load_config(ConfigTable& table, const ConfigFlags& flags);

}  // namespace gyre::cli
