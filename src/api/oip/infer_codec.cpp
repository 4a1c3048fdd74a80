// Adapter: simdjson's on-demand parser.
#include "api/oip/infer_codec.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include <simdjson.h>

#include "api/body_parser.h"
#include "api/oip/plain_reader.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "serving/limits.h"

namespace gyre::api::oip {
namespace {

namespace od = simdjson::ondemand;

struct Datatype {
    std::string_view name;
    // Of whole numbers; the largest of 64 bits are those that a double can hold. Without them, any number.
    double least = 0.0;
    double most = 0.0;
    [[nodiscard]] constexpr bool whole() const { return most > least; }
    [[nodiscard]] bool holds(double value) const {
        return value >= least && value <= most && value == std::floor(value);
    }
};
constexpr Datatype kDatatypes[] = {{"BOOL", 0, 1},
                                   {"UINT8", 0, 255},
                                   {"UINT16", 0, 65535},
                                   {"UINT32", 0, 4294967295},
                                   {"UINT64", 0, 0x1.fffffffffffffp+63},
                                   {"INT8", -128, 127},
                                   {"INT16", -32768, 32767},
                                   {"INT32", -2147483648.0, 2147483647},
                                   {"INT64", -0x1p+63, 0x1.fffffffffffffp+62},
                                   {"FP32"},
                                   {"FP64"},
                                   {"BYTES"}};

Error bad_json(simdjson::error_code code) {
    return invalid_argument(std::string("the body is not the JSON of an infer request: ") +
                            (code == simdjson::INCORRECT_TYPE ? "expected an object with 'inputs'"
                                                              : simdjson::error_message(code)));
}

Error bad_tensor(std::string_view name, const std::string& what) {
    return invalid_argument("input '" + std::string(name.substr(0, 80)) + "': " + what);
}

std::string column_names(const model::Signature& signature) {
    std::string names;
    for (const model::ColumnSpec& column : signature.columns) {
        names.append(names.empty() ? "" : ", ").append(column.name);
        if (names.size() > 300) {
            return names + ", ...";
        }
    }
    return names;
}

template <class Number>
void append_number(std::string& out, Number value) {
    char digits[32];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

/// Where the values of one input tensor go: on through its columns, then to the next row.
struct Target {
    std::string_view name;
    std::size_t columns = 1;  // columns per row: F for the tensor layout, else 1
    std::size_t first = 0;    // the first column
    std::size_t rows = 0;
    serving::RowBuffer* buffer = nullptr;
    std::size_t row = 0;
    std::size_t column = 0;  // counted from `first`

    Result<void> take(od::value data, std::string_view body);
    /// Whether all values are such as the datatype holds.
    [[nodiscard]] Result<void> check(const Datatype& datatype) const;
    [[nodiscard]] std::size_t written() const { return row * columns + column; }

 private:
    [[nodiscard]] bool has_text() const;
    Result<void> take_array(od::array array, std::size_t depth);
    Result<void> take_value(od::value value, std::size_t depth);
    [[nodiscard]] Error wrong_value(od::value& value, std::string_view expected) const;
    [[nodiscard]] std::string place(std::size_t at_row, std::size_t at_column) const;
    void step() {
        if (++column == columns) {
            column = 0;
            ++row;
        }
    }
};

/// Where in `data` a value stands: a client that got a NaN somewhere looks for it among many.
std::string Target::place(std::size_t at_row, std::size_t at_column) const {
    std::string text = "data[" + std::to_string(at_row * columns + at_column) + "]";
    if (columns > 1) {
        text += " (row " + std::to_string(at_row) + ", column " + std::to_string(at_column) + ")";
    }
    return text;
}

Error Target::wrong_value(od::value& value, std::string_view expected) const {
    constexpr std::size_t kShown = 40;
    const std::string_view token = value.raw_json_token();
    std::string what = place(row, column);
    what.append(": expected ").append(expected).append(", got ").append(trim(token.substr(0, kShown)));
    return bad_tensor(name, what + "; send null where the value is unknown");
}

/// All of `data`, which stands in `body`.
Result<void> Target::take(od::value data, std::string_view body) {
    // PlainReader stops at the body's last brace; only one that has it is read so.
    static_assert(PlainReader::kReadAhead <= simdjson::SIMDJSON_PADDING);
    if (body.back() == '}' && !has_text()) {
        PlainReader reader(buffer->numbers_of(first), rows, columns);
        const std::string_view start = data.raw_json_token();
        if (reader.read(&start.front(), 1) != nullptr) {
            row = reader.row();
            column = reader.column();
            return {};
        }
    }
    od::array array;
    if (data.get_array().get(array) != simdjson::SUCCESS) {
        return bad_tensor(name, "'data' is no array");
    }
    return take_array(array, 1);
}

Result<void> Target::check(const Datatype& datatype) const {
    for (std::size_t at_column = 0; datatype.whole() && at_column < columns; ++at_column) {
        for (std::size_t at_row = 0; at_row < rows; ++at_row) {
            const double value = buffer->number(first + at_column, at_row);
            if (!datatype.holds(value) && !std::isnan(value)) {
                std::string text;
                append_number(text, value);
                return bad_tensor(name, place(at_row, at_column) + ": expected a whole number that fits " +
                                            std::string(datatype.name) + ", got " + text +
                                            "; FP64 takes any number");
            }
        }
    }
    return {};
}

bool Target::has_text() const {
    for (std::size_t i = 0; i < columns; ++i) {
        if (buffer->is_text(first + i)) {
            return true;
        }
    }
    return false;
}

/// One value of any kind.
Result<void> Target::take_value(od::value value, std::size_t depth) {
    od::json_type type{};
    const bool known = value.type().get(type) == simdjson::SUCCESS;
    // The type looks at one character: "nan" has that of "null".
    if (!known || (type == od::json_type::null && trim(value.raw_json_token()) != "null")) {
        return wrong_value(value, "a JSON value, which has no NaN and no infinity");
    }
    if (type == od::json_type::array) {
        od::array inner;
        if (auto code = value.get_array().get(inner)) {
            return bad_json(code);
        }
        return take_array(inner, depth + 1);
    }
    if (row == rows) {
        return bad_tensor(name, "more values than its shape holds (" + std::to_string(rows * columns) + ")");
    }
    const bool text_column = buffer->is_text(first + column);
    std::string_view text;
    double number = 0.0;
    bool flag = false;
    if (type == od::json_type::null) {
        // stays missing
    } else if (text_column && value.get_string().get(text) == simdjson::SUCCESS) {
        buffer->set_text(first + column, row, text);
    } else if (!text_column && value.get_double().get(number) == simdjson::SUCCESS) {
        buffer->set_number(first + column, row, number);
    } else if (!text_column && value.get_bool().get(flag) == simdjson::SUCCESS) {
        buffer->set_number(first + column, row, flag ? 1.0 : 0.0);
    } else if (type == od::json_type::number && !text_column) {  // -Infinity, 1e999, 01
        return wrong_value(value, "a number that a double can hold");
    } else {
        return wrong_value(value, text_column ? "a string (BYTES)" : "a number");
    }
    step();
    return {};
}

/// Values of an array of any nesting up to kRankMax, in row-major order.
Result<void> Target::take_array(od::array array, std::size_t depth) {
    if (depth > kRankMax) {
        return bad_tensor(name, "data nested deeper than " + std::to_string(kRankMax));
    }
    for (auto element : array) {
        od::value value;
        if (auto code = std::move(element).get(value)) {
            return bad_json(code);
        }
        GYRE_TRY_VOID(take_value(value, depth));
    }
    return {};
}

struct Shape {
    std::size_t dims[kRankMax] = {};
    std::size_t rank = 0;
    [[nodiscard]] std::string str() const {
        std::string text = "[";
        for (std::size_t i = 0; i < rank; ++i) {
            text.append(i == 0 ? "" : ",").append(std::to_string(dims[i]));
        }
        return text + "]";
    }
};

Result<Shape> read_shape(od::object& input, std::string_view name) {
    od::array dims;
    if (input["shape"].get_array().get(dims) != simdjson::SUCCESS) {
        return bad_tensor(name, "'shape' is missing or no array of numbers");
    }
    Shape shape;
    for (auto element : dims) {
        std::int64_t dim = 0;
        if (std::move(element).get_int64().get(dim) != simdjson::SUCCESS || dim < 0) {
            return bad_tensor(name, "expected whole numbers from 0 in 'shape'");
        }
        if (shape.rank == kRankMax) {
            return bad_tensor(name, "more than " + std::to_string(kRankMax) + " dimensions");
        }
        shape.dims[shape.rank++] = static_cast<std::size_t>(dim);
    }
    return shape;
}

/// The rows that `shape` holds for this layout.
Result<std::size_t> rows_of(const Shape& shape, const model::Signature& signature, std::string_view name) {
    if (signature.layout == model::InputLayout::tensor) {
        if (shape.rank != 2 || shape.dims[1] != signature.columns.size()) {
            return bad_tensor(name, "expected shape [n," + std::to_string(signature.columns.size()) +
                                        "], got " + shape.str());
        }
        return shape.dims[0];
    }
    const bool good = shape.rank == 1 || (shape.rank == 2 && shape.dims[1] == 1);
    if (!good) {
        return bad_tensor(name, "expected shape [n] or [n,1], got " + shape.str());
    }
    return shape.dims[0];
}

Error unknown_datatype(std::string_view name, std::string_view datatype) {
    std::vector<std::string_view> known;
    for (const Datatype& each : kDatatypes) {
        known.push_back(each.name);
    }
    return bad_tensor(name, "datatype '" + std::string(datatype.substr(0, 20)) +
                                "' is not understood in JSON" + suggestion(datatype, known));
}

Result<Datatype> read_datatype(od::object& input, std::string_view name, const model::Signature& signature,
                               std::size_t column) {
    std::string_view datatype;
    if (input["datatype"].get_string().get(datatype) != simdjson::SUCCESS) {
        return bad_tensor(name, "'datatype' is missing");
    }
    const auto* found = std::ranges::find(kDatatypes, datatype, &Datatype::name);
    if (found == std::end(kDatatypes)) {
        return unknown_datatype(name, datatype);
    }
    const bool wants_text = signature.columns[column].type == model::ColumnType::text;
    if (wants_text != (datatype == "BYTES")) {
        return bad_tensor(name, std::string("expected datatype ") +
                                    (wants_text ? "BYTES" : "FP32 or another number") + ", got " +
                                    std::string(datatype));
    }
    return *found;
}

class InferReader {
 public:
    InferReader(const model::Signature& signature, serving::RowBuffer& rows, std::string_view body)
        : signature_(signature), rows_(rows), body_(body) {}

    Result<void> read_input(od::object& input) {
        std::string_view name_view;
        if (input["name"].get_string().get(name_view) != simdjson::SUCCESS) {
            return invalid_argument("an input lacks its 'name'");
        }
        const bool tensor = signature_.layout == model::InputLayout::tensor;
        const std::size_t column = tensor ? 0 : signature_.index_of(name_view);
        if (column >= signature_.columns.size() || (tensor && name_view != model::kTensorInputName)) {
            return bad_tensor(name_view,
                              "the model has no such input; it takes " +
                                  (tensor ? std::string(model::kTensorInputName) : column_names(signature_)));
        }
        // The name in the signature outlives the parser's buffer.
        const std::string_view name =
            tensor ? model::kTensorInputName : std::string_view(signature_.columns[column].name);
        GYRE_TRY(const Shape shape, read_shape(input, name));
        GYRE_TRY(const std::size_t rows, rows_of(shape, signature_, name));
        GYRE_TRY(const Datatype datatype, read_datatype(input, name, signature_, column));
        GYRE_TRY_VOID(start_rows(rows, name));
        if (!tensor && seen_[column]) {
            return bad_tensor(name, "stands twice");
        }
        seen_[column] = true;
        Target target{name, tensor ? signature_.columns.size() : 1, column, rows, &rows_};
        od::value data;
        if (input["data"].get(data) != simdjson::SUCCESS) {
            return bad_tensor(name, "'data' is missing");
        }
        GYRE_TRY_VOID(target.take(data, body_));
        if (target.written() != rows * target.columns) {
            return bad_tensor(name, "expected " + std::to_string(rows * target.columns) +
                                        " values for shape " + shape.str() + ", got " +
                                        std::to_string(target.written()));
        }
        return target.check(datatype);
    }

    Result<void> finish() const {
        if (!started_) {
            return invalid_argument("the request has no inputs; the model takes " + column_names(signature_));
        }
        if (signature_.layout == model::InputLayout::tensor) {
            return {};
        }
        for (std::size_t i = 0; i < seen_.size(); ++i) {
            if (!seen_[i] && !signature_.columns[i].optional) {
                return invalid_argument("input '" + signature_.columns[i].name +
                                        "' is missing; send null values where a value is unknown");
            }
        }
        return {};
    }

 private:
    Result<void> start_rows(std::size_t rows, std::string_view name) {
        if (rows > serving::kRowsPerRequestMax) {
            return bad_tensor(name, "at most " + std::to_string(serving::kRowsPerRequestMax) +
                                        " rows in one request, got " + std::to_string(rows));
        }
        if (rows == 0) {
            return bad_tensor(name, "has no rows");
        }
        if (!started_) {
            started_ = true;
            rows_.reset(signature_, rows);
            seen_.assign(signature_.columns.size(), false);
        } else if (rows != rows_.rows()) {
            return bad_tensor(name, "has " + std::to_string(rows) + " rows, the inputs before it have " +
                                        std::to_string(rows_.rows()));
        }
        return {};
    }

    const model::Signature& signature_;
    serving::RowBuffer& rows_;
    std::string_view body_;
    std::vector<bool> seen_;
    bool started_ = false;
};

/// The outputs that a request names; it gets all of them, as there is one.
Result<void> read_outputs(od::value value, const model::Signature& signature) {
    od::array outputs;
    if (value.get_array().get(outputs) != simdjson::SUCCESS) {
        return invalid_argument("'outputs': expected an array of objects with a name");
    }
    for (auto element : outputs) {
        od::object output;
        std::string_view name;
        if (std::move(element).get_object().get(output) != simdjson::SUCCESS ||
            output["name"].get_string().get(name) != simdjson::SUCCESS) {
            return invalid_argument("'outputs': expected an array of objects with a name");
        }
        if (name != output_name(signature)) {
            return invalid_argument(
                "output '" + std::string(name.substr(0, 80)) + "': the model has no such output; it gives '" +
                std::string(output_name(signature)) + "'; leave 'outputs' out to get all there are");
        }
    }
    return {};
}

Result<void> read_parameters(od::object parameters, InferRequest& request) {
    for (auto field : parameters) {
        std::string_view key;
        od::value value;
        if (field.unescaped_key().get(key) != simdjson::SUCCESS ||
            field.value().get(value) != simdjson::SUCCESS) {
            return invalid_argument("'parameters' is no JSON object");
        }
        std::string_view text;
        if (key == "event_time" && value.get_string().get(text) == simdjson::SUCCESS) {
            GYRE_TRY(request.event_time_us, parse_rfc3339(text));
        } else if (key == "request_ids") {
            od::array ids;
            if (value.get_array().get(ids) != simdjson::SUCCESS) {
                return invalid_argument("'parameters.request_ids': expected an array of strings");
            }
            for (auto element : ids) {
                if (std::move(element).get_string().get(text) != simdjson::SUCCESS || text.empty() ||
                    text.size() > serving::kRequestIdBytesMax) {
                    return invalid_argument("'parameters.request_ids': expected strings of 1 to 64 bytes");
                }
                request.request_ids.emplace_back(text);
            }
        }
    }
    return {};
}

Result<void> read_document(od::document& document, std::string_view body, const model::Signature& signature,
                           serving::RowBuffer& rows, InferRequest& request) {
    od::object root;
    if (auto code = document.get_object().get(root)) {
        return bad_json(code);
    }
    InferReader reader(signature, rows, body);
    for (auto field : root) {
        std::string_view key;
        od::value value;
        if (auto code = field.unescaped_key().get(key)) {
            return bad_json(code);
        }
        if (auto code = field.value().get(value)) {
            return bad_json(code);
        }
        if (key == "inputs") {
            od::array inputs;
            if (value.get_array().get(inputs) != simdjson::SUCCESS) {
                return invalid_argument("'inputs': expected an array of tensors");
            }
            for (auto element : inputs) {
                od::object input;
                if (auto code = std::move(element).get_object().get(input)) {
                    return bad_json(code);
                }
                GYRE_TRY_VOID(reader.read_input(input));
            }
        } else if (key == "id") {
            std::string_view id;
            if (value.get_string().get(id) != simdjson::SUCCESS) {
                return invalid_argument("'id': expected a string");
            }
            request.id = id;
        } else if (key == "parameters") {
            od::object parameters;
            if (value.get_object().get(parameters) != simdjson::SUCCESS) {
                return invalid_argument("'parameters': expected an object");
            }
            GYRE_TRY_VOID(read_parameters(parameters, request));
        } else if (key == "outputs") {
            GYRE_TRY_VOID(read_outputs(value, signature));
        }
        // What other servers understand beside these is left alone.
    }
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
        return invalid_argument("the body has more than one JSON document");
    }
    return reader.finish();
}

}  // namespace

std::string_view output_name(const model::Signature& signature) {
    return signature.outputs.empty() ? "output" : std::string_view(signature.outputs.front().name);
}

Result<void> read_infer(std::string_view body, const model::Signature& signature, serving::RowBuffer& rows,
                        InferRequest& request) {
    BodyParser<od::parser> parser(body.size());
    request.texts_owner.reset();
    request.id.clear();
    request.event_time_us.reset();
    request.request_ids.clear();
    od::document document;
    const auto code = parser.get()
                          .iterate(body.data(), body.size(), body.size() + simdjson::SIMDJSON_PADDING)
                          .get(document);
    if (code != simdjson::SUCCESS) {
        return bad_json(code);
    }
    GYRE_TRY_VOID(read_document(document, body, signature, rows, request));
    request.texts_owner = parser.texts_owner();
    return {};
}

void write_infer(const InferAnswer& answer, std::string& out) {
    out += R"({"model_name":)";
    append_json_string(out, answer.model_name);
    out += R"(,"model_version":)";
    append_json_string(out, answer.model_version);
    if (!answer.id.empty()) {
        out += R"(,"id":)";
        append_json_string(out, answer.id);
    }
    out += R"(,"outputs":[{"name":)";
    append_json_string(out, answer.output_name);
    const std::size_t width = answer.values.size() / answer.rows;
    out += R"(,"datatype":"FP32","shape":[)";
    append_number(out, answer.rows);
    out += ',';
    append_number(out, width);
    out += R"(],"data":[)";
    for (std::size_t i = 0; i < answer.values.size(); ++i) {
        if (i > 0) {
            out += ',';
        }
        if (std::isfinite(answer.values[i])) {
            append_number(out, answer.values[i]);
        } else {
            out += "null";
        }
    }
    out += "]}]}";
}

}  // namespace gyre::api::oip
