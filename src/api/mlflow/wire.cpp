#include "api/mlflow/wire.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/no_space.h"
#include "base/text.h"

namespace gyre::api::mlflow {
namespace {

constexpr std::string_view kSeeDocs = " See the API docs for more information about request parameters.";
constexpr std::size_t kShownBytesMax = 300;

struct WireCode {
    std::string_view name;
    int status;
};

WireCode code_of(ErrorCode code) {
    switch (code) {
        case ErrorCode::invalid_argument:
            return {"INVALID_PARAMETER_VALUE", 400};
        case ErrorCode::not_found:
            return {"RESOURCE_DOES_NOT_EXIST", 404};
        case ErrorCode::already_exists:
            return {"RESOURCE_ALREADY_EXISTS", 400};
        case ErrorCode::conflict:
            return {"INVALID_STATE", 400};
        case ErrorCode::unauthenticated:
            return {"UNAUTHENTICATED", 401};
        case ErrorCode::permission_denied:
            return {"PERMISSION_DENIED", 403};
        case ErrorCode::resource_exhausted:
            return {"RESOURCE_EXHAUSTED", 429};
        case ErrorCode::deadline_exceeded:
            return {"DEADLINE_EXCEEDED", 504};
        case ErrorCode::cancelled:
            return {"CANCELLED", 499};
        case ErrorCode::unavailable:
            return {"TEMPORARILY_UNAVAILABLE", 503};
        case ErrorCode::unimplemented:
            return {"NOT_IMPLEMENTED", 501};
        case ErrorCode::data_loss:
            return {"DATA_LOSS", 500};
        case ErrorCode::internal:
            break;
    }
    return {"INTERNAL_ERROR", 500};
}

int status_of(const Error& error) {
    return is_no_space(error) ? kNoSpaceStatus : code_of(error.code()).status;
}

void write_body(std::string_view code, std::string_view message, std::string& body) {
    body.append(R"({"error_code":)");
    append_json_string(body, code);
    body.append(R"(,"message":)");
    append_json_string(body, message);
    body.append("}");
}

void write_error_body(const Error& error, int /*status*/, std::string_view /*request_id*/,
                      std::string& body) {
    write_body(code_of(error.code()).name, error.message(), body);
}

void write_path_error_body(const Error& error, int status, std::string_view /*request_id*/,
                           std::string& body) {
    const std::string_view code = status == 404                    ? "ENDPOINT_NOT_FOUND"
                                  : status == 405 || status == 400 ? "BAD_REQUEST"
                                                                   : code_of(error.code()).name;
    write_body(code, error.message(), body);
}

/// As Python's type() calls it.
std::string_view python_type(const Json& value) {
    switch (value.kind()) {
        case Json::Kind::null:
            return "NoneType";
        case Json::Kind::boolean:
            return "bool";
        case Json::Kind::integer:
            return "int";
        case Json::Kind::number:
            return "float";
        case Json::Kind::string:
            return "str";
        case Json::Kind::array:
            return "list";
        case Json::Kind::object:
            break;
    }
    return "dict";
}

Result<void> check_content_type(const http::Request& request) {
    if (request.method != http::Method::post && request.method != http::Method::put) {
        return {};
    }
    const std::string_view type = request.header("Content-Type");
    if (type.empty()) {
        return invalid_argument("Bad Request. Content-Type header is missing.");
    }
    if (to_lower(trim(type.substr(0, type.find(';')))) != "application/json") {
        return invalid_argument("Bad Request. Content-Type must be one of ['application/json'].");
    }
    return {};
}

Result<Json> read_body(std::string_view body) {
    GYRE_TRY(Json json, parse_json(body));
    if (json.is_string()) {  // old clients encode twice
        GYRE_TRY(json, parse_json(json.as_string()));
    }
    if (!json.is_object()) {
        return invalid_argument("the request's body must be a JSON object, got " +
                                std::string(json.kind_name()));
    }
    return json;
}

Result<Json> read_query(std::string_view query, const std::vector<InputField>& fields) {
    Json out = Json::object();
    GYRE_TRY(auto pairs, parse_query(query));
    for (auto& [name, text] : pairs) {
        const auto field =
            std::find_if(fields.begin(), fields.end(),
                         [&wanted = name](const InputField& each) { return each.name == wanted; });
        if (field == fields.end() || !field->list) {
            out.set(name, std::move(text));
            continue;
        }
        if (out.find(name) == nullptr) {
            out.set(name, Json::array());
        }
        out.find(name)->push_back(std::move(text));
    }
    return out;
}

}  // namespace

const ErrorDialect& errors() {
    static const ErrorDialect dialect{"mlflow", "application/json", &status_of, &write_error_body};
    return dialect;
}

const ErrorDialect& path_errors() {
    static const ErrorDialect dialect{"mlflow_paths", "application/json", &status_of, &write_path_error_body};
    return dialect;
}

Error missing_parameter(std::string_view name) {
    return invalid_argument("Missing value for required parameter '" + std::string(name) + "'." +
                            std::string(kSeeDocs));
}

Error wrong_parameter(const Json& value, std::string_view name) {
    return invalid_argument("Invalid value " + value.dump().substr(0, kShownBytesMax) + " for parameter '" +
                            std::string(name) + "' supplied:  Hint: Value was of type '" +
                            std::string(python_type(value)) + "'." + std::string(kSeeDocs));
}

Result<Json> read_input(const Context& context, const std::vector<InputField>& fields) {
    const http::Request& request = context.request;
    GYRE_TRY_VOID(check_content_type(request));
    Json out = Json::object();
    if (!request.query.empty() && (request.method == http::Method::get || request.body.empty())) {
        GYRE_TRY(out, read_query(request.query, fields));
    } else if (!request.body.empty()) {
        GYRE_TRY(out, read_body(request.body));
    }
    // Runs were once named by "run_uuid"; clients send both.
    if (const Json* run = out.find("run_uuid"); run != nullptr && out.string_or("run_id", "").empty()) {
        out.set("run_id", Json(*run));
    }
    for (std::size_t i = 0; i < context.param_names.size() && i < request.params.size(); ++i) {
        out.set(context.param_names[i], request.params[i]);
    }
    return out;
}

namespace wire_detail {

Result<std::int64_t> read_integer(const Json& json, std::string_view name, std::int64_t min,
                                  std::int64_t max) {
    std::optional<std::int64_t> value;
    if (json.is_integer()) {
        value = json.as_integer();
    } else if (json.is_string()) {
        value = parse_integer(json.as_string());
    } else if (json.is_number() && std::trunc(json.as_number()) == json.as_number() &&
               std::abs(json.as_number()) < 0x1p63) {
        value = static_cast<std::int64_t>(json.as_number());
    }
    if (!value || *value < min || *value > max) {
        return wrong_parameter(json, name);
    }
    return *value;
}

Result<double> read_number(const Json& json, std::string_view name) {
    if (json.is_number()) {
        return json.as_number();
    }
    if (!json.is_string()) {
        return wrong_parameter(json, name);
    }
    const std::string& text = json.as_string();
    if (text == "NaN") {
        return std::numeric_limits<double>::quiet_NaN();
    }
    if (text == "Infinity" || text == "-Infinity") {
        return std::copysign(std::numeric_limits<double>::infinity(), text.front() == '-' ? -1.0 : 1.0);
    }
    const auto value = parse_number(text);
    return value ? Result<double>(*value) : Result<double>(wrong_parameter(json, name));
}

Result<bool> read_bool(const Json& json, std::string_view name) {
    if (json.is_bool()) {
        return json.as_bool();
    }
    if (json.is_string()) {
        const std::string text = to_lower(json.as_string());
        if (text == "true" || text == "false") {
            return text == "true";
        }
    }
    return wrong_parameter(json, name);
}

Result<std::string> read_text(const Json& json, std::string_view name) {
    if (json.is_string()) {
        return json.as_string();
    }
    if (json.is_integer() && name.starts_with("experiment_id")) {
        return std::to_string(json.as_integer());
    }
    return wrong_parameter(json, name);
}

}  // namespace wire_detail

namespace {

struct Prefix {
    std::string_view path;
    std::string_view id;
    bool ajax;
};
constexpr std::array<Prefix, 2> kPrefixes{
    {{"/api/2.0/", "mlflow_", false}, {"/ajax-api/2.0/", "mlflow_ajax_", true}}};

}  // namespace

void Routes::each_prefix(const Endpoint& endpoint, std::string_view api, PoolName pool, Prefixes prefixes,
                         const std::function<void(const RouteDoc&)>& declare) {
    for (const Prefix& prefix : kPrefixes) {
        if (!prefix.ajax && prefixes == Prefixes::ajax) {
            continue;
        }
        const std::string path = std::string(prefix.path).append(api).append(endpoint.path);
        const std::string id = std::string(prefix.id).append(endpoint.id);
        declare({.method = endpoint.method,
                 .path = path,
                 .id = id,
                 .summary = endpoint.summary,
                 .access = endpoint.access,
                 .pool = pool,
                 .body_bytes_max = endpoint.body_bytes_max,
                 .success = 200,
                 .tag = "mlflow",
                 .errors = &errors()});
    }
}

void Routes::raw(const Endpoint& endpoint, std::string_view api, PoolName pool, const RawHandler& handler,
                 Prefixes prefixes) {
    each_prefix(endpoint, api, pool, prefixes, [&](const RouteDoc& doc) { table_.raw(doc, handler); });
}

void Routes::stream(const Endpoint& endpoint, std::string_view api, const SinkHandler& handler) {
    each_prefix(endpoint, api, PoolName::files, Prefixes::both,
                [&](const RouteDoc& doc) { table_.stream(doc, handler); });
}

}  // namespace gyre::api::mlflow
