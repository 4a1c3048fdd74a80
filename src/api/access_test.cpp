#include "api/access.h"

#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/digest.h"
#include "base/file.h"

namespace gyre::api {
namespace {

using http::Method;

ErrorCode outcome(const AccessGuard& guard, const http::Request& request, Access access) {
    const auto principal = guard.admit(request, access);
    EXPECT_FALSE(principal);
    return principal ? ErrorCode::internal : principal.error().code();
}

http::Request make(Method method, std::string_view host, std::vector<http::Header> headers = {}) {
    http::Request request;
    request.method = method;
    request.host = host;
    request.headers = std::move(headers);
    return request;
}

TEST(AccessGuard, on_loopback_local_callers_need_no_token) {
    const AccessGuard guard(AccessOptions{});
    for (const char* host : {"127.0.0.1:5000", "localhost", "LOCALHOST:1", "[::1]:5000", ""}) {
        const auto principal = guard.admit(make(Method::post, host), Access::admin);
        ASSERT_TRUE(principal) << host;
        EXPECT_EQ(principal->name, "local");
    }
}

TEST(AccessGuard, foreign_hosts_are_refused_as_in_dns_rebinding) {
    AccessOptions options;
    options.allowed_hosts = {"Gyre.Example"};
    const AccessGuard guard(options);
    for (const char* host : {"evil.example", "127.0.0.1.evil.example", "localhost.evil", "[::2]", "[::1"}) {
        EXPECT_EQ(outcome(guard, make(Method::get, host), Access::open), ErrorCode::permission_denied)
            << host;
    }
    EXPECT_TRUE(guard.admit(make(Method::get, "gyre.example:80"), Access::read));
}

TEST(AccessGuard, writes_from_other_origins_are_refused_and_reads_are_not) {
    const AccessGuard guard(AccessOptions{});
    for (const char* origin :
         {"http://evil.example", "null", "http://localhost:9", "https://127.0.0.1:5000.evil"}) {
        const http::Request write = make(Method::post, "127.0.0.1:5000", {{"Origin", origin}});
        EXPECT_EQ(outcome(guard, write, Access::write), ErrorCode::permission_denied) << origin;
        EXPECT_TRUE(guard.admit(make(Method::get, "127.0.0.1:5000", {{"Origin", origin}}), Access::read));
    }
    const http::Request own = make(Method::post, "127.0.0.1:5000", {{"Origin", "http://127.0.0.1:5000"}});
    EXPECT_TRUE(guard.admit(own, Access::write));
}

TEST(AccessGuard, elsewhere_the_token_is_demanded_as_bearer_or_basic_password) {
    AccessOptions options;
    options.token_required = true;
    options.check_host = false;
    options.token_sha256 = sha256_hex("gyre_secret");
    const AccessGuard guard(options);
    const std::vector<std::string> good{"Bearer gyre_secret", "bearer gyre_secret",
                                        "Basic dXNlcjpneXJlX3NlY3JldA=="};  // base64 of "user:gyre_secret"
    for (const std::string& value : good) {
        const auto principal =
            guard.admit(make(Method::post, "any", {{"Authorization", value}}), Access::admin);
        ASSERT_TRUE(principal) << value;
        EXPECT_EQ(principal->name, "admin");
    }
    const std::vector<std::string> bad{
        "",          "Bearer",         "Bearer gyre_secre",  "Bearer gyre_secret2",
        "Basic !!!", "Basic dXNlcg==", "Digest gyre_secret", "Bearer " + std::string(5000, 'x')};
    for (const std::string& value : bad) {
        EXPECT_EQ(outcome(guard, make(Method::get, "any", {{"Authorization", value}}), Access::read),
                  ErrorCode::unauthenticated)
            << value;
    }
    EXPECT_TRUE(guard.admit(make(Method::get, "any"), Access::open));
}

TEST(AdminToken, is_shown_once_and_only_its_digest_is_kept) {
    const std::string folder = ::testing::TempDir() + "/token_" + std::to_string(::getpid());
    ASSERT_TRUE(make_directories(folder));
    const auto first = load_or_make_token(folder);
    ASSERT_TRUE(first);
    ASSERT_TRUE(first->fresh);
    EXPECT_EQ(sha256_hex(*first->fresh), first->sha256);
    const auto second = load_or_make_token(folder);
    ASSERT_TRUE(second);
    EXPECT_FALSE(second->fresh);
    EXPECT_EQ(second->sha256, first->sha256);
    const std::string path = folder + "/admin_token.sha256";
    struct stat info{};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
    ASSERT_TRUE(write_file_atomic(path, "garbage"));
    const auto damaged = load_or_make_token(folder);
    ASSERT_FALSE(damaged);
    EXPECT_EQ(damaged.error().code(), ErrorCode::data_loss);
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace gyre::api
