#include "table/batch.h"

#include <cmath>

#include <gtest/gtest.h>

namespace gyre::table {
namespace {

Batch people() {
    Batch batch = Batch::empty(
        {{{"name", ColumnType::text}, {"age", ColumnType::int64}, {"born", ColumnType::timestamp}}});
    batch.columns[0].append_text("Ada");
    batch.columns[0].append_null();
    batch.columns[1].append_int64(36);
    batch.columns[1].append_int64(7);
    batch.columns[2].append_null();
    batch.columns[2].append_int64(1'000'000);
    return batch;
}

TEST(Batch, a_missing_column_suggests_the_nearest) {
    const auto column = people().get("nmae");
    ASSERT_FALSE(column);
    EXPECT_EQ(column.error().code(), ErrorCode::not_found);
    EXPECT_EQ(column.error().message(),
              "the table has no column 'nmae' (did you mean 'name'?); it has name, age, born");
}

TEST(Batch, columns_without_a_name_are_said_to_want_one) {
    const auto message = [](Schema schema) { return schema.get("age").error().message(); };
    EXPECT_TRUE(message({{{"column00", ColumnType::int64}, {"column01", ColumnType::text}}})
                    .ends_with("it has column00, column01 (a CSV without a header: name its columns)"));
    EXPECT_TRUE(message({{{"column0_mean", ColumnType::int64}}}).ends_with("it has column0_mean"));
}

TEST(Batch, nulls_are_nan_as_numbers_and_null_in_json) {
    const Batch batch = people();
    EXPECT_TRUE(std::isnan(batch.columns[2].number(0)));
    EXPECT_EQ(batch.row_json(1).dump(), R"({"name":null,"age":7,"born":"1970-01-01T00:00:01Z"})");
    EXPECT_EQ(batch.columns[0].null_count(), 1U);
}

TEST(Batch, joined_batches_keep_texts_and_validity) {
    Batch batch = people();
    batch.append(people());
    ASSERT_EQ(batch.rows(), 4U);
    EXPECT_EQ(batch.columns[0].text(2), "Ada");
    EXPECT_FALSE(batch.columns[0].valid(3));
    const std::vector<std::size_t> rows{2, 1};
    EXPECT_EQ(batch.take(rows).row_json(0).dump(), R"({"name":"Ada","age":36,"born":null})");
}

TEST(Batch, the_digest_sees_values_types_names_and_order) {
    const std::string digest = digest_of(people());
    EXPECT_EQ(digest, digest_of(people()));
    Batch renamed = people();
    renamed.schema.columns[0].name = "nom";
    EXPECT_NE(digest, digest_of(renamed));
    const std::vector<std::size_t> swapped{1, 0};
    EXPECT_NE(digest, digest_of(people().take(swapped)));
}

TEST(Batch, a_null_and_an_empty_text_have_different_digests) {
    Batch a = Batch::empty({{{"x", ColumnType::text}}});
    Batch b = a;
    a.columns[0].append_null();
    b.columns[0].append_text("");
    EXPECT_NE(digest_of(a), digest_of(b));
}

}  // namespace
}  // namespace gyre::table
