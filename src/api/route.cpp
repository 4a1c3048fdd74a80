#include "api/route.h"

#include <algorithm>

#include "base/text.h"

namespace gyre::api {
namespace {

std::optional<std::string> decode_form(std::string_view text) {
    std::string spaced(text);
    std::replace(spaced.begin(), spaced.end(), '+', ' ');
    return percent_decode(spaced);
}

Result<Json> read_text(const InputField& field, const std::string& text) {
    const auto wrong = [&](std::string_view expected) {
        return invalid_argument("field '" + field.name + "': expected " + std::string(expected) + ", got '" +
                                text.substr(0, 100) + "'");
    };
    switch (field.kind) {
        case TextKind::integer: {
            const auto value = parse_integer(text);
            return value ? Result<Json>(Json(*value)) : wrong("an integer");
        }
        case TextKind::number: {
            const auto value = parse_number(text);
            return value ? Result<Json>(Json(*value)) : wrong("a number");
        }
        case TextKind::boolean:
            if (text == "true" || text == "1") {
                return Json(true);
            }
            return text == "false" || text == "0" ? Result<Json>(Json(false)) : wrong("true or false");
        case TextKind::other:
            return parse_json(text);
        case TextKind::text:
            break;
    }
    return Json(text);
}

const InputField* find_field(const std::vector<InputField>& fields, std::string_view name) {
    const auto found =
        std::find_if(fields.begin(), fields.end(), [name](const InputField& f) { return f.name == name; });
    return found == fields.end() ? nullptr : &*found;
}

Result<void> add_query(const Context& context, const std::vector<InputField>& fields, Json& out) {
    GYRE_TRY(const auto pairs, parse_query(context.request.query));
    for (const auto& [name, text] : pairs) {
        const InputField* field = find_field(fields, name);
        if (field == nullptr) {
            out.set(name, text);  // refused or ignored as the input's policy says
            continue;
        }
        GYRE_TRY(Json value, read_text(*field, text));
        if (!field->list) {
            out.set(name, std::move(value));
            continue;
        }
        if (out.find(name) == nullptr) {
            out.set(name, Json::array());
        }
        if (!out.find(name)->is_array()) {
            return invalid_argument("field '" + name + "' comes in the body and in the query");
        }
        out.find(name)->push_back(std::move(value));
    }
    return {};
}

}  // namespace

std::string_view Context::param(std::string_view name) const {
    for (std::size_t i = 0; i < param_names.size() && i < request.params.size(); ++i) {
        if (param_names[i] == name) {
            return request.params[i];
        }
    }
    return {};
}

std::optional<std::string> Context::query(std::string_view name) const {
    const auto pairs = parse_query(request.query);
    if (pairs) {
        for (const auto& [key, value] : *pairs) {
            if (key == name) {
                return value;
            }
        }
    }
    return std::nullopt;
}

Result<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query) {
    std::vector<std::pair<std::string, std::string>> out;
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view part = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        if (part.empty()) {
            continue;
        }
        const std::size_t equals = std::min(part.find('='), part.size());
        auto name = decode_form(part.substr(0, equals));
        auto value = decode_form(part.substr(std::min(equals + 1, part.size())));
        if (!name || !value) {
            return invalid_argument("the query has a broken percent escape");
        }
        if (out.size() == kQueryParametersMax) {
            return invalid_argument("more than " + std::to_string(kQueryParametersMax) + " query parameters");
        }
        out.emplace_back(std::move(*name), std::move(*value));
    }
    return out;
}

Result<Json> merge_input(const Context& context, const std::vector<InputField>& fields) {
    Json out = Json::object();
    if (!context.request.body.empty()) {
        GYRE_TRY(out, parse_json(context.request.body));
        if (!out.is_object()) {
            return invalid_argument("the body must be a JSON object, got " + std::string(out.kind_name()));
        }
    }
    GYRE_TRY_VOID(add_query(context, fields, out));
    for (std::size_t i = 0; i < context.param_names.size() && i < context.request.params.size(); ++i) {
        const InputField* field = find_field(fields, context.param_names[i]);
        if (field != nullptr) {
            GYRE_TRY(Json value, read_text(*field, context.request.params[i]));
            out.set(field->name, std::move(value));
        }
    }
    return out;
}

}  // namespace gyre::api
