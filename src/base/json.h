#pragma once
// Json: one document value. A plain value type; no vendor header is needed to use it.
// The hot path does not use it (requests there are parsed straight into tensors).
// Not thread-safe for writers; concurrent reads are fine.
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace gyre {

struct JsonMember;

class Json {
 public:
    using Array = std::vector<Json>;
    using Object = std::vector<JsonMember>;  // keeps the order of insertion
    enum class Kind : std::uint8_t { null, boolean, integer, number, string, array, object };

    Json() noexcept;
    Json(std::nullptr_t) noexcept;  // NOLINT: implicit by design, as all of these
    Json(bool value);               // NOLINT
    Json(int value);                // NOLINT
    Json(unsigned value);           // NOLINT
    Json(std::int64_t value);       // NOLINT
    Json(long long value);          // NOLINT
    Json(std::uint64_t value);      // NOLINT: above 2^63-1 a number
    Json(double value);             // NOLINT
    Json(const char* value);        // NOLINT
    Json(std::string_view value);   // NOLINT
    Json(std::string value);        // NOLINT
    Json(Array value);              // NOLINT
    Json(Object value);             // NOLINT
    Json(const Json& other);
    Json(Json&& other) noexcept;
    Json& operator=(const Json& other);
    Json& operator=(Json&& other) noexcept;
    ~Json();

    static Json array();
    static Json object();
    /// Json::object({{"a", 1}, {"b", "x"}})
    static Json object(std::initializer_list<JsonMember> members);

    [[nodiscard]] Kind kind() const { return static_cast<Kind>(value_.index()); }
    [[nodiscard]] std::string_view kind_name() const;
    [[nodiscard]] bool is_null() const { return kind() == Kind::null; }
    [[nodiscard]] bool is_bool() const { return kind() == Kind::boolean; }
    [[nodiscard]] bool is_integer() const { return kind() == Kind::integer; }
    [[nodiscard]] bool is_number() const { return kind() == Kind::integer || kind() == Kind::number; }
    [[nodiscard]] bool is_string() const { return kind() == Kind::string; }
    [[nodiscard]] bool is_array() const { return kind() == Kind::array; }
    [[nodiscard]] bool is_object() const { return kind() == Kind::object; }

    // Accessors; the kind must be right (a broken invariant otherwise).
    [[nodiscard]] bool as_bool() const;
    [[nodiscard]] std::int64_t as_integer() const;
    [[nodiscard]] double as_number() const;  // an integer or a number
    [[nodiscard]] const std::string& as_string() const;
    [[nodiscard]] const Array& items() const;
    [[nodiscard]] Array& items();
    [[nodiscard]] const Object& members() const;
    [[nodiscard]] Object& members();

    /// The member `key`, or nullptr when this is no object or has none. The last of equal keys wins.
    [[nodiscard]] const Json* find(std::string_view key) const;
    [[nodiscard]] Json* find(std::string_view key);
    /// The member `key`; a shared null when it is missing.
    [[nodiscard]] const Json& operator[](std::string_view key) const;
    /// Sets a member of an object (a null value becomes an object first).
    Json& set(std::string_view key, Json value);
    void remove(std::string_view key);
    /// Appends to an array (a null value becomes an array first).
    void push_back(Json value);

    // Reading with a default, for documents whose shape is optional.
    [[nodiscard]] std::string string_or(std::string_view key, std::string_view fallback) const;
    [[nodiscard]] double number_or(std::string_view key, double fallback) const;
    [[nodiscard]] std::int64_t integer_or(std::string_view key, std::int64_t fallback) const;
    [[nodiscard]] bool bool_or(std::string_view key, bool fallback) const;

    /// Text without white space. NaN and infinities, which JSON lacks, are written as the strings
    /// "NaN", "Infinity", "-Infinity".
    [[nodiscard]] std::string dump() const;
    /// Text indented by two spaces.
    [[nodiscard]] std::string pretty() const;
    /// Members sorted by key at every depth, no white space: equal values have equal text (for digests).
    [[nodiscard]] std::string canonical() const;

    bool operator==(const Json& other) const;

 private:
    std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_;
};

struct JsonMember {
    std::string key;
    Json value;
    bool operator==(const JsonMember& other) const = default;
};

inline constexpr std::size_t kJsonDepthMax = 64;

/// Parses one document (RFC 8259, UTF-8). Errors: invalid_argument with line and column.
Result<Json> parse_json(std::string_view text, std::size_t depth_max = kJsonDepthMax);

/// What parse_json found wrong, for those who say in their own words where that is; counted from 1.
struct JsonFault {
    std::size_t line = 1;
    std::size_t column = 1;
    std::string reason;
};
Result<Json> parse_json(std::string_view text, JsonFault& fault, std::size_t depth_max = kJsonDepthMax);

/// Appends `text` as a JSON string literal, quotes included. Invalid UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);
/// Appends the shortest text that reads back as `value`; NaN and infinities as strings.
void append_json_number(std::string& out, double value);

}  // namespace gyre
