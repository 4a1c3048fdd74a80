#pragma once
// HttpClient: requests to other servers, one at a time, over a connection that is kept. Blocking.
// One object per thread. Follows no redirects. TLS certificates are verified.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace gyre::runtime {

struct HttpRequest {
    std::string method = "GET";
    std::string url;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    std::string upload_path;                // when not empty, the body is this file, streamed
    std::int64_t timeout_ms = 30'000;       // the whole exchange; for stream(), the connection only
    std::int64_t idle_timeout_ms = 60'000;  // stream(): no byte for so long ends it
    std::size_t reply_bytes_max = 64U << 20U;
};

struct HttpReply {
    int status = 0;
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
    [[nodiscard]] std::string_view header(std::string_view lower_case_name) const;
};

class HttpClient {
 public:
    HttpClient();
    ~HttpClient();
    HttpClient(HttpClient&&) noexcept;
    HttpClient& operator=(HttpClient&&) noexcept;

    /// Any HTTP status is a reply. Errors: unavailable (no connection), deadline_exceeded,
    /// resource_exhausted (reply above the bound), invalid_argument (bad URL), not_found (upload file).
    Result<HttpReply> send(const HttpRequest& request);

    /// Gives the body in pieces as they come (Server-Sent Events, big downloads); the reply's body stays
    /// empty unless the status is 400 or more. `on_piece` returns false to end the stream (error: cancelled).
    Result<HttpReply> stream(const HttpRequest& request,
                             const std::function<bool(std::string_view)>& on_piece);

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace gyre::runtime
