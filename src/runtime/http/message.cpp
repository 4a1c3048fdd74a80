#include "runtime/http/message.h"

#include <array>
#include <charconv>
#include <ctime>

namespace gyre::http {
namespace {

struct Reason {
    int status;
    std::string_view text;
};
constexpr std::array kReasons{
    Reason{200, "OK"},
    Reason{201, "Created"},
    Reason{202, "Accepted"},
    Reason{204, "No Content"},
    Reason{206, "Partial Content"},
    Reason{301, "Moved Permanently"},
    Reason{302, "Found"},
    Reason{304, "Not Modified"},
    Reason{400, "Bad Request"},
    Reason{401, "Unauthorized"},
    Reason{403, "Forbidden"},
    Reason{404, "Not Found"},
    Reason{405, "Method Not Allowed"},
    Reason{408, "Request Timeout"},
    Reason{409, "Conflict"},
    Reason{411, "Length Required"},
    Reason{412, "Precondition Failed"},
    Reason{413, "Content Too Large"},
    Reason{415, "Unsupported Media Type"},
    Reason{416, "Range Not Satisfiable"},
    Reason{417, "Expectation Failed"},
    Reason{422, "Unprocessable Content"},
    Reason{429, "Too Many Requests"},
    Reason{431, "Request Header Fields Too Large"},
    Reason{499, "Client Closed Request"},
    Reason{500, "Internal Server Error"},
    Reason{501, "Not Implemented"},
    Reason{502, "Bad Gateway"},
    Reason{503, "Service Unavailable"},
    Reason{504, "Gateway Timeout"},
    Reason{505, "HTTP Version Not Supported"},
    Reason{507, "Insufficient Storage"},
};

constexpr char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

void append_number(std::string& out, std::uint64_t value) {
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value);
    out.append(digits.data(), end.ptr);
}

/// Bodies above this are freed between requests.
constexpr std::size_t kKeptBodyBytes = 64U << 10U;

}  // namespace

std::string_view name_of(Method method) {
    constexpr std::array<std::string_view, kMethods> kNames{"GET",   "HEAD",   "POST",    "PUT",
                                                            "PATCH", "DELETE", "OPTIONS", "OTHER"};
    return kNames[static_cast<std::size_t>(method)];
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) {
        return false;
    }
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i] != b[i] && lower(a[i]) != lower(b[i])) {
            return false;
        }
    }
    return true;
}

std::string_view Request::header(std::string_view name) const {
    for (const Header& entry : headers) {
        if (equals_ignoring_case(entry.name, name)) {
            return entry.value;
        }
    }
    return {};
}

void Response::reset() {
    status = 200;
    content_type.clear();
    if (body.capacity() > kKeptBodyBytes) {
        std::string().swap(body);
    }
    body.clear();
    headers.clear();
    encoded = false;
    source.reset();
    source_bytes.reset();
    events.reset();
}

void Response::add_header(std::string_view name, std::string_view value) {
    headers.append(name).append(": ");
    for (const char c : value) {
        headers.push_back(c == '\r' || c == '\n' || c == '\0' ? ' ' : c);
    }
    headers.append("\r\n");
}

void Response::set(int new_status, std::string_view type, std::string_view text) {
    status = new_status;
    content_type.assign(type);
    body.assign(text);
}

std::string_view reason_of(int status) {
    for (const Reason& reason : kReasons) {
        if (reason.status == status) {
            return reason.text;
        }
    }
    return "Status";
}

void append_head(std::string& out, const Response& response, const HeadFacts& facts, bool close,
                 std::optional<std::uint64_t> content_length, std::string_view date) {
    out.append("HTTP/1.1 ");
    append_number(out, static_cast<std::uint64_t>(response.status));
    out.append(" ").append(reason_of(response.status)).append("\r\n");
    if (!response.content_type.empty()) {
        out.append("Content-Type: ").append(response.content_type).append("\r\n");
    }
    const bool bodiless = response.status == 204 || response.status == 304;
    if (content_length && !bodiless) {
        out.append("Content-Length: ");
        append_number(out, *content_length);
        out.append("\r\n");
    } else if (!bodiless && facts.minor_version == 1) {
        out.append("Transfer-Encoding: chunked\r\n");
    }
    out.append("Date: ").append(date).append("\r\n");
    if (close) {
        out.append("Connection: close\r\n");
    } else if (facts.minor_version == 0) {
        out.append("Connection: keep-alive\r\n");
    }
    out.append(response.headers).append("\r\n");
}

std::string format_http_date(std::int64_t unix_seconds) {
    constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto seconds = static_cast<std::time_t>(unix_seconds);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 64> text{};
    const int size = std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                   kDays[static_cast<std::size_t>(parts.tm_wday)], parts.tm_mday,
                                   kMonths[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + 1900,
                                   parts.tm_hour, parts.tm_min, parts.tm_sec);
    return {text.data(), static_cast<std::size_t>(size)};
}

}  // namespace gyre::http
