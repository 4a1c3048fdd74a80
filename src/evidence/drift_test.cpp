#include "evidence/drift.h"

#include <cmath>

#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/rng.h"

namespace gyre::evidence {
namespace {

constexpr std::int64_t kWeek = 7 * kUsPerDay;

/// A week of rows whose mean is moved by `effect` (in standard deviations).
stats::Profile week_of(Rng& rng, double effect, int rows = 2000) {
    stats::Profile profile;
    for (int i = 0; i < rows; ++i) {
        profile.add(20.0 + 4.0 * (effect + rng.normal()));
    }
    return profile;
}

ColumnBaseline baseline_of(Rng& rng, double week_spread, int weeks) {
    std::vector<stats::Profile> windows;
    for (int w = 0; w < weeks; ++w) {
        windows.push_back(week_of(rng, week_spread * rng.normal()));
    }
    return *ColumnBaseline::build("x", windows);
}

TEST(DriftFactor, agrees_with_numerical_integration_in_scipy) {
    // scipy.integrate.quad over chi2.pdf, brentq (SciPy 1.17.1).
    EXPECT_NEAR(drift_factor(4, 1e-3, 1), 8.61, 0.01);
    EXPECT_NEAR(drift_factor(4, 1e-3, 2), 5.35, 0.01);
    EXPECT_NEAR(drift_factor(8, 1.6e-4, 2), 4.26, 0.01);
    EXPECT_NEAR(drift_factor(12, 2e-5, 2), 4.40, 0.01);
}

TEST(BaselineDrift, false_alarms_stay_near_the_stated_rate_when_weeks_vary_on_their_own) {
    // Weeks with random effects of 0.6 sd, 4 baseline weeks: 52 windows a year, stated rate 0.5 a year.
    Rng rng(11);
    int alarms = 0;
    constexpr int kYears = 40;
    for (int year = 0; year < kYears; ++year) {
        const ColumnBaseline baseline = baseline_of(rng, 0.6, 4);
        ColumnDriftState state;
        for (int week = 0; week < 52; ++week) {
            const bool before = state.drifted;
            const DriftWindow span{(week + 10) * kWeek, (week + 11) * kWeek};
            judge_window(baseline, week_of(rng, 0.6 * rng.normal()), span, {}, state);
            alarms += state.drifted && !before ? 1 : 0;
        }
    }
    EXPECT_LE(alarms, kYears);
    RecordProperty("alarms_in_40_years", alarms);
}

TEST(BaselineDrift, rows_without_week_effects_never_alarm_and_half_a_deviation_is_named_in_two_weeks) {
    Rng rng(12);
    int false_alarms = 0;
    for (int run = 0; run < 10; ++run) {
        const ColumnBaseline baseline = baseline_of(rng, 0.0, 4);
        ColumnDriftState state;
        for (int day = 0; day < 60; ++day) {  // a trailing week, each day
            const DriftWindow span{day * kUsPerDay, day * kUsPerDay + kWeek};
            judge_window(baseline, week_of(rng, 0.0), span, {.evaluations_per_year = 365}, state);
            false_alarms += state.drifted ? 1 : 0;
        }
        int named = -1;
        for (int day = 1; day <= 14 && named < 0; ++day) {  // the shift fills the trailing week day by day
            const double share = std::min(1.0, day / 7.0);
            stats::Profile window = week_of(rng, 0.5, static_cast<int>(2000 * share));
            ASSERT_TRUE(window.merge(week_of(rng, 0.0, 2000 - static_cast<int>(2000 * share))));
            const DriftWindow span{(200 + day) * kUsPerDay, (200 + day) * kUsPerDay + kWeek};
            judge_window(baseline, window, span, {.evaluations_per_year = 365}, state);
            named = state.drifted ? day : named;
        }
        EXPECT_GT(named, 0);
    }
    EXPECT_EQ(false_alarms, 0);
}

TEST(BaselineDrift, overlapping_windows_do_not_confirm_each_other) {
    Rng rng(13);
    const ColumnBaseline baseline = baseline_of(rng, 0.0, 12);
    const stats::Profile mild = week_of(rng, 0.16, 4000);
    ColumnDriftState state;
    for (int day = 0; day < 7; ++day) {
        judge_window(baseline, mild, {day * kUsPerDay, day * kUsPerDay + kWeek}, {}, state);
        EXPECT_FALSE(state.drifted) << day;
    }
    judge_window(baseline, mild, {kWeek, 2 * kWeek}, {}, state);
    EXPECT_TRUE(state.drifted);
    judge_window(baseline, week_of(rng, 0.0, 4000), {2 * kWeek, 3 * kWeek}, {}, state);
    EXPECT_FALSE(state.drifted);
}

TEST(BaselineDrift, too_little_is_insufficient_and_leaves_the_state) {
    Rng rng(14);
    ColumnDriftState state{5, true};
    const auto few = judge_window(baseline_of(rng, 0.0, 4), week_of(rng, 9.0, 99), {}, {}, state);
    EXPECT_EQ(few.finding.verdict, Verdict::insufficient);
    const auto young = judge_window(baseline_of(rng, 0.0, 2), week_of(rng, 9.0), {}, {}, state);
    EXPECT_EQ(young.finding.verdict, Verdict::insufficient);
    EXPECT_TRUE(state.drifted);
    EXPECT_FALSE(ColumnBaseline::build("x", std::vector<stats::Profile>(kBaselineWindowsMax + 1)));
}

TEST(BaselineDrift, categories_have_a_distance_too_and_baselines_survive_json) {
    Rng rng(15);
    std::vector<stats::Profile> weeks(5, stats::Profile(stats::ColumnKind::categorical));
    for (auto& week : weeks) {
        for (int i = 0; i < 1000; ++i) {
            week.add(rng.uniform() < 0.7 ? "UA" : "DL");
        }
    }
    const auto baseline = ColumnBaseline::build("carrier", weeks);
    ASSERT_TRUE(baseline);
    const auto back = ColumnBaseline::from_json(*parse_json(baseline->to_json().dump()));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->to_json(), baseline->to_json());
    stats::Profile changed(stats::ColumnKind::categorical);
    changed.add("UA", 300);
    changed.add("B6", 700);
    ColumnDriftState state;
    EXPECT_TRUE(judge_window(*back, changed, {0, kWeek}, {}, state).drifted);  // gross: one window is enough
}

TEST(ClassicDrift, follows_the_listing) {
    Rng rng(16);
    std::vector<double> reference;
    std::vector<double> same;
    std::vector<double> shifted;
    for (int i = 0; i < 1000; ++i) {
        reference.push_back(rng.normal());
        same.push_back(rng.normal());
        shifted.push_back(rng.normal() + 0.5);
    }
    const std::vector<ColumnDrift> columns = {classic_numeric("same", reference, same),
                                              classic_numeric("shifted", reference, shifted)};
    EXPECT_FALSE(columns[0].drifted) << columns[0].finding.reason;
    EXPECT_TRUE(columns[1].drifted);
    const DatasetDrift all = summarise(columns);
    EXPECT_TRUE(all.drifted);
    EXPECT_EQ(all.columns, std::vector<std::string>{"shifted"});
    EXPECT_FALSE(summarise(std::vector<ColumnDrift>(5, columns[0])).drifted);
    std::vector<ColumnDrift> five(5, columns[0]);
    five[0] = columns[1];
    EXPECT_FALSE(summarise(five).drifted);  // 20 % is not more than 20 %
    EXPECT_EQ(classic_numeric("none", reference, {}).finding.verdict, Verdict::insufficient);
}

}  // namespace
}  // namespace gyre::evidence
