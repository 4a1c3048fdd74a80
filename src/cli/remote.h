#pragma once
// Remote: what subcommands say to a running server. JSON in, JSON out; a server's error becomes an Error with
// its code, so that the exit code says what happened. Not thread-safe.
#include <functional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "cli/command.h"
#include "runtime/http_client.h"

namespace gyre::cli {

struct Download {
    runtime::HttpReply reply;  // its head; the body is in the file
    std::uint64_t bytes = 0;
    [[nodiscard]] std::string_view header(std::string_view lower_case_name) const {
        return reply.header(lower_case_name);
    }
};

class Remote {
 public:
    Remote(std::string url, std::string token);
    explicit Remote(const Globals& globals) : Remote(globals.url, globals.token) {}

    Result<Json> get(std::string_view path);
    Result<Json> post(std::string_view path, const Json& body);
    Result<Json> patch(std::string_view path, const Json& body);
    Result<Json> del(std::string_view path);
    /// Sends a file as the body, streamed.
    Result<Json> upload(std::string_view method, std::string_view path, const std::string& file);
    /// An answer of any size into `file`, which is replaced only when all of it is there.
    Result<Download> download(std::string_view path, const std::string& file);
    /// Server-Sent Events: `on_event(id, event, data)` until it returns false or the stream ends.
    Result<void> events(
        std::string_view path,
        const std::function<bool(std::string_view, std::string_view, std::string_view)>& on_event);

    [[nodiscard]] const std::string& url() const { return url_; }
    static constexpr std::int64_t kTimeoutMs = 60'000;

 private:
    Result<Json> call(std::string method, std::string_view path, std::string body);
    [[nodiscard]] runtime::HttpRequest prepare(std::string method, std::string_view path) const;

    std::string url_;
    std::string token_;
    runtime::HttpClient client_;
};

/// The Error in a server's answer of status 400 or more.
Error error_of_reply(int status, std::string_view body);

/// Cuts a stream of Server-Sent Events into events.
class EventReader {
 public:
    using Callback = std::function<bool(std::string_view, std::string_view, std::string_view)>;
    /// False when the callback wanted no more. Errors: resource_exhausted above kEventBytesMax.
    Result<bool> feed(std::string_view piece, const Callback& on_event);
    static constexpr std::size_t kEventBytesMax = 4U << 20U;

 private:
    bool take_line(std::string_view line, const Callback& on_event);
    std::string pending_;
    std::string id_;
    std::string event_;
    std::string data_;
    bool has_data_ = false;
};

}  // namespace gyre::cli
