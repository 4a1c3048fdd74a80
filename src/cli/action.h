#pragma once
// What commands share: leaving an action behind, showing documents as tables, texts from the command line.
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"
#include "cli/table.h"

namespace gyre::cli {

/// The action runs when `command` is chosen and none of its subcommands is.
void on_chosen(CLI::App& command, Globals& globals, std::function<int()> action);

/// Ends an action: the error, or the document (--json) or what `show` prints of it. Gives the exit code.
int finish(const Globals& globals, const Result<Json>& document,
           const std::function<void(const Json&)>& show);

/// "-" for null, numbers with six digits, yes and no, lists and objects as JSON.
std::string cell(const Json& value);
/// The value under "evidence.low"; null when there is none.
const Json& at_path(const Json& document, std::string_view path);
/// The list of a document such as {"endpoints": [...], "next": 3}: its first array; empty without one.
const Json::Array& list_in(const Json& document);

struct ShownColumn {
    std::string header;
    std::string path;
};
/// One row per item; `nothing` is printed when there is none.
void print_items(const Json::Array& items, const std::vector<ShownColumn>& columns, std::string_view nothing);
/// "name   value" lines of one document; missing members are left out.
void print_facts(const Json& document, const std::vector<ShownColumn>& facts);

/// {"k": v} of "k=v" texts; a value that is a JSON number, boolean, list or object is read as such.
/// Errors: invalid_argument that names `flag`.
Result<Json> key_values(std::string_view flag, const std::vector<std::string>& texts);
/// "?a=1&b=x" of the pairs whose value is not empty.
std::string query_of(const std::vector<std::pair<std::string, std::string>>& pairs);
/// "/api/gyre/v1" + path.
std::string native(std::string_view path);
/// "/api/gyre/v1/<group>/<name>" + rest; the name is percent-encoded.
std::string native(std::string_view group, std::string_view name, std::string_view rest = "");

}  // namespace gyre::cli
