#pragma once
// A route, declared once: router, access, OpenAPI, docs page, metric labels and error bodies derive from it.
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/access.h"
#include "api/errors.h"
#include "base/fields.h"
#include "base/json.h"
#include "runtime/http/server.h"

namespace gyre::api {

/// A member of an aggregate that must be given: leaving it out does not compile.
template <class T>
class Required {
 public:
    constexpr Required(T value) : value_(value) {}   // NOLINT: implicit by design
    constexpr operator T() const { return value_; }  // NOLINT

 private:
    T value_;
};

/// Where a handler runs. inline_io holds up an I/O loop, so only for work far below a millisecond; its bodies
/// above http::kInlineBodyBytesMax go to `work`.
enum class PoolName : std::uint8_t { inline_io, sql, files, work, inference };
inline constexpr std::size_t kPoolNames = 5;
constexpr auto enum_names(PoolName) {
    return std::array{EnumName{PoolName::inline_io, "inline_io"}, EnumName{PoolName::sql, "sql"},
                      EnumName{PoolName::files, "files"}, EnumName{PoolName::work, "work"},
                      EnumName{PoolName::inference, "inference"}};
}

struct RouteDoc {
    http::Method method = http::Method::get;
    std::string_view path;     // template, see runtime/http/router.h
    std::string_view id;       // snake_case, unique; the metric label and operationId
    std::string_view summary;  // one sentence
    Required<Access> access;
    Required<PoolName> pool;
    std::size_t body_bytes_max = http::kBodyBytesDefault;
    int success = 200;
    std::string_view tag = "server";
    const ErrorDialect* errors = &native_errors();
};

/// What a handler knows of its request besides its input. Lives as long as the call.
struct Context {
    const Principal& principal;
    std::string_view request_id;
    http::Request& request;
    http::Response& response;  // typed routes: status and headers may be set; the body is written for them
    const std::vector<std::string>& param_names;

    /// A path parameter, percent-decoded; "" for a name that the template does not have.
    [[nodiscard]] std::string_view param(std::string_view name) const;
    /// A query parameter, percent-decoded ('+' is a space); the first of several. Nothing when absent.
    [[nodiscard]] std::optional<std::string> query(std::string_view name) const;
};

/// Input or output without fields.
struct Empty {
    static constexpr auto fields() { return std::tuple{}; }
};

enum class TextKind : std::uint8_t { text, integer, number, boolean, other };

/// A field of a typed route's input, for values that come as text.
struct InputField {
    std::string name;
    TextKind kind = TextKind::text;
    bool list = false;
};

namespace route_detail {

template <class T>
constexpr TextKind kind_of() {
    if constexpr (fields_detail::IsOptional<T>::value) {
        return kind_of<typename T::value_type>();
    } else if constexpr (std::is_same_v<T, bool>) {
        return TextKind::boolean;
    } else if constexpr (std::is_integral_v<T>) {
        return TextKind::integer;
    } else if constexpr (std::is_floating_point_v<T>) {
        return TextKind::number;
    } else if constexpr (std::is_same_v<T, std::string> || NamedEnum<T>) {
        return TextKind::text;
    } else {
        return TextKind::other;
    }
}

template <Described In>
std::vector<InputField> input_fields() {
    std::vector<InputField> out;
    const auto add = [&](const auto& field) {
        using Member = std::remove_cvref_t<decltype(std::declval<In>().*(field.member))>;
        if constexpr (fields_detail::IsVector<Member>::value) {
            out.push_back({std::string(field.name), kind_of<typename Member::value_type>(), true});
        } else {
            out.push_back({std::string(field.name), kind_of<Member>(), false});
        }
    };
    std::apply([&](const auto&... field) { (add(field), ...); }, In::fields());
    return out;
}

}  // namespace route_detail

using RawHandler = std::function<Result<void>(Context&)>;
using SinkHandler = std::function<Result<std::unique_ptr<http::BodySink>>(Context&)>;
using JsonHandler = std::function<Result<Json>(Context&, const Json&)>;

/// A declared route. `run` for buffered bodies, `open` for streamed ones.
struct Route {
    http::Method method = http::Method::get;
    std::string path;
    std::string id;
    std::string summary;
    std::string tag;
    Access access = Access::admin;
    PoolName pool = PoolName::work;
    std::size_t body_bytes_max = 0;
    int success = 200;
    const ErrorDialect* errors = nullptr;
    std::vector<std::string> params;
    bool typed = false;
    Json input;  // JSON Schema of a typed route
    Json output;
    RawHandler run;
    SinkHandler open;
};

/// Body, query and path parameters as one JSON object; text is read by the field's type.
/// Errors: invalid_argument naming the field.
Result<Json> merge_input(const Context& context, const std::vector<InputField>& fields);

inline constexpr std::size_t kQueryParametersMax = 256;
/// Decoded pairs in order. Errors: invalid_argument (broken escapes, too many).
Result<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query);

}  // namespace gyre::api
