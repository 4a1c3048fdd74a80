#include "evidence/serving.h"

#include <cmath>

#include <gtest/gtest.h>

#include "base/rng.h"

namespace gyre::evidence {
namespace {

TEST(SequenceWidth, golden_values) {
    // Computed in R 4.2 from the formula of Waudby-Smith et al.
    EXPECT_NEAR(sequence_rho2(5000, 0.05), 0.00158723092035, 1e-13);
    EXPECT_NEAR(sequence_half_width(1, 1000, 5000, 0.05), 0.106375, 1e-6);
    EXPECT_NEAR(sequence_half_width(1, 5000, 5000, 0.05), 0.0429243, 1e-7);
    EXPECT_NEAR(sequence_half_width(1, 20000, 5000, 0.05), 0.0221120, 1e-7);
}

TEST(ErrorRates, doubled_errors_fail_and_equal_ones_pass_and_few_rows_are_nothing) {
    EXPECT_EQ(compare_error_rates({50, 0}, {5000, 50}).verdict, Verdict::insufficient);
    EXPECT_EQ(compare_error_rates({5000, 300}, {5000, 150}).verdict, Verdict::fail);
    EXPECT_EQ(compare_error_rates({5000, 50}, {5000, 50}).verdict, Verdict::pass);
    EXPECT_EQ(compare_error_rates({60, 30}, {5000, 50}).verdict, Verdict::fail);  // hard stop before 100 rows
    EXPECT_EQ(compare_error_rates({200, 10}, {200, 8}).verdict, Verdict::insufficient);
}

TEST(ErrorRates, false_rollbacks_of_identical_models_stay_below_alpha_over_100_looks) {
    Rng rng(3);
    int broken = 0;
    constexpr int kRuns = 1000;
    for (int run = 0; run < kRuns; ++run) {
        ArmCounts a;
        ArmCounts b;
        bool failed = false;
        for (int look = 0; look < 100 && !failed; ++look) {
            for (int i = 0; i < 50; ++i) {
                ++a.requests;
                ++b.requests;
                a.errors += rng.uniform() < 0.04 ? 1 : 0;
                b.errors += rng.uniform() < 0.04 ? 1 : 0;
            }
            failed = compare_error_rates(a, b).verdict == Verdict::fail;
        }
        broken += failed ? 1 : 0;
    }
    EXPECT_LT(broken, kRuns * 0.05);
}

TEST(Latency, a_ratio_needs_rows_and_is_judged_by_its_bounds) {
    Rng rng(4);
    stats::Profile base;
    stats::Profile same;
    stats::Profile slow;
    for (int i = 0; i < 20'000; ++i) {
        base.add(std::exp(0.5 * rng.normal()));
        same.add(std::exp(0.5 * rng.normal()));
        slow.add(1.6 * std::exp(0.5 * rng.normal()));
    }
    EXPECT_EQ(compare_latency(same, base).verdict, Verdict::pass);
    EXPECT_EQ(compare_latency(slow, base).verdict, Verdict::fail);
    EXPECT_EQ(compare_latency(stats::Profile(), base).verdict, Verdict::insufficient);
}

TEST(Predictions, a_shifted_distribution_fails_and_few_rows_are_nothing) {
    Rng rng(5);
    stats::Profile base;
    stats::Profile same;
    stats::Profile shifted;
    stats::Profile few;
    for (int i = 0; i < 20'000; ++i) {
        base.add(rng.uniform());
        same.add(rng.uniform());
        shifted.add(0.3 + 0.7 * rng.uniform());
    }
    few.add(0.5, 10);
    PredictionShiftOptions strict;
    strict.gap_max = 0.1;
    EXPECT_EQ(compare_predictions(same, base, strict).verdict, Verdict::pass);
    EXPECT_EQ(compare_predictions(shifted, base, strict).verdict, Verdict::fail);
    EXPECT_NE(compare_predictions(shifted, base).verdict, Verdict::fail);  // 0.3 is within a half
    EXPECT_EQ(compare_predictions(few, base, strict).verdict, Verdict::insufficient);
}

TEST(Predictions, equal_distributions_never_fail_at_any_look) {
    int failed = 0;
    constexpr int kRuns = 200;
    for (int run = 0; run < kRuns; ++run) {
        Rng rng(40 + static_cast<std::uint64_t>(run));
        stats::Profile a;
        stats::Profile b;
        PredictionShiftOptions no_tolerance;
        no_tolerance.gap_max = 1e-9;
        bool broken = false;
        for (int look = 0; look < 20; ++look) {
            for (int i = 0; i < 50; ++i) {
                a.add(rng.uniform());
                b.add(rng.uniform());
            }
            broken = broken || compare_predictions(a, b, no_tolerance).verdict == Verdict::fail;
        }
        failed += broken ? 1 : 0;
    }
    EXPECT_LE(failed, kRuns * 5 / 100);
}

}  // namespace
}  // namespace gyre::evidence
