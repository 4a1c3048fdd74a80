#include "base/json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <tuple>

namespace gyre {

Json::Json() noexcept = default;
Json::Json(std::nullptr_t) noexcept {}
Json::Json(bool value) : value_(value) {}
Json::Json(int value) : value_(std::int64_t{value}) {}
Json::Json(unsigned value) : value_(std::int64_t{value}) {}
Json::Json(std::int64_t value) : value_(value) {}
Json::Json(long long value) : value_(std::int64_t{value}) {}
Json::Json(double value) : value_(value) {}
Json::Json(const char* value) : value_(std::string(value)) {}
Json::Json(std::string_view value) : value_(std::string(value)) {}
Json::Json(std::string value) : value_(std::move(value)) {}
Json::Json(Array value) : value_(std::move(value)) {}
Json::Json(Object value) : value_(std::move(value)) {}
Json::Json(const Json& other) = default;
Json::Json(Json&& other) noexcept = default;
Json& Json::operator=(const Json& other) = default;
Json& Json::operator=(Json&& other) noexcept = default;
Json::~Json() = default;

Json::Json(std::uint64_t value) {
    if (value <= static_cast<std::uint64_t>(INT64_MAX)) {
        value_ = static_cast<std::int64_t>(value);
    } else {
        value_ = static_cast<double>(value);
    }
}

Json Json::array() {
    return Json(Array{});
}
Json Json::object() {
    return Json(Object{});
}
Json Json::object(std::initializer_list<JsonMember> members) {
    return Json(Object(members));
}

std::string_view Json::kind_name() const {
    switch (kind()) {
        case Kind::null:
            return "null";
        case Kind::boolean:
            return "boolean";
        case Kind::integer:
            return "integer";
        case Kind::number:
            return "number";
        case Kind::string:
            return "string";
        case Kind::array:
            return "array";
        case Kind::object:
            return "object";
    }
    return "?";
}

bool Json::as_bool() const {
    GYRE_CHECK(is_bool(), "a JSON boolean");
    return std::get<bool>(value_);
}

std::int64_t Json::as_integer() const {
    GYRE_CHECK(is_integer(), "a JSON integer");
    return std::get<std::int64_t>(value_);
}

double Json::as_number() const {
    GYRE_CHECK(is_number(), "a JSON number");
    return is_integer() ? static_cast<double>(std::get<std::int64_t>(value_)) : std::get<double>(value_);
}

const std::string& Json::as_string() const {
    GYRE_CHECK(is_string(), "a JSON string");
    return std::get<std::string>(value_);
}

const Json::Array& Json::items() const {
    GYRE_CHECK(is_array(), "a JSON array");
    return std::get<Array>(value_);
}

Json::Array& Json::items() {
    GYRE_CHECK(is_array(), "a JSON array");
    return std::get<Array>(value_);
}

const Json::Object& Json::members() const {
    GYRE_CHECK(is_object(), "a JSON object");
    return std::get<Object>(value_);
}

Json::Object& Json::members() {
    GYRE_CHECK(is_object(), "a JSON object");
    return std::get<Object>(value_);
}

const Json* Json::find(std::string_view key) const {
    if (!is_object()) {
        return nullptr;
    }
    const Object& members = std::get<Object>(value_);
    const auto found = std::find_if(members.rbegin(), members.rend(),
                                    [&](const JsonMember& member) { return member.key == key; });
    return found == members.rend() ? nullptr : &found->value;
}

Json* Json::find(std::string_view key) {
    return const_cast<Json*>(std::as_const(*this).find(key));  // NOLINT: the object itself is not const
}

const Json& Json::operator[](std::string_view key) const {
    static const Json missing;
    const Json* value = find(key);
    return value == nullptr ? missing : *value;
}

Json& Json::set(std::string_view key, Json value) {
    if (is_null()) {
        value_ = Object{};
    }
    if (Json* existing = find(key)) {
        *existing = std::move(value);
        return *existing;
    }
    return members().emplace_back(JsonMember{std::string(key), std::move(value)}).value;
}

void Json::remove(std::string_view key) {
    if (is_object()) {
        std::erase_if(members(), [&](const JsonMember& member) { return member.key == key; });
    }
}

void Json::push_back(Json value) {
    if (is_null()) {
        value_ = Array{};
    }
    items().push_back(std::move(value));
}

std::string Json::string_or(std::string_view key, std::string_view fallback) const {
    const Json* value = find(key);
    return value != nullptr && value->is_string() ? value->as_string() : std::string(fallback);
}

double Json::number_or(std::string_view key, double fallback) const {
    const Json* value = find(key);
    return value != nullptr && value->is_number() ? value->as_number() : fallback;
}

std::int64_t Json::integer_or(std::string_view key, std::int64_t fallback) const {
    const Json* value = find(key);
    return value != nullptr && value->is_integer() ? value->as_integer() : fallback;
}

bool Json::bool_or(std::string_view key, bool fallback) const {
    const Json* value = find(key);
    return value != nullptr && value->is_bool() ? value->as_bool() : fallback;
}

bool Json::operator==(const Json& other) const {
    return value_ == other.value_;
}

namespace {

enum class Layout : std::uint8_t { compact, pretty, canonical };

class Writer {
 public:
    explicit Writer(Layout layout) : layout_(layout) {}

    void write(const Json& json, int depth) {
        switch (json.kind()) {
            case Json::Kind::null:
                out_ += "null";
                break;
            case Json::Kind::boolean:
                out_ += json.as_bool() ? "true" : "false";
                break;
            case Json::Kind::integer:
                out_ += std::to_string(json.as_integer());
                break;
            case Json::Kind::number:
                append_json_number(out_, json.as_number());
                break;
            case Json::Kind::string:
                append_json_string(out_, json.as_string());
                break;
            case Json::Kind::array:
                write_array(json.items(), depth);
                break;
            case Json::Kind::object:
                write_object(json.members(), depth);
                break;
        }
    }

    std::string take() { return std::move(out_); }

 private:
    void line(int depth) {
        if (layout_ == Layout::pretty) {
            out_ += '\n';
            out_.append(static_cast<std::size_t>(depth) * 2, ' ');
        }
    }

    void write_array(const Json::Array& items, int depth) {
        out_ += '[';
        for (std::size_t i = 0; i < items.size(); ++i) {
            out_ += i == 0 ? "" : ",";
            line(depth + 1);
            write(items[i], depth + 1);
        }
        if (!items.empty()) {
            line(depth);
        }
        out_ += ']';
    }

    void write_object(const Json::Object& members, int depth) {
        std::vector<const JsonMember*> order;
        order.reserve(members.size());
        for (const JsonMember& member : members) {
            order.push_back(&member);
        }
        if (layout_ == Layout::canonical) {
            std::sort(order.begin(), order.end(), [](const JsonMember* a, const JsonMember* b) {
                return std::tie(a->key, a) < std::tie(b->key, b);  // equal keys stay in their order
            });
        }
        out_ += '{';
        for (std::size_t i = 0; i < order.size(); ++i) {
            out_ += i == 0 ? "" : ",";
            line(depth + 1);
            append_json_string(out_, order[i]->key);
            out_ += layout_ == Layout::pretty ? ": " : ":";
            write(order[i]->value, depth + 1);
        }
        if (!order.empty()) {
            line(depth);
        }
        out_ += '}';
    }

    Layout layout_;
    std::string out_;
};

std::string write_json(const Json& json, Layout layout) {
    Writer writer(layout);
    writer.write(json, 0);
    return writer.take();
}

/// Length of the valid UTF-8 sequence at `text`, 0 when there is none.
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto tail = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xC0U) == 0x80U; };
    const unsigned char lead = byte(0);
    if (lead < 0x80) {
        return 1;
    }
    if (lead >= 0xC2 && lead <= 0xDF) {
        return tail(1) ? 2 : 0;
    }
    if (lead >= 0xE0 && lead <= 0xEF) {
        const bool good =
            tail(1) && tail(2) && !(lead == 0xE0 && byte(1) < 0xA0) && !(lead == 0xED && byte(1) > 0x9F);
        return good ? 3 : 0;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        const bool good = tail(1) && tail(2) && tail(3) && !(lead == 0xF0 && byte(1) < 0x90) &&
                          !(lead == 0xF4 && byte(1) > 0x8F);
        return good ? 4 : 0;
    }
    return 0;
}

void append_escape(std::string& out, char c) {
    static constexpr char kHex[] = "0123456789abcdef";
    switch (c) {
        case '"':
            out += "\\\"";
            break;
        case '\\':
            out += "\\\\";
            break;
        case '\n':
            out += "\\n";
            break;
        case '\r':
            out += "\\r";
            break;
        case '\t':
            out += "\\t";
            break;
        default: {
            const auto code = static_cast<unsigned char>(c);
            out += "\\u00";
            out += kHex[code >> 4U];
            out += kHex[code & 0xFU];
        }
    }
}

}  // namespace

std::string Json::dump() const {
    return write_json(*this, Layout::compact);
}
std::string Json::pretty() const {
    return write_json(*this, Layout::pretty);
}
std::string Json::canonical() const {
    return write_json(*this, Layout::canonical);
}

namespace {

/// Bytes that stand in a JSON string as they are.
constexpr std::array<bool, 256> kPlain = [] {
    std::array<bool, 256> plain{};
    for (std::size_t c = 0x20; c < 0x80; ++c) {
        plain[c] = c != '"' && c != '\\';
    }
    return plain;
}();

std::size_t end_of_plain(std::string_view text, std::size_t from) {
    const auto stop = std::find_if(text.begin() + static_cast<std::ptrdiff_t>(from), text.end(),
                                   [](char c) { return !kPlain[static_cast<unsigned char>(c)]; });
    return static_cast<std::size_t>(stop - text.begin());
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    std::size_t i = 0;
    while (i < text.size()) {
        const std::size_t from = i;
        i = end_of_plain(text, from);
        out.append(text, from, i - from);
        if (i == text.size()) {
            break;
        }
        const auto c = static_cast<unsigned char>(text[i]);
        if (c < 0x80) {
            append_escape(out, text[i++]);
            continue;
        }
        const std::size_t length = utf8_length(text.substr(i));
        if (length == 0) {
            out += "\xEF\xBF\xBD";
            ++i;
        } else {
            out.append(text.substr(i, length));
            i += length;
        }
    }
    out += '"';
}

void append_json_number(std::string& out, double value) {
    if (std::isnan(value)) {
        out += "\"NaN\"";
        return;
    }
    if (std::isinf(value)) {
        out += value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
        return;
    }
    char buffer[32];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
    const std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
    out += text;
    if (text.find_first_of(".eE") == std::string_view::npos) {
        out += ".0";  // stays a number when read back
    }
}

}  // namespace gyre
