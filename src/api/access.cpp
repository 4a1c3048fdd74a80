#include "api/access.h"

#include <algorithm>
#include <array>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/rng.h"
#include "base/text.h"

namespace gyre::api {
namespace {

constexpr std::size_t kTokenBytes = 32;
constexpr std::size_t kDigestHex = 64;
constexpr std::size_t kCredentialsBytesMax = 4096;

std::string_view without_port(std::string_view host) {
    if (host.starts_with('[')) {
        const std::size_t close = host.find(']');
        return close == std::string_view::npos ? host : host.substr(0, close + 1);
    }
    return host.substr(0, host.find(':'));
}

/// Takes as long for a near miss as for a far one.
bool same_digest(std::string_view a, std::string_view b) {
    unsigned difference = a.size() == b.size() ? 0 : 1;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        difference |=
            static_cast<unsigned>(static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]));
    }
    return difference == 0;
}

int base64_digit(char c) {
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

std::optional<std::string> decode_base64(std::string_view text) {
    while (text.ends_with('=')) {
        text.remove_suffix(1);
    }
    std::string out;
    unsigned bits = 0;
    unsigned count = 0;
    for (const char c : text) {
        const int digit = base64_digit(c);
        if (digit < 0) {
            return std::nullopt;
        }
        bits = (bits << 6U | static_cast<unsigned>(digit)) & 0xFFFFU;
        count += 6;
        if (count >= 8) {
            count -= 8;
            out.push_back(static_cast<char>(bits >> count & 0xFFU));
        }
    }
    return out;
}

/// The token in an Authorization header, or "".
std::string presented_token(std::string_view header) {
    if (header.size() > kCredentialsBytesMax) {
        return {};
    }
    const std::size_t space = header.find(' ');
    const std::string_view scheme = header.substr(0, space);
    const std::string_view rest =
        space == std::string_view::npos ? std::string_view() : trim(header.substr(space));
    if (http::equals_ignoring_case(scheme, "Bearer")) {
        return std::string(rest);
    }
    if (http::equals_ignoring_case(scheme, "Basic")) {
        const auto plain = decode_base64(rest);
        const std::size_t colon = plain ? plain->find(':') : std::string::npos;
        return colon == std::string::npos ? std::string() : plain->substr(colon + 1);
    }
    return {};
}

bool is_safe(http::Method method) {
    return method == http::Method::get || method == http::Method::head || method == http::Method::options;
}

}  // namespace

bool is_loopback(std::string_view host) {
    return host == "localhost" || host.starts_with("127.") || host == "::1" || host == "[::1]";
}

AccessGuard::AccessGuard(AccessOptions options) : options_(std::move(options)) {
    for (std::string& host : options_.allowed_hosts) {
        host = to_lower(host);
    }
}

bool AccessGuard::is_own_host(std::string_view host) const {
    constexpr std::array<std::string_view, 3> kLocal{"127.0.0.1", "localhost", "[::1]"};
    const std::string_view name = without_port(host);
    const auto equal = [name](std::string_view own) { return http::equals_ignoring_case(own, name); };
    return std::any_of(kLocal.begin(), kLocal.end(), equal) ||
           std::any_of(options_.allowed_hosts.begin(), options_.allowed_hosts.end(), equal);
}

Result<void> AccessGuard::check_host(const http::Request& request) const {
    if (!options_.check_host || request.host.empty() || is_own_host(request.host)) {
        return {};
    }
    return Error(ErrorCode::permission_denied, "this server does not answer for host '" +
                                                   std::string(request.host.substr(0, 256)) +
                                                   "'; add it to server.allowed_hosts if it should");
}

Result<void> AccessGuard::check_origin(const http::Request& request) const {
    if (is_safe(request.method)) {
        return {};
    }
    const std::string_view origin = request.header("Origin");
    if (origin.empty()) {
        return {};
    }
    const std::size_t scheme = origin.find("://");
    const std::string_view host =
        scheme == std::string_view::npos ? std::string_view() : origin.substr(scheme + 3);
    const bool same = !host.empty() && http::equals_ignoring_case(host, request.host);
    const auto allowed = [host](const std::string& own) {
        return http::equals_ignoring_case(own, without_port(host));
    };
    if (same || std::any_of(options_.allowed_hosts.begin(), options_.allowed_hosts.end(), allowed)) {
        return {};
    }
    return Error(ErrorCode::permission_denied, "writes from another origin are refused");
}

bool AccessGuard::has_token(const http::Request& request) const {
    const std::string token = presented_token(request.header("Authorization"));
    return !token.empty() && same_digest(sha256_hex(token), options_.token_sha256);
}

Result<Principal> AccessGuard::admit(const http::Request& request, Access access) const {
    GYRE_TRY_VOID(check_host(request));
    GYRE_TRY_VOID(check_origin(request));
    if (!options_.token_required) {
        return local_principal();
    }
    if (has_token(request)) {
        return Principal{"admin", default_project()};
    }
    if (access == Access::open) {
        return Principal{"anonymous", default_project()};
    }
    return Error(
        ErrorCode::unauthenticated,
        "this server needs its token: send 'Authorization: Bearer TOKEN' (or it as the Basic password)");
}

Result<AdminToken> load_or_make_token(const std::string& data_folder) {
    const std::string path = data_folder + "/admin_token.sha256";
    auto stored = read_file(path, 4096);
    if (stored) {
        const std::string digest(trim(*stored));
        if (digest.size() != kDigestHex || !from_hex(digest)) {
            return data_loss("'" + path + "' is damaged; remove it to get a new token at the next start");
        }
        return AdminToken{digest, std::nullopt};
    }
    if (stored.error().code() != ErrorCode::not_found) {
        return std::move(stored).error();
    }
    std::array<std::uint8_t, kTokenBytes> bytes{};
    fill_random(bytes);
    const std::string token = "gyre_" + to_hex(bytes);
    const std::string digest = sha256_hex(token);
    GYRE_TRY_VOID(write_file_atomic(path, digest + "\n"));
    if (::chmod(path.c_str(), S_IRUSR | S_IWUSR) != 0) {
        return unavailable("cannot restrict '" + path + "' to its owner");
    }
    return AdminToken{digest, token};
}

}  // namespace gyre::api
