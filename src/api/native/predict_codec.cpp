// Adapter: simdjson's on-demand parser.
#include "api/native/predict_codec.h"

#include <charconv>
#include <cmath>

#include <simdjson.h>

#include "api/body_parser.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "serving/limits.h"

namespace gyre::api::native {
namespace {

namespace od = simdjson::ondemand;

Error bad_json(simdjson::error_code code) {
    return invalid_argument(std::string("the body is not the JSON of a predict request: ") +
                            simdjson::error_message(code));
}

Error bad_cell(std::size_t row, std::string_view column, std::string_view what) {
    return invalid_argument("rows[" + std::to_string(row) + "]." + std::string(column.substr(0, 80)) + ": " +
                            std::string(what));
}

/// "got 7", from a value that has not been read.
std::string got(od::value& value) {
    constexpr std::size_t kShown = 40;
    return ", got " + std::string(trim(std::string_view(value.raw_json_token()).substr(0, kShown)));
}

/// Columns of a signature by name. Rows usually name them in the same order, so the next one is tried first.
class ColumnFinder {
 public:
    explicit ColumnFinder(const model::Signature& signature) : signature_(signature) {}

    std::size_t find(std::string_view name) {
        const std::size_t count = signature_.columns.size();
        for (std::size_t tried = 0; tried < count; ++tried) {
            const std::size_t at = next_ + tried < count ? next_ + tried : next_ + tried - count;
            if (signature_.columns[at].name == name) {
                next_ = at + 1 == count ? 0 : at + 1;
                return at;
            }
        }
        return count;
    }

    [[nodiscard]] std::string hint(std::string_view name) const {
        std::vector<std::string_view> known;
        for (const model::ColumnSpec& column : signature_.columns) {
            known.push_back(column.name);
        }
        return "the model has no such column" + suggestion(name, known);
    }

 private:
    const model::Signature& signature_;
    std::size_t next_ = 0;
};

Result<void> read_cell(od::value value, serving::RowBuffer& rows, std::size_t row, std::size_t column,
                       std::string_view name) {
    od::json_type type{};
    const bool known = value.type().get(type) == simdjson::SUCCESS;
    // The type looks at one character: "nan" has that of "null".
    if (!known || (type == od::json_type::null && trim(value.raw_json_token()) != "null")) {
        return bad_cell(row, name, "expected a JSON value" + got(value) + "; send null where it is unknown");
    }
    if (type == od::json_type::null) {
        return {};
    }
    if (rows.is_text(column)) {
        std::string_view text;
        if (type != od::json_type::string) {
            return bad_cell(row, name, "expected a string or null" + got(value));
        }
        if (auto code = value.get_string().get(text)) {
            return bad_json(code);
        }
        rows.set_text(column, row, text);
        return {};
    }
    double number = 0.0;
    bool flag = false;
    if (type == od::json_type::number) {
        if (value.get_double().get(number) != simdjson::SUCCESS) {
            return bad_cell(row, name, "expected a number that a double can hold, or null" + got(value));
        }
        rows.set_number(column, row, number);
        return {};
    }
    if (type == od::json_type::boolean && value.get_bool().get(flag) == simdjson::SUCCESS) {
        rows.set_number(column, row, flag ? 1.0 : 0.0);
        return {};
    }
    return bad_cell(row, name, "expected a number or null" + got(value));
}

class RowsReader {
 public:
    RowsReader(const model::Signature& signature, serving::RowBuffer& rows)
        : signature_(signature), rows_(rows), finder_(signature) {}

    Result<void> read(od::array array) {
        std::size_t count = 0;
        if (auto code = array.count_elements().get(count)) {
            return bad_json(code);
        }
        if (count == 0 || count > serving::kRowsPerRequestMax) {
            return invalid_argument("expected 1 to " + std::to_string(serving::kRowsPerRequestMax) +
                                    " rows, got " + std::to_string(count));
        }
        rows_.reset(signature_, count);
        std::size_t row = 0;
        for (auto element : array) {
            od::object object;
            if (std::move(element).get_object().get(object) != simdjson::SUCCESS) {
                return invalid_argument("rows[" + std::to_string(row) + "]: expected an object of columns");
            }
            GYRE_TRY_VOID(read_row(object, row++));
        }
        return {};
    }

 private:
    Result<void> read_row(od::object object, std::size_t row) {
        seen_.assign(signature_.columns.size(), false);
        std::size_t named = 0;
        for (auto field : object) {
            std::string_view key;
            od::value value;
            if (auto code = field.unescaped_key().get(key)) {
                return bad_json(code);
            }
            if (auto code = field.value().get(value)) {
                return bad_json(code);
            }
            const std::size_t column = finder_.find(key);
            if (column == signature_.columns.size()) {
                return bad_cell(row, key, finder_.hint(key));
            }
            if (seen_[column]) {
                return bad_cell(row, key, "stands twice");
            }
            seen_[column] = true;
            ++named;
            GYRE_TRY_VOID(read_cell(value, rows_, row, column, signature_.columns[column].name));
        }
        if (named == seen_.size()) {
            return {};
        }
        for (std::size_t i = 0; i < seen_.size(); ++i) {
            if (!seen_[i] && !signature_.columns[i].optional) {
                return bad_cell(row, signature_.columns[i].name,
                                "is missing; send null where the value is unknown");
            }
        }
        return {};
    }

    const model::Signature& signature_;
    serving::RowBuffer& rows_;
    ColumnFinder finder_;
    std::vector<bool> seen_;
};

Result<void> read_ids(od::value value, std::vector<std::string>& ids) {
    od::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS) {
        return invalid_argument("request_ids: expected an array of strings");
    }
    for (auto element : array) {
        std::string_view text;
        if (std::move(element).get_string().get(text) != simdjson::SUCCESS || text.empty() ||
            text.size() > serving::kRequestIdBytesMax) {
            return invalid_argument("request_ids[" + std::to_string(ids.size()) +
                                    "]: expected a string of 1 to 64 bytes");
        }
        ids.emplace_back(text);
    }
    return {};
}

Result<std::int64_t> read_time(od::value value) {
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS) {
        return invalid_argument("expected a time such as \"2013-02-01T10:00:00Z\"");
    }
    return parse_rfc3339(text);
}

Result<void> read_times(od::value value, std::vector<std::int64_t>& times) {
    od::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS) {
        return invalid_argument("event_times: expected an array of times");
    }
    for (auto element : array) {
        od::value item;
        if (auto code = std::move(element).get(item)) {
            return bad_json(code);
        }
        auto time = read_time(item);
        if (!time) {
            return std::move(time).error().context("event_times[" + std::to_string(times.size()) + "]");
        }
        times.push_back(*time);
    }
    return {};
}

Result<void> read_member(std::string_view key, od::value value, RowsReader& reader, PredictRequest& request,
                         bool& has_rows) {
    constexpr std::string_view kKnown[] = {"rows", "request_ids", "event_time", "event_times"};
    if (key == "rows") {
        od::array array;
        if (value.get_array().get(array) != simdjson::SUCCESS) {
            return invalid_argument("rows: expected an array of objects");
        }
        has_rows = true;
        return reader.read(array);
    }
    if (key == "request_ids") {
        return read_ids(value, request.request_ids);
    }
    if (key == "event_times") {
        return read_times(value, request.event_times_us);
    }
    if (key == "event_time") {
        auto time = read_time(value);
        if (!time) {
            return std::move(time).error().context("event_time");
        }
        request.event_time_us = *time;
        return {};
    }
    return invalid_argument("unknown field '" + std::string(key.substr(0, 80)) + "'" +
                            suggestion(key, kKnown));
}

Result<void> check_counts(const PredictRequest& request, std::size_t rows) {
    if (!request.request_ids.empty() && request.request_ids.size() != rows) {
        return invalid_argument("expected one request id a row (" + std::to_string(rows) + "), got " +
                                std::to_string(request.request_ids.size()));
    }
    if (!request.event_times_us.empty() && request.event_times_us.size() != rows) {
        return invalid_argument("expected one event time a row (" + std::to_string(rows) + "), got " +
                                std::to_string(request.event_times_us.size()));
    }
    if (request.event_time_us && !request.event_times_us.empty()) {
        return invalid_argument("send event_time or event_times, not both");
    }
    return {};
}

}  // namespace

Result<void> read_predict(std::string_view body, const model::Signature& signature, serving::RowBuffer& rows,
                          PredictRequest& request) {
    BodyParser<od::parser> parser(body.size());
    request = {};
    od::document document;
    od::object root;
    auto code = parser.get()
                    .iterate(body.data(), body.size(), body.size() + simdjson::SIMDJSON_PADDING)
                    .get(document);
    if (code == simdjson::SUCCESS) {
        code = document.get_object().get(root);
    }
    if (code != simdjson::SUCCESS) {
        return bad_json(code);
    }
    RowsReader reader(signature, rows);
    bool has_rows = false;
    for (auto field : root) {
        std::string_view key;
        od::value value;
        if (auto failed = field.unescaped_key().get(key)) {
            return bad_json(failed);
        }
        if (auto failed = field.value().get(value)) {
            return bad_json(failed);
        }
        GYRE_TRY_VOID(read_member(key, value, reader, request, has_rows));
    }
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
        return invalid_argument("the body has more than one JSON document");
    }
    if (!has_rows) {
        return invalid_argument("field 'rows' is missing: an array of objects, one a row");
    }
    GYRE_TRY_VOID(check_counts(request, rows.rows()));
    request.texts_owner = parser.texts_owner();
    return {};
}

void write_predict(const PredictAnswer& answer, std::string& out) {
    const std::size_t rows = answer.request_ids.size();
    const std::size_t width = answer.values.size() / rows;
    char digits[32];
    out += R"({"predictions":[)";
    for (std::size_t i = 0; i < answer.values.size(); ++i) {
        out += i > 0 ? "," : "";
        out += width > 1 && i % width == 0 ? "[" : "";
        if (std::isfinite(answer.values[i])) {
            out.append(digits,
                       static_cast<std::size_t>(
                           std::to_chars(digits, digits + sizeof digits, answer.values[i]).ptr - digits));
        } else {
            out += "null";
        }
        out += width > 1 && (i + 1) % width == 0 ? "]" : "";
    }
    out += R"(],"request_ids":[)";
    for (std::size_t row = 0; row < rows; ++row) {
        out += row > 0 ? "," : "";
        append_json_string(out, answer.request_ids[row]);
    }
    out += R"(],"model":)";
    append_json_string(out, answer.model);
    out.append(R"(,"version":)").append(answer.version).append(R"(,"variant":)");
    append_json_string(out, answer.variant);
    out += '}';
}

}  // namespace gyre::api::native
