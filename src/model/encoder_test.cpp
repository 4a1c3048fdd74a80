#include "model/encoder.h"

#include <cmath>

#include <gmock/gmock.h>

namespace gyre::model {
namespace {

const std::vector<ColumnSpec> kColumns{{"distance", ColumnType::number, false},
                                       {"carrier", ColumnType::text, false}};

RowBatch batch_of(std::span<const double> numbers, std::span<const TextCell> texts) {
    return {.rows = numbers.size(),
            .columns = {{.numbers = numbers, .texts = {}}, {.numbers = {}, .texts = texts}}};
}

TEST(Encoder, FitsDictionariesSortedWhateverTheOrderOfRows) {
    const double numbers[] = {1, 2, 3, 4};
    const TextCell texts[] = {{"UA"}, {"AA"}, {"", true}, {"UA"}};
    const TextCell shuffled[] = {{"AA"}, {"UA"}, {"UA"}, {"", true}};
    const auto a = Encoder::fit(kColumns, batch_of(numbers, texts));
    const auto b = Encoder::fit(kColumns, batch_of(numbers, shuffled));
    ASSERT_TRUE(a && b);
    EXPECT_THAT(a->categories(1), testing::ElementsAre("AA", "UA"));
    EXPECT_EQ(a->specs(), b->specs());
}

TEST(Encoder, MakesUnseenAndMissingValuesMissing) {
    const double numbers[] = {1.5, std::nan(""), -2};
    const TextCell texts[] = {{"UA"}, {"ZZ"}, {"", true}};
    const auto encoder = Encoder::create(
        kColumns, {{"distance", EncoderKind::number, {}}, {"carrier", EncoderKind::category, {"AA", "UA"}}});
    ASSERT_TRUE(encoder);
    float out[6];
    ASSERT_TRUE(encoder->encode(batch_of(numbers, texts), out));
    EXPECT_EQ(out[0], 1.5F);
    EXPECT_EQ(out[1], 1.0F);
    EXPECT_TRUE(std::isnan(out[2]) && std::isnan(out[3]) && std::isnan(out[5]));
    EXPECT_EQ(out[4], -2.0F);
    const RowBatch absent{.rows = 1, .columns = {{}, {}}};
    ASSERT_TRUE(encoder->encode(absent, {out, 2}));
    EXPECT_TRUE(std::isnan(out[0]) && std::isnan(out[1]));
}

TEST(Encoder, SaysWhatWasExpectedAndWhatCame) {
    const double numbers[] = {1, 2};
    const TextCell texts[] = {{"UA"}, {"AA"}};
    const auto encoder = Encoder::fit(kColumns, batch_of(numbers, texts));
    ASSERT_TRUE(encoder);
    float out[4];
    const RowBatch swapped{.rows = 2,
                           .columns = {{.numbers = {}, .texts = texts}, {.numbers = numbers, .texts = {}}}};
    const auto wrong = encoder->encode(swapped, out);
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().message(), "column 'distance' (number): expected numbers, got texts");
    const RowBatch ragged{
        .rows = 2, .columns = {{.numbers = {numbers, 1}, .texts = {}}, {.numbers = {}, .texts = texts}}};
    EXPECT_FALSE(encoder->encode(ragged, out));
    EXPECT_FALSE(encoder->encode(batch_of(numbers, texts), {out, 3}));
    EXPECT_FALSE(encoder->encode({.rows = 2, .columns = {}}, out));
}

TEST(Encoder, RefusesSpecsThatDoNotFitTheColumns) {
    EXPECT_FALSE(Encoder::create(kColumns, {}));
    EXPECT_FALSE(Encoder::create(
        kColumns, {{"carrier", EncoderKind::number, {}}, {"distance", EncoderKind::number, {}}}));
    EXPECT_FALSE(Encoder::create(
        kColumns, {{"distance", EncoderKind::number, {"a"}}, {"carrier", EncoderKind::category, {}}}));
    EXPECT_FALSE(Encoder::create({{"a", ColumnType::number, false}, {"a", ColumnType::number, false}},
                                 {{"a", EncoderKind::number, {}}, {"a", EncoderKind::number, {}}}));
    EXPECT_FALSE(Encoder::create(std::vector<ColumnSpec>(kColumnsMax + 1), {}));
}

TEST(CategoryDictionary, FindsEveryCategoryAndNothingElse) {
    std::vector<std::string> categories;
    for (int i = 0; i < 5000; ++i) {
        categories.push_back(std::string(static_cast<std::size_t>(i % 23), 'x') + std::to_string(i));
    }
    categories.emplace_back("");
    const auto dictionary = CategoryDictionary::create(categories);
    ASSERT_TRUE(dictionary);
    for (std::size_t code = 0; code < categories.size(); ++code) {
        EXPECT_EQ(dictionary->find(categories[code]), code);
        EXPECT_FALSE(dictionary->find(categories[code] + "?"));
    }
}

TEST(CategoryDictionary, RefusesRepeatedTooLongAndTooManyCategories) {
    EXPECT_FALSE(CategoryDictionary::create({"a", "b", "a"}));
    EXPECT_TRUE(CategoryDictionary::create({std::string(kCategoryBytesMax, 'a')}));
    EXPECT_FALSE(CategoryDictionary::create({std::string(kCategoryBytesMax + 1, 'a')}));
    std::vector<std::string> many;
    for (std::size_t i = 0; i <= kCategoriesPerColumnMax; ++i) {
        many.push_back(std::to_string(i));
    }
    const auto refused = CategoryDictionary::create(many);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::resource_exhausted);
    many.pop_back();
    EXPECT_TRUE(CategoryDictionary::create(many));
}

}  // namespace
}  // namespace gyre::model
