// Adapter: CLI11. `gyre predict`: rows from the command line or a file through an endpoint.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include <CLI/CLI.hpp>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/action.h"
#include "cli/progress.h"
#include "cli/remote.h"
#include "cli/row_reader.h"
#include "cli/source_flags.h"

namespace gyre::cli {
namespace {

constexpr std::size_t kBatchRows = 1000;                // rows of one request
constexpr std::size_t kPredictionsHeldMax = 1'000'000;  // kept for printing; more need --out
constexpr std::size_t kPredictionsShownMax = 100;

struct PredictFlags {
    std::string endpoint;
    std::vector<std::string> rows;
    std::string file;
    CsvFlags csv;
    std::vector<std::string> ignored;
    std::string id_column;
    std::string time_column;
    std::string at;
    std::string out;
    table::OnError on_error = table::OnError::fail;
};

/// A file of predictions that is there only when it is complete.
class PredictionFile {
 public:
    static Result<std::unique_ptr<PredictionFile>> create(const std::string& path) {
        const bool csv = path.ends_with(".csv");
        if (!csv && !path.ends_with(".jsonl")) {
            return invalid_argument("--out: expected a name that ends in .csv or .jsonl, got '" + path + "'");
        }
        auto file = std::make_unique<PredictionFile>(path, csv);
        if (!file->out_) {
            return errno_error("write '" + path + "'", errno);
        }
        return file;
    }
    PredictionFile(const std::string& path, bool csv) : path_(path), csv_(csv), out_(path + ".part") {
        if (csv_) {
            out_ << "request_id,prediction,model,version,variant\n";
        }
    }
    ~PredictionFile() {
        std::error_code ignored;
        std::filesystem::remove(path_ + ".part", ignored);
    }
    PredictionFile(const PredictionFile&) = delete;
    PredictionFile& operator=(const PredictionFile&) = delete;

    void write(const Json& row) {
        if (!csv_) {
            out_ << row.dump() << '\n';
            return;
        }
        const char* separator = "";
        for (const JsonMember& member : row.members()) {
            out_ << separator
                 << quoted(member.value.is_string() ? member.value.as_string() : member.value.dump());
            separator = ",";
        }
        out_ << '\n';
    }
    Result<void> commit() {
        out_.close();
        std::error_code failure;
        if (out_) {
            std::filesystem::rename(path_ + ".part", path_, failure);
        }
        if (!out_ || failure) {
            return unavailable("write '" + path_ + "': the disk may be full");
        }
        return {};
    }

 private:
    static std::string quoted(const std::string& text) {
        if (text.find_first_of(",\"\r\n") == std::string::npos) {
            return text;
        }
        std::string out = "\"";
        for (const char c : text) {
            out.append(c == '"' ? 2 : 1, c);
        }
        return out + "\"";
    }
    std::string path_;
    bool csv_;
    std::ofstream out_;
};

/// Sends batches and keeps what came back.
class Prediction {
 public:
    Prediction(const PredictFlags& flags, const Globals& globals)
        : flags_(flags),
          remote_(globals),
          progress_("predict " + flags.endpoint,
                    flags.file.empty() ? ProgressStyle::silent : detect_progress_style()) {}

    Result<Json> run() {
        if (!flags_.out.empty()) {
            GYRE_TRY(file_, PredictionFile::create(flags_.out));
        }
        const std::int64_t start_ns = system_clock().steady_ns();
        GYRE_TRY_VOID(flags_.file.empty() ? send_given() : send_file());
        const double seconds = static_cast<double>(system_clock().steady_ns() - start_ns) * 1e-9;
        if (count_ == 0) {
            return invalid_argument("'" + flags_.file + "' has no rows");
        }
        if (!flags_.file.empty()) {
            progress_.finish(with_thousands(count_) + " rows in " + human_duration(seconds));
        }
        Json out = Json::object({{"endpoint", flags_.endpoint}, {"rows", count_}, {"seconds", seconds}});
        if (file_ != nullptr) {
            GYRE_TRY_VOID(file_->commit());
            out.set("out", flags_.out);
        } else {
            out.set("predictions", std::move(predictions_));
            out.set("request_ids", std::move(request_ids_));
        }
        out.set("batches", std::move(batches_));
        return out;
    }

 private:
    Result<void> send_given() {
        Json::Array rows;
        for (const std::string& text : flags_.rows) {
            auto row = parse_json(text);
            if (!row || !row->is_object()) {
                return invalid_argument(
                    "--row: expected a JSON object such as '{\"distance\": 1400}', got '" + text + "'");
            }
            rows.push_back(*std::move(row));
        }
        return send(std::move(rows));
    }

    Result<void> send_file() {
        table::SourceSpec file{.path = flags_.file, .on_error = flags_.on_error};
        apply(flags_.csv, file);
        const auto on_batch = [&](RowBatch&& batch) -> Result<void> {
            GYRE_TRY_VOID(send(std::move(batch.rows)));
            progress_.update(batch.fraction, with_thousands(count_) + " rows");
            return {};
        };
        GYRE_TRY(const std::int64_t unused, read_rows(file, kBatchRows, on_batch));
        static_cast<void>(unused);
        return {};
    }

    /// Takes `column` out of the rows and gives its values.
    Result<Json> take_column(Json::Array& rows, const std::string& flag, const std::string& column) {
        Json values = Json::array();
        for (Json& row : rows) {
            const Json* value = row.find(column);
            if (value == nullptr || value->is_null()) {
                return invalid_argument(
                    flag + ": row " +
                    std::to_string(count_ + static_cast<std::int64_t>(values.items().size()) + 1) +
                    " has no '" + column + "'");
            }
            values.push_back(value->is_string() ? *value : Json(value->dump()));
            row.remove(column);
        }
        return values;
    }

    Result<void> send(Json::Array rows) {
        Json body = Json::object();
        if (!flags_.id_column.empty()) {
            GYRE_TRY(Json ids, take_column(rows, "--request-id", flags_.id_column));
            body.set("request_ids", std::move(ids));
        }
        if (!flags_.time_column.empty()) {
            GYRE_TRY(Json times, take_column(rows, "--event-time", flags_.time_column));
            body.set("event_times", std::move(times));
        }
        if (!flags_.at.empty()) {
            body.set("event_time", flags_.at);
        }
        for (Json& row : rows) {
            for (const std::string& column : flags_.ignored) {
                row.remove(column);
            }
        }
        const std::size_t sent = rows.size();
        body.set("rows", std::move(rows));
        GYRE_TRY(const Json answer, remote_.post(native("endpoints", flags_.endpoint, "/predict"), body));
        return keep(answer, sent);
    }

    Result<void> keep(const Json& answer, std::size_t sent) {
        const Json& values = answer["predictions"];
        const Json& ids = answer["request_ids"];
        if (!values.is_array() || !ids.is_array() || values.items().size() != sent ||
            ids.items().size() != sent) {
            return internal_error("the server answered " + std::to_string(sent) +
                                  " rows with another number of predictions");
        }
        if (file_ == nullptr && predictions_.items().size() + sent > kPredictionsHeldMax) {
            return resource_exhausted("more than " + with_thousands(kPredictionsHeldMax) +
                                      " predictions; write them to a file with --out");
        }
        const Json about = Json::object({{"rows", static_cast<std::int64_t>(sent)},
                                         {"model", answer["model"]},
                                         {"version", answer["version"]},
                                         {"variant", answer["variant"]}});
        for (std::size_t i = 0; i < sent; ++i) {
            if (file_ != nullptr) {
                file_->write(Json::object({{"request_id", ids.items()[i]},
                                           {"prediction", values.items()[i]},
                                           {"model", answer["model"]},
                                           {"version", answer["version"]},
                                           {"variant", answer["variant"]}}));
            } else {
                predictions_.push_back(values.items()[i]);
                request_ids_.push_back(ids.items()[i]);
            }
        }
        batches_.push_back(about);
        count_ += static_cast<std::int64_t>(sent);
        return {};
    }

    const PredictFlags& flags_;
    Remote remote_;
    Progress progress_;
    std::unique_ptr<PredictionFile> file_;
    Json predictions_ = Json::array();
    Json request_ids_ = Json::array();
    Json batches_ = Json::array();
    std::int64_t count_ = 0;
};

void show(const Json& document) {
    if (const Json* out = document.find("out"); out != nullptr) {
        std::printf("%s predictions in %s\n", with_thousands(document.integer_or("rows", 0)).c_str(),
                    out->as_string().c_str());
        return;
    }
    const Json::Array& values = document["predictions"].items();
    const Json::Array& ids = document["request_ids"].items();
    Json::Array rows;
    std::size_t at = 0;
    for (const Json& batch : document["batches"].items()) {
        const auto end = at + static_cast<std::size_t>(batch.integer_or("rows", 0));
        for (; at < std::min(end, kPredictionsShownMax); ++at) {
            rows.push_back(Json::object({{"id", ids[at]},
                                         {"value", values[at]},
                                         {"model", cell(batch["model"]) + "/" + cell(batch["version"])},
                                         {"variant", batch["variant"]}}));
        }
    }
    print_items(rows,
                {{"request_id", "id"}, {"prediction", "value"}, {"model", "model"}, {"variant", "variant"}},
                "");
    if (values.size() > rows.size()) {
        std::printf("and %s more; write all of them to a file with --out\n",
                    with_thousands(static_cast<std::int64_t>(values.size() - rows.size())).c_str());
    }
}

}  // namespace

void add_predict_command(CLI::App& app, Globals& globals) {
    CLI::App* command = app.add_subcommand("predict", "Predict rows through an endpoint.");
    const auto flags = std::make_shared<PredictFlags>();
    command->add_option("endpoint", flags->endpoint, "Endpoint.")->required();
    auto* row = command->add_option("--row", flags->rows, "A row as a JSON object; may be repeated.");
    auto* file = command->add_option("--file", flags->file,
                                     "Rows: .jsonl, .csv, .parquet, or - for JSON lines from stdin.");
    row->excludes(file)->allow_extra_args(false);
    add_csv_flags(*command, flags->csv);
    add_on_error_flag(*command, flags->on_error);
    command->add_option("--ignore", flags->ignored, "Columns to leave out.")->delimiter(',');
    command->add_option("--request-id", flags->id_column, "Column with each row's request id.");
    auto* time =
        command->add_option("--event-time", flags->time_column, "Column with each row's event time.");
    command->add_option("--at", flags->at, "Event time of all rows (RFC 3339).")->excludes(time);
    command->add_option("--out", flags->out, "File for the predictions: .csv or .jsonl.");
    on_chosen(*command, globals, [flags, &globals] {
        if (flags->rows.empty() && flags->file.empty()) {
            return report(invalid_argument("predict: expected --row or --file"), globals);
        }
        return finish(globals, Prediction(*flags, globals).run(), show);
    });
}

}  // namespace gyre::cli
