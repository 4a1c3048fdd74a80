#pragma once
// Request and Response as handlers see them: no sockets, no vendor types. Not thread-safe.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/principal.h"
#include "runtime/http/event_stream.h"
#include "runtime/http/limits.h"

namespace gyre::http {

enum class Method : std::uint8_t { get, head, post, put, patch, del, options, other };
inline constexpr std::size_t kMethods = 8;
/// "GET", "DELETE"; "OTHER" for what no route can have.
std::string_view name_of(Method method);

struct Header {
    std::string_view name;
    std::string_view value;
};

enum class Framing : std::uint8_t { none, length, chunked };
enum class Encoding : std::uint8_t { identity, gzip, unknown };

/// What the head says about the connection and the body. Filled by RequestParser.
struct HeadFacts {
    Framing framing = Framing::none;
    std::uint64_t content_length = 0;
    Encoding content_encoding = Encoding::identity;
    bool keep_alive = true;
    bool expects_continue = false;
    bool accepts_gzip = false;
    std::uint8_t minor_version = 1;
};

/// Views point into the connection's buffer and are valid until the answer is given.
struct Request {
    Method method = Method::other;
    std::string_view method_name;
    std::string_view path;   // as sent, still percent-encoded
    std::string_view query;  // as sent, without '?'
    std::string_view host;   // the Host header
    std::vector<Header> headers;
    HeadFacts facts;
    std::string_view body;  // kBodyPadding readable bytes follow it
    std::string remote;     // numeric address of the peer

    // The application's own, filled in its plan().
    std::vector<std::string> params;  // values of path parameters, percent-decoded
    std::string request_id;
    Principal principal;
    std::uint32_t route = 0;
    std::int64_t started_ns = 0;

    /// The first header of this name, any case; "" when absent.
    [[nodiscard]] std::string_view header(std::string_view name) const;
};

/// The body of an answer, made while it is sent. read() runs on the route's pool.
class BodySource {
 public:
    virtual ~BodySource() = default;
    /// Fills the front of `out`; 0 at the end. An error cuts the connection: the head is already sent.
    virtual Result<std::size_t> read(std::span<char> out) = 0;
};

struct Response;

/// The body of a request, taken in pieces. Both run on the route's pool. Destroyed without finish() when
/// the body was cut short.
class BodySink {
 public:
    virtual ~BodySink() = default;
    virtual Result<void> write(std::string_view piece) = 0;
    virtual void finish(Response& response) = 0;
};

struct Response {
    int status = 200;
    std::string content_type;
    std::string body;
    std::string headers;   // complete lines; use add_header
    bool encoded = false;  // the body already has its Content-Encoding header

    // Instead of `body`, one of:
    std::unique_ptr<BodySource> source;
    std::optional<std::uint64_t> source_bytes;  // the source's length, when it is known
    std::shared_ptr<EventStream> events;

    /// Empties it for the next request; keeps the memory of small bodies.
    void reset();
    /// CR, LF and NUL in the value are replaced by spaces.
    void add_header(std::string_view name, std::string_view value);
    void set(int new_status, std::string_view type, std::string_view text);
};

/// "Not Found"
std::string_view reason_of(int status);
/// The status line and headers of `response`, ready to send. `date` is an RFC 9110 date.
void append_head(std::string& out, const Response& response, const HeadFacts& facts, bool close,
                 std::optional<std::uint64_t> content_length, std::string_view date);
/// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string format_http_date(std::int64_t unix_seconds);
bool equals_ignoring_case(std::string_view a, std::string_view b);

}  // namespace gyre::http
