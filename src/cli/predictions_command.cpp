// Adapter: CLI11. `gyre predictions export`: the prediction log with its labels, as a file.
#include <cstdio>

#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/action.h"
#include "cli/remote.h"

namespace gyre::cli {
namespace {

struct ExportFlags {
    std::string endpoint;
    std::string out;
    std::string from;
    std::string to;
    std::string as_of;
};

Result<Json> export_predictions(const ExportFlags& flags, const Globals& globals) {
    const bool csv = flags.out.ends_with(".csv");
    if (!csv && !flags.out.ends_with(".parquet")) {
        return invalid_argument("--out: expected a name that ends in .parquet or .csv, got '" + flags.out +
                                "'");
    }
    const std::string query = query_of({{"from", flags.from},
                                        {"to", flags.to},
                                        {"as_of", flags.as_of},
                                        {"format", csv ? "csv" : "parquet"}});
    Remote remote(globals);
    GYRE_TRY(const Download done,
             remote.download(native("endpoints", flags.endpoint, "/predictions") + query, flags.out));
    return Json::object({{"out", flags.out},
                         {"rows", parse_integer(done.header("gyre-rows")).value_or(0)},
                         {"bytes", done.bytes}});
}

}  // namespace

void add_predictions_command(CLI::App& app, Globals& globals) {
    CLI::App* command = app.add_subcommand("predictions", "The prediction log.");
    command->require_subcommand(1);
    CLI::App* one = command->add_subcommand(
        "export",
        "Write an endpoint's predictions with their labels to a file: a row for every variant that scored.");
    const auto flags = std::make_shared<ExportFlags>();
    one->add_option("endpoint", flags->endpoint, "Endpoint.")->required();
    one->add_option("--out", flags->out, "File: .parquet or .csv.")->required();
    one->add_option("--from", flags->from, "Event time of the first row, such as 2013-02-01.");
    one->add_option("--to", flags->to, "Event time behind the last row.");
    one->add_option("--as-of", flags->as_of, "Only labels that had arrived before then.");
    on_chosen(*one, globals, [flags, &globals] {
        return finish(globals, export_predictions(*flags, globals), [](const Json& document) {
            std::printf("%s rows in %s (%s)\n", with_thousands(document.integer_or("rows", 0)).c_str(),
                        cell(document["out"]).c_str(),
                        human_bytes(static_cast<std::uint64_t>(document.integer_or("bytes", 0))).c_str());
        });
    });
}

}  // namespace gyre::cli
