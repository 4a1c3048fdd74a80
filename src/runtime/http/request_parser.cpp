// Adapter: Beast's basic_parser reads the grammar; the callbacks put views into our Request.
#include "runtime/http/request_parser.h"

#include <algorithm>
#include <new>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "base/text.h"

namespace gyre::http {
namespace {

namespace beast = boost::beast;
using beast::error_code;
using beast::http::field;
using beast::http::verb;

Method to_method(verb value) {
    switch (value) {
        case verb::get:
            return Method::get;
        case verb::head:
            return Method::head;
        case verb::post:
            return Method::post;
        case verb::put:
            return Method::put;
        case verb::patch:
            return Method::patch;
        case verb::delete_:
            return Method::del;
        case verb::options:
            return Method::options;
        default:
            return Method::other;
    }
}

/// "gzip, deflate;q=0.5" names gzip, and not with a weight of zero.
bool list_allows_gzip(std::string_view value) {
    for (const std::string_view part : split(value, ',')) {
        const std::size_t semicolon = part.find(';');
        const std::string_view coding = trim(part.substr(0, semicolon));
        if (coding != "*" && !equals_ignoring_case(coding, "gzip")) {
            continue;
        }
        const std::string_view weight =
            semicolon == std::string_view::npos ? "" : trim(part.substr(semicolon + 1));
        const bool zero =
            weight.starts_with("q=0") && weight.find_first_of("123456789") == std::string_view::npos;
        if (!zero) {
            return true;
        }
    }
    return false;
}

bool is_whole_number(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

constexpr std::size_t kChunkHeaderBytesMax = 4096;
/// Beast's parser (1.81) asserts this many bytes once it has seen the last chunk's size. A chunked body
/// always has at least as many left ("0", two line ends) before it is complete, so waiting for them loses
/// nothing.
constexpr std::size_t kPutBytesMin = 5;

}  // namespace

std::size_t find_head(std::string_view bytes, std::size_t& scanned) {
    const std::size_t from = scanned < 3 ? 0 : scanned - 3;
    const std::size_t at = bytes.find("\r\n\r\n", from);
    scanned = bytes.size();
    return at == std::string_view::npos ? 0 : at + 4;
}

bool split_target(std::string_view target, Request& request) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (target.starts_with(scheme)) {
            const std::size_t slash = target.find('/', scheme.size());
            target = slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
            break;
        }
    }
    if (target.empty() || target.front() != '/' || target.find('#') != std::string_view::npos) {
        return false;
    }
    const std::size_t question = target.find('?');
    request.path = target.substr(0, question);
    request.query = question == std::string_view::npos ? std::string_view() : target.substr(question + 1);
    return true;
}

struct RequestParser::Impl final : beast::http::basic_parser<true> {
    Request* request = nullptr;
    std::string_view head;
    std::string* out = nullptr;
    int refused_status = 0;  // set before an error of our own
    const char* refused = nullptr;
    int hosts = 0;
    bool head_done = false;

    void refuse(int status, const char* why, error_code& ec) {
        refused_status = status;
        refused = why;
        ec = beast::http::error::bad_value;
    }

    void on_request_impl(verb method, beast::string_view name, beast::string_view target, int version,
                         error_code& ec) override {
        request->method = to_method(method);
        request->method_name = {name.data(), name.size()};
        request->facts.minor_version = version == 10 ? 0 : 1;
        if (!split_target({target.data(), target.size()}, *request)) {
            refuse(400, "the request target must be a path", ec);
        }
    }
    void on_response_impl(int, beast::string_view, int, error_code&) override {}

    void on_field_impl(field id, beast::string_view name, beast::string_view text, error_code& ec) override {
        if (head_done) {
            return;  // trailers are read and dropped
        }
        const std::string_view value(text.data(), text.size());
        const bool folded =
            !value.empty() && (value.data() < head.data() || value.data() >= head.data() + head.size());
        if (folded) {
            return refuse(400, "folded header lines are not accepted", ec);
        }
        if (request->headers.size() == kHeadersMax) {
            return refuse(431, "too many headers", ec);
        }
        request->headers.push_back({{name.data(), name.size()}, value});
        note(id, value, ec);
    }

    void note(field id, std::string_view value, error_code& ec) {
        HeadFacts& facts = request->facts;
        switch (id) {
            case field::host:
                request->host = value;
                return ++hosts > 1 ? refuse(400, "more than one Host header", ec) : void();
            case field::content_length:
                return !is_whole_number(value) ? refuse(400, "bad Content-Length", ec) : void();
            case field::transfer_encoding:
                if (!equals_ignoring_case(value, "chunked")) {
                    refuse(501, "only the transfer coding 'chunked' is supported", ec);
                } else if (facts.minor_version == 0) {
                    refuse(400, "Transfer-Encoding needs HTTP/1.1", ec);
                }
                return;
            case field::expect:
                facts.expects_continue = equals_ignoring_case(value, "100-continue");
                return !facts.expects_continue ? refuse(417, "only 'Expect: 100-continue' is supported", ec)
                                               : void();
            case field::accept_encoding:
                facts.accepts_gzip = list_allows_gzip(value);
                return;
            case field::content_encoding:
                facts.content_encoding =
                    equals_ignoring_case(value, "identity") ? Encoding::identity
                    : equals_ignoring_case(value, "gzip") || equals_ignoring_case(value, "x-gzip")
                        ? Encoding::gzip
                        : Encoding::unknown;
                return;
            default:
                return;
        }
    }

    void on_header_impl(error_code&) override {}
    void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code&) override {}
    std::size_t on_body_impl(beast::string_view body, error_code&) override { return body.size(); }
    void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, error_code&) override {
        out->append(body.data(), body.size());
        return body.size();
    }
    void on_finish_impl(error_code&) override {}

    Refusal explain(const error_code& ec) const {
        if (refused != nullptr) {
            return {refused_status, invalid_argument(refused)};
        }
        if (ec == beast::http::error::bad_version) {
            return {505, invalid_argument("only HTTP/1.0 and HTTP/1.1 are spoken here")};
        }
        return {400, invalid_argument("bad request: " + ec.message())};
    }
};

RequestParser::RequestParser() {
    static_assert(sizeof(Impl) <= sizeof(storage_) && alignof(Impl) <= 8);
    Impl* made = new (&storage_[0]) Impl();
    made->body_limit(boost::none);  // bounds are the route's
    made->header_limit(static_cast<std::uint32_t>(kHeadBytesMax + 1));
}

RequestParser::~RequestParser() {
    impl().~Impl();
}

RequestParser::Impl& RequestParser::impl() {
    return *std::launder(reinterpret_cast<Impl*>(&storage_[0]));
}

std::optional<Refusal> RequestParser::parse_head(std::string_view head, Request& request) {
    Impl& parser = impl();
    parser.request = &request;
    parser.head = head;
    request.headers.clear();
    request.facts = {};
    request.host = {};
    error_code ec;
    parser.put(boost::asio::const_buffer(head.data(), head.size()), ec);
    if (ec || !parser.is_header_done()) {
        return parser.explain(ec);
    }
    parser.head_done = true;
    if (request.facts.minor_version == 1 && parser.hosts == 0) {
        return Refusal{400, invalid_argument("HTTP/1.1 needs a Host header")};
    }
    HeadFacts& facts = request.facts;
    facts.keep_alive = parser.keep_alive();
    if (parser.chunked()) {
        facts.framing = Framing::chunked;
    } else if (parser.content_length() && *parser.content_length() > 0) {
        facts.framing = Framing::length;
        facts.content_length = *parser.content_length();
    }
    if (facts.framing == Framing::none || facts.minor_version == 0) {
        facts.expects_continue = false;
    }
    return std::nullopt;
}

Result<RequestParser::Decoded> RequestParser::decode(std::string_view bytes, std::string& out) {
    Impl& parser = impl();
    parser.out = &out;
    Decoded decoded;
    error_code ec;
    while (bytes.size() - decoded.consumed >= kPutBytesMin && !parser.is_done() && !ec) {
        const std::string_view rest = bytes.substr(decoded.consumed);
        decoded.consumed += parser.put(boost::asio::const_buffer(rest.data(), rest.size()), ec);
    }
    if (ec && ec != beast::http::error::need_more) {
        return invalid_argument("bad chunked body: " + ec.message());
    }
    if (!parser.is_done() && bytes.size() - decoded.consumed > kChunkHeaderBytesMax) {
        return invalid_argument("bad chunked body: a chunk's header is too long");
    }
    decoded.done = parser.is_done();
    return decoded;
}

}  // namespace gyre::http
