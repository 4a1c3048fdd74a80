#include "base/json.h"

#include <array>
#include <cmath>

#include <gtest/gtest.h>

#include "base/fields.h"

namespace gyre {
namespace {

enum class Color : std::uint8_t { red, green };
constexpr auto enum_names(Color) {
    return std::array{EnumName{Color::red, "red"}, EnumName{Color::green, "green"}};
}

struct Inner {
    std::int64_t count = 0;
    static constexpr auto fields() { return std::tuple{Field{"count", &Inner::count, "How many."}}; }
};

struct Outer {
    std::string name;
    double ratio = 0.5;
    Color color = Color::red;
    std::vector<Inner> inners;
    std::optional<bool> flag;
    std::map<std::string, std::string> tags;
    static constexpr auto fields() {
        return std::tuple{Field{"name", &Outer::name, "Its name."},
                          Field{"ratio", &Outer::ratio, "A share.", optional_field},
                          Field{"color", &Outer::color, "Its colour.", optional_field},
                          Field{"inners", &Outer::inners, "Parts.", optional_field},
                          Field{"flag", &Outer::flag, "Maybe.", optional_field},
                          Field{"tags", &Outer::tags, "Labels.", optional_field}};
    }
};

Result<Outer> read(std::string_view text) {
    GYRE_TRY(const Json json, parse_json(text));
    return from_json<Outer>(json);
}

TEST(Json, text_survives_a_round_trip) {
    const std::string text =
        R"({"a":[1,2.5,-3e+300,true,false,null,"x\"\\\n\u0001é"],"b":{},"c":9223372036854775807})";
    auto parsed = parse_json(text);
    ASSERT_TRUE(parsed) << parsed.error().message();
    auto again = parse_json(parsed->dump());
    ASSERT_TRUE(again);
    EXPECT_EQ(*parsed, *again);
    EXPECT_EQ((*parsed)["c"].as_integer(), INT64_MAX);
    EXPECT_EQ(parse_json(parsed->pretty())->dump(), parsed->dump());
}

TEST(Json, errors_name_line_and_column) {
    auto bad = parse_json("{\n  \"a\": tru\n}");
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().code(), ErrorCode::invalid_argument);
    EXPECT_NE(bad.error().message().find("line 2"), std::string::npos) << bad.error().message();
    EXPECT_FALSE(parse_json("{} x"));
    EXPECT_FALSE(parse_json(""));
    EXPECT_FALSE(parse_json("{\"a\":1"));
}

TEST(Json, numbers_read_back_exactly) {
    for (const double value :
         {4.4444444444444446e+23, 0.1, 5e-324, 1.7976931348623157e308, 123456789.123456789}) {
        EXPECT_EQ(parse_json(Json(value).dump())->as_number(), value);
    }
}

TEST(Json, depth_is_bounded) {
    EXPECT_TRUE(parse_json(std::string(kJsonDepthMax, '[') + std::string(kJsonDepthMax, ']')));
    EXPECT_FALSE(parse_json(std::string(kJsonDepthMax + 1, '[') + std::string(kJsonDepthMax + 1, ']')));
}

TEST(Json, numbers_that_json_lacks_become_strings) {
    EXPECT_EQ(Json(std::nan("")).dump(), "\"NaN\"");
    EXPECT_EQ(Json(-HUGE_VAL).dump(), "\"-Infinity\"");
    EXPECT_EQ(Json(1.0).dump(), "1.0");
}

TEST(Json, invalid_utf8_is_replaced) {
    EXPECT_EQ(Json("a\xFFz").dump(), "\"a\xEF\xBF\xBDz\"");
}

TEST(Json, canonical_text_does_not_depend_on_order) {
    EXPECT_EQ(parse_json(R"({"b":1,"a":{"d":2,"c":3}})")->canonical(), R"({"a":{"c":3,"d":2},"b":1})");
}

TEST(Fields, a_struct_survives_a_round_trip) {
    auto value = read(R"({"name":"n","color":"green","inners":[{"count":3}],"flag":true,"tags":{"k":"v"}})");
    ASSERT_TRUE(value) << value.error().message();
    EXPECT_EQ(value->color, Color::green);
    EXPECT_EQ(value->inners.at(0).count, 3);
    EXPECT_EQ(value->ratio, 0.5);
    auto again = from_json<Outer>(to_json(*value));
    ASSERT_TRUE(again);
    EXPECT_EQ(to_json(*again), to_json(*value));
}

TEST(Fields, errors_say_what_was_expected_and_what_came) {
    EXPECT_EQ(read(R"({"name":7})").error().message(), "field 'name': expected string, got integer 7");
    EXPECT_EQ(read(R"({})").error().message(), "field 'name' is missing");
    EXPECT_EQ(read(R"({"name":"n","colour":"red"})").error().message(),
              "unknown field 'colour'; did you mean 'color'?");
    EXPECT_EQ(read(R"({"nmae":"n"})").error().message(), "unknown field 'nmae'; did you mean 'name'?");
    EXPECT_EQ(read(R"({"nmae":"n","ratio":"x"})").error().message(),
              "unknown field 'nmae'; did you mean 'name'?");
    EXPECT_EQ(read(R"({"color":"red"})").error().message(), "field 'name' is missing");
    EXPECT_EQ(read(R"({"name":"n","inners":[{"count":1},{"count":"x"}]})").error().message(),
              "field 'inners[1].count': expected integer, got string \"x\"");
    EXPECT_EQ(read(R"({"name":"n","color":"blue"})").error().message(),
              "field 'color': expected one of red, green, got 'blue'");
}

TEST(Fields, the_schema_lists_every_field) {
    const Json schema = schema_of<Outer>();
    EXPECT_EQ(schema["required"].dump(), R"(["name"])");
    EXPECT_EQ(schema["properties"]["inners"]["items"]["properties"]["count"]["type"].as_string(), "integer");
    EXPECT_EQ(schema["additionalProperties"].as_bool(), false);
}

}  // namespace
}  // namespace gyre
