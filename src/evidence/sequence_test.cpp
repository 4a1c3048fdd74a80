#include <cmath>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "evidence/comparison_sequence.h"

namespace gyre::evidence {
namespace {

struct Losses {
    double candidate;
    double champion;
};

/// A row with 11 % positives; the champion knows its risk to within noise, the other candidate ranks at
/// random around the base rate (`skill` 0) or as well as the champion (1).
Losses brier_row(Rng& rng, double skill) {
    const double logit = -2.6 + 1.2 * rng.normal();
    const double risk = 1.0 / (1.0 + std::exp(-logit));
    const double label = rng.uniform() < risk ? 1.0 : 0.0;
    const double champion = 1.0 / (1.0 + std::exp(-(logit + 0.2 * rng.normal())));
    const double guess = -2.3 + 0.4 * rng.normal();
    const double candidate =
        1.0 / (1.0 + std::exp(-(skill * (logit + 0.2 * rng.normal()) + (1.0 - skill) * guess)));
    return {(candidate - label) * (candidate - label), (champion - label) * (champion - label)};
}

TEST(MeanSequence, bounds_hold_at_every_look_in_all_but_alpha_of_the_runs) {
    // Skewed and small-variance variables with a known mean; both bounds are looked at after every row.
    int low_broken = 0;
    int high_broken = 0;
    constexpr int kRuns = 10'000;
    Rng rng(1);
    for (int run = 0; run < kRuns; ++run) {
        const double p = run % 2 == 0 ? 0.1 : 0.5;
        const double size = run % 3 == 0 ? 1.0 : 0.3;
        // The test of one mean: broken when the wealth at the true mean passes 1 / alpha.
        MeanSequence sequence;
        bool low = false;
        bool high = false;
        for (int i = 1; i <= 300; ++i) {
            ASSERT_TRUE(sequence.add(rng.uniform() < p ? size : -size * p / (1.0 - p)));
            if (i % 25 == 0) {
                low = low || sequence.lower(0.05) > 0.0;
                high = high || sequence.upper(0.05) < 0.0;
            }
        }
        low_broken += low ? 1 : 0;
        high_broken += high ? 1 : 0;
    }
    EXPECT_LT(low_broken, kRuns * 0.05);
    EXPECT_LT(high_broken, kRuns * 0.05);
    RecordProperty("low_broken", low_broken);
    RecordProperty("high_broken", high_broken);
}

TEST(MeanSequence, values_outside_are_refused_and_change_nothing) {
    MeanSequence sequence;
    EXPECT_FALSE(sequence.add(1.01));
    EXPECT_FALSE(sequence.add(std::nan("")));
    EXPECT_EQ(sequence.n, 0);
    EXPECT_EQ(sequence.lower(0.05), -1.0);
    EXPECT_EQ(sequence.upper(0.05), 1.0);
}

TEST(PairedSequence, a_model_of_shuffled_labels_is_worse_within_900_pairs) {
    int told = 0;
    constexpr int kRuns = 300;
    for (int run = 0; run < kRuns; ++run) {
        Rng rng(100 + static_cast<std::uint64_t>(run));
        PairedSequence sequence;
        for (int i = 1; i <= 900; ++i) {
            const Losses losses = brier_row(rng, 0.0);
            ASSERT_TRUE(sequence.add(losses.candidate, losses.champion));
        }
        told += sequence.outcome() == Outcome::worse ? 1 : 0;
    }
    EXPECT_GE(told, kRuns * 8 / 10) << told;
    RecordProperty("told_in_900", told);
}

TEST(PairedSequence, a_better_candidate_is_better_and_an_equal_one_is_never_worse_too_often) {
    int better = 0;
    int worse = 0;
    for (int run = 0; run < 200; ++run) {
        Rng rng(500 + static_cast<std::uint64_t>(run));
        PairedSequence good;
        PairedSequence equal;
        bool wrong = false;
        for (int i = 1; i <= 1500; ++i) {
            const Losses losses = brier_row(rng, 0.0);
            ASSERT_TRUE(good.add(losses.champion, losses.candidate));
            const Losses same = brier_row(rng, 1.0);
            ASSERT_TRUE(equal.add(same.candidate, same.champion));
            wrong = wrong || (i % 50 == 0 && equal.difference.lower(0.05) > 0.0);
        }
        better += good.outcome() == Outcome::better ? 1 : 0;
        worse += wrong ? 1 : 0;
    }
    EXPECT_GE(better, 180);
    EXPECT_LE(worse, 10);
}

TEST(PairedSequence, state_survives_json_and_goes_on_alike) {
    Rng rng(7);
    PairedSequence sequence;
    for (int i = 0; i < 100; ++i) {
        const Losses losses = brier_row(rng, 0.0);
        ASSERT_TRUE(sequence.add(losses.candidate, losses.champion));
    }
    auto resumed = PairedSequence::parse(*parse_json(to_json(sequence).dump()));
    ASSERT_TRUE(resumed) << resumed.error().message();
    ASSERT_TRUE(sequence.add(0.5, 0.25));
    ASSERT_TRUE(resumed->add(0.5, 0.25));
    EXPECT_EQ(to_json(sequence.finding()), to_json(resumed->finding()));
    EXPECT_FALSE(PairedSequence::parse(*parse_json(R"({"options":{"alpha":2}})")));
    Json broken = to_json(sequence);
    broken.find("difference")->set("up", Json::array());
    EXPECT_FALSE(PairedSequence::parse(broken));
}

TEST(PairedSequence, no_rows_are_insufficient) {
    const PairedSequence sequence;
    EXPECT_EQ(sequence.finding().verdict, Verdict::insufficient);
    EXPECT_FALSE(PairedSequence().add(1.5, 0.0));
}

TEST(PairedSequence, identical_models_end_within_the_margin) {
    Rng rng(8);
    PairedSequence sequence;
    std::int64_t rows = 0;
    while (sequence.outcome() == Outcome::undecided && rows < 20'000) {
        const Losses losses = brier_row(rng, 1.0);
        ASSERT_TRUE(sequence.add(losses.champion, losses.champion));
        ++rows;
    }
    EXPECT_EQ(sequence.outcome(), Outcome::not_worse) << rows;
    RecordProperty("rows", static_cast<int>(rows));
}

Result<void> add_bernoulli(UnpairedSequence& sequence, Rng& rng, double exposure, double candidate,
                           double champion) {
    const Arm arm = rng.uniform() < exposure ? Arm::candidate : Arm::champion;
    const double p = arm == Arm::candidate ? candidate : champion;
    return sequence.add(arm, rng.uniform() < p ? 1.0 : 0.0, exposure);
}

TEST(UnpairedSequence, arms_are_told_apart_and_equal_ones_are_not) {
    Rng rng(9);
    UnpairedSequence worse;
    UnpairedSequence better;
    UnpairedSequence same;
    for (int i = 0; i < 8000; ++i) {
        ASSERT_TRUE(add_bernoulli(worse, rng, 0.25, 0.3, 0.2));
        ASSERT_TRUE(add_bernoulli(better, rng, 0.25, 0.2, 0.3));
        ASSERT_TRUE(add_bernoulli(same, rng, 0.25, 0.25, 0.25));
    }
    EXPECT_EQ(worse.outcome(), Outcome::worse);
    EXPECT_EQ(worse.finding().verdict, Verdict::fail);
    EXPECT_NEAR(*worse.finding().estimate, 0.1, 0.03);
    EXPECT_EQ(better.outcome(), Outcome::better);
    EXPECT_EQ(same.outcome(), Outcome::undecided);
    auto resumed = UnpairedSequence::parse(*parse_json(to_json(worse).dump()));
    ASSERT_TRUE(resumed);
    EXPECT_EQ(to_json(resumed->finding()), to_json(worse.finding()));
}

TEST(UnpairedSequence, a_wide_margin_lets_an_equal_candidate_pass) {
    Rng rng(10);
    UnpairedSequence same;
    same.options.margin = 0.5;
    for (int i = 0; i < 8000; ++i) {
        ASSERT_TRUE(add_bernoulli(same, rng, 0.5, 0.25, 0.25));
    }
    EXPECT_EQ(same.outcome(), Outcome::not_worse);
}

/// Losses rise while the candidate's share rises: over pooled arms an equal candidate looks worse.
TEST(UnpairedSequence, identical_models_stay_identical_while_the_split_and_the_world_move) {
    int wrong = 0;
    int pooled_wrong = 0;
    constexpr int kRuns = 400;
    for (int run = 0; run < kRuns; ++run) {
        Rng rng(700 + static_cast<std::uint64_t>(run));
        UnpairedSequence sequence;
        bool broken = false;
        for (int i = 0; i < 3000; ++i) {
            const bool late = i >= 1500;
            ASSERT_TRUE(add_bernoulli(sequence, rng, late ? 0.5 : 0.25, late ? 0.4 : 0.1, late ? 0.4 : 0.1));
            broken = broken || (i % 100 == 99 && sequence.outcome() == Outcome::worse);
        }
        wrong += broken ? 1 : 0;
        pooled_wrong += sequence.candidate.mean() > sequence.champion.mean() + 0.05 ? 1 : 0;
    }
    EXPECT_LE(wrong, kRuns * 5 / 100);
    EXPECT_GE(pooled_wrong, kRuns * 9 / 10);
}

TEST(UnpairedSequence, an_exposure_beyond_what_was_declared_is_refused_and_all_or_nothing_compares_nothing) {
    UnpairedSequence sequence;
    EXPECT_FALSE(sequence.add(Arm::candidate, 0.5, 0.1));
    EXPECT_FALSE(sequence.add(Arm::candidate, 1.5, 0.5));
    EXPECT_TRUE(sequence.add(Arm::champion, 0.5, 0.0));
    EXPECT_TRUE(sequence.add(Arm::candidate, 0.5, 1.0));
    EXPECT_EQ(sequence.n(), 0);
    Json broken = to_json(sequence);
    broken.set("least_share", 0.0);
    EXPECT_FALSE(UnpairedSequence::parse(broken));
}

}  // namespace
}  // namespace gyre::evidence
