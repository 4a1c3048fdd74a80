#include "cli/remote.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

namespace gyre::cli {
namespace {

/// For answers of things in between (proxies) that are not in our form.
ErrorCode code_of_status(int status) {
    for (const ErrorCodeInfo& info : kErrorCodes) {
        if (info.http_status == status) {
            return info.code;
        }
    }
    return status < 500 ? ErrorCode::invalid_argument : ErrorCode::unavailable;
}

}  // namespace

Error error_of_reply(int status, std::string_view body) {
    const auto document = parse_json(body);
    if (document && document->is_object()) {
        const auto code = parse_error_code(document->string_or("code", ""));
        const std::string message = document->string_or("message", "");
        if (!message.empty()) {
            return {code.value_or(code_of_status(status)), message};
        }
    }
    return {code_of_status(status), "the server answered with status " + std::to_string(status)};
}

Remote::Remote(std::string url, std::string token) : url_(std::move(url)), token_(std::move(token)) {
    while (url_.ends_with('/')) {
        url_.pop_back();
    }
}

runtime::HttpRequest Remote::prepare(std::string method, std::string_view path) const {
    runtime::HttpRequest out;
    out.method = std::move(method);
    out.url = url_ + std::string(path);
    out.timeout_ms = kTimeoutMs;
    if (!token_.empty()) {
        out.headers.emplace_back("Authorization", "Bearer " + token_);
    }
    return out;
}

namespace {

constexpr int kUnauthenticated = 401;

Result<Json> read_reply(const Result<runtime::HttpReply>& reply, const std::string& url) {
    if (!reply) {
        if (reply.error().code() == ErrorCode::unavailable) {
            return unavailable("cannot reach a server at " + url + " (" + reply.error().message() +
                               "); start one with 'gyre server' or name one with --url");
        }
        return reply.error();
    }
    constexpr int kFirstError = 400;
    if (reply->status == kUnauthenticated) {
        return Error(
            ErrorCode::unauthenticated,
            "the server at " + url + " refuses the token, or wants one: put its admin token into GYRE_TOKEN");
    }
    if (reply->status >= kFirstError) {
        return error_of_reply(reply->status, reply->body);
    }
    if (reply->body.empty()) {
        return Json::object();
    }
    auto document = parse_json(reply->body);
    if (!document) {
        return internal_error("the server's answer is no JSON; is " + url + " a gyre server?");
    }
    return document;
}

}  // namespace

Result<Json> Remote::call(std::string method, std::string_view path, std::string body) {
    runtime::HttpRequest request = prepare(std::move(method), path);
    if (!body.empty()) {
        request.headers.emplace_back("Content-Type", "application/json");
        request.body = std::move(body);
    }
    return read_reply(client_.send(request), url_);
}

Result<Json> Remote::get(std::string_view path) {
    return call("GET", path, "");
}
Result<Json> Remote::post(std::string_view path, const Json& body) {
    return call("POST", path, body.dump());
}
Result<Json> Remote::patch(std::string_view path, const Json& body) {
    return call("PATCH", path, body.dump());
}
Result<Json> Remote::del(std::string_view path) {
    return call("DELETE", path, "");
}

Result<Json> Remote::upload(std::string_view method, std::string_view path, const std::string& file) {
    runtime::HttpRequest request = prepare(std::string(method), path);
    request.headers.emplace_back("Content-Type", "application/octet-stream");
    request.upload_path = file;
    constexpr std::int64_t kUploadTimeoutMs = 3'600'000;
    request.timeout_ms = kUploadTimeoutMs;
    return read_reply(client_.send(request), url_);
}

Result<Download> Remote::download(std::string_view path, const std::string& file) {
    const std::string partial = file + ".part" + std::to_string(::getpid());
    Download done;
    auto fetched = [&]() -> Result<void> {
        std::ofstream out(partial, std::ios::binary | std::ios::trunc);
        if (!out) {
            return errno_error("create '" + partial + "'", errno);
        }
        runtime::HttpRequest request = prepare("GET", path);
        constexpr std::int64_t kFirstByteMs = 3'600'000;  // the server makes the file first
        request.idle_timeout_ms = kFirstByteMs;
        GYRE_TRY(done.reply, client_.stream(request, [&](std::string_view piece) {
            out.write(piece.data(), static_cast<std::streamsize>(piece.size()));
            done.bytes += piece.size();
            return out.good();
        }));
        constexpr int kFirstError = 400;
        if (done.reply.status >= kFirstError) {
            return error_of_reply(done.reply.status, done.reply.body);
        }
        out.close();
        const auto announced = parse_integer(done.header("content-length"));
        if (!out || (announced && static_cast<std::uint64_t>(*announced) != done.bytes)) {
            return unavailable("'" + file + "' did not arrive whole; is the disk full? Try again");
        }
        std::error_code failed;
        std::filesystem::rename(partial, file, failed);
        return failed ? errno_error("rename to '" + file + "'", failed.value()) : Result<void>();
    }();
    if (!fetched) {
        std::error_code ignored;
        std::filesystem::remove(partial, ignored);
        return std::move(fetched).error();
    }
    return done;
}

Result<void> Remote::events(std::string_view path, const EventReader::Callback& on_event) {
    EventReader reader;
    Result<bool> state(true);
    const auto on_piece = [&](std::string_view piece) {
        state = reader.feed(piece, on_event);
        return state && *state;
    };
    const auto reply = client_.stream(prepare("GET", path), on_piece);
    if (!state) {
        return std::move(state).error();
    }
    if (!*state) {
        return {};
    }
    if (!reply) {
        return reply.error();
    }
    constexpr int kFirstError = 400;
    if (reply->status >= kFirstError) {
        return error_of_reply(reply->status, reply->body);
    }
    return {};
}

bool EventReader::take_line(std::string_view line, const Callback& on_event) {
    if (line.empty()) {
        const bool go_on = !has_data_ || on_event(id_, event_, data_);
        event_.clear();
        data_.clear();
        has_data_ = false;
        return go_on;
    }
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    std::string_view value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
    if (value.starts_with(' ')) {
        value.remove_prefix(1);
    }
    if (name == "data") {
        data_.append(has_data_ ? "\n" : "").append(value);
        has_data_ = true;
    } else if (name == "id") {
        id_ = value;
    } else if (name == "event") {
        event_ = value;
    }
    return true;
}

Result<bool> EventReader::feed(std::string_view piece, const Callback& on_event) {
    pending_.append(piece);
    std::size_t from = 0;
    for (std::size_t end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n', from)) {
        std::string_view line = std::string_view(pending_).substr(from, end - from);
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        from = end + 1;
        if (!take_line(line, on_event)) {
            return false;
        }
    }
    pending_.erase(0, from);
    if (pending_.size() + data_.size() > kEventBytesMax) {
        return resource_exhausted("an event of the stream is too large");
    }
    return true;
}

}  // namespace gyre::cli
