#include "runtime/http/head_memo.h"

#include <gtest/gtest.h>

#include "runtime/http/request_parser.h"

namespace gyre::http {
namespace {

constexpr std::string_view kPost =
    "POST /v2/models/a/infer?x=1 HTTP/1.1\r\nHost: h:80\r\nContent-Type: application/json\r\nX-Empty:\r\n"
    "Accept-Encoding: gzip\r\nContent-Length: 345\r\nUser-Agent: some client\r\n\r\n";
constexpr std::string_view kGet = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";

bool parse(std::string_view head, Request& request) {
    RequestParser parser;
    return !parser.parse_head(head, request);
}

HeadMemo memo_of(std::string_view head) {
    Request request;
    HeadMemo memo;
    if (parse(head, request)) {
        memo.keep(head, request);
    }
    return memo;
}

/// All that a parser says of a head, to be compared.
std::string facts_of(const Request& request) {
    std::string out;
    for (const std::string_view part : {request.method_name, request.path, request.query, request.host}) {
        out.append(part).append("|");
    }
    for (const Header& header : request.headers) {
        out.append(header.name).append("=").append(header.value).append("|");
    }
    const HeadFacts& facts = request.facts;
    for (const std::uint64_t fact :
         {static_cast<std::uint64_t>(request.method), static_cast<std::uint64_t>(facts.framing),
          facts.content_length, static_cast<std::uint64_t>(facts.content_encoding),
          std::uint64_t{facts.keep_alive}, std::uint64_t{facts.expects_continue},
          std::uint64_t{facts.accepts_gzip}, std::uint64_t{facts.minor_version}}) {
        out.append(std::to_string(fact)).append("|");
    }
    return out;
}

/// A head that is recalled is good, and says what the parser says of it. True when it was recalled.
bool recalls_truly(const HeadMemo& memo, const std::string& head) {
    Request recalled;
    if (!memo.recall(head, recalled)) {
        return false;
    }
    Request parsed;
    EXPECT_TRUE(parse(head, parsed)) << head;
    EXPECT_EQ(facts_of(recalled), facts_of(parsed)) << head;
    return true;
}

std::string with_length(std::string_view digits) {
    std::string head(kPost);
    return head.replace(head.find("345"), 3, digits);
}

TEST(HeadMemo, recalls_the_same_head_with_any_length_of_body) {
    const HeadMemo post = memo_of(kPost);
    for (const char* digits : {"345", "1", "0", "007", "99999", "123456789012345678"}) {
        EXPECT_TRUE(recalls_truly(post, with_length(digits))) << digits;
    }
    EXPECT_TRUE(recalls_truly(memo_of(kGet), std::string(kGet)));
}

TEST(HeadMemo, leaves_everything_else_to_the_parser) {
    const HeadMemo post = memo_of(kPost);
    for (const char* digits :
         {"", " ", "-1", "+1", "3 4", "3,4", "12345678901234567890", "0x1", "345\r\nX: y"}) {
        EXPECT_FALSE(recalls_truly(post, with_length(digits))) << digits;
    }
    EXPECT_FALSE(recalls_truly(post, std::string(kGet)));
    EXPECT_FALSE(recalls_truly(HeadMemo(), std::string(kPost)));
    for (const std::string_view kept : {kPost, kGet}) {
        const HeadMemo memo = memo_of(kept);
        for (std::size_t at = 0; at < kept.size(); ++at) {
            for (const char c : {'\r', '\n', ' ', '0', '9', ':', ',', 'A', '\0'}) {
                std::string changed(kept);
                changed[at] = c;
                recalls_truly(memo, changed);
                recalls_truly(memo, std::string(kept).insert(at, 1, c));
            }
            recalls_truly(memo, std::string(kept).erase(at, 1));
            EXPECT_FALSE(recalls_truly(memo, std::string(kept.substr(0, at))));
        }
    }
}

TEST(HeadMemo, keeps_no_head_that_needs_the_parser_again) {
    for (const std::string head :
         {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
          "GET http://h HTTP/1.1\r\nHost: h\r\n\r\n"}) {
        Request request;
        ASSERT_TRUE(parse(head, request)) << head;
        EXPECT_FALSE(memo_of(head).recall(head, request)) << head;
    }
    const std::string long_head =
        "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(kRememberedHeadBytesMax, 'x') + "\r\n\r\n";
    Request request;
    ASSERT_TRUE(parse(long_head, request));
    EXPECT_FALSE(memo_of(long_head).recall(long_head, request));
}

}  // namespace
}  // namespace gyre::http
