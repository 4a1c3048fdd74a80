#include "api/oip/infer_codec.h"

#include <cmath>
#include <string>

#include <gmock/gmock.h>

#include "base/rng.h"
#include "serving/limits.h"

namespace gyre::api::oip {
namespace {

constexpr std::size_t kPaddingBytes = 64;  // what read_infer may look at behind the body

model::Signature tensor_of(std::size_t columns) {
    model::Signature signature{{}, {{"prediction", 1}}, model::InputLayout::tensor};
    for (std::size_t i = 0; i < columns; ++i) {
        signature.columns.push_back({"f" + std::to_string(i), model::ColumnType::number, false});
    }
    return signature;
}

std::string body_of(std::size_t rows, std::size_t columns, const std::string& data,
                    const std::string& datatype = "FP64") {
    return R"({"inputs":[{"name":"input","datatype":")" + datatype + R"(","shape":[)" + std::to_string(rows) +
           "," + std::to_string(columns) + R"(],"data":)" + data + R"(}],"id":"r"})";
}

struct Read {
    std::string error;
    std::vector<double> values;  // row by row
};

Read read(std::size_t rows, std::size_t columns, const std::string& data,
          const std::string& datatype = "FP64") {
    std::string body = body_of(rows, columns, data, datatype);
    const std::size_t size = body.size();
    body.append(kPaddingBytes, '9');  // digits, which no number may run on into
    serving::RowBuffer buffer;
    InferRequest request;
    const auto done = read_infer({body.data(), size}, tensor_of(columns), buffer, request);
    Read out;
    out.error = done ? "" : done.error().message();
    for (std::size_t row = 0; done && row < rows; ++row) {
        for (std::size_t column = 0; column < columns; ++column) {
            out.values.push_back(buffer.number(column, row));
        }
    }
    return out;
}

TEST(InferCodec, ReadsFlatNestedAndMissingValues) {
    const auto is_nan = testing::IsNan();
    for (const char* data :
         {"[1,2.5,-3e2,null]", "[[1,2.5],[-3e2,null]]", " [ 1 , 2.5,\n-300.0\t,null ] ",
          "[[[1]],[2.5],-0.3E+3,[null]]", "[[],1,2.5,-300,null,[]]", "[true,2.5,-300,null]"}) {
        const Read got = read(2, 2, data);
        EXPECT_EQ(got.error, "") << data;
        EXPECT_THAT(got.values, testing::ElementsAre(1.0, 2.5, -300.0, is_nan)) << data;
    }
}

TEST(InferCodec, HoldsValuesAgainstTheirDatatype) {
    struct Case {
        std::string datatype;
        std::string good;
        std::vector<std::string> bad;
    };
    for (const Case& each :
         {Case{"BOOL", "[0,true,null]", {"[2,0,0]", "[0.5,0,0]", "[-1,0,0]"}},
          Case{"UINT8", "[0,255,null]", {"[256,0,0]", "[-1,0,0]", "[1.5,0,0]", "[[1e3],0,0]"}},
          Case{"INT8", "[-128,127,0]", {"[128,0,0]", "[-129,0,0]"}},
          Case{"UINT16", "[65535,0,6.5e4]", {"[65536,0,0]"}},
          Case{"INT32", "[-2147483648,2147483647,0]", {"[2147483648,0,0]"}},
          Case{"UINT64", "[18446744073709549568,0,0]", {"[18446744073709551616,0,0]"}},
          Case{"INT64", "[-9223372036854775808,0,0]", {"[9223372036854775808,0,0]"}},
          Case{"FP32", "[0.5,-1e30,null]", {}}}) {
        EXPECT_EQ(read(1, 3, each.good, each.datatype).error, "") << each.datatype;
        for (const std::string& data : each.bad) {
            EXPECT_THAT(read(1, 3, data, each.datatype).error,
                        testing::HasSubstr("data[0] (row 0, column 0): expected a whole number that fits " +
                                           each.datatype + ", got "))
                << data;
        }
    }
    EXPECT_THAT(
        read(2, 1, "[3,300]", "UINT8").error,
        testing::HasSubstr("input 'input': data[1]: expected a whole number that fits UINT8, got 300;"));
}

TEST(InferCodec, ReadsBodiesThatDoNotEndInTheirBrace) {
    const model::Signature signature = tensor_of(1);
    serving::RowBuffer buffer;
    InferRequest request;
    std::string body = body_of(2, 1, "[4,5]") + " \n";
    const std::size_t size = body.size();
    body.append(kPaddingBytes, '9');
    ASSERT_TRUE(read_infer({body.data(), size}, signature, buffer, request));
    EXPECT_EQ(buffer.number(0, 1), 5.0);
    for (std::size_t cut = 1; cut < size - 2; ++cut) {
        std::string part = body.substr(0, cut);
        part.append(kPaddingBytes, '9');
        EXPECT_FALSE(read_infer({part.data(), cut}, signature, buffer, request)) << body.substr(0, cut);
    }
}

TEST(InferCodec, KeepsTheTextsOfALargeBodyAsLongAsTheRequest) {
    const model::Signature signature{
        {{"carrier", model::ColumnType::text, false}}, {{"prediction", 1}}, model::InputLayout::columns};
    std::string body =
        R"({"inputs":[{"name":"carrier","datatype":"BYTES","shape":[2],"data":["UA","A\u0041"])" +
        std::string(serving::kParserKeptBodyBytes, ' ') + "}]}";
    const std::size_t size = body.size();
    body.append(kPaddingBytes, ' ');
    serving::RowBuffer buffer;
    InferRequest request;
    ASSERT_TRUE(read_infer({body.data(), size}, signature, buffer, request));
    EXPECT_NE(request.texts_owner, nullptr);
    EXPECT_EQ(buffer.text(0, 0).text, "UA");
    EXPECT_EQ(buffer.text(0, 1).text, "AA");
    body[size - 1] = '!';
    EXPECT_FALSE(read_infer({body.data(), size}, signature, buffer, request));
    EXPECT_EQ(request.texts_owner, nullptr) << "what was refused needs no texts";
}

TEST(InferCodec, SaysWhereAndWhatIsNoNumber) {
    const auto error_of = [](const std::string& data) { return read(2, 2, data).error; };
    using testing::HasSubstr;
    EXPECT_THAT(error_of("[1,2,3,-null]"), HasSubstr("data[3] (row 1, column 1)"));
    EXPECT_THAT(error_of("[1,2,3,nan]"), HasSubstr("data[3]"));
    EXPECT_THAT(error_of("[1,-Infinity,3,4]"), HasSubstr("data[1]"));
    EXPECT_THAT(error_of("[1,01,3,4]"), HasSubstr("data[1]"));
    EXPECT_THAT(error_of("[1,1e999,3,4]"), HasSubstr("data[1]"));
    EXPECT_THAT(error_of("[1,2,\"3\",4]"), HasSubstr("data[2]"));
    EXPECT_THAT(error_of("[1,2,3,4,5]"), HasSubstr("more values than its shape holds (4)"));
    EXPECT_THAT(error_of("[1,2,3]"), HasSubstr("expected 4 values"));
    EXPECT_THAT(error_of("[[[[[[[[[1]]]]]]]],2,3,4]"), HasSubstr("nested deeper than 8"));
    for (const char* data : {"[1,2,3,4", "[1,2,3,4,]", "[,1,2,3,4]", "[1 2 3 4]", "[1,2,3,4]]", "[1,2,,4]",
                             "[1,2,3,4}", "7", "{}", "null", "[1,2,3,4.]", "[1,2,3,+4]", "[1,2,3,nullx]"}) {
        EXPECT_NE(error_of(data), "") << data;
    }
}

TEST(InferCodec, ReadsPlainArraysAsTheGeneralReaderDoes) {
    Rng rng(5);
    for (int round = 0; round < 200; ++round) {
        std::string rest;
        for (int i = 0; i < 11; ++i) {
            const double value = rng.normal() * std::pow(10.0, static_cast<double>(rng.below(60)) - 30.0);
            char text[40];
            std::snprintf(text, sizeof text, rng.below(2) == 0 ? ",%.17g" : ",%.4g", value);
            rest += rng.below(8) == 0 ? ",null" : text;
        }
        const Read plain = read(3, 4, "[1" + rest + "]");
        const Read general = read(3, 4, "[true" + rest + "]");  // a boolean is no plain number
        ASSERT_EQ(plain.error + general.error, "") << rest;
        EXPECT_THAT(plain.values, testing::Pointwise(testing::NanSensitiveDoubleEq(), general.values))
            << rest;
    }
}

}  // namespace
}  // namespace gyre::api::oip
