#include "runtime/http/request_parser.h"

#include <gtest/gtest.h>

namespace gyre::http {
namespace {

/// The status of the refusal, or 0 for a good head.
int parse(const std::string& head, Request& request) {
    RequestParser parser;
    const auto refusal = parser.parse_head(head, request);
    return refusal ? refusal->status : 0;
}
int parse(const std::string& head) {
    Request request;
    return parse(head, request);
}

TEST(RequestParser, reads_the_line_the_headers_and_what_they_mean) {
    const std::string head =
        "POST /a/b?x=1&y HTTP/1.1\r\nHost: h:80\r\nX-Thing:  two words \r\nContent-Length: 12\r\n"
        "Expect: 100-continue\r\nAccept-Encoding: br, gzip;q=0.5\r\nContent-Encoding: gzip\r\n\r\n";
    Request request;
    ASSERT_EQ(parse(head, request), 0);
    EXPECT_EQ(request.method, Method::post);
    EXPECT_EQ(request.path, "/a/b");
    EXPECT_EQ(request.query, "x=1&y");
    EXPECT_EQ(request.host, "h:80");
    EXPECT_EQ(request.header("x-thing"), "two words");
    EXPECT_EQ(request.header("absent"), "");
    EXPECT_EQ(request.facts.framing, Framing::length);
    EXPECT_EQ(request.facts.content_length, 12U);
    EXPECT_EQ(request.facts.content_encoding, Encoding::gzip);
    EXPECT_TRUE(request.facts.expects_continue);
    EXPECT_TRUE(request.facts.accepts_gzip);
    EXPECT_TRUE(request.facts.keep_alive);
}

TEST(RequestParser, keep_alive_follows_version_and_connection) {
    Request request;
    ASSERT_EQ(parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", request), 0);
    EXPECT_FALSE(request.facts.keep_alive);
    ASSERT_EQ(parse("GET / HTTP/1.0\r\n\r\n", request), 0);
    EXPECT_FALSE(request.facts.keep_alive);
    ASSERT_EQ(parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", request), 0);
    EXPECT_TRUE(request.facts.keep_alive);
}

TEST(RequestParser, a_weight_of_zero_refuses_gzip) {
    Request request;
    ASSERT_EQ(parse("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip;q=0\r\n\r\n", request), 0);
    EXPECT_FALSE(request.facts.accepts_gzip);
    ASSERT_EQ(parse("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: identity, *;q=0.1\r\n\r\n", request), 0);
    EXPECT_TRUE(request.facts.accepts_gzip);
}

TEST(RequestParser, an_absolute_target_is_its_path) {
    Request request;
    const std::string head = "GET http://h/x?y HTTP/1.1\r\nHost: h\r\n\r\n";
    ASSERT_EQ(parse(head, request), 0);
    EXPECT_EQ(request.path, "/x");
    EXPECT_EQ(request.query, "y");
}

// Each of these is read differently by some servers: RFC 9112, section 11.2 (request smuggling).
TEST(RequestParser, ambiguous_requests_are_refused) {
    const std::string line = "POST / HTTP/1.1\r\nHost: a\r\n";
    for (const char* headers :
         {"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
          "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "Content-Length: 3\r\nContent-Length: 4\r\n",
          "Content-Length: 3, 3\r\n", "Content-Length: +3\r\n", "Content-Length: -1\r\n",
          "Content-Length: 0x3\r\n", "Content-Length: 99999999999999999999\r\n", "Content-Length:\r\n",
          "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "Host: b\r\n", "X : y\r\n",
          "X: a\r\n b\r\n", "X: a\nY: b\r\n", "X: a\x01z\r\n", "X\x7f: y\r\n", ": y\r\n"}) {
        EXPECT_EQ(parse(line + headers + "\r\n"), 400) << headers;
    }
    for (const char* coding :
         {"gzip", "identity", "chunked, gzip", "gzip, chunked", "xchunked", "chunked;x=1"}) {
        EXPECT_EQ(parse(line + "Transfer-Encoding: " + coding + "\r\n\r\n"), 501) << coding;
    }
    EXPECT_EQ(parse("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
    EXPECT_EQ(parse("GET / HTTP/1.1\r\n\r\n"), 400);  // no Host
}

TEST(RequestParser, other_versions_targets_expectations_and_too_many_headers_are_refused) {
    EXPECT_EQ(parse("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505);
    EXPECT_EQ(parse("GET * HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    EXPECT_EQ(parse("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    EXPECT_EQ(parse("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"), 505);
    EXPECT_EQ(parse("GET / HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n"), 417);
    std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (std::size_t i = 1; i < kHeadersMax; ++i) {
        head += "X: y\r\n";
    }
    EXPECT_EQ(parse(head + "\r\n"), 0);
    EXPECT_EQ(parse(head + "X: y\r\n\r\n"), 431);
}

TEST(RequestParser, chunks_are_decoded_however_they_are_cut) {
    const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::string body = "5\r\nhello\r\n6;ext=\"x\"\r\n world\r\n0\r\nTrailer: t\r\n\r\nNEXT";
    for (std::size_t step = 1; step <= body.size(); ++step) {
        Request request;
        RequestParser parser;
        ASSERT_FALSE(parser.parse_head(head, request));
        std::string pending;
        std::string out;
        bool done = false;
        for (std::size_t at = 0; at < body.size() && !done; at += step) {
            pending += body.substr(at, step);
            const auto decoded = parser.decode(pending, out);
            ASSERT_TRUE(decoded) << step << decoded.error().message();
            pending.erase(0, decoded->consumed);
            done = decoded->done;
        }
        EXPECT_TRUE(done) << step;
        EXPECT_EQ(out, "hello world") << step;
    }
}

TEST(RequestParser, an_empty_chunked_body_may_come_one_byte_at_a_time) {
    const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    Request request;
    RequestParser parser;
    ASSERT_FALSE(parser.parse_head(head, request));
    std::string pending;
    std::string out;
    bool done = false;
    for (const char c : std::string("0\r\n\r\n")) {
        ASSERT_FALSE(done);
        pending.push_back(c);
        const auto decoded = parser.decode(pending, out);
        ASSERT_TRUE(decoded);
        pending.erase(0, decoded->consumed);
        done = decoded->done;
    }
    EXPECT_TRUE(done);
}

TEST(RequestParser, bad_chunks_are_refused) {
    const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::string long_extension = "5;" + std::string(9000, 'x');
    for (const std::string& body :
         {std::string("x\r\nhello\r\n"), std::string("-5\r\nhello\r\n"),
          std::string("5\r\nhelloX\r\n0\r\n\r\n"), std::string("fffffffffffffffff\r\n"), long_extension}) {
        Request request;
        RequestParser parser;
        ASSERT_FALSE(parser.parse_head(head, request));
        std::string out;
        EXPECT_FALSE(parser.decode(body, out)) << body.substr(0, 20);
    }
    Request request;
    RequestParser parser;
    ASSERT_FALSE(parser.parse_head(head, request));
    std::string out;
    const auto decoded = parser.decode("5\nhello\n0\n\n", out);  // bare line feeds end no line
    EXPECT_TRUE(!decoded || (decoded->consumed == 0 && out.empty()));
}

TEST(FindHead, remembers_how_far_it_looked) {
    const std::string bytes = "GET / HTTP/1.1\r\nHost: a\r\n\r\nrest";
    std::size_t scanned = 0;
    for (std::size_t size = 1; size < bytes.size(); ++size) {
        const std::size_t head = find_head(std::string_view(bytes).substr(0, size), scanned);
        ASSERT_EQ(head, size >= bytes.size() - 4 ? bytes.size() - 4 : 0U) << size;
        if (head > 0) {
            break;
        }
    }
}

}  // namespace
}  // namespace gyre::http
