// Adapter: CLI11 callbacks.
#include "cli/action.h"

#include <array>
#include <cstdio>

#include <CLI/CLI.hpp>

#include "base/text.h"

namespace gyre::cli {

void on_chosen(CLI::App& command, Globals& globals, std::function<int()> action) {
    // CLI11 calls a subcommand's callback before its parent's.
    command.callback([&globals, action = std::move(action)] {
        if (!globals.action) {
            globals.action = action;
        }
    });
}

int finish(const Globals& globals, const Result<Json>& document,
           const std::function<void(const Json&)>& show) {
    if (!document) {
        return report(document.error(), globals);
    }
    if (globals.json) {
        print_json(*document);
    } else {
        show(*document);
    }
    return 0;
}

std::string cell(const Json& value) {
    switch (value.kind()) {
        case Json::Kind::null:
            return "-";
        case Json::Kind::boolean:
            return value.as_bool() ? "yes" : "no";
        case Json::Kind::string:
            return value.as_string().empty() ? "-" : value.as_string();
        case Json::Kind::number: {
            std::array<char, 32> text{};
            std::snprintf(text.data(), text.size(), "%.6g", value.as_number());
            return text.data();
        }
        default:
            return value.dump();
    }
}

const Json& at_path(const Json& document, std::string_view path) {
    const Json* at = &document;
    for (const std::string_view part : split(path, '.')) {
        at = &(*at)[part];
    }
    return *at;
}

const Json::Array& list_in(const Json& document) {
    static const Json::Array none;
    if (document.is_array()) {
        return document.items();
    }
    if (document.is_object()) {
        for (const JsonMember& member : document.members()) {
            if (member.value.is_array()) {
                return member.value.items();
            }
        }
    }
    return none;
}

void print_items(const Json::Array& items, const std::vector<ShownColumn>& columns,
                 std::string_view nothing) {
    if (items.empty()) {
        std::printf("%.*s\n", static_cast<int>(nothing.size()), nothing.data());
        return;
    }
    std::vector<std::string> header;
    header.reserve(columns.size());
    for (const ShownColumn& column : columns) {
        header.push_back(column.header);
    }
    TextTable table(std::move(header));
    for (const Json& item : items) {
        std::vector<std::string> cells;
        cells.reserve(columns.size());
        for (const ShownColumn& column : columns) {
            cells.push_back(cell(at_path(item, column.path)));
        }
        table.add_row(std::move(cells));
    }
    std::fputs(table.str().c_str(), stdout);
}

void print_facts(const Json& document, const std::vector<ShownColumn>& facts) {
    TextTable table({"", ""});
    for (const ShownColumn& fact : facts) {
        const Json& value = at_path(document, fact.path);
        if (!value.is_null()) {
            table.add_row({fact.header, cell(value)});
        }
    }
    const std::string text = table.str();
    std::fputs(text.c_str() + text.find('\n') + 1, stdout);
}

Result<Json> key_values(std::string_view flag, const std::vector<std::string>& texts) {
    Json out = Json::object();
    for (const std::string& text : texts) {
        const std::size_t equals = text.find('=');
        if (equals == std::string::npos || equals == 0) {
            return invalid_argument(std::string(flag) + ": expected NAME=VALUE, got '" + text + "'");
        }
        const std::string value = text.substr(equals + 1);
        auto parsed = parse_json(value);
        out.set(text.substr(0, equals), parsed && !parsed->is_string() ? *std::move(parsed) : Json(value));
    }
    return out;
}

std::string query_of(const std::vector<std::pair<std::string, std::string>>& pairs) {
    std::string out;
    for (const auto& [name, value] : pairs) {
        if (!value.empty()) {
            out.append(out.empty() ? "?" : "&").append(name).append("=").append(percent_encode(value));
        }
    }
    return out;
}

std::string native(std::string_view path) {
    return "/api/gyre/v1" + std::string(path);
}

std::string native(std::string_view group, std::string_view name, std::string_view rest) {
    return native("/" + std::string(group) + "/" + percent_encode(name) + std::string(rest));
}

}  // namespace gyre::cli
