// Adapter: CLI11. `gyre completion`: a shell's completion, made from the commands themselves.
#include <cstdio>

#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/action.h"

namespace gyre::cli {
namespace {

struct Word {
    std::string text;  // "tail", "--json"
    std::string help;
};
struct Place {
    std::string path;  // "gyre events"
    std::vector<Word> words;
};

/// 'text' for any of the shells.
std::string shell_quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'') {
            out.append("'\\''");
        } else {
            out.push_back(c);
        }
    }
    return out + "'";
}

bool is_hidden(const CLI::App& command) {
    return command.get_group().empty();
}

/// All commands below `command`, itself first, with the words that may follow each.
void collect(const CLI::App& command, const std::string& path, const std::vector<Word>& global,
             std::vector<Place>& places) {
    Place place{path, {}};
    const auto subcommands = command.get_subcommands([](const CLI::App* one) { return !is_hidden(*one); });
    for (const CLI::App* one : subcommands) {
        place.words.push_back({one->get_name(), one->get_description()});
    }
    for (const CLI::Option* option : command.get_options()) {
        for (const std::string& name : option->get_lnames()) {
            place.words.push_back({"--" + name, option->get_description()});
        }
    }
    place.words.insert(place.words.end(), global.begin(), global.end());
    places.push_back(std::move(place));
    for (const CLI::App* one : subcommands) {
        collect(*one, path + " " + one->get_name(), global, places);
    }
}

std::vector<Place> places_of(const CLI::App& app) {
    std::vector<Word> global;
    for (const CLI::Option* option : app.get_options()) {
        for (const std::string& name : option->get_lnames()) {
            if (name != "help") {
                global.push_back({"--" + name, option->get_description()});
            }
        }
    }
    std::vector<Place> places;
    collect(app, app.get_name(), global, places);
    // At the top the global flags are the command's own.
    places.front().words.resize(places.front().words.size() - global.size());
    return places;
}

/// The paths that a word can lead to, as patterns: 'gyre events'|'gyre events tail'
std::string patterns(const std::vector<Place>& places, const char* separator) {
    std::string out;
    for (std::size_t i = 1; i < places.size(); ++i) {
        out.append(i == 1 ? "" : separator).append(shell_quoted(places[i].path));
    }
    return out;
}

std::string bash_script(const std::vector<Place>& places) {
    std::string out =
        "# Completion of gyre for bash: source <(gyre completion bash)\n"
        "_gyre() {\n"
        "    local path=gyre word words=\n"
        "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
        "        case \"$path $word\" in\n            " +
        patterns(places, "|") + ") path=\"$path $word\" ;;\n        esac\n    done\n    case \"$path\" in\n";
    for (const Place& place : places) {
        std::string words;
        for (const Word& word : place.words) {
            words.append(words.empty() ? "" : " ").append(word.text);
        }
        out.append("        ")
            .append(shell_quoted(place.path))
            .append(") words=")
            .append(shell_quoted(words))
            .append(" ;;\n");
    }
    return out +
           "    esac\n"
           "    COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
           "}\n"
           "complete -o default -F _gyre gyre\n";
}

std::string zsh_script(const std::vector<Place>& places) {
    std::string out =
        "#compdef gyre\n"
        "# Completion of gyre for zsh: source <(gyre completion zsh)\n"
        "_gyre() {\n"
        "    local at=gyre word\n"
        "    local -a candidates\n"
        "    for word in \"${(@)words[2,CURRENT-1]}\"; do\n"
        "        case \"$at $word\" in\n            " +
        patterns(places, "|") + ") at=\"$at $word\" ;;\n        esac\n    done\n    case \"$at\" in\n";
    for (const Place& place : places) {
        out.append("        ").append(shell_quoted(place.path)).append(") candidates=(");
        for (const Word& word : place.words) {
            out.append("\n            ").append(shell_quoted(word.text + ":" + word.help));
        }
        out.append(") ;;\n");
    }
    return out +
           "    esac\n"
           "    _describe gyre candidates || _files\n"
           "}\n"
           "compdef _gyre gyre\n";
}

std::string fish_script(const std::vector<Place>& places) {
    std::string out =
        "# Completion of gyre for fish: gyre completion fish | source\n"
        "function __gyre_path\n"
        "    set -l at gyre\n"
        "    for word in (commandline -opc)[2..-1]\n"
        "        switch \"$at $word\"\n            case " +
        patterns(places, " ") +
        "\n                set at \"$at $word\"\n        end\n    end\n    echo $at\nend\n";
    for (const Place& place : places) {
        for (const Word& word : place.words) {
            const bool option = word.text.starts_with("--");
            out.append("complete -c gyre -n ")
                .append(shell_quoted("test (__gyre_path) = \"" + place.path + "\""))
                .append(option ? " -l " : " -a ")
                .append(shell_quoted(option ? word.text.substr(2) : word.text))
                .append(" -d ")
                .append(shell_quoted(word.help))
                .append("\n");
        }
    }
    return out;
}

}  // namespace

void add_completion_command(CLI::App& app, Globals& globals) {
    CLI::App* command = app.add_subcommand("completion", "Print a shell's completion of this program.");
    const auto shell = std::make_shared<std::string>();
    command->add_option("shell", *shell, "bash, zsh or fish.")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    on_chosen(*command, globals, [shell, &app, &globals] {
        const std::vector<Place> places = places_of(app);
        const std::string script = *shell == "bash"  ? bash_script(places)
                                   : *shell == "zsh" ? zsh_script(places)
                                                     : fish_script(places);
        if (globals.json) {
            print_json(Json::object({{"shell", *shell}, {"script", script}}));
        } else {
            std::fputs(script.c_str(), stdout);
        }
        return 0;
    });
}

}  // namespace gyre::cli
