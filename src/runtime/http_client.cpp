// Adapter: libcurl sends the requests.
#include "runtime/http_client.h"

#include <cstdio>
#include <mutex>
#include <sys/stat.h>

#include <curl/curl.h>

#include "base/check.h"
#include "base/text.h"

namespace gyre::runtime {
namespace {

struct HeaderList {
    curl_slist* list = nullptr;
    ~HeaderList() { curl_slist_free_all(list); }
    HeaderList() = default;
    HeaderList(const HeaderList&) = delete;
    HeaderList& operator=(const HeaderList&) = delete;
    void add(const std::string& line) { list = curl_slist_append(list, line.c_str()); }
};

struct FileCloser {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileCloser>;

struct Exchange {
    CURL* handle = nullptr;
    HttpReply reply;
    std::size_t bytes_max = 0;
    const std::function<bool(std::string_view)>* on_piece = nullptr;
    bool too_big = false;
    bool ended_by_caller = false;
};

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) {
    auto& exchange = *static_cast<Exchange*>(user);
    const std::string_view piece(data, size * count);
    long status = 0;
    curl_easy_getinfo(exchange.handle, CURLINFO_RESPONSE_CODE, &status);
    if (exchange.on_piece != nullptr && status < 400) {
        exchange.ended_by_caller = !(*exchange.on_piece)(piece);
        return exchange.ended_by_caller ? 0 : piece.size();
    }
    if (exchange.reply.body.size() + piece.size() > exchange.bytes_max) {
        exchange.too_big = true;
        return 0;
    }
    exchange.reply.body.append(piece);
    return piece.size();
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* user) {
    auto& exchange = *static_cast<Exchange*>(user);
    const std::string_view line = trim(std::string_view(data, size * count));
    const std::size_t colon = line.find(':');
    if (line.starts_with("HTTP/")) {
        exchange.reply.headers.clear();
    } else if (colon != std::string_view::npos) {
        exchange.reply.headers.emplace_back(to_lower(line.substr(0, colon)), trim(line.substr(colon + 1)));
    }
    return size * count;
}

Error explain(CURLcode code, const char* detail, const HttpRequest& request, const Exchange& exchange) {
    const std::string what = request.method + " " + request.url + ": ";
    const std::string why = *detail != '\0' ? detail : curl_easy_strerror(code);
    if (exchange.too_big) {
        return resource_exhausted(what + "the reply is larger than " + human_bytes(exchange.bytes_max));
    }
    if (exchange.ended_by_caller) {
        return {ErrorCode::cancelled, what + "ended by the caller"};
    }
    switch (code) {
        case CURLE_OPERATION_TIMEDOUT:
            return {ErrorCode::deadline_exceeded, what + why};
        case CURLE_URL_MALFORMAT:
        case CURLE_UNSUPPORTED_PROTOCOL:
            return invalid_argument(what + why);
        default:
            return unavailable(what + why);
    }
}

}  // namespace

std::string_view HttpReply::header(std::string_view lower_case_name) const {
    for (const auto& [name, value] : headers) {
        if (name == lower_case_name) {
            return value;
        }
    }
    return {};
}

struct HttpClient::Impl {
    CURL* handle = nullptr;
    char detail[CURL_ERROR_SIZE] = {};

    Impl() {
        static std::once_flag once;
        std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
        handle = curl_easy_init();
        GYRE_CHECK(handle != nullptr, "libcurl gives a handle");
    }
    ~Impl() { curl_easy_cleanup(handle); }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    void set_common(const HttpRequest& request, Exchange& exchange) {
        curl_easy_reset(handle);  // keeps connections
        detail[0] = '\0';
        curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, &detail[0]);
        curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(handle, CURLOPT_URL, request.url.c_str());
        curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
        curl_easy_setopt(handle, CURLOPT_ACCEPT_ENCODING, exchange.on_piece == nullptr ? "gzip" : nullptr);
        curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &on_body);
        curl_easy_setopt(handle, CURLOPT_WRITEDATA, &exchange);
        curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, &on_header);
        curl_easy_setopt(handle, CURLOPT_HEADERDATA, &exchange);
        if (request.method == "HEAD") {
            curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
        }
    }
    void set_times(const HttpRequest& request, const Exchange& exchange) {
        if (exchange.on_piece == nullptr) {
            curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout_ms));
            return;
        }
        curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.timeout_ms));
        curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME,
                         static_cast<long>(request.idle_timeout_ms / 1000 + 1));
    }
    Result<File> set_body(const HttpRequest& request) {
        if (!request.upload_path.empty()) {
            File file(std::fopen(request.upload_path.c_str(), "rb"));
            struct stat info{};
            if (file == nullptr || ::fstat(::fileno(file.get()), &info) != 0) {
                return not_found("cannot read '" + request.upload_path + "'");
            }
            curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
            curl_easy_setopt(handle, CURLOPT_READDATA, file.get());
            curl_easy_setopt(handle, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(info.st_size));
            return file;
        }
        if (!request.body.empty() || request.method == "POST" || request.method == "PUT" ||
            request.method == "PATCH") {
            curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body.data());
            curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                             static_cast<curl_off_t>(request.body.size()));
        }
        return File();
    }

    Result<HttpReply> perform(const HttpRequest& request,
                              const std::function<bool(std::string_view)>* on_piece) {
        Exchange exchange;
        exchange.handle = handle;
        exchange.bytes_max = request.reply_bytes_max;
        exchange.on_piece = on_piece;
        set_common(request, exchange);
        set_times(request, exchange);
        GYRE_TRY(const File file, set_body(request));
        HeaderList headers;
        headers.add("Expect:");  // no waiting for 100-continue
        for (const auto& [name, value] : request.headers) {
            headers.add(name + ": " + value);
        }
        curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.list);
        const CURLcode code = curl_easy_perform(handle);
        if (code != CURLE_OK) {
            return explain(code, &detail[0], request, exchange);
        }
        long status = 0;
        curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
        exchange.reply.status = static_cast<int>(status);
        return std::move(exchange.reply);
    }
};

HttpClient::HttpClient() : impl_(std::make_unique<Impl>()) {}
HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

Result<HttpReply> HttpClient::send(const HttpRequest& request) {
    return impl_->perform(request, nullptr);
}

Result<HttpReply> HttpClient::stream(const HttpRequest& request,
                                     const std::function<bool(std::string_view)>& on_piece) {
    return impl_->perform(request, &on_piece);
}

}  // namespace gyre::runtime
