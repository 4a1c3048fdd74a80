#pragma once
// HeadMemo: what the last head of a connection said. Clients that keep a connection send the same head again
// and again, but for the length of the body; comparing it costs a twentieth of reading it.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/http/message.h"

namespace gyre::http {

/// Not thread-safe; one per connection.
class HeadMemo {
 public:
    /// Fills `request` as RequestParser::parse_head would, if `head` is the kept one but for the digits of
    /// its Content-Length; else false, and nothing is changed.
    [[nodiscard]] bool recall(std::string_view head, Request& request) const;

    /// Keeps a head that parse_head has just read into `request`, if it is one that may be recalled: not too
    /// long, without a chunked body (for which the parser itself is needed) and without Expect.
    void keep(std::string_view head, const Request& request);

 private:
    /// A view into the head.
    struct Part {
        std::uint16_t at = 0;
        std::uint16_t size = 0;
    };
    [[nodiscard]] bool note(std::string_view head, std::string_view part);

    std::string head_;           // empty: nothing is kept
    std::size_t length_at_ = 0;  // of the Content-Length's digits; the head's end where there are none
    std::size_t length_size_ = 0;
    Method method_ = Method::other;
    HeadFacts facts_;
    std::vector<Part> parts_;  // method, path, query, host, then name and value of each header
};

}  // namespace gyre::http
