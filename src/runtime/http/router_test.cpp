#include "runtime/http/router.h"

#include <gtest/gtest.h>

namespace gyre::http {
namespace {

class RouterTest : public ::testing::Test {
 protected:
    void SetUp() override {
        const std::vector<std::string> paths{"/",
                                             "/v2",
                                             "/v2/models/{name}",
                                             "/v2/models/{name}/infer",
                                             "/v2/models/{name}/versions/{version}/infer",
                                             "/v1/models/{name}:predict",
                                             "/v1/models/{name}",
                                             "/files/{path...}",
                                             "/a/b/d",
                                             "/a/{x}/c"};
        for (const std::string& path : paths) {
            ASSERT_TRUE(router_.add(Method::get, path, static_cast<std::uint32_t>(paths_.size()))) << path;
            paths_.push_back(path);
        }
        ASSERT_TRUE(router_.add(Method::post, "/v2/models/{name}/infer", 100));
    }
    /// The template that answers GET `path`, with its parameters: "/v2/models/{name} [m]"; or "bad", "none".
    std::string get(std::string_view path) {
        std::vector<std::string> params;
        const Match match = router_.match(Method::get, path, params);
        if (match.kind == MatchKind::bad_path) {
            return "bad";
        }
        if (match.kind != MatchKind::found) {
            return "none";
        }
        std::string out = paths_[match.route];
        for (const std::string& value : params) {
            out += " [" + value + "]";
        }
        return out;
    }
    Router router_;
    std::vector<std::string> paths_;
};

TEST_F(RouterTest, literals_parameters_suffixes_and_the_rest_are_found) {
    EXPECT_EQ(get("/"), "/");
    EXPECT_EQ(get("/v2"), "/v2");
    EXPECT_EQ(get("/v2/models/flights"), "/v2/models/{name} [flights]");
    EXPECT_EQ(get("/v2/models/flights/versions/3/infer"),
              "/v2/models/{name}/versions/{version}/infer [flights] [3]");
    EXPECT_EQ(get("/v1/models/flights:predict"), "/v1/models/{name}:predict [flights]");
    EXPECT_EQ(get("/v1/models/flights"), "/v1/models/{name} [flights]");
    EXPECT_EQ(get("/files/a/b/c.txt"), "/files/{path...} [a/b/c.txt]");
}

TEST_F(RouterTest, a_literal_that_leads_nowhere_falls_back_to_the_parameter) {
    EXPECT_EQ(get("/a/b/d"), "/a/b/d");
    EXPECT_EQ(get("/a/b/c"), "/a/{x}/c [b]");
}

TEST_F(RouterTest, unknown_paths_and_empty_parameters_are_not_found) {
    for (const char* path :
         {"/v2/", "/v2/models/", "/v2//infer", "/files/", "/files", "/nope", "/v1/models/:predict2/x"}) {
        EXPECT_EQ(get(path), "none") << path;
    }
}

TEST_F(RouterTest, segments_are_decoded_exactly_once) {
    EXPECT_EQ(get("/v2/models/a%20b"), "/v2/models/{name} [a b]");
    EXPECT_EQ(get("/v2/models/a%2520b"), "/v2/models/{name} [a%20b]");
    EXPECT_EQ(get("/%76%32"), "/v2");
    EXPECT_EQ(get("/v2/models/a+b"), "/v2/models/{name} [a+b]");
}

TEST_F(RouterTest, an_encoded_slash_is_taken_only_by_the_rest) {
    EXPECT_EQ(get("/v2/models/a%2Fb"), "none");
    EXPECT_EQ(get("/files/a%2Fb/c"), "/files/{path...} [a/b/c]");
}

TEST_F(RouterTest, nul_dots_and_broken_escapes_are_bad) {
    for (const char* path :
         {"/files/a%00b", "/files/../x", "/files/%2e%2e/x", "/v2/./models", "/v2/%", "/v2/%zz", "x"}) {
        EXPECT_EQ(get(path), "bad") << path;
    }
    std::string deep;
    for (std::size_t i = 0; i <= kPathSegmentsMax; ++i) {
        deep += "/x";
    }
    EXPECT_EQ(get("/files" + deep), "bad");
}

TEST_F(RouterTest, another_method_is_told_what_is_allowed_and_head_is_get) {
    std::vector<std::string> params;
    const Match put = router_.match(Method::put, "/v2/models/m/infer", params);
    EXPECT_EQ(put.kind, MatchKind::method_not_allowed);
    EXPECT_EQ(put.allow, "GET, HEAD, POST");
    EXPECT_EQ(router_.match(Method::head, "/v2", params).kind, MatchKind::found);
    EXPECT_EQ(router_.match(Method::post, "/v2/models/m/infer", params).route, 100U);
}

TEST_F(RouterTest, what_was_matched_before_is_matched_again_and_by_this_router_alone) {
    std::vector<std::string> first;
    std::vector<std::string> again{"left over", "from before"};
    ASSERT_EQ(router_.match(Method::post, "/v2/models/m/infer", first).route, 100U);
    EXPECT_EQ(router_.match(Method::post, "/v2/models/m/infer", again).route, 100U);
    EXPECT_EQ(again, first);
    EXPECT_EQ(router_.match(Method::put, "/v2/models/m/infer", again).kind, MatchKind::method_not_allowed);

    Router other;
    EXPECT_EQ(other.match(Method::post, "/v2/models/m/infer", again).kind, MatchKind::not_found);
    ASSERT_TRUE(other.add(Method::post, "/v2/{rest...}", 7));
    EXPECT_EQ(other.match(Method::post, "/v2/models/m/infer", again).route, 7U);
    ASSERT_TRUE(other.add(Method::post, "/v2/models/{name}/infer", 8));
    EXPECT_EQ(other.match(Method::post, "/v2/models/m/infer", again).route, 8U);
    EXPECT_EQ(again, std::vector<std::string>{"m"});
}

TEST_F(RouterTest, a_path_too_long_to_be_remembered_is_matched_all_the_same) {
    const std::string name(1000, 'm');
    for (int i = 0; i < 2; ++i) {
        std::vector<std::string> params;
        EXPECT_EQ(router_.match(Method::post, "/v2/models/" + name + "/infer", params).route, 100U);
        EXPECT_EQ(params, std::vector<std::string>{name});
    }
}

TEST_F(RouterTest, wrong_templates_and_duplicates_are_refused) {
    for (const char* path :
         {"", "x", "/{", "/{A}", "/{a}{b}", "/{a...}/b", "/{a}/{a}", "/x}", "/{a}predict", "/{}"}) {
        EXPECT_FALSE(router_.add(Method::get, path, 1)) << path;
    }
    const auto twice = router_.add(Method::get, "/v2/models/{other}", 1);
    ASSERT_FALSE(twice);
    EXPECT_EQ(twice.error().code(), ErrorCode::already_exists);
}

}  // namespace
}  // namespace gyre::http
