#include "api/openapi.h"

#include <algorithm>
#include <map>

#include "base/text.h"

namespace gyre::api {
namespace {

/// "/a/{rest...}" is "/a/{rest}" in OpenAPI.
std::string openapi_path(std::string path) {
    const std::size_t dots = path.find("...}");
    if (dots != std::string::npos) {
        path.erase(dots, 3);
    }
    return path;
}

bool has_body(http::Method method) {
    return method == http::Method::post || method == http::Method::put || method == http::Method::patch;
}

bool is_path_param(const Route& route, std::string_view name) {
    return std::find(route.params.begin(), route.params.end(), name) != route.params.end();
}

bool is_required(const Route& route, std::string_view name) {
    const Json& required = route.input["required"];
    if (!required.is_array()) {
        return false;
    }
    return std::any_of(required.items().begin(), required.items().end(),
                       [name](const Json& item) { return item.as_string() == name; });
}

Json parameter(std::string_view name, std::string_view in, Json schema, bool required) {
    Json out = Json::object({{"name", name}, {"in", in}, {"required", required}});
    const std::string text = schema.string_or("description", "");
    if (!text.empty()) {
        out.set("description", text);
        schema.remove("description");
    }
    out.set("schema", std::move(schema));
    return out;
}

Json parameters_of(const Route& route) {
    Json out = Json::array();
    const Json& properties = route.input["properties"];
    for (const std::string& name : route.params) {
        const Json* schema = properties.find(name);
        out.push_back(
            parameter(name, "path", schema != nullptr ? *schema : Json::object({{"type", "string"}}), true));
    }
    if (has_body(route.method) || !properties.is_object()) {
        return out;
    }
    for (const JsonMember& member : properties.members()) {
        if (!is_path_param(route, member.key)) {
            out.push_back(parameter(member.key, "query", member.value, is_required(route, member.key)));
        }
    }
    return out;
}

Json body_schema(const Route& route) {
    Json schema = route.input;
    Json required = Json::array();
    for (const std::string& name : route.params) {
        schema.find("properties")->remove(name);
    }
    for (const JsonMember& member : schema["properties"].members()) {
        if (is_required(route, member.key)) {
            required.push_back(member.key);
        }
    }
    schema.remove("required");
    if (!required.items().empty()) {
        schema.set("required", std::move(required));
    }
    return schema;
}

Json content(std::string_view type, Json schema) {
    Json media = Json::object({{"schema", std::move(schema)}});
    Json types = Json::object();
    types.set(type, std::move(media));
    return Json::object({{"content", std::move(types)}});
}

Json responses_of(const Route& route) {
    Json success = Json::object({{"description", "Success."}});
    if (route.typed && route.success != 204) {
        success.set("content", content("application/json", route.output)["content"]);
    }
    Json out = Json::object();
    out.set(std::to_string(route.success), std::move(success));
    Json failure = Json::object({{"description", "An error, in the form of this protocol."}});
    if (route.errors == &native_errors()) {
        Json reference = Json::object({{"$ref", "#/components/schemas/Error"}});
        failure.set("content", content("application/json", std::move(reference))["content"]);
    }
    out.set("default", std::move(failure));
    return out;
}

Json operation_of(const Route& route) {
    Json out = Json::object({{"operationId", route.id},
                             {"summary", route.summary},
                             {"tags", Json(Json::Array{Json(route.tag)})},
                             {"x-access", name_of(route.access)}});
    if (route.access == Access::open) {
        out.set("security", Json::array());
    }
    Json parameters = parameters_of(route);
    if (!parameters.items().empty()) {
        out.set("parameters", std::move(parameters));
    }
    if (has_body(route.method)) {
        const bool json = route.typed;
        Json schema = json ? body_schema(route) : Json::object();
        if (!json || !schema["properties"].members().empty()) {
            out.set("requestBody",
                    content(json ? "application/json" : "application/octet-stream", std::move(schema)));
        }
    }
    out.set("responses", responses_of(route));
    return out;
}

Json components() {
    Json code = Json::array();
    for (const ErrorCodeInfo& info : kErrorCodes) {
        code.push_back(info.name);
    }
    Json properties = Json::object({{"code", Json::object({{"type", "string"}, {"enum", std::move(code)}})},
                                    {"message", Json::object({{"type", "string"}})},
                                    {"request_id", Json::object({{"type", "string"}})}});
    Json required(Json::Array{Json("code"), Json("message"), Json("request_id")});
    Json error = Json::object(
        {{"type", "object"}, {"properties", std::move(properties)}, {"required", std::move(required)}});
    Json schemes = Json::object({{"bearer", Json::object({{"type", "http"}, {"scheme", "bearer"}})},
                                 {"basic", Json::object({{"type", "http"}, {"scheme", "basic"}})}});
    return Json::object(
        {{"schemas", Json::object({{"Error", std::move(error)}})}, {"securitySchemes", std::move(schemes)}});
}

std::string escape_html(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '<':
                out.append("&lt;");
                break;
            case '>':
                out.append("&gt;");
                break;
            case '&':
                out.append("&amp;");
                break;
            case '"':
                out.append("&quot;");
                break;
            default:
                out.push_back(c);
        }
    }
    return out;
}

constexpr std::string_view kPageHead =
    "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Gyre API</title><style>"
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1b1f24}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .6rem;"
    "border-bottom:1px solid #d8dee4;vertical-align:top}code{font:13px ui-monospace,monospace}"
    "@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}td,th{border-color:#30363d}"
    "a{color:#79b8ff}}</style></head><body>";

}  // namespace

Json openapi_document(const RouteTable& table, std::string_view version) {
    std::map<std::string, std::map<std::string, Json>> paths;
    for (const Route& route : table.routes()) {
        if (route.tag == "ui") {
            continue;  // pages for people; their names change with each build
        }
        paths[openapi_path(route.path)][to_lower(http::name_of(route.method))] = operation_of(route);
    }
    Json out_paths = Json::object();
    for (auto& [path, methods] : paths) {
        Json item = Json::object();
        for (auto& [method, operation] : methods) {
            item.set(method, std::move(operation));
        }
        out_paths.set(path, std::move(item));
    }
    Json bearer = Json::object({{"bearer", Json::array()}});
    Json basic = Json::object({{"basic", Json::array()}});
    return Json::object({{"openapi", "3.1.0"},
                         {"info", Json::object({{"title", "Gyre"}, {"version", version}})},
                         {"security", Json(Json::Array{std::move(bearer), std::move(basic)})},
                         {"paths", std::move(out_paths)},
                         {"components", components()}});
}

std::string docs_page(const RouteTable& table, std::string_view version) {
    std::string out(kPageHead);
    out.append("<h1>Gyre ").append(escape_html(version)).append(" API</h1>");
    out.append("<p>Machine-readable: <a href=\"/openapi.json\">/openapi.json</a> (OpenAPI 3.1).</p>");
    std::map<std::string, std::vector<const Route*>> by_tag;
    for (const Route& route : table.routes()) {
        by_tag[route.tag].push_back(&route);
    }
    for (const auto& [tag, routes] : by_tag) {
        out.append("<h2>").append(escape_html(tag)).append("</h2><table><tr><th>Method</th><th>Path</th>");
        out.append("<th>What it does</th><th>Access</th></tr>");
        for (const Route* route : routes) {
            out.append("<tr><td>").append(http::name_of(route->method)).append("</td><td><code>");
            out.append(escape_html(route->path))
                .append("</code></td><td>")
                .append(escape_html(route->summary));
            out.append("</td><td>").append(name_of(route->access)).append("</td></tr>");
        }
        out.append("</table>");
    }
    out.append("</body></html>");
    return out;
}

}  // namespace gyre::api
