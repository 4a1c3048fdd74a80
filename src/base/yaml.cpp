// Adapter: yaml-cpp's event parser builds our Json, with bounds.
#include <optional>
#include <sstream>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "base/config.h"
#include "base/text.h"

namespace gyre {
namespace {

struct Refusal {
    YAML::Mark mark;
    std::string reason;
};

class YamlBuilder final : public YAML::EventHandler {
 public:
    explicit YamlBuilder(YamlMarks* marks) : marks_(marks) {}
    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnAnchor(const YAML::Mark& mark, const std::string&) override {
        refuse(mark, "anchors are not accepted");
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        refuse(mark, "aliases are not accepted");
    }
    void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { add(mark, Json()); }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& text) override {
        check_anchor(mark, anchor);
        add(mark, tag == "!" ? Json(text) : typed(text));  // "!" marks a quoted scalar
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        check_anchor(mark, anchor);
        open(mark, Json::array());
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        check_anchor(mark, anchor);
        open(mark, Json::object());
    }
    void OnMapEnd() override { close(); }

    [[nodiscard]] const std::optional<Refusal>& refusal() const { return refusal_; }
    Json take() { return std::move(root_); }

 private:
    struct Level {
        Json container;
        std::optional<std::string> key;
        YAML::Mark mark;
        std::optional<std::string> path;  // nothing when it is too long to keep
    };

    static Json typed(const std::string& text) {
        if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") {
            return {};
        }
        if (text == "true" || text == "True" || text == "TRUE") {
            return true;
        }
        if (text == "false" || text == "False" || text == "FALSE") {
            return false;
        }
        if (const auto integer = parse_integer(text)) {
            return *integer;
        }
        const bool numeric =
            (text[0] >= '0' && text[0] <= '9') || text[0] == '-' || text[0] == '+' || text[0] == '.';
        if (const auto number = parse_number(text[0] == '+' ? text.substr(1) : text); number && numeric) {
            return *number;
        }
        return text;
    }

    void refuse(const YAML::Mark& mark, std::string reason) {
        if (!refusal_) {
            refusal_ = Refusal{mark, std::move(reason)};
        }
    }
    void check_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
        if (anchor != 0) {
            refuse(mark, "anchors are not accepted");
        }
    }
    void open(const YAML::Mark& mark, Json container) {
        if (levels_.size() >= static_cast<std::size_t>(kYamlDepthMax)) {
            refuse(mark, "nested deeper than " + std::to_string(kYamlDepthMax));
        }
        if (!refusal_) {
            levels_.push_back({std::move(container), {}, mark, path_of_next()});
            note(levels_.back().path, mark);
        } else {
            ++ignored_;
        }
    }
    void close() {
        if (ignored_ > 0) {
            --ignored_;
            return;
        }
        if (levels_.empty()) {
            return;
        }
        Level done = std::move(levels_.back());
        levels_.pop_back();
        add(done.mark, std::move(done.container));
    }
    void add(const YAML::Mark& mark, Json value) {
        if (++nodes_ > kYamlNodesMax) {
            refuse(mark, "more than " + std::to_string(kYamlNodesMax) + " values");
        }
        if (refusal_) {
            return;
        }
        if (levels_.empty()) {
            root_ = std::move(value);
            return;
        }
        if (!value.is_array() && !value.is_object() &&
            (levels_.back().container.is_array() || levels_.back().key)) {
            note(path_of_next(), mark);
        }
        Level& level = levels_.back();
        if (level.container.is_array()) {
            level.container.push_back(std::move(value));
        } else if (!level.key) {
            set_key(level, mark, value);
        } else {
            level.container.members().push_back({std::move(*level.key), std::move(value)});
            level.key.reset();
        }
    }
    void set_key(Level& level, const YAML::Mark& mark, const Json& value) {
        if (value.is_array() || value.is_object() || value.is_null()) {
            refuse(mark, "expected a plain key");
            return;
        }
        level.key = value.is_string() ? value.as_string() : value.dump();
        if (level.container.find(*level.key) != nullptr) {
            refuse(mark, "the key '" + *level.key + "' stands twice");
        }
        note(path_of_next(), mark);
    }
    /// The path of the value that comes next, as error messages of fields.h write it.
    [[nodiscard]] std::optional<std::string> path_of_next() const {
        if (marks_ == nullptr || levels_.empty()) {
            return std::string();
        }
        const Level& level = levels_.back();
        if (!level.path) {
            return std::nullopt;
        }
        std::string path = *level.path;
        if (level.container.is_array()) {
            path += "[" + std::to_string(level.container.items().size()) + "]";
        } else if (level.key) {
            path.append(path.empty() ? "" : ".").append(*level.key);
        }
        return path.size() <= kYamlPathBytesMax ? std::optional(std::move(path)) : std::nullopt;
    }
    void note(const std::optional<std::string>& path, const YAML::Mark& mark) {
        if (marks_ != nullptr && path) {
            marks_->try_emplace(*path, YamlMark{mark.line + 1, mark.column + 1});
        }
    }

    YamlMarks* marks_;
    Json root_;
    std::vector<Level> levels_;
    std::size_t nodes_ = 0;
    std::size_t ignored_ = 0;
    std::optional<Refusal> refusal_;
};

Error yaml_error(const YAML::Mark& mark, const std::string& reason) {
    return invalid_argument("invalid YAML at line " + std::to_string(mark.line + 1) + ", column " +
                            std::to_string(mark.column + 1) + ": " + reason);
}

/// yaml-cpp recurses for nested flow collections before it tells us; refuse absurd nesting up front.
bool nests_too_deep(std::string_view text) {
    std::size_t run = 0;
    std::size_t indent_marks = 0;
    for (const char c : text) {
        run += c == '[' || c == '{' ? 1 : 0;
        indent_marks = c == '-' || c == '?' || c == ' ' ? indent_marks + (c == ' ' ? 0 : 1) : 0;
        if (run > 10'000 || indent_marks > 1'000) {
            return true;
        }
    }
    return false;
}

Result<Json> parse_marked(std::string_view text, YamlMarks* marks) {
    if (text.size() > kConfigBytesMax) {
        return resource_exhausted("YAML document larger than the limit of " +
                                  std::to_string(kConfigBytesMax) + " bytes");
    }
    if (nests_too_deep(text)) {
        return invalid_argument("invalid YAML: nested deeper than " + std::to_string(kYamlDepthMax));
    }
    std::istringstream stream{std::string(text)};
    YamlBuilder builder(marks);
    try {
        YAML::Parser parser(stream);
        parser.HandleNextDocument(builder);
    } catch (const YAML::Exception& error) {
        return yaml_error(error.mark, error.msg);
    }
    if (builder.refusal()) {
        return yaml_error(builder.refusal()->mark, builder.refusal()->reason);
    }
    return builder.take();
}

}  // namespace

Result<Json> parse_yaml(std::string_view text) {
    return parse_marked(text, nullptr);
}

Result<Json> parse_yaml(std::string_view text, YamlMarks& marks) {
    return parse_marked(text, &marks);
}

}  // namespace gyre
