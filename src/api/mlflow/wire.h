#pragma once
// MLflow's reading of requests: proto messages as JSON, or as query parameters.
//
// Unknown fields are ignored, null is absent, numbers may be text ("5", "NaN", "Infinity"), an experiment's
// id may be a number, enums may be numbers. Messages of errors are those that MLflow's clients compare.
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "api/route_table.h"
#include "base/fields.h"

namespace gyre::api::mlflow {

inline constexpr std::string_view kVersion = "3.6.0";  // what GET /version says
inline constexpr std::size_t kBodyBytesMax = 8U << 20U;
inline constexpr std::size_t kInputsBodyBytesMax = 32U << 20U;  // datasets carry profiles of up to 16 MiB

/// Base of the protocol's messages: fields that we do not know are ignored.
struct Lenient {
    static constexpr UnknownFields unknown_fields = UnknownFields::ignore;
};

/// {"error_code":"RESOURCE_DOES_NOT_EXIST","message":"..."}. A condition that stays is never a 5xx, since
/// clients repeat those for minutes.
const ErrorDialect& errors();
/// The same for paths that are no routes: ENDPOINT_NOT_FOUND.
const ErrorDialect& path_errors();

Error missing_parameter(std::string_view name);
Error wrong_parameter(const Json& value, std::string_view name);

/// The request's message: body, or query parameters, with path parameters on top.
Result<Json> read_input(const Context& context, const std::vector<InputField>& fields);

namespace wire_detail {

Result<std::int64_t> read_integer(const Json& json, std::string_view name, std::int64_t min,
                                  std::int64_t max);
Result<double> read_number(const Json& json, std::string_view name);
Result<bool> read_bool(const Json& json, std::string_view name);
Result<std::string> read_text(const Json& json, std::string_view name);

template <Described T>
Result<void> read_message(const Json& json, std::string_view name, T& out);

/// By name, or by proto's number: those of MLflow's enums count from 1 in the order of the names.
template <NamedEnum E>
Result<E> read_enum(const Json& json, std::string_view name) {
    constexpr auto kNames = enum_names(E{});
    if (json.is_integer() && json.as_integer() >= 1 &&
        json.as_integer() <= static_cast<std::int64_t>(kNames.size())) {
        return kNames[static_cast<std::size_t>(json.as_integer() - 1)].value;
    }
    if (!json.is_string()) {
        return wrong_parameter(json, name);
    }
    auto parsed = parse_enum<E>(json.as_string());
    return parsed ? Result<E>(*parsed) : Result<E>(wrong_parameter(json, name));
}

template <class T>
Result<void> read_value(const Json& json, std::string_view name, T& out) {
    if constexpr (std::is_same_v<T, bool>) {
        GYRE_TRY(out, read_bool(json, name));
    } else if constexpr (std::is_integral_v<T>) {
        GYRE_TRY(const std::int64_t value,
                 read_integer(json, name, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
        out = static_cast<T>(value);
    } else if constexpr (std::is_floating_point_v<T>) {
        GYRE_TRY(out, read_number(json, name));
    } else if constexpr (std::is_same_v<T, std::string>) {
        GYRE_TRY(out, read_text(json, name));
    } else if constexpr (NamedEnum<T>) {
        GYRE_TRY(out, read_enum<T>(json, name));
    } else if constexpr (fields_detail::IsOptional<T>::value) {
        typename T::value_type value{};
        GYRE_TRY_VOID(read_value(json, name, value));
        out = std::move(value);
    } else if constexpr (fields_detail::IsVector<T>::value) {
        if (!json.is_array()) {
            return wrong_parameter(json, name);
        }
        for (const Json& item : json.items()) {
            GYRE_TRY_VOID(read_value(item, name, out.emplace_back()));
        }
    } else {
        return read_message(json, name, out);
    }
    return {};
}

template <Described T>
Result<void> read_message(const Json& json, std::string_view name, T& out) {
    if (!json.is_object()) {
        return wrong_parameter(json, name);
    }
    Result<void> outcome;
    const auto read_field = [&](const auto& field) {
        if (!outcome) {
            return;
        }
        const Json* value = json.find(field.name);
        const bool required = field.presence == Presence::required;
        const bool absent = value == nullptr || value->is_null() ||
                            (required && value->is_string() && value->as_string().empty());
        if (!absent) {
            outcome = read_value(*value, field.name, out.*(field.member));
        } else if (required) {
            outcome = missing_parameter(field.name);
        }
    };
    std::apply([&](const auto&... field) { (read_field(field), ...); }, T::fields());
    return outcome;
}

}  // namespace wire_detail

/// One endpoint of the protocol; `path` follows "/mlflow".
struct Endpoint {
    http::Method method = http::Method::get;
    std::string_view path;
    std::string_view id;
    std::string_view summary;
    Required<Access> access;
    std::size_t body_bytes_max = kBodyBytesMax;
};

enum class Prefixes : std::uint8_t { both, ajax };

/// Declares each endpoint once, for both of the protocol's prefixes.
class Routes {
 public:
    explicit Routes(RouteTable& table) : table_(table) {}

    /// `fn(Context&, In) -> Result<Json>`
    template <Described In, class Fn>
    void add(const Endpoint& endpoint, Fn fn, Prefixes prefixes = Prefixes::both) {
        const RawHandler handler = [fn = std::move(fn), fields = route_detail::input_fields<In>()](
                                       Context& context) -> Result<void> {
            GYRE_TRY(const Json json, read_input(context, fields));
            In in;
            GYRE_TRY_VOID(wire_detail::read_message(json, "request", in));
            GYRE_TRY(const Json out, fn(context, std::move(in)));
            context.response.content_type = "application/json";
            context.response.body = out.dump();
            return {};
        };
        each_prefix(endpoint, "mlflow", PoolName::sql, prefixes,
                    [&](const RouteDoc& doc) { table_.raw_json<In>(doc, handler); });
    }
    /// `api` is the part of the path behind "/api/2.0/".
    void raw(const Endpoint& endpoint, std::string_view api, PoolName pool, const RawHandler& handler,
             Prefixes prefixes = Prefixes::both);
    void stream(const Endpoint& endpoint, std::string_view api, const SinkHandler& handler);
    [[nodiscard]] RouteTable& table() { return table_; }

 private:
    void each_prefix(const Endpoint& endpoint, std::string_view api, PoolName pool, Prefixes prefixes,
                     const std::function<void(const RouteDoc&)>& declare);

    RouteTable& table_;
};

}  // namespace gyre::api::mlflow
