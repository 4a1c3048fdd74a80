#pragma once
// Fields declared once: a struct lists its members, and parsing, printing, validation and JSON Schema
// derive from that list.
//
//   struct CreateRun {
//       std::string experiment_id;
//       std::int64_t start_time_ms = 0;
//       static constexpr auto fields() {
//           return std::tuple{
//               Field{"experiment_id", &CreateRun::experiment_id, "Experiment the run belongs to."},
//               Field{"start_time_ms", &CreateRun::start_time_ms, "Unix time, ms. 0 means now.",
//               optional_field},
//           };
//       }
//   };
//
// Unknown fields are errors unless the struct says
//   static constexpr UnknownFields unknown_fields = UnknownFields::ignore;
// A member may be: bool, integers, double, std::string, Json, an enum with `enum_names`, another described
// struct, std::vector, std::optional, std::map<std::string, T>. Errors name the path: "steps[2].cmd".
#include <algorithm>
#include <concepts>
#include <limits>
#include <map>
#include <optional>
#include <tuple>
#include <type_traits>
#include <vector>

#include "base/json.h"

namespace gyre {

enum class Presence : std::uint8_t { required, optional };
inline constexpr Presence optional_field = Presence::optional;
enum class UnknownFields : std::uint8_t { refuse, ignore };

template <class Struct, class Member>
struct Field {
    std::string_view name;
    Member Struct::* member;
    std::string_view doc;
    Presence presence = Presence::required;
};
template <class Struct, class Member>
Field(std::string_view, Member Struct::*, std::string_view) -> Field<Struct, Member>;
template <class Struct, class Member>
Field(std::string_view, Member Struct::*, std::string_view, Presence) -> Field<Struct, Member>;

template <class T>
concept Described = requires { T::fields(); };

/// One name of an enumerator. An enum takes part by a constexpr function found by ADL:
///   constexpr auto enum_names(Color) { return std::array{EnumName{Color::red, "red"}, ...}; }
template <class E>
struct EnumName {
    E value;
    std::string_view name;
};
template <class E>
concept NamedEnum = std::is_enum_v<E> && requires { enum_names(E{}); };

template <NamedEnum E>
constexpr std::string_view name_of(E value) {
    for (const auto& entry : enum_names(E{})) {
        if (entry.value == value) {
            return entry.name;
        }
    }
    return "?";
}

template <NamedEnum E>
Result<E> parse_enum(std::string_view name) {
    std::string expected;
    for (const auto& entry : enum_names(E{})) {
        if (entry.name == name) {
            return entry.value;
        }
        expected.append(expected.empty() ? "" : ", ").append(entry.name);
    }
    return invalid_argument("expected one of " + expected + ", got '" + std::string(name) + "'");
}

template <Described T>
Result<T> from_json(const Json& json);
template <Described T>
Json to_json(const T& value);
template <Described T>
Json schema_of();

namespace fields_detail {

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsMap : std::false_type {};
template <class T>
struct IsMap<std::map<std::string, T>> : std::true_type {};

template <class T>
constexpr UnknownFields unknown_policy() {
    if constexpr (requires { T::unknown_fields; }) {
        return T::unknown_fields;
    } else {
        return UnknownFields::refuse;
    }
}

Error wrong_type(std::string_view path, std::string_view expected, const Json& got);
/// An Error that names the first member of an object that is none of the fields, and the nearest of them.
Result<void> check_known(const Json& json, std::string_view path, const std::vector<std::string_view>& known);
Error missing_field(std::string_view path, std::string_view name);
std::string join_path(std::string_view path, std::string_view name);
Result<std::int64_t> read_integer(const Json& json, std::string_view path, std::int64_t min,
                                  std::int64_t max);
Result<double> read_number(const Json& json, std::string_view path);

template <class T>
Result<void> read_value(const Json& json, const std::string& path, T& out);

/// A std::optional member may always be left out: writing leaves it out when it is empty.
template <class T, class F>
constexpr bool is_required(const F& field) {
    using Member = std::remove_cvref_t<decltype(std::declval<T>().*(field.member))>;
    return field.presence == Presence::required && !IsOptional<Member>::value;
}

template <Described T>
Result<void> read_struct(const Json& json, const std::string& path, T& out) {
    if (!json.is_object()) {
        return wrong_type(path, "object", json);
    }
    Result<void> outcome;
    bool missing = false;
    std::size_t seen = 0;
    std::vector<std::string_view> known;
    const auto read_field = [&](const auto& field) {
        known.push_back(field.name);
        if (!outcome) {
            return;
        }
        const Json* value = json.find(field.name);
        if (value != nullptr) {
            ++seen;
        }
        if (value == nullptr || (value->is_null() && !is_required<T>(field))) {
            if (is_required<T>(field)) {
                outcome = missing_field(path, field.name);
                missing = true;
            }
            return;
        }
        outcome = read_value(*value, join_path(path, field.name), out.*(field.member));
    };
    std::apply([&](const auto&... field) { (read_field(field), ...); }, T::fields());
    // Before a missing field: it may be there under a mistyped name.
    if (unknown_policy<T>() == UnknownFields::refuse &&
        (missing || (outcome && seen < json.members().size()))) {
        GYRE_TRY_VOID(check_known(json, path, known));
    }
    return outcome;
}

template <class T>
Result<void> read_vector(const Json& json, const std::string& path, T& out) {
    if (!json.is_array()) {
        return wrong_type(path, "array", json);
    }
    out.clear();
    out.reserve(json.items().size());
    for (const Json& item : json.items()) {
        typename T::value_type value{};
        GYRE_TRY_VOID(read_value(item, path + "[" + std::to_string(out.size()) + "]", value));
        out.push_back(std::move(value));
    }
    return {};
}

template <class T>
Result<void> read_map(const Json& json, const std::string& path, T& out) {
    if (!json.is_object()) {
        return wrong_type(path, "object", json);
    }
    out.clear();
    for (const JsonMember& member : json.members()) {
        typename T::mapped_type value{};
        GYRE_TRY_VOID(read_value(member.value, join_path(path, member.key), value));
        out[member.key] = std::move(value);
    }
    return {};
}

template <class T>
Result<void> read_value(const Json& json, const std::string& path, T& out) {
    if constexpr (std::is_same_v<T, Json>) {
        out = json;
    } else if constexpr (std::is_same_v<T, bool>) {
        if (!json.is_bool()) {
            return wrong_type(path, "boolean", json);
        }
        out = json.as_bool();
    } else if constexpr (std::is_integral_v<T>) {
        constexpr auto kMax = std::numeric_limits<T>::max() > std::numeric_limits<std::int64_t>::max()
                                  ? std::numeric_limits<std::int64_t>::max()
                                  : static_cast<std::int64_t>(std::numeric_limits<T>::max());
        GYRE_TRY(const std::int64_t value,
                 read_integer(json, path, static_cast<std::int64_t>(std::numeric_limits<T>::min()), kMax));
        out = static_cast<T>(value);
    } else if constexpr (std::is_floating_point_v<T>) {
        GYRE_TRY(const double value, read_number(json, path));
        out = static_cast<T>(value);
    } else if constexpr (std::is_same_v<T, std::string>) {
        if (!json.is_string()) {
            return wrong_type(path, "string", json);
        }
        out = json.as_string();
    } else if constexpr (NamedEnum<T>) {
        if (!json.is_string()) {
            return wrong_type(path, "string", json);
        }
        auto parsed = parse_enum<T>(json.as_string());
        if (!parsed) {
            return std::move(parsed).error().context("field '" + path + "'");
        }
        out = *parsed;
    } else if constexpr (IsOptional<T>::value) {
        if (json.is_null()) {
            out.reset();
            return {};
        }
        typename T::value_type value{};
        GYRE_TRY_VOID(read_value(json, path, value));
        out = std::move(value);
    } else if constexpr (IsVector<T>::value) {
        return read_vector(json, path, out);
    } else if constexpr (IsMap<T>::value) {
        return read_map(json, path, out);
    } else {
        static_assert(Described<T>, "a field's type must be plain, described, or a container of those");
        return read_struct(json, path, out);
    }
    return {};
}

template <class T>
Json write_value(const T& value) {
    if constexpr (std::is_same_v<T, Json> || std::is_same_v<T, bool> || std::is_same_v<T, std::string>) {
        return Json(value);
    } else if constexpr (NamedEnum<T>) {
        return Json(name_of(value));
    } else if constexpr (std::is_integral_v<T>) {
        return Json(static_cast<std::int64_t>(value));
    } else if constexpr (std::is_floating_point_v<T>) {
        return Json(static_cast<double>(value));
    } else if constexpr (IsOptional<T>::value) {
        return value ? write_value(*value) : Json();
    } else if constexpr (IsVector<T>::value) {
        Json::Array items;
        items.reserve(value.size());
        for (const auto& item : value) {
            items.push_back(write_value<typename T::value_type>(item));
        }
        return Json(std::move(items));
    } else if constexpr (IsMap<T>::value) {
        Json out = Json::object();
        for (const auto& [key, item] : value) {
            out.set(key, write_value(item));
        }
        return out;
    } else {
        return to_json(value);
    }
}

template <class T>
Json schema_value() {
    if constexpr (std::is_same_v<T, Json>) {
        return Json::object();
    } else if constexpr (std::is_same_v<T, bool>) {
        return Json::object({{"type", "boolean"}});
    } else if constexpr (NamedEnum<T>) {
        Json names = Json::array();
        for (const auto& entry : enum_names(T{})) {
            names.push_back(entry.name);
        }
        return Json::object({{"type", "string"}, {"enum", std::move(names)}});
    } else if constexpr (std::is_integral_v<T>) {
        return Json::object({{"type", "integer"}});
    } else if constexpr (std::is_floating_point_v<T>) {
        return Json::object({{"type", "number"}});
    } else if constexpr (std::is_same_v<T, std::string>) {
        return Json::object({{"type", "string"}});
    } else if constexpr (IsOptional<T>::value) {
        return schema_value<typename T::value_type>();
    } else if constexpr (IsVector<T>::value) {
        return Json::object({{"type", "array"}, {"items", schema_value<typename T::value_type>()}});
    } else if constexpr (IsMap<T>::value) {
        return Json::object(
            {{"type", "object"}, {"additionalProperties", schema_value<typename T::mapped_type>()}});
    } else {
        return schema_of<T>();
    }
}

}  // namespace fields_detail

/// Reads a struct. Errors: invalid_argument naming the field, what was expected and what came.
template <Described T>
Result<T> from_json(const Json& json) {
    T out{};
    GYRE_TRY_VOID(fields_detail::read_struct(json, std::string(), out));
    return out;
}

/// Writes every field; an empty std::optional is left out.
template <Described T>
Json to_json(const T& value) {
    Json out = Json::object();
    const auto write_field = [&](const auto& field) {
        Json written = fields_detail::write_value(value.*(field.member));
        using Member = std::remove_cvref_t<decltype(value.*(field.member))>;
        if (!(fields_detail::IsOptional<Member>::value && written.is_null())) {
            out.members().push_back({std::string(field.name), std::move(written)});
        }
    };
    std::apply([&](const auto&... field) { (write_field(field), ...); }, T::fields());
    return out;
}

/// JSON Schema (draft 2020-12) of the struct.
template <Described T>
Json schema_of() {
    Json properties = Json::object();
    Json required = Json::array();
    const auto describe = [&](const auto& field) {
        using Member = std::remove_cvref_t<decltype(std::declval<T>().*(field.member))>;
        Json property = fields_detail::schema_value<Member>();
        property.set("description", field.doc);
        properties.set(field.name, std::move(property));
        if (fields_detail::is_required<T>(field)) {
            required.push_back(field.name);
        }
    };
    std::apply([&](const auto&... field) { (describe(field), ...); }, T::fields());
    Json out = Json::object({{"type", "object"}, {"properties", std::move(properties)}});
    if (!required.items().empty()) {
        out.set("required", std::move(required));
    }
    if (fields_detail::unknown_policy<T>() == UnknownFields::refuse) {
        out.set("additionalProperties", false);
    }
    return out;
}

}  // namespace gyre
