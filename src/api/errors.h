#pragma once
// How an Error becomes an answer. A protocol with bodies of its own brings a dialect; the native one is
//   {"code":"not_found","message":"...","request_id":"..."}
// with the status of base/error_code.h.
#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/http/message.h"

namespace gyre::api {

/// A table of two functions; one constant object per protocol, alive for ever.
struct ErrorDialect {
    std::string_view name;
    std::string_view content_type;
    /// The HTTP status for an error of a handler (what the transport refuses brings its own).
    int (*status_of)(const Error& error);
    /// Appends the body.
    void (*write)(const Error& error, int status, std::string_view request_id, std::string& body);
};

const ErrorDialect& native_errors();

/// Fills `response`; adds Retry-After to 429 and 503 and WWW-Authenticate to 401. Keeps headers set before.
void write_error(const ErrorDialect& dialect, const Error& error, int status, std::string_view request_id,
                 http::Response& response);

}  // namespace gyre::api
