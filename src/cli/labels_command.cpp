// Adapter: CLI11. `gyre labels`: what really happened, for predictions that were made.
#include <cstdio>

#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/action.h"
#include "cli/progress.h"
#include "cli/remote.h"
#include "cli/row_reader.h"
#include "cli/source_flags.h"

namespace gyre::cli {
namespace {

constexpr std::size_t kBatchRows = 1000;  // labels of one request

struct LabelFlags {
    std::string endpoint;
    std::string file;
    std::string id_column = "request_id";
    std::string value_column = "value";
    std::string time_column = "time";
    table::OnError on_error = table::OnError::fail;
};

struct LabelCounts {
    std::int64_t sent = 0;
    std::int64_t accepted = 0;
    std::int64_t duplicates = 0;
    std::int64_t revisions = 0;
    std::int64_t unknown = 0;
};

Result<Json> label_of(const Json& row, const LabelFlags& flags, std::int64_t number) {
    const std::string where = "label " + std::to_string(number);
    const Json& id = row[flags.id_column];
    const Json& value = row[flags.value_column];
    if (!id.is_string() && !id.is_integer()) {
        return invalid_argument(where + ": no '" + flags.id_column + "'; name the column with --request-id");
    }
    if (row.find(flags.value_column) == nullptr) {
        return invalid_argument(where + ": no '" + flags.value_column + "'; name the column with --value");
    }
    if (!value.is_number() && !value.is_bool() && !value.is_string()) {
        return invalid_argument(where + ": expected a number or the name of a class in '" +
                                flags.value_column + "', got " + value.dump() +
                                "; leave out the rows whose outcome is not known");
    }
    Json label = Json::object({{"request_id", id.is_string() ? id : Json(id.dump())},
                               {"value", value.is_bool() ? Json(value.as_bool() ? 1 : 0) : value}});
    if (const Json* time = row.find(flags.time_column); time != nullptr && !time->is_null()) {
        label.set("time", *time);
    }
    return label;
}

Result<Json> send_labels(const LabelFlags& flags, const Globals& globals) {
    Remote remote(globals);
    Progress progress("labels " + flags.endpoint, detect_progress_style());
    LabelCounts counts;
    const auto on_batch = [&](RowBatch&& batch) -> Result<void> {
        Json labels = Json::array();
        for (const Json& row : batch.rows) {
            GYRE_TRY(Json label, label_of(row, flags, ++counts.sent));
            labels.push_back(std::move(label));
        }
        const Json body = Json::object({{"endpoint", flags.endpoint}, {"labels", std::move(labels)}});
        GYRE_TRY(const Json answer, remote.post(native("/labels"), body));
        counts.accepted += answer.integer_or("accepted", 0);
        counts.duplicates += answer.integer_or("duplicates", 0);
        counts.revisions += answer.integer_or("revisions", 0);
        counts.unknown += answer.integer_or("unknown", 0);
        progress.update(batch.fraction, with_thousands(counts.sent) + " labels");
        return {};
    };
    const table::SourceSpec file{
        .path = flags.file, .types = {{flags.id_column, "text"}}, .on_error = flags.on_error};
    GYRE_TRY(const std::int64_t rows, read_rows(file, kBatchRows, on_batch));
    progress.finish(with_thousands(rows) + " labels");
    return Json::object({{"sent", counts.sent},
                         {"accepted", counts.accepted},
                         {"duplicates", counts.duplicates},
                         {"revisions", counts.revisions},
                         {"unknown", counts.unknown}});
}

}  // namespace

void add_labels_command(CLI::App& app, Globals& globals) {
    CLI::App* command = app.add_subcommand("labels", "Send what really happened (ground truth).");
    const auto flags = std::make_shared<LabelFlags>();
    command->add_option("endpoint", flags->endpoint, "Endpoint that made the predictions.")->required();
    command->add_option("--file", flags->file, "Labels: .csv, .parquet, .jsonl, or - for stdin.")->required();
    add_on_error_flag(*command, flags->on_error);
    command->add_option("--request-id", flags->id_column, "Column of request ids.")->capture_default_str();
    command
        ->add_option("--value", flags->value_column,
                     "Column of true values: numbers, or names of the model's classes.")
        ->capture_default_str();
    command->add_option("--time", flags->time_column, "Column of times, where there is one.")
        ->capture_default_str();
    on_chosen(*command, globals, [flags, &globals] {
        return finish(globals, send_labels(*flags, globals), [](const Json& document) {
            print_facts(document, {{"sent", "sent"},
                                   {"accepted", "accepted"},
                                   {"duplicates", "duplicates"},
                                   {"revisions", "revisions"},
                                   {"no prediction yet", "unknown"}});
        });
    });
}

}  // namespace gyre::cli
