#include "runtime/http/router.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <optional>
#include <set>

#include "base/text.h"

namespace gyre::http {
namespace {

struct Segment {
    enum class Kind : std::uint8_t { literal, param, suffixed, rest } kind = Kind::literal;
    std::string_view name;    // of the parameter
    std::string_view suffix;  // ":predict"
};

bool is_name(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
}

Result<Segment> parse_segment(std::string_view text) {
    if (text.empty() || text.front() != '{') {
        if (text.find_first_of("{}%") != std::string_view::npos) {
            return invalid_argument("path template: bad segment '" + std::string(text) + "'");
        }
        return Segment{};
    }
    const std::size_t close = text.find('}');
    if (close == std::string_view::npos) {
        return invalid_argument("path template: '{' without '}' in '" + std::string(text) + "'");
    }
    Segment out{Segment::Kind::param, text.substr(1, close - 1), text.substr(close + 1)};
    if (out.name.ends_with("...")) {
        out.name.remove_suffix(3);
        out.kind = Segment::Kind::rest;
    } else if (!out.suffix.empty()) {
        out.kind = Segment::Kind::suffixed;
    }
    const bool bad_suffix =
        !out.suffix.empty() && (out.kind == Segment::Kind::rest || out.suffix.front() != ':');
    if (!is_name(out.name) || bad_suffix) {
        return invalid_argument("path template: bad parameter '" + std::string(text) + "'");
    }
    return out;
}

Result<std::vector<std::string_view>> template_segments(std::string_view path_template) {
    if (path_template.empty() || path_template.front() != '/') {
        return invalid_argument("path template: must start with '/', got '" + std::string(path_template) +
                                "'");
    }
    std::vector<std::string_view> segments = split(path_template.substr(1), '/');
    if (segments.size() > kPathSegmentsMax) {
        return invalid_argument("path template: too many segments in '" + std::string(path_template) + "'");
    }
    return segments;
}

}  // namespace

Result<std::vector<std::string>> parse_template_params(std::string_view path_template) {
    GYRE_TRY(const auto segments, template_segments(path_template));
    std::vector<std::string> names;
    for (std::size_t i = 0; i < segments.size(); ++i) {
        GYRE_TRY(const Segment segment, parse_segment(segments[i]));
        if (segment.kind == Segment::Kind::literal) {
            continue;
        }
        if (segment.kind == Segment::Kind::rest && i + 1 != segments.size()) {
            return invalid_argument("path template: the rest must come last in '" +
                                    std::string(path_template) + "'");
        }
        if (std::find(names.begin(), names.end(), segment.name) != names.end()) {
            return invalid_argument("path template: '" + std::string(segment.name) + "' twice");
        }
        names.emplace_back(segment.name);
    }
    return names;
}

/// Never given twice, unlike an address.
std::uint64_t Router::new_identity() {
    static std::atomic<std::uint64_t> last{0};
    return last.fetch_add(1) + 1;
}

Router::Router() : nodes_(1), identity_(new_identity()) {}

Router::NodeId Router::new_node() {
    nodes_.emplace_back();
    return static_cast<NodeId>(nodes_.size() - 1);
}

Router::NodeId Router::child(NodeId parent, std::string_view text) {
    const Result<Segment> parsed = parse_segment(text);
    GYRE_CHECK(parsed.has_value(), "the template was checked");
    const Segment& segment = *parsed;
    if (segment.kind == Segment::Kind::param || segment.kind == Segment::Kind::rest) {
        const bool rest = segment.kind == Segment::Kind::rest;
        NodeId next = rest ? nodes_[parent].rest : nodes_[parent].param;
        if (next == kNone) {
            next = new_node();
            (rest ? nodes_[parent].rest : nodes_[parent].param) = next;
        }
        return next;
    }
    const bool literal = segment.kind == Segment::Kind::literal;
    const std::string_view key = literal ? text : segment.suffix;
    for (const Edge& edge : literal ? nodes_[parent].literals : nodes_[parent].suffixes) {
        if (edge.text == key) {
            return edge.node;
        }
    }
    const NodeId next = new_node();
    std::vector<Edge>& edges = literal ? nodes_[parent].literals : nodes_[parent].suffixes;
    edges.push_back({std::string(key), next});
    std::sort(edges.begin(), edges.end(), [literal](const Edge& a, const Edge& b) {
        return literal || a.text.size() == b.text.size() ? a.text < b.text : a.text.size() > b.text.size();
    });
    return next;
}

Result<void> Router::add(Method method, std::string_view path_template, std::uint32_t route) {
    GYRE_TRY_VOID(parse_template_params(path_template));
    GYRE_TRY(const auto segments, template_segments(path_template));
    NodeId node = 0;
    for (const std::string_view segment : segments) {
        node = child(node, segment);
    }
    std::uint32_t& slot = nodes_[node].routes[static_cast<std::size_t>(method)];
    if (slot != kNone) {
        return already_exists("two routes for " + std::string(name_of(method)) + " " +
                              std::string(path_template));
    }
    slot = route;
    identity_ = new_identity();  // what was matched before may match otherwise now
    return {};
}

struct Router::Search {
    Method method = Method::other;
    std::string_view path;  // without the first '/'
    struct Piece {
        std::string_view text;   // decoded; a view into `path` or `decoded`
        bool has_slash = false;  // in the decoded text
    };
    std::vector<Piece> segments;
    std::vector<std::string> decoded;      // owns what had escapes
    std::vector<std::string_view> values;  // of parameters on the way down
    std::optional<std::string> rest;
    std::uint32_t route = kNone;
    std::set<std::string_view> allowed;

    void reset(Method wanted);
    bool split_path(std::string_view raw);
    bool add_segment(std::string_view raw, bool escapes);
    void set_rest(std::size_t depth);
};

void Router::Search::reset(Method wanted) {
    method = wanted;
    path = {};
    segments.clear();
    decoded.clear();
    values.clear();
    rest.reset();
    route = kNone;
    allowed.clear();
}

/// `escapes`: there may be some.
bool Router::Search::add_segment(std::string_view raw, bool escapes) {
    Piece piece{raw, false};
    if (escapes && raw.find('%') != std::string_view::npos) {
        auto plain = percent_decode(raw);
        if (!plain || plain->find('\0') != std::string::npos) {
            return false;
        }
        decoded.push_back(std::move(*plain));
        piece.text = decoded.back();
        piece.has_slash = piece.text.find('/') != std::string_view::npos;
    }
    if (piece.text == "." || piece.text == "..") {
        return false;
    }
    segments.push_back(piece);
    return true;
}

bool Router::Search::split_path(std::string_view raw) {
    if (raw.empty() || raw.front() != '/' || raw.find('\0') != std::string_view::npos) {
        return false;
    }
    path = raw.substr(1);
    const bool escapes = path.find('%') != std::string_view::npos;
    if (escapes) {
        decoded.reserve(kPathSegmentsMax);  // views into it stay valid
    }
    std::size_t from = 0;
    for (;;) {
        const std::size_t end = std::min(path.find('/', from), path.size());
        if (segments.size() == kPathSegmentsMax || !add_segment(path.substr(from, end - from), escapes)) {
            return false;
        }
        if (end == path.size()) {
            return true;
        }
        from = end + 1;
    }
}

void Router::Search::set_rest(std::size_t depth) {
    std::string text;
    for (std::size_t i = depth; i < segments.size(); ++i) {
        text.append(i == depth ? "" : "/").append(segments[i].text);
    }
    rest = std::move(text);
}

bool Router::accept(Search& search, NodeId id) const {
    const Node& node = nodes_[id];
    const auto at = [&node](Method method) { return node.routes[static_cast<std::size_t>(method)]; };
    std::uint32_t route = at(search.method);
    if (route == kNone && search.method == Method::head) {
        route = at(Method::get);
    }
    if (route != kNone) {
        search.route = route;
        return true;
    }
    for (std::size_t i = 0; i < kMethods; ++i) {
        if (node.routes[i] != kNone) {
            search.allowed.insert(name_of(static_cast<Method>(i)));
        }
    }
    if (at(Method::get) != kNone) {
        search.allowed.insert("HEAD");
    }
    return false;
}

bool Router::walk(Search& search, NodeId id, std::size_t depth) const {
    const Node& node = nodes_[id];
    if (depth == search.segments.size()) {
        return accept(search, id);
    }
    const std::string_view segment = search.segments[depth].text;
    const bool whole = !search.segments[depth].has_slash;
    // Lengths differ, mostly, so looking at each in turn is quicker than bisecting.
    const auto edge = std::find_if(node.literals.begin(), node.literals.end(),
                                   [segment](const Edge& each) { return each.text == segment; });
    if (whole && edge != node.literals.end() && walk(search, edge->node, depth + 1)) {
        return true;
    }
    const auto take = [&](NodeId next, std::string_view value) {
        search.values.push_back(value);
        const bool found = walk(search, next, depth + 1);
        if (!found) {
            search.values.pop_back();
        }
        return found;
    };
    for (const Edge& suffix : node.suffixes) {
        if (whole && segment.size() > suffix.text.size() && segment.ends_with(suffix.text) &&
            take(suffix.node, segment.substr(0, segment.size() - suffix.text.size()))) {
            return true;
        }
    }
    if (whole && node.param != kNone && !segment.empty() && take(node.param, segment)) {
        return true;
    }
    if (node.rest != kNone && (depth + 1 < search.segments.size() || !segment.empty()) &&
        accept(search, node.rest)) {
        search.set_rest(depth);
        return true;
    }
    return false;
}

/// Matches of one thread that were found before: a client asks for the same path again and again. A slot per
/// hash, so that it stays small whatever is asked.
class Router::Memory {
 public:
    const std::uint32_t* find(const Router& router, Method method, std::string_view path,
                              std::vector<std::string>& params) {
        const Slot& slot = slot_of(path);
        if (slot.router != router.identity_ || slot.method != method || slot.path != path) {
            return nullptr;
        }
        params = slot.params;
        return &slot.route;
    }
    void keep(const Router& router, Method method, std::string_view path,
              const std::vector<std::string>& params, std::uint32_t route) {
        if (path.size() <= kPathBytesMax) {
            slot_of(path) = {router.identity_, method, std::string(path), params, route};
        }
    }

 private:
    static constexpr std::size_t kSlots = 64;
    static constexpr std::size_t kPathBytesMax = 128;
    struct Slot {
        std::uint64_t router = 0;
        Method method = Method::other;
        std::string path;
        std::vector<std::string> params;
        std::uint32_t route = 0;
    };
    Slot& slot_of(std::string_view path) { return slots_[std::hash<std::string_view>{}(path) % kSlots]; }

    std::array<Slot, kSlots> slots_;
};

Match Router::match(Method method, std::string_view path, std::vector<std::string>& params) const {
    thread_local Memory memory;
    if (const std::uint32_t* route = memory.find(*this, method, path, params)) {
        return {MatchKind::found, *route, {}};
    }
    Match match = search_for(method, path, params);
    if (match.kind == MatchKind::found) {
        memory.keep(*this, method, path, params, match.route);
    }
    return match;
}

Match Router::search_for(Method method, std::string_view path, std::vector<std::string>& params) const {
    thread_local Search search;  // kept, so that matching allocates nothing
    search.reset(method);
    if (!search.split_path(path)) {
        return {MatchKind::bad_path, 0, {}};
    }
    if (walk(search, 0, 0)) {
        params.resize(search.values.size() + (search.rest ? 1 : 0));
        for (std::size_t i = 0; i < search.values.size(); ++i) {
            params[i].assign(search.values[i]);
        }
        if (search.rest) {
            params.back() = std::move(*search.rest);
        }
        return {MatchKind::found, search.route, {}};
    }
    if (search.allowed.empty()) {
        return {MatchKind::not_found, 0, {}};
    }
    const std::vector<std::string> names(search.allowed.begin(), search.allowed.end());
    return {MatchKind::method_not_allowed, 0, join(names, ", ")};
}

}  // namespace gyre::http
