#include <stdexcept>

#include <gtest/gtest.h>

#include "api/openapi.h"
#include "api/server_routes.h"

namespace gyre::api {
namespace {

using http::Method;

enum class Order : std::uint8_t { up, down };
constexpr auto enum_names(Order) {
    return std::array{EnumName{Order::up, "up"}, EnumName{Order::down, "down"}};
}

struct Ask {
    std::string name;
    std::int64_t limit = 10;
    std::optional<double> ratio;
    std::vector<std::string> tags;
    Order order = Order::up;
    bool deep = false;

    static constexpr auto fields() {
        return std::tuple{
            Field{"name", &Ask::name, "Name."},
            Field{"limit", &Ask::limit, "How many.", optional_field},
            Field{"ratio", &Ask::ratio, "Share.", optional_field},
            Field{"tags", &Ask::tags, "Tags.", optional_field},
            Field{"order", &Ask::order, "Direction.", optional_field},
            Field{"deep", &Ask::deep, "All levels.", optional_field},
        };
    }
};

struct Answer {
    std::string text;
    static constexpr auto fields() { return std::tuple{Field{"text", &Answer::text, "What was asked."}}; }
};

Result<Answer> describe(Context&, Ask in) {
    std::string tags;
    for (const std::string& tag : in.tags) {
        tags += tag + ",";
    }
    return Answer{in.name + "|" + std::to_string(in.limit) + "|" + (in.ratio ? "ratio" : "") + "|" + tags +
                  "|" + std::string(name_of(in.order)) + "|" + (in.deep ? "deep" : "flat")};
}

RouteDoc doc(Method method, std::string_view path, std::string_view id) {
    return {.method = method,
            .path = path,
            .id = id,
            .summary = "Test.",
            .access = Access::read,
            .pool = PoolName::inline_io};
}

class RouteTableTest : public ::testing::Test {
 protected:
    /// Sends a request through plan and run, as the transport does.
    http::Response& ask(Method method, std::string target, std::string body = "",
                        std::vector<http::Header> headers = {}) {
        target_ = std::move(target);
        body_ = std::move(body);
        request_ = {};
        response_.reset();
        request_.method = method;
        request_.method_name = name_of(method);
        const std::size_t question = target_.find('?');
        request_.path = std::string_view(target_).substr(0, question);
        request_.query = question == std::string::npos ? "" : std::string_view(target_).substr(question + 1);
        request_.host = "localhost";
        request_.headers = std::move(headers);
        request_.facts.content_length = body_.size();
        plan_ = table_.plan(request_, response_);
        if (!plan_.answered) {
            request_.body = body_;
            table_.run(request_, response_);
        }
        table_.done(request_, response_.status);
        return response_;
    }
    Metrics metrics_;
    ManualClock clock_;
    runtime::ThreadPool work_{{.name = "work", .threads = 1, .queue = 1}, metrics_};
    RouteTable table_{metrics_, clock_, {nullptr, nullptr, nullptr, &work_, nullptr}, AccessGuard({})};
    std::string target_;
    std::string body_;
    http::Request request_;
    http::Response response_;
    http::Plan plan_;
};

TEST_F(RouteTableTest, body_query_and_path_become_one_input_typed_by_its_fields) {
    table_.typed<Ask, Answer>(doc(Method::post, "/ask/{name}", "ask"), &describe);
    ASSERT_TRUE(table_.check());
    EXPECT_EQ(
        ask(Method::post, "/ask/a%20b?limit=7&ratio=0.5&tags=x&tags=y+z&deep=true", R"({"order":"down"})")
            .body,
        R"({"text":"a b|7|ratio|x,y z,|down|deep"})");
    EXPECT_EQ(ask(Method::post, "/ask/path?name=query", R"({"name":"body"})").body,
              R"({"text":"path|10|||up|flat"})");
    EXPECT_EQ(response_.status, 200);
    EXPECT_EQ(response_.content_type, "application/json");
}

TEST_F(RouteTableTest, wrong_input_is_400_and_names_the_field) {
    table_.typed<Ask, Answer>(doc(Method::post, "/ask", "ask"), &describe);
    const std::vector<std::pair<std::string, std::string>> cases{{"/ask?name=a&limit=ten", "limit"},
                                                                 {"/ask?name=a&deep=maybe", "deep"},
                                                                 {"/ask?name=a&limt=1", "limit"},
                                                                 {"/ask?name=a&order=left", "order"},
                                                                 {"/ask", "name"},
                                                                 {"/ask?name=%zz", "escape"},
                                                                 {"/ask?name=a&limit=", "limit"},
                                                                 {"/ask?name=a&limit=1e3", "limit"}};
    for (const auto& [target, what] : cases) {
        EXPECT_EQ(ask(Method::post, target).status, 400) << target;
        EXPECT_NE(response_.body.find(what), std::string::npos) << response_.body;
    }
    EXPECT_EQ(ask(Method::post, "/ask", "[1]").status, 400);
    EXPECT_EQ(ask(Method::post, "/ask", "{").status, 400);
    std::string many = "/ask?name=a";
    for (std::size_t i = 0; i < kQueryParametersMax; ++i) {
        many += "&tags=x";
    }
    EXPECT_EQ(ask(Method::post, many).status, 400);
}

TEST_F(RouteTableTest, errors_are_native_json_with_status_and_request_id) {
    table_.raw(doc(Method::get, "/gone", "gone"),
               [](Context&) -> Result<void> { return not_found("it \"left\""); });
    table_.raw(doc(Method::get, "/busy", "busy"),
               [](Context&) -> Result<void> { return resource_exhausted("full"); });
    const std::vector<http::Header> id{{"x-request-id", "req-1"}};
    EXPECT_EQ(ask(Method::get, "/gone", "", id).status, 404);
    EXPECT_EQ(response_.body, R"({"code":"not_found","message":"it \"left\"","request_id":"req-1"})");
    EXPECT_NE(response_.headers.find("X-Request-Id: req-1\r\n"), std::string::npos);
    EXPECT_EQ(ask(Method::get, "/busy").status, 429);
    EXPECT_NE(response_.headers.find("Retry-After: 1\r\n"), std::string::npos);
}

TEST_F(RouteTableTest, a_request_id_that_could_break_something_is_replaced) {
    table_.raw(doc(Method::get, "/x", "x"), [](Context&) -> Result<void> { return {}; });
    for (const std::string& bad :
         {std::string("a b"), std::string("a\"b"), std::string(129, 'a'), std::string("<x>")}) {
        ask(Method::get, "/x", "", {{"X-Request-Id", bad}});
        EXPECT_TRUE(is_uuid(request_.request_id)) << bad;
    }
}

TEST_F(RouteTableTest, a_handler_that_throws_is_internal_and_counted) {
    table_.raw(doc(Method::get, "/boom", "boom"),
               [](Context&) -> Result<void> { throw std::runtime_error("boom"); });
    EXPECT_EQ(ask(Method::get, "/boom").status, 500);
    EXPECT_NE(response_.body.find(R"("code":"internal")"), std::string::npos);
    EXPECT_NE(metrics_.expose().find("gyre_http_handler_exceptions_total{route=\"boom\"} 1"),
              std::string::npos);
    EXPECT_NE(metrics_.expose().find("gyre_http_requests_total{route=\"boom\",code=\"500\"} 1"),
              std::string::npos);
}

TEST_F(RouteTableTest, unknown_paths_are_404_and_known_ones_say_which_methods_they_take) {
    table_.raw(doc(Method::get, "/x", "x"), [](Context&) -> Result<void> { return {}; });
    EXPECT_EQ(ask(Method::get, "/y").status, 404);
    EXPECT_EQ(ask(Method::post, "/x").status, 405);
    EXPECT_NE(response_.headers.find("Allow: GET, HEAD\r\n"), std::string::npos);
    EXPECT_EQ(ask(Method::options, "/x").status, 204);
    EXPECT_EQ(ask(Method::get, "/x/%00").status, 400);
}

TEST_F(RouteTableTest, a_protocol_brings_its_own_errors) {
    static const ErrorDialect kLoud{"loud", "text/plain", [](const Error&) { return 418; },
                                    [](const Error& error, int, std::string_view, std::string& body) {
                                        body = "LOUD " + error.message();
                                    }};
    RouteDoc loud = doc(Method::get, "/loud/x", "loud");
    loud.errors = &kLoud;
    table_.raw(loud, [](Context&) -> Result<void> { return not_found("gone"); });
    table_.dialect_under("/loud/", kLoud);
    EXPECT_EQ(ask(Method::get, "/loud/x").body, "LOUD gone");
    EXPECT_EQ(response_.status, 418);
    EXPECT_TRUE(ask(Method::get, "/loud/unknown").body.starts_with("LOUD no route")) << response_.body;
    response_.reset();
    table_.refuse(request_, true, 413, resource_exhausted("big"), response_);
    EXPECT_EQ(response_.body, "LOUD big");
    EXPECT_EQ(response_.status, 413);
}

TEST_F(RouteTableTest, large_bodies_of_inline_routes_move_to_a_pool) {
    table_.raw(doc(Method::post, "/x", "x"), [](Context&) -> Result<void> { return {}; });
    ask(Method::post, "/x", std::string(http::kInlineBodyBytesMax, 'x'));
    EXPECT_EQ(plan_.pool, nullptr);
    ask(Method::post, "/x", std::string(http::kInlineBodyBytesMax + 1, 'x'));
    EXPECT_EQ(plan_.pool, &work_);
}

TEST_F(RouteTableTest, wrong_declarations_are_reported_at_start) {
    table_.typed<Ask, Answer>(doc(Method::get, "/a/{nome}", "a"), &describe);
    table_.raw(doc(Method::get, "/b", "Bad-Id"), [](Context&) -> Result<void> { return {}; });
    table_.raw(doc(Method::get, "/c", "a"), [](Context&) -> Result<void> { return {}; });
    table_.raw(doc(Method::get, "/c", "d"), [](Context&) -> Result<void> { return {}; });
    const auto checked = table_.check();
    ASSERT_FALSE(checked);
    for (const char* what : {"'nome' is no field", "'Bad-Id' is not snake_case", "two routes have the id 'a'",
                             "two routes for GET /c"}) {
        EXPECT_NE(checked.error().message().find(what), std::string::npos) << checked.error().message();
    }
}

TEST_F(RouteTableTest, openapi_describes_every_route) {
    RouteDoc with_body = doc(Method::post, "/ask/{name}", "ask");
    with_body.success = 201;
    table_.typed<Ask, Answer>(with_body, &describe);
    table_.typed<Ask, Answer>(doc(Method::get, "/ask/{name}", "look"), &describe);
    table_.raw(doc(Method::get, "/files/{path...}", "files"), [](Context&) -> Result<void> { return {}; });
    const Json out = openapi_document(table_, "1.2.3");
    const Json& post = out["paths"]["/ask/{name}"]["post"];
    EXPECT_EQ(post["operationId"].as_string(), "ask");
    const Json& schema = post["requestBody"]["content"]["application/json"]["schema"];
    EXPECT_EQ(schema["properties"].find("name"), nullptr);
    EXPECT_NE(schema["properties"].find("limit"), nullptr);
    EXPECT_NE(post["responses"].find("201"), nullptr);
    const Json& get = out["paths"]["/ask/{name}"]["get"];
    EXPECT_EQ(get["parameters"].items().size(), 6U);
    EXPECT_EQ(get.find("requestBody"), nullptr);
    EXPECT_EQ(out["paths"]["/files/{path}"]["get"]["parameters"].items()[0]["name"].as_string(), "path");
    EXPECT_NE(docs_page(table_, "1.2.3").find("/files/{path...}"), std::string::npos);
}

TEST_F(RouteTableTest, the_servers_own_routes_answer) {
    bool ready = false;
    add_process_metrics(metrics_);
    add_server_routes(table_, {"9.9", 0}, clock_, metrics_, [&ready] {
        return ready ? std::optional<std::string>() : std::optional<std::string>("model 'm' is loading");
    });
    ASSERT_TRUE(table_.check());
    EXPECT_EQ(ask(Method::get, "/healthz").status, 200);
    EXPECT_EQ(ask(Method::get, "/readyz").status, 503);
    EXPECT_NE(response_.body.find("model 'm' is loading"), std::string::npos);
    ready = true;
    EXPECT_EQ(ask(Method::get, "/readyz").status, 200);
    clock_.advance_us(2'500'000);
    EXPECT_EQ(ask(Method::get, "/api/gyre/v1/server").body,
              R"({"version":"9.9","started_at":"1970-01-01T00:00:00Z","uptime_s":2.5,"project":"default"})");
    EXPECT_NE(ask(Method::get, "/metrics").body.find("process_resident_memory_bytes"), std::string::npos);
    ask(Method::get, "/docs");
    EXPECT_NE(response_.headers.find("Content-Security-Policy: default-src 'self'"), std::string::npos);
}

}  // namespace
}  // namespace gyre::api
