#include "pipelines/interpolate.h"

#include "base/text.h"

namespace gyre::pipelines {
namespace {

constexpr std::string_view kOpen = "${{";
constexpr std::string_view kClose = "}}";

/// One stretch of a text: literal, or a reference's path.
struct Piece {
    bool reference = false;
    std::string_view text;
};

bool good_path(std::string_view path) {
    if (path.empty() || path.size() > kReasonBytesMax) {
        return false;
    }
    for (const std::string_view part : split(path, '.')) {
        if (part.empty()) {
            return false;
        }
        for (const char c : part) {
            const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                              c == '_' || c == '-';
            if (!good) {
                return false;
            }
        }
    }
    return true;
}

Result<std::vector<Piece>> pieces_of(std::string_view text) {
    std::vector<Piece> pieces;
    std::size_t references = 0;
    while (!text.empty()) {
        const std::size_t open = text.find(kOpen);
        if (open != 0) {
            pieces.push_back({.text = text.substr(0, open)});
        }
        if (open == std::string_view::npos) {
            break;
        }
        text.remove_prefix(open + kOpen.size());
        const std::size_t close = text.find(kClose);
        if (close == std::string_view::npos) {
            return invalid_argument("a '${{' without its '}}'");
        }
        const std::string_view path = trim(text.substr(0, close));
        if (!good_path(path)) {
            return invalid_argument(
                "expected a reference such as ${{params.x}} or ${{steps.train.outputs.y}}, got '" +
                std::string(path.substr(0, 100)) + "'");
        }
        if (++references > kReferencesMax) {
            return invalid_argument("more than " + std::to_string(kReferencesMax) +
                                    " references in one text");
        }
        pieces.push_back({.reference = true, .text = path});
        text.remove_prefix(close + kClose.size());
    }
    return pieces;
}

Result<void> collect(const Json& value, std::vector<std::string>& out) {
    if (value.is_string()) {
        GYRE_TRY(const auto pieces, pieces_of(value.as_string()));
        for (const Piece& piece : pieces) {
            if (piece.reference) {
                out.emplace_back(piece.text);
            }
        }
    } else if (value.is_array()) {
        for (const Json& item : value.items()) {
            GYRE_TRY_VOID(collect(item, out));
        }
    } else if (value.is_object()) {
        for (const JsonMember& member : value.members()) {
            GYRE_TRY_VOID(collect(member.value, out));
        }
    }
    return {};
}

Result<const Json*> look_up(const Json& scope, std::string_view path) {
    const Json* found = find_path(scope, path);
    if (found == nullptr) {
        return not_found("'" + std::string(path) + "' has no value here");
    }
    return found;
}

Result<Json> fill_text(const std::string& text, const Json& scope) {
    GYRE_TRY(const auto pieces, pieces_of(text));
    if (pieces.size() == 1 && pieces[0].reference) {
        GYRE_TRY(const Json* value, look_up(scope, pieces[0].text));
        return *value;
    }
    std::string filled;
    for (const Piece& piece : pieces) {
        if (!piece.reference) {
            filled += piece.text;
        } else {
            GYRE_TRY(const Json* value, look_up(scope, piece.text));
            if (value->is_array() || value->is_object()) {
                return invalid_argument("'" + std::string(piece.text) + "' is an " +
                                        std::string(value->kind_name()) + " and cannot stand inside a text");
            }
            filled += value->is_string() ? value->as_string() : value->dump();
        }
        if (filled.size() > kTextBytesMax) {
            return resource_exhausted("a text is over " + std::to_string(kTextBytesMax) +
                                      " bytes after its references are filled in");
        }
    }
    return Json(std::move(filled));
}

}  // namespace

Result<std::vector<std::string>> references_in(const Json& value) {
    std::vector<std::string> out;
    GYRE_TRY_VOID(collect(value, out));
    return out;
}

const Json* find_path(const Json& scope, std::string_view path) {
    const Json* at = &scope;
    for (const std::string_view part : split(path, '.')) {
        at = at->find(part);
        if (at == nullptr) {
            return nullptr;
        }
    }
    return at;
}

Result<Json> fill_in(const Json& value, const Json& scope) {
    if (value.is_string()) {
        return fill_text(value.as_string(), scope);
    }
    if (value.is_array()) {
        Json out = Json::array();
        for (const Json& item : value.items()) {
            GYRE_TRY(Json filled, fill_in(item, scope));
            out.push_back(std::move(filled));
        }
        return out;
    }
    if (value.is_object()) {
        Json out = Json::object();
        for (const JsonMember& member : value.members()) {
            GYRE_TRY(Json filled, fill_in(member.value, scope));
            out.members().push_back({member.key, std::move(filled)});
        }
        return out;
    }
    return value;
}

}  // namespace gyre::pipelines
