#include "evidence/baseline.h"

#include <algorithm>
#include <limits>

#include <gtest/gtest.h>

#include "base/rng.h"

namespace gyre::evidence {
namespace {

using stats::ColumnKind;

constexpr std::int64_t kMonday = 4 * kUsPerDay;  // 1970-01-05

TEST(Baseline, windows_begin_on_mondays_and_a_column_keeps_its_own_variation) {
    BaselineColumnBuilder builder("heat", ColumnKind::numeric);
    for (int day = 0; day < 21; ++day) {  // Thursday 1970-01-01 to Wednesday 21: 4, 7, 7 and 3 days
        for (int i = 0; i < 100; ++i) {
            builder.add(day * kUsPerDay + i, day < 4 ? 10.0 : 20.0 + i);
        }
    }
    const auto column = builder.build();
    ASSERT_TRUE(column) << column.error().message();
    ASSERT_EQ(column->baseline.distances.size(), 4U);
    EXPECT_EQ(column->baseline.whole.valid(), 2100);
    EXPECT_GT(column->baseline.distances[0], 1.5);  // the first four days differ from everything else
    EXPECT_LT(column->baseline.distances[1], 1.0);
    EXPECT_EQ(column->sample.size(), 2100U);
    EXPECT_TRUE(std::ranges::is_sorted(column->sample));
}

TEST(Baseline, a_long_column_is_sampled_at_even_steps_with_both_ends) {
    BaselineColumnBuilder builder("x", ColumnKind::numeric);
    const int rows = 2 * static_cast<int>(kBaselineSampleMax) + 1;
    for (int i = rows - 1; i >= 0; --i) {
        builder.add(std::nullopt, static_cast<double>(i));
    }
    builder.add(std::nullopt, std::numeric_limits<double>::quiet_NaN());
    builder.add(std::nullopt, std::numeric_limits<double>::infinity());
    builder.add_null(std::nullopt);
    const auto column = *builder.build();
    ASSERT_EQ(column.sample.size(), kBaselineSampleMax);
    EXPECT_EQ(column.sample.front(), 0.0);
    EXPECT_EQ(column.sample.back(), rows - 1.0);
    EXPECT_NEAR(column.sample[kBaselineSampleMax / 2], rows / 2.0, 2.0);
    EXPECT_EQ(column.baseline.whole.nulls(), 2);
    EXPECT_EQ(column.baseline.whole.infinities(), 1);
    EXPECT_TRUE(column.baseline.distances.empty());  // without times there is one window
}

TEST(Baseline, the_newest_windows_are_kept_in_whatever_order_rows_come) {
    const auto weeks = static_cast<std::int64_t>(kBaselineWindowsMax) + 5;
    const auto built = [&](bool forwards) {
        BaselineColumnBuilder builder("x", ColumnKind::numeric);
        for (std::int64_t i = 0; i < weeks; ++i) {
            const std::int64_t week = forwards ? i : weeks - 1 - i;
            builder.add(kMonday + week * kBaselineWindowUs, static_cast<double>(week));
        }
        return *builder.build();
    };
    EXPECT_EQ(built(true).baseline.whole.valid(), static_cast<std::int64_t>(kBaselineWindowsMax));
    EXPECT_EQ(built(true).baseline.whole.moments().min, 5.0);
    EXPECT_EQ(built(false).baseline.to_json(), built(true).baseline.to_json());
}

TEST(Baseline, survives_json_and_says_what_is_wrong_with_it) {
    BaselineColumnBuilder heat("heat", ColumnKind::numeric);
    BaselineColumnBuilder city("city", ColumnKind::categorical);
    Rng rng(3);
    for (int i = 0; i < 500; ++i) {
        heat.add(i * kUsPerHour, rng.normal());
        city.add(i * kUsPerHour, std::string_view(i % 3 == 0 ? "Rome" : "Oslo"));
    }
    Baseline baseline;
    baseline.rows = 500;
    baseline.time_min_us = 0;
    baseline.time_max_us = 499 * kUsPerHour;
    baseline.columns = {*city.build(), *heat.build()};
    baseline.predictions = stats::Profile(ColumnKind::numeric);
    const std::string text = baseline.to_json().dump();
    const auto back = Baseline::from_json(*parse_json(text));
    ASSERT_TRUE(back) << back.error().message();
    EXPECT_EQ(back->to_json(), baseline.to_json());
    ASSERT_NE(back->find("heat"), nullptr);
    EXPECT_EQ(back->find("nothing"), nullptr);

    Json wrong = baseline.to_json();
    wrong.set("window_us", 0);
    EXPECT_FALSE(Baseline::from_json(wrong));
    wrong = baseline.to_json();
    wrong.set("version", 3);
    EXPECT_FALSE(Baseline::from_json(wrong));
    EXPECT_FALSE(Baseline::from_json(Json("text")));
    Json unsorted = *parse_json(text);
    for (JsonMember& member : unsorted.members()) {
        if (member.key == "columns") {
            member.value.items()[1].set("sample", Json::Array{Json(2.0), Json(1.0)});
        }
    }
    const auto refused = Baseline::from_json(unsorted);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message().find("'heat'"), std::string::npos);
}

TEST(Baseline, reads_the_first_form_by_week_without_samples) {
    Json weeks = Json::array();
    stats::Profile whole(ColumnKind::numeric);
    for (int week = 0; week < 3; ++week) {
        stats::Profile profile(ColumnKind::numeric);
        for (int i = 0; i < 200; ++i) {
            profile.add(week + i * 0.01);
        }
        ASSERT_TRUE(whole.merge(profile));
        weeks.push_back(Json::object({{"start", "2013-01-07T00:00:00Z"},
                                      {"rows", 200},
                                      {"columns", Json::object({{"heat", profile.to_json()}})}}));
    }
    const Json json = Json::object({{"rows", 600},
                                    {"time_min", "2013-01-07T00:00:00Z"},
                                    {"time_max", "2013-01-27T00:00:00Z"},
                                    {"columns", Json::object({{"heat", whole.to_json()}})},
                                    {"weeks", std::move(weeks)},
                                    {"performance", Json::object()}});
    const auto baseline = Baseline::from_json(json);
    ASSERT_TRUE(baseline) << baseline.error().message();
    ASSERT_EQ(baseline->columns.size(), 1U);
    EXPECT_EQ(baseline->columns[0].baseline.distances.size(), 3U);
    EXPECT_EQ(baseline->columns[0].baseline.whole.valid(), 600);
    EXPECT_TRUE(baseline->columns[0].sample.empty());
}

}  // namespace
}  // namespace gyre::evidence
