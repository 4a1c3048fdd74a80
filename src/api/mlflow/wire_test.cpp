#include "api/mlflow/wire.h"

#include <cmath>

#include <gtest/gtest.h>

#include "api/mlflow/locations.h"

namespace gyre::api::mlflow {
namespace {

enum class Color : std::uint8_t { red, green };
constexpr auto enum_names(Color) {
    return std::array{EnumName{Color::red, "RED"}, EnumName{Color::green, "GREEN"}};
}

struct Message {
    std::string name;
    std::string experiment_id = {};
    std::int64_t count = 0;
    double value = 0;
    bool flag = false;
    std::optional<Color> color = {};
    std::vector<std::string> list = {};
    static constexpr auto fields() {
        return std::tuple{Field{"name", &Message::name, "."},
                          Field{"experiment_id", &Message::experiment_id, ".", optional_field},
                          Field{"count", &Message::count, ".", optional_field},
                          Field{"value", &Message::value, ".", optional_field},
                          Field{"flag", &Message::flag, ".", optional_field},
                          Field{"color", &Message::color, ".", optional_field},
                          Field{"list", &Message::list, ".", optional_field}};
    }
};

Result<Message> read(std::string_view text) {
    GYRE_TRY(const Json json, parse_json(text));
    Message out;
    GYRE_TRY_VOID(wire_detail::read_message(json, "request", out));
    return out;
}

std::string message_of(std::string_view text) {
    const auto got = read(text);
    return got ? "" : got.error().message();
}

TEST(MlflowWire, numbers_booleans_and_enums_are_read_in_every_spelling) {
    const auto one =
        read(R"({"name":"n","count":"5","value":"NaN","flag":"TRUE","color":"GREEN","experiment_id":7})");
    ASSERT_TRUE(one);
    EXPECT_EQ(one->count, 5);
    EXPECT_TRUE(std::isnan(one->value));
    EXPECT_TRUE(one->flag);
    EXPECT_EQ(one->color, Color::green);
    EXPECT_EQ(one->experiment_id, "7");
    const auto two =
        read(R"({"name":"n","count":3.0,"value":"-Infinity","color":1,"list":["a"],"other":{}})");
    ASSERT_TRUE(two);
    EXPECT_EQ(two->count, 3);
    EXPECT_EQ(two->value, -std::numeric_limits<double>::infinity());
    EXPECT_EQ(two->color, Color::red);
    EXPECT_EQ(two->list, std::vector<std::string>{"a"});
    EXPECT_EQ(read(R"({"name":"n","count":null})")->count, 0);
}

TEST(MlflowWire, wrong_values_are_refused_in_mlflows_words) {
    EXPECT_EQ(message_of(R"({"name":123})"),
              "Invalid value 123 for parameter 'name' supplied:  Hint: Value was of type 'int'. See the API "
              "docs for "
              "more information about request parameters.");
    const std::string missing =
        "Missing value for required parameter 'name'. See the API docs for more information about request "
        "parameters.";
    EXPECT_EQ(message_of(R"({})"), missing);
    EXPECT_EQ(message_of(R"({"name":""})"), missing);
    EXPECT_EQ(message_of(R"({"name":null})"), missing);
    for (const std::string_view bad :
         {R"("count":1.5)", R"("count":"x")", R"("count":true)", R"("count":1e30)", R"("count":[])",
          R"("value":true)", R"("value":"x")", R"("flag":1)", R"("color":"BLUE")", R"("color":0)",
          R"("color":3)", R"("list":"a")", R"("list":[1])", R"("experiment_id":1.5)"}) {
        EXPECT_FALSE(read(R"({"name":"n",)" + std::string(bad) + "}")) << bad;
    }
}

TEST(MlflowWire, only_failures_that_may_pass_are_5xx) {
    for (const ErrorCode code :
         {ErrorCode::invalid_argument, ErrorCode::not_found, ErrorCode::already_exists, ErrorCode::conflict,
          ErrorCode::permission_denied, ErrorCode::unauthenticated}) {
        EXPECT_LT(errors().status_of(Error(code, "x")), 500) << name_of(code);
    }
    std::string body;
    errors().write(already_exists("a \"b\""), 400, "", body);
    EXPECT_EQ(body, R"({"error_code":"RESOURCE_ALREADY_EXISTS","message":"a \"b\""})");
    body.clear();
    path_errors().write(not_found("x"), 404, "", body);
    EXPECT_EQ(body, R"({"error_code":"ENDPOINT_NOT_FOUND","message":"x"})");
}

TEST(MlflowLocations, only_our_own_artifacts_have_a_blob_path) {
    EXPECT_EQ(*blob_path_of("mlflow-artifacts:/0/r/artifacts", "a/b"), "0/r/artifacts/a/b");
    EXPECT_EQ(*blob_path_of("mlflow-artifacts:/0"), "0");
    for (const std::string_view bad :
         {"s3://b/x", "file:///etc/passwd", "/etc/passwd", "mlflow-artifacts:/", "",
          "mlflow-artifacts:/a/../b", "mlflow-artifacts:/a\\b", "mlflow-artifacts:/.gyre/x"}) {
        EXPECT_EQ(blob_path_of(bad).error().code(), ErrorCode::invalid_argument) << bad;
    }
    EXPECT_FALSE(blob_path_of("mlflow-artifacts:/0/r/artifacts", "../x"));
    EXPECT_FALSE(blob_path_of("mlflow-artifacts:/0/r/artifacts", "/etc/passwd"));
}

}  // namespace
}  // namespace gyre::api::mlflow
