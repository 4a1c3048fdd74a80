// Adapter: Boost.JSON's incremental parser builds our Json.
#include <charconv>

#include <boost/json/basic_parser_impl.hpp>

#include "base/json.h"

namespace gyre {
namespace {

class Builder {
 public:
    static constexpr std::size_t max_object_size = std::size_t(-1);
    static constexpr std::size_t max_array_size = std::size_t(-1);
    static constexpr std::size_t max_key_size = std::size_t(-1);
    static constexpr std::size_t max_string_size = std::size_t(-1);
    using Ec = boost::json::error_code;
    using Text = boost::json::string_view;

    bool on_document_begin(Ec&) { return true; }
    bool on_document_end(Ec&) { return true; }
    bool on_object_begin(Ec&) { return open(Json::object()); }
    bool on_object_end(std::size_t, Ec&) { return close(); }
    bool on_array_begin(Ec&) { return open(Json::array()); }
    bool on_array_end(std::size_t, Ec&) { return close(); }
    bool on_key_part(Text part, std::size_t, Ec&) { return append(part); }
    bool on_key(Text part, std::size_t, Ec&) {
        append(part);
        keys_.push_back(std::move(text_));
        text_.clear();
        return true;
    }
    bool on_string_part(Text part, std::size_t, Ec&) { return append(part); }
    bool on_string(Text part, std::size_t, Ec&) {
        append(part);
        Json value(std::move(text_));
        text_.clear();
        return add(std::move(value));
    }
    bool on_number_part(Text part, Ec&) { return append(part); }
    bool on_int64(std::int64_t value, Text, Ec&) { return add_number(Json(value)); }
    bool on_uint64(std::uint64_t value, Text, Ec&) { return add_number(Json(value)); }
    bool on_double(double value, Text part, Ec&) {
        append(part);
        // Boost.JSON 1.81 may be off by a unit in the last place; from_chars is exact.
        double exact = value;
        std::from_chars(text_.data(), text_.data() + text_.size(), exact);
        return add_number(Json(exact));
    }
    bool on_bool(bool value, Ec&) { return add(Json(value)); }
    bool on_null(Ec&) { return add(Json()); }
    bool on_comment_part(Text, Ec&) { return true; }
    bool on_comment(Text, Ec&) { return true; }

    Json take() { return std::move(root_); }

 private:
    bool append(Text part) {
        text_.append(part.data(), part.size());
        return true;
    }

    bool add_number(Json value) {
        text_.clear();
        return add(std::move(value));
    }

    bool open(Json container) {
        stack_.push_back(std::move(container));
        return true;
    }

    bool close() {
        Json done = std::move(stack_.back());
        stack_.pop_back();
        return add(std::move(done));
    }

    bool add(Json value) {
        if (stack_.empty()) {
            root_ = std::move(value);
        } else if (stack_.back().is_array()) {
            stack_.back().items().push_back(std::move(value));
        } else {
            stack_.back().members().push_back({std::move(keys_.back()), std::move(value)});
            keys_.pop_back();
        }
        return true;
    }

    Json root_;
    std::vector<Json> stack_;
    std::vector<std::string> keys_;
    std::string text_;
};

JsonFault fault_at(std::string_view text, std::size_t offset, std::string reason) {
    JsonFault fault{.reason = std::move(reason)};
    for (std::size_t i = 0; i < offset && i < text.size(); ++i) {
        fault.column = text[i] == '\n' ? 1 : fault.column + 1;
        fault.line += static_cast<std::size_t>(text[i] == '\n');
    }
    return fault;
}

}  // namespace

Result<Json> parse_json(std::string_view text, std::size_t depth_max) {
    JsonFault fault;
    return parse_json(text, fault, depth_max);
}

Result<Json> parse_json(std::string_view text, JsonFault& fault, std::size_t depth_max) {
    boost::json::parse_options options;
    options.max_depth = depth_max;
    boost::json::basic_parser<Builder> parser(options);
    boost::json::error_code ec;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
    if (ec || used < text.size()) {
        fault = fault_at(text, used, ec ? ec.message() : "extra text after the document");
        return invalid_argument("invalid JSON at line " + std::to_string(fault.line) + ", column " +
                                std::to_string(fault.column) + ": " + fault.reason);
    }
    return parser.handler().take();
}

}  // namespace gyre
