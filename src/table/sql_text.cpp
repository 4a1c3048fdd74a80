#include <array>
#include <cctype>

#include "table/engine.h"
#include "table/limits.h"

namespace gyre::table {
namespace {

struct Prefix {
    std::string_view text;
    ErrorCode code;
};
constexpr std::array kPrefixes{
    Prefix{"Permission Error: ", ErrorCode::permission_denied},
    Prefix{"Out of Memory Error: ", ErrorCode::resource_exhausted},
    Prefix{"INTERRUPT Error: ", ErrorCode::deadline_exceeded},
    Prefix{"IO Error: ", ErrorCode::unavailable},
    Prefix{"Parser Error: ", ErrorCode::invalid_argument},
    Prefix{"Binder Error: ", ErrorCode::invalid_argument},
    Prefix{"Catalog Error: ", ErrorCode::invalid_argument},
    Prefix{"Conversion Error: ", ErrorCode::invalid_argument},
    Prefix{"Out of Range Error: ", ErrorCode::invalid_argument},
    Prefix{"Mismatch Type Error: ", ErrorCode::invalid_argument},
    Prefix{"Invalid Input Error: ", ErrorCode::invalid_argument},
    Prefix{"Invalid type Error: ", ErrorCode::invalid_argument},
    Prefix{"Constraint Error: ", ErrorCode::invalid_argument},
    Prefix{"Not implemented Error: ", ErrorCode::unimplemented},
    Prefix{"Syntax Error: ", ErrorCode::invalid_argument},
};

std::string quoted(std::string_view text, char quote) {
    std::string out(1, quote);
    for (const char c : text) {
        if (c == quote) {
            out.push_back(quote);
        }
        out.push_back(c);
    }
    out.push_back(quote);
    return out;
}

}  // namespace

Error engine_error(std::string_view message) {
    ErrorCode code = ErrorCode::internal;
    for (const Prefix& prefix : kPrefixes) {
        if (message.starts_with(prefix.text)) {
            code = prefix.code;
            message.remove_prefix(prefix.text.size());
            break;
        }
    }
    std::string text = "sql: ";
    // Blank lines separate the sentence from the excerpt of the statement; one line is what our errors have.
    for (const char c : message.substr(0, kMessageBytesMax)) {
        const char shown = c == '\n' ? ' ' : c;
        if (shown != ' ' || !text.ends_with(' ')) {
            text.push_back(shown);
        }
    }
    const std::size_t start = std::string_view("sql: ").size();
    if (text.size() > start + 1 && std::islower(static_cast<unsigned char>(text[start + 1])) != 0) {
        text[start] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[start])));
    }
    return {code, std::move(text)};
}

std::string quote_name(std::string_view name) {
    return quoted(name, '"');
}
std::string quote_text(std::string_view text) {
    return quoted(text, '\'');
}

}  // namespace gyre::table
