#pragma once
// The 13 kinds of expected failure, and the one table that maps them to HTTP, gRPC and exit codes.
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace gyre {

enum class ErrorCode : std::uint8_t {
    invalid_argument,
    not_found,
    already_exists,
    conflict,
    unauthenticated,
    permission_denied,
    resource_exhausted,
    deadline_exceeded,
    cancelled,
    unavailable,
    unimplemented,
    data_loss,
    internal,
};

struct ErrorCodeInfo {
    ErrorCode code;
    std::string_view name;  // the wire spelling
    int http_status;
    int grpc_status;
    int exit_code;
};

/// Exit codes of the CLI that are not errors: a gate that failed, evidence that is missing.
inline constexpr int kExitGateFailed = 1;
inline constexpr int kExitEvidenceMissing = 3;
inline constexpr int kExitInterrupted = 130;

inline constexpr std::array<ErrorCodeInfo, 13> kErrorCodes{{
    {ErrorCode::invalid_argument, "invalid_argument", 400, 3, 2},
    {ErrorCode::not_found, "not_found", 404, 5, 4},
    {ErrorCode::already_exists, "already_exists", 409, 6, 8},
    {ErrorCode::conflict, "conflict", 409, 9, 8},
    {ErrorCode::unauthenticated, "unauthenticated", 401, 16, 5},
    {ErrorCode::permission_denied, "permission_denied", 403, 7, 5},
    {ErrorCode::resource_exhausted, "resource_exhausted", 429, 8, 7},
    {ErrorCode::deadline_exceeded, "deadline_exceeded", 504, 4, 6},
    {ErrorCode::cancelled, "cancelled", 499, 1, 130},
    {ErrorCode::unavailable, "unavailable", 503, 14, 7},
    {ErrorCode::unimplemented, "unimplemented", 501, 12, 7},
    {ErrorCode::data_loss, "data_loss", 500, 15, 7},
    {ErrorCode::internal, "internal", 500, 13, 7},
}};

constexpr const ErrorCodeInfo& info_of(ErrorCode code) {
    return kErrorCodes[static_cast<std::size_t>(code)];
}
constexpr std::string_view name_of(ErrorCode code) {
    return info_of(code).name;
}

/// The code whose wire spelling is `name`, if there is one.
constexpr std::optional<ErrorCode> parse_error_code(std::string_view name) {
    for (const ErrorCodeInfo& info : kErrorCodes) {
        if (info.name == name) {
            return info.code;
        }
    }
    return std::nullopt;
}

}  // namespace gyre
