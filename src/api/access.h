#pragma once
// Who may call. On a loopback address nobody else's machine can connect, so no token is asked; there the
// danger is a web page in the user's browser, so foreign Host headers and cross-origin writes are refused. On
// any other address every route that is not open demands the admin token, as "Authorization: Bearer TOKEN" or
// as the password of Basic (what MLflow's clients send).
//
// The token is 256 random bits, so what is stored is its plain SHA-256: a slow password hash protects
// guessable secrets, and here it would only give a stranger a way to burn the server's time.
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fields.h"
#include "base/principal.h"
#include "base/result.h"
#include "runtime/http/message.h"

namespace gyre::api {

/// What a route demands.
enum class Access : std::uint8_t { open, read, write, admin };
constexpr auto enum_names(Access) {
    return std::array{EnumName{Access::open, "open"}, EnumName{Access::read, "read"},
                      EnumName{Access::write, "write"}, EnumName{Access::admin, "admin"}};
}

struct AccessOptions {
    bool token_required = false;
    std::string token_sha256;                // hex; for token_required
    bool check_host = true;                  // on loopback binds
    std::vector<std::string> allowed_hosts;  // names without port that are ours too
};

/// Immutable; thread-safe.
class AccessGuard {
 public:
    explicit AccessGuard(AccessOptions options);
    /// Who calls. Errors: permission_denied (host, origin), unauthenticated.
    Result<Principal> admit(const http::Request& request, Access access) const;

 private:
    Result<void> check_host(const http::Request& request) const;
    Result<void> check_origin(const http::Request& request) const;
    [[nodiscard]] bool is_own_host(std::string_view host) const;
    [[nodiscard]] bool has_token(const http::Request& request) const;

    AccessOptions options_;
};

struct AdminToken {
    std::string sha256;
    std::optional<std::string> fresh;  // the token itself, when it was made just now: show it once
};
/// Reads or makes the token of a data folder (file "admin_token.sha256", mode 0600).
Result<AdminToken> load_or_make_token(const std::string& data_folder);

bool is_loopback(std::string_view host);

}  // namespace gyre::api
