#pragma once
// A full disk: resource_exhausted like any other bound, but waiting alone does not end it. So protocols
// answer it with 507, which clients do not send again by themselves (429 they do), and its sentence says what
// to do.
#include <string_view>

#include "base/result.h"

namespace gyre {

/// Ends the sentence of every such Error, and is how it is told from the others.
inline constexpr std::string_view kNoSpaceAdvice = "; free some space there, then try again";
inline constexpr int kNoSpaceStatus = 507;

inline bool is_no_space(const Error& error) {
    return error.code() == ErrorCode::resource_exhausted && error.message().ends_with(kNoSpaceAdvice);
}

/// The status of an Error in HTTP: that of its code, but for a full disk.
inline int http_status_of(const Error& error) {
    return is_no_space(error) ? kNoSpaceStatus : info_of(error.code()).http_status;
}

}  // namespace gyre
