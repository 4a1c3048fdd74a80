#include "stats/distances.h"

#include <cmath>

#include "base/rng.h"
#include "stats/hypothesis.h"
#include "stats/oracle_test_util.h"

namespace gyre::stats {
namespace {

using Values = std::vector<double>;

TEST(Distances, counts_agree_with_scipy) {
    const Json oracle = load_oracle();
    for (const Json& item : oracle["counts"].items()) {
        const Values r = numbers(item["r"]);
        const Values c = numbers(item["c"]);
        EXPECT_NEAR(jensen_shannon(r, c), item["js"].as_number(), 1e-9);
        EXPECT_NEAR(hellinger(r, c), item["hellinger"].as_number(), 1e-9);
        EXPECT_NEAR(total_variation(r, c), item["tv"].as_number(), 1e-12);
    }
    EXPECT_EQ(jensen_shannon(Values{1, 0}, Values{0, 1}), 1.0);
    EXPECT_NEAR(l_infinity(Values{8, 2}, Values{1, 9}), 0.7, 1e-15);
    EXPECT_EQ(total_variation(Values{0, 0}, Values{1, 1}), 0.0);
}

TEST(Distances, samples_agree_with_scipy_and_the_listing) {
    const Json oracle = load_oracle();
    for (const Json& item : oracle["two_sample"].items()) {
        const Values a = numbers(item["a"]);
        const Values b = numbers(item["b"]);
        EXPECT_NEAR(wasserstein1(a, b), item["wasserstein"].as_number(), 1e-9);
        const auto classic = psi_classic(a, b);
        ASSERT_TRUE(classic);
        EXPECT_NEAR(classic->value, item["psi_classic"].as_number(), 1e-9 * (1.0 + classic->value))
            << item.dump();
    }
}

TEST(Psi, golden_vector_of_smoothing_on_counts) {
    // Computed independently (Python) with (count + eps) / (n + 10 eps).
    const Values r = {5, 20, 80, 160, 235, 235, 160, 80, 20, 5};
    const Values c = {0, 10, 60, 140, 220, 240, 180, 110, 30, 10};
    EXPECT_NEAR(psi(r, c), 0.08997880, 1e-8);
}

TEST(Psi, classic_drops_values_outside_and_clamped_bins_keep_them) {
    const Values reference = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    const Values current = {-5, 0, 5, 50};
    const auto edges = equal_width_edges(reference, 10);
    const Values dropped = histogram_counts(current, edges, Outside::drop);
    const Values clamped = histogram_counts(current, edges, Outside::clamp);
    EXPECT_EQ(dropped.front() + dropped.back(), 1.0);
    EXPECT_EQ(clamped.front(), 2.0);
    EXPECT_EQ(clamped.back(), 1.0);
    EXPECT_FALSE(psi_classic(Values{}, current));
}

TEST(ProfileDistances, bounds_hold_the_exact_values) {
    Rng rng(5);
    for (int round = 0; round < 50; ++round) {
        Values a;
        Values b;
        Profile pa;
        Profile pb;
        for (int i = 0; i < 400; ++i) {
            a.push_back(std::exp(rng.normal()));
            b.push_back(std::exp(rng.normal() + 0.02 * round));
            pa.add(a.back());
            pb.add(b.back());
        }
        const double exact = ks_two_sample(a, b)->statistic;
        const KsBounds bounds = ks_bounds(pa, pb);
        ASSERT_LE(bounds.low, exact + 1e-12);
        ASSERT_GE(bounds.high, exact - 1e-12);
        ASSERT_LT(bounds.high - bounds.low, 0.05);
        ASSERT_NEAR(wasserstein1(pa, pb), wasserstein1(a, b), 0.02);
    }
}

TEST(ProfileDistances, quantile_bins_see_a_shift_and_not_noise) {
    Rng rng(6);
    Profile reference;
    Profile same;
    Profile shifted;
    for (int i = 0; i < 20'000; ++i) {
        reference.add(rng.normal());
        same.add(rng.normal());
        shifted.add(rng.normal() + 0.5);
    }
    EXPECT_LT(psi_quantile_bins(reference, same), 0.01);
    EXPECT_GT(psi_quantile_bins(reference, shifted), 0.2);
    shifted.add(1e9, 20'000);  // far outside the reference: kept
    EXPECT_GT(psi_quantile_bins(reference, shifted), 1.0);
}

TEST(ProfileDistances, categories_are_aligned_by_name) {
    Profile a(ColumnKind::categorical);
    Profile b(ColumnKind::categorical);
    a.add("x", 3);
    a.add("y", 1);
    b.add("y", 2);
    b.add("z", 5);
    const AlignedCounts counts = align_categories(a, b);
    EXPECT_EQ(counts.categories, (std::vector<std::string>{"x", "y", "z", "OTHER"}));
    EXPECT_EQ(counts.reference, (Values{3, 1, 0, 0}));
    EXPECT_EQ(counts.current, (Values{0, 2, 5, 0}));
}

}  // namespace
}  // namespace gyre::stats
