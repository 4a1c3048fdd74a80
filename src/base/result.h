#pragma once
// Result<T>: a value or an Error. The interface is the subset of C++23's std::expected that we use.
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/error_code.h"

namespace gyre {

/// An expected failure: a code to act on and a sentence for the user. The sentence is lower case, has no
/// trailing dot and says what was expected, what came, and what to do.
class [[nodiscard]] Error {
 public:
    Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

    [[nodiscard]] ErrorCode code() const { return code_; }
    [[nodiscard]] const std::string& message() const { return message_; }

    /// "load model 'fraud' v3: " + the cause. The code is kept.
    Error context(std::string_view prefix) && {
        message_.insert(0, ": ").insert(0, prefix);
        return std::move(*this);
    }

 private:
    ErrorCode code_;
    std::string message_;
};

inline Error invalid_argument(std::string message) {
    return {ErrorCode::invalid_argument, std::move(message)};
}
inline Error not_found(std::string message) {
    return {ErrorCode::not_found, std::move(message)};
}
inline Error already_exists(std::string message) {
    return {ErrorCode::already_exists, std::move(message)};
}
inline Error conflict(std::string message) {
    return {ErrorCode::conflict, std::move(message)};
}
inline Error resource_exhausted(std::string message) {
    return {ErrorCode::resource_exhausted, std::move(message)};
}
inline Error unavailable(std::string message) {
    return {ErrorCode::unavailable, std::move(message)};
}
inline Error data_loss(std::string message) {
    return {ErrorCode::data_loss, std::move(message)};
}
inline Error internal_error(std::string message) {
    return {ErrorCode::internal, std::move(message)};
}

template <class T>
class [[nodiscard]] Result {
 public:
    using value_type = T;

    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit by design
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit by design

    [[nodiscard]] bool has_value() const { return state_.index() == 0; }
    explicit operator bool() const { return has_value(); }

    T& operator*() & {
        GYRE_CHECK(has_value(), "value of a failed Result");
        return *std::get_if<0>(&state_);
    }
    const T& operator*() const& {
        GYRE_CHECK(has_value(), "value of a failed Result");
        return *std::get_if<0>(&state_);
    }
    T&& operator*() && {
        GYRE_CHECK(has_value(), "value of a failed Result");
        return std::move(*std::get_if<0>(&state_));
    }
    T* operator->() { return &**this; }
    const T* operator->() const { return &**this; }

    [[nodiscard]] const Error& error() const& {
        GYRE_CHECK(!has_value(), "error of a good Result");
        return *std::get_if<1>(&state_);
    }
    Error&& error() && {
        GYRE_CHECK(!has_value(), "error of a good Result");
        return std::move(*std::get_if<1>(&state_));
    }
    T value_or(T fallback) && { return has_value() ? std::move(**this) : std::move(fallback); }

 private:
    std::variant<T, Error> state_;
};

struct Unit {};

template <>
class [[nodiscard]] Result<void> : public Result<Unit> {
 public:
    using Result<Unit>::Result;
    Result() : Result<Unit>(Unit{}) {}
};

}  // namespace gyre

// NOLINTBEGIN(cppcoreguidelines-macro-usage): an early return cannot be a function.
// Full statements inside braces only: GYRE_TRY(Run run, store.get(id));
#define GYRE_CAT2(a, b) a##b
#define GYRE_CAT(a, b) GYRE_CAT2(a, b)
#define GYRE_TRY_IMPL(tmp, ret, decl, ...) \
    auto tmp = (__VA_ARGS__);              \
    if (!tmp) {                            \
        ret std::move(tmp).error();        \
    }                                      \
    decl = *std::move(tmp)
#define GYRE_TRY(decl, ...) GYRE_TRY_IMPL(GYRE_CAT(gyre_try_, __COUNTER__), return, decl, __VA_ARGS__)
#define GYRE_CO_TRY(decl, ...) GYRE_TRY_IMPL(GYRE_CAT(gyre_try_, __COUNTER__), co_return, decl, __VA_ARGS__)
// The result has a name of its own at each place: the expression may be a lambda that tries something, too.
#define GYRE_TRY_VOID_IMPL(tmp, ret, ...) \
    if (auto tmp = (__VA_ARGS__); !tmp) { \
        ret std::move(tmp).error();       \
    }                                     \
    static_assert(true)
#define GYRE_TRY_VOID(...) GYRE_TRY_VOID_IMPL(GYRE_CAT(gyre_try_, __COUNTER__), return, __VA_ARGS__)
#define GYRE_CO_TRY_VOID(...) GYRE_TRY_VOID_IMPL(GYRE_CAT(gyre_try_, __COUNTER__), co_return, __VA_ARGS__)
// NOLINTEND
