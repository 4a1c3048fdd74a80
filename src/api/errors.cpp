#include "api/errors.h"

#include "base/json.h"
#include "base/no_space.h"

namespace gyre::api {
namespace {

int native_status(const Error& error) {
    return http_status_of(error);
}

void write_native(const Error& error, int /*status*/, std::string_view request_id, std::string& body) {
    body.append(R"({"code":)");
    append_json_string(body, name_of(error.code()));
    body.append(R"(,"message":)");
    append_json_string(body, error.message());
    body.append(R"(,"request_id":)");
    append_json_string(body, request_id);
    body.append("}");
}

}  // namespace

const ErrorDialect& native_errors() {
    static const ErrorDialect dialect{"native", "application/json", &native_status, &write_native};
    return dialect;
}

void write_error(const ErrorDialect& dialect, const Error& error, int status, std::string_view request_id,
                 http::Response& response) {
    response.source.reset();
    response.source_bytes.reset();
    response.events.reset();
    response.encoded = false;
    response.set(status, dialect.content_type, "");
    dialect.write(error, status, request_id, response.body);
    if (status == 429 || status == 503) {
        response.add_header("Retry-After", std::to_string(http::kRetryAfterSeconds));
    }
    if (status == 401) {
        response.add_header("WWW-Authenticate", "Basic realm=\"gyre\"");
    }
}

}  // namespace gyre::api
