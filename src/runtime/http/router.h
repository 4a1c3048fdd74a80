#pragma once
// Router: a trie over path segments; no regular expressions. Built once, then read by many threads.
//
// Templates: "/v2/models/{name}/infer", "/v1/models/{name}:predict" (a parameter with a literal suffix),
// "/artifacts/{path...}" (the rest, at least one byte; it keeps its slashes). Literal segments win over
// suffixed parameters, those over plain ones, those over the rest. GET routes answer HEAD too.
//
// Each segment is percent-decoded exactly once. Refused as bad_path: broken escapes, NUL bytes, "." and ".."
// segments, and an encoded slash outside the rest. Work is at most one visit per node of the trie; a path
// that this thread has just matched is found again without the trie.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/http/message.h"

namespace gyre::http {

enum class MatchKind : std::uint8_t { found, not_found, method_not_allowed, bad_path };

struct Match {
    MatchKind kind = MatchKind::not_found;
    std::uint32_t route = 0;
    std::string allow;  // "GET, HEAD, POST" for method_not_allowed
};

/// Names of the template's parameters in order. Errors: invalid_argument.
Result<std::vector<std::string>> parse_template_params(std::string_view path_template);

class Router {
 public:
    Router();
    /// Errors: invalid_argument (bad template), already_exists (same method and shape).
    Result<void> add(Method method, std::string_view path_template, std::uint32_t route);
    /// `path` as sent; `params` gets the decoded values in the template's order.
    [[nodiscard]] Match match(Method method, std::string_view path, std::vector<std::string>& params) const;

 private:
    static constexpr std::uint32_t kNone = 0xFFFFFFFF;
    using NodeId = std::uint32_t;
    struct Edge {
        std::string text;
        NodeId node = kNone;
    };
    struct Node {
        std::vector<Edge> literals;  // sorted by text
        std::vector<Edge> suffixes;  // longest first
        NodeId param = kNone;
        NodeId rest = kNone;
        std::array<std::uint32_t, kMethods> routes{};
        Node() { routes.fill(kNone); }
    };
    struct Search;
    class Memory;
    static std::uint64_t new_identity();
    [[nodiscard]] Match search_for(Method method, std::string_view path,
                                   std::vector<std::string>& params) const;

    NodeId child(NodeId parent, std::string_view segment);
    NodeId new_node();
    bool walk(Search& search, NodeId node, std::size_t depth) const;
    bool accept(Search& search, NodeId node) const;

    std::vector<Node> nodes_;
    std::uint64_t identity_ = 0;
};

}  // namespace gyre::http
