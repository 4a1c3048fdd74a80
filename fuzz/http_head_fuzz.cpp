// Heads and chunked bodies: whatever comes, the parser ends with a request or a refusal, consumes what it
// says, and gives the same data however the bytes are cut.
#include <cstdint>
#include <cstdlib>

#include "runtime/http/head_memo.h"
#include "runtime/http/request_parser.h"
#include "runtime/http/router.h"

namespace {

using gyre::http::Request;
using gyre::http::RequestParser;

/// The decoded body, "!" when it is refused, "?" when it is not complete. `step` bytes are shown more each
/// time.
std::string decode(std::string_view head, std::string_view body, std::size_t step) {
    Request request;
    RequestParser parser;
    if (parser.parse_head(head, request) || request.facts.framing != gyre::http::Framing::chunked) {
        return "-";
    }
    std::string pending;
    std::string out;
    while (!body.empty()) {
        const std::size_t size = std::min(step, body.size());
        pending.append(body.substr(0, size));
        body.remove_prefix(size);
        const auto decoded = parser.decode(pending, out);
        if (!decoded) {
            return "!";
        }
        if (decoded->consumed > pending.size()) {
            std::abort();
        }
        pending.erase(0, decoded->consumed);
        if (decoded->done) {
            return out;
        }
    }
    return "?";
}

/// A head like the one that was read, with one digit more, is recalled as the parser reads it, or not at all.
void check_memo(std::string_view head, const Request& parsed) {
    gyre::http::HeadMemo memo;
    memo.keep(head, parsed);
    for (std::size_t at = 0; at < head.size() && head.size() <= gyre::http::kRememberedHeadBytesMax; ++at) {
        if (head[at] < '0' || head[at] > '9') {
            continue;
        }
        const std::string other = std::string(head).insert(at, 1, '7');
        Request recalled;
        Request again;
        RequestParser parser;
        if (memo.recall(other, recalled) &&
            (parser.parse_head(other, again) || again.path != recalled.path || again.host != recalled.host ||
             again.headers.size() != recalled.headers.size() ||
             again.facts.framing != recalled.facts.framing ||
             again.facts.content_length != recalled.facts.content_length)) {
            std::abort();
        }
    }
}

gyre::http::Router& router() {
    static gyre::http::Router routes;
    static const bool filled = [] {
        bool good = true;
        for (const char* path : {"/a/{x}/b", "/a/{x}:run", "/f/{path...}", "/a/b", "/{x}/{y}/{z}"}) {
            good = static_cast<bool>(routes.add(gyre::http::Method::get, path, 1)) && good;
        }
        return good;
    }();
    if (!filled) {
        std::abort();
    }
    return routes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    std::size_t scanned = 0;
    const std::size_t head = gyre::http::find_head(bytes, scanned);
    if (head == 0 || head > gyre::http::kHeadBytesMax) {
        return 0;
    }
    Request request;
    {
        RequestParser parser;
        if (parser.parse_head(bytes.substr(0, head), request)) {
            return 0;
        }
    }
    check_memo(bytes.substr(0, head), request);
    const auto match = router().match(request.method, request.path, request.params);
    if (match.kind == gyre::http::MatchKind::found) {
        for (const std::string& value : request.params) {
            if (value.find('\0') != std::string::npos) {
                std::abort();
            }
        }
    }
    const std::string_view body = bytes.substr(head);
    const std::string whole = decode(bytes.substr(0, head), body, body.size() + 1);
    const std::string pieces = decode(bytes.substr(0, head), body, 1);
    if (whole != pieces && whole != "!" && pieces != "!") {
        std::abort();
    }
    return 0;
}
