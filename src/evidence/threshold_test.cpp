#include "evidence/threshold.h"

#include <cmath>

#include <gtest/gtest.h>

namespace gyre::evidence {
namespace {

TEST(Threshold, no_evidence_never_passes) {
    const Threshold floor{"auc", Direction::at_least, 0.7, Strictness::estimate, 100};
    EXPECT_EQ(check_threshold(floor, std::nullopt).verdict, Verdict::insufficient);
    EXPECT_EQ(check_threshold(floor, stats::Interval{0.9, 0.8, 1.0, 99}).verdict, Verdict::insufficient);
    EXPECT_EQ(check_threshold(floor, stats::Interval{std::nan(""), 0, 1, 500}).verdict,
              Verdict::insufficient);
    EXPECT_EQ(combine({}), Verdict::insufficient);
    EXPECT_EQ(exit_code_of(Verdict::insufficient), 3);
}

TEST(Threshold, estimate_or_whole_interval) {
    const stats::Interval auc{0.72, 0.68, 0.76, 1000};
    EXPECT_EQ(check_threshold({"auc", Direction::at_least, 0.7, Strictness::estimate, 100}, auc).verdict,
              Verdict::pass);
    EXPECT_EQ(check_threshold({"auc", Direction::at_least, 0.7, Strictness::interval, 100}, auc).verdict,
              Verdict::insufficient);
    EXPECT_EQ(check_threshold({"auc", Direction::at_least, 0.8, Strictness::interval, 100}, auc).verdict,
              Verdict::fail);
    EXPECT_EQ(check_threshold({"brier", Direction::at_most, 0.8, Strictness::interval, 100}, auc).verdict,
              Verdict::pass);
    EXPECT_EQ(check_threshold({"brier", Direction::at_most, 0.72, Strictness::estimate, 100}, auc).verdict,
              Verdict::pass);
}

TEST(Comparison, the_margin_is_relative_to_the_champion) {
    const Comparison smaller{"brier", Direction::at_most, 0.05, Strictness::estimate, 100};
    const stats::Interval champion{0.100, 0.098, 0.102, 2000};
    EXPECT_EQ(compare_with_champion(smaller, stats::Interval{0.104, 0.102, 0.106, 2000}, champion).verdict,
              Verdict::pass);
    EXPECT_EQ(compare_with_champion(smaller, stats::Interval{0.106, 0.104, 0.108, 2000}, champion).verdict,
              Verdict::fail);
    const Comparison larger{"auc", Direction::at_least, 0.0, Strictness::interval, 100};
    EXPECT_EQ(compare_with_champion(larger, stats::Interval{0.71, 0.69, 0.73, 900},
                                    stats::Interval{0.70, 0.69, 0.71, 900})
                  .verdict,
              Verdict::insufficient);
    EXPECT_EQ(compare_with_champion(larger, std::nullopt, champion).verdict, Verdict::insufficient);
}

TEST(Verdict, a_failure_outweighs_missing_evidence) {
    std::vector<Finding> findings(2);
    findings[0].verdict = Verdict::pass;
    EXPECT_EQ(combine(findings), Verdict::insufficient);
    findings[1].verdict = Verdict::fail;
    EXPECT_EQ(combine(findings), Verdict::fail);
}

TEST(Finding, round_trips_through_json) {
    const Finding finding = check_threshold({"auc", Direction::at_least, 0.7, Strictness::estimate, 100},
                                            stats::Interval{0.72, 0.68, 0.76, 1000});
    const auto back = from_json<Finding>(to_json(finding));
    ASSERT_TRUE(back);
    EXPECT_EQ(to_json(*back), to_json(finding));
}

}  // namespace
}  // namespace gyre::evidence
