#pragma once
// RequestParser: HTTP/1.x requests from bytes, without sockets. One object per request.
//
// The caller finds the end of the head (find_head), hands over the whole head, then either counts
// Content-Length bytes by itself or feeds chunked bytes to decode(). Strict: what two parsers could read
// differently (both Content-Length and Transfer-Encoding, other transfer codings, folded lines, spaces before
// a colon, several Hosts) is refused, because that is how requests are smuggled.
#include <cstddef>
#include <string>
#include <string_view>

#include "runtime/http/message.h"

namespace gyre::http {

/// Why a request is refused before any handler sees it.
struct Refusal {
    int status = 400;
    Error error;
};

/// Length of the head in `bytes` including its empty line; 0 when it is not complete. `scanned` remembers how
/// far was searched, so that many small reads cost no more than one.
std::size_t find_head(std::string_view bytes, std::size_t& scanned);

class RequestParser {
 public:
    RequestParser();
    ~RequestParser();
    RequestParser(const RequestParser&) = delete;
    RequestParser& operator=(const RequestParser&) = delete;

    /// `head` is complete (see find_head) and outlives `request`, whose views point into it.
    /// Nothing is returned when it is good. To be called once.
    std::optional<Refusal> parse_head(std::string_view head, Request& request);

    struct Decoded {
        std::size_t consumed = 0;
        bool done = false;
    };
    /// Takes chunked bytes and appends the data to `out`; calls again with the rest and more bytes behind it.
    /// Errors: invalid_argument for bad chunks.
    Result<Decoded> decode(std::string_view bytes, std::string& out);

 private:
    struct Impl;
    // In place instead of on the heap: one per request, on the hot path. The sizes are checked in the .cpp.
    alignas(8) std::byte storage_[160];
    Impl& impl();
};

/// "/a/b" and "x=1" of an origin-form or absolute-form target; false for other forms.
bool split_target(std::string_view target, Request& request);

}  // namespace gyre::http
