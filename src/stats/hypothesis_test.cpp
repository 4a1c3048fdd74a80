#include "stats/hypothesis.h"

#include <cmath>

#include "stats/oracle_test_util.h"
#include "stats/special.h"

namespace gyre::stats {
namespace {

using Values = std::vector<double>;

TEST(Special, distributions_agree_with_scipy) {
    const Json oracle = load_oracle()["special"];
    for (const Json& row : oracle["kstwo"].items()) {
        const Values v = numbers(row);
        // Pelz-Good is an expansion: SciPy's own branches differ from the truth by up to 1e-7 there.
        expect_close(kstwo_sf(v[0], static_cast<std::int64_t>(v[1])), v[2], 1e-6, "kstwo " + row.dump());
    }
    for (const Json& row : oracle["kolmogorov"].items()) {
        expect_close(kolmogorov_sf(numbers(row)[0]), numbers(row)[1], 1e-12, "kolmogorov " + row.dump());
    }
    for (const Json& row : oracle["normal_quantile"].items()) {
        EXPECT_NEAR(normal_quantile(numbers(row)[0]), numbers(row)[1], 1e-9) << row.dump();
    }
    for (const Json& row : oracle["chi2"].items()) {
        const Values v = numbers(row);
        expect_close(chi2_sf(v[0], v[1]), v[2], 1e-10, "chi2 " + row.dump());
    }
    for (const Json& row : oracle["beta"].items()) {
        const Values v = numbers(row);
        expect_close(beta_quantile(v[0], v[1], v[2]), v[3], 1e-9, "beta " + row.dump());
    }
}

TEST(KsTest, random_samples_agree_with_scipy) {
    const Json oracle = load_oracle();
    for (const Json& item : oracle["two_sample"].items()) {
        const auto result = ks_two_sample(numbers(item["a"]), numbers(item["b"]));
        ASSERT_TRUE(result);
        EXPECT_NEAR(result->statistic, numbers(item["ks"])[0], 1e-14);
        expect_close(result->p_value, numbers(item["ks"])[1], 1e-9, item.dump());
        EXPECT_EQ(result->method, PValueMethod::exact);
    }
}

TEST(KsTest, golden_exact_fractions) {
    // Counted by hand over lattice paths: 112/1287 and 47/198.
    const Values reference = {38.7, 41.5, 43.8, 44.5, 45.5, 46.0, 47.7, 58.0};
    const Values current = {39.2, 39.3, 39.7, 41.4, 41.8, 42.9, 43.3, 45.8};
    const auto first = ks_two_sample(reference, current);
    EXPECT_DOUBLE_EQ(first->statistic, 0.625);
    EXPECT_NEAR(first->p_value, 112.0 / 1287.0, 1e-15);
    const auto second = ks_two_sample(Values{1, 2, 3, 4, 5}, Values{2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5});
    EXPECT_NEAR(second->statistic, 4.0 / 7.0, 1e-15);
    EXPECT_NEAR(second->p_value, 47.0 / 198.0, 1e-15);
}

TEST(KsTest, large_samples_use_the_finite_n_asymptotics) {
    // scipy.stats.kstwo.sf(0.02, 7500) = 0.0048805 (SciPy 1.17.1)
    const TestResult result = ks_p_value(0.02, 30'000, 10'000);
    EXPECT_EQ(result.method, PValueMethod::asymptotic);
    EXPECT_NEAR(result.p_value, kstwo_sf(0.02, 7500), 1e-15);
    EXPECT_FALSE(ks_two_sample(Values{std::nan("")}, Values{1.0}));
}

TEST(ChiSquare, random_tables_agree_with_scipy) {
    const Json oracle = load_oracle();
    for (const Json& item : oracle["counts"].items()) {
        const auto both = chi_square_homogeneity(numbers(item["r"]), numbers(item["c"]), 0.0);
        ASSERT_TRUE(both);
        const Values wanted = numbers(item["homogeneity"]);
        expect_close(both->statistic, wanted[0], 1e-10, "homogeneity");
        EXPECT_EQ(both->df, wanted[1]);
        expect_close(both->p_value, wanted[2], 1e-8, "homogeneity p");
        const auto fit = chi_square_goodness_of_fit(numbers(item["c"]), numbers(item["r"]));
        expect_close(fit->statistic, numbers(item["fit"])[0], 1e-10, "fit");
        expect_close(fit->p_value, numbers(item["fit"])[1], 1e-8, "fit p");
    }
}

TEST(ChiSquare, golden_vectors_of_the_two_forms) {
    const Values r = {16, 18, 16, 14, 12, 12};
    const Values c = {16, 16, 16, 16, 16, 8};
    // SciPy chisquare and chi2_contingency.
    EXPECT_NEAR(chi_square_goodness_of_fit(c, r)->p_value, 0.673088, 1e-6);
    EXPECT_NEAR(chi_square_homogeneity(r, c, 0.0)->p_value, 0.898526, 1e-6);
    EXPECT_NEAR(chi_square_homogeneity(Values{5, 5, 0}, Values{8, 3, 5}, 0.0)->p_value, 0.078940, 1e-6);
    EXPECT_NEAR(chi_square_homogeneity(Values{5, 5, 5}, Values{8, 3, 0}, 0.0)->p_value, 0.057495, 1e-6);
}

TEST(ChiSquare, rare_categories_are_pooled_and_one_category_is_no_evidence) {
    const auto pooled = chi_square_homogeneity(Values{500, 400, 1, 0, 2}, Values{510, 390, 0, 1, 2});
    EXPECT_EQ(pooled->df, 2.0);
    EXPECT_GT(pooled->p_value, 0.5);
    const auto single = chi_square_homogeneity(Values{10}, Values{20});
    EXPECT_EQ(single->p_value, 1.0);
    EXPECT_EQ(chi_square_goodness_of_fit(Values{5, 1}, Values{5, 0})->p_value, 0.0);
    EXPECT_FALSE(chi_square_homogeneity(Values{0, 0}, Values{1, 1}));
    EXPECT_FALSE(chi_square_homogeneity(Values{-1, 2}, Values{1, 1}));
}

TEST(MannWhitney, random_samples_agree_with_scipy) {
    const Json oracle = load_oracle();
    for (const Json& item : oracle["two_sample"].items()) {
        const auto result = mann_whitney(numbers(item["a"]), numbers(item["b"]));
        ASSERT_TRUE(result);
        EXPECT_NEAR(result->statistic, numbers(item["mann_whitney"])[0], 1e-9);
        expect_close(result->p_value, numbers(item["mann_whitney"])[1], 1e-9, item.dump());
    }
    const Values reference = {38.7, 41.5, 43.8, 44.5, 45.5, 46.0, 47.7, 58.0};
    const Values current = {39.2, 39.3, 39.7, 41.4, 41.8, 42.9, 43.3, 45.8};
    EXPECT_NEAR(mann_whitney(reference, current)->p_value, 0.0829837, 1e-7);
}

TEST(WelchT, agrees_with_scipy_and_r) {
    const auto moments = [](const Values& values) {
        Moments out;
        for (const double value : values) {
            out.add(value);
        }
        return out;
    };
    const Json oracle = load_oracle();
    for (const Json& item : oracle["two_sample"].items()) {
        if (item.find("welch") == nullptr) {
            continue;
        }
        const auto result = welch_t(moments(numbers(item["a"])), moments(numbers(item["b"])));
        const Values wanted = numbers(item["welch"]);
        EXPECT_NEAR(result->statistic, wanted[0], 1e-9);
        expect_close(result->df, wanted[1], 1e-9, "df");
        expect_close(result->p_value, wanted[2], 1e-8, "p");
    }
    // R 4.2 t.test
    const auto r = welch_t(moments({12.1, 11.8, 13.4, 12.9, 10.7, 11.5, 12.2, 13.1}),
                           moments({11.0, 10.4, 12.3, 11.7, 10.9, 9.8, 11.2}));
    EXPECT_NEAR(r->statistic, 2.6384777584, 1e-9);
    EXPECT_NEAR(r->df, 12.966946377, 1e-8);
    EXPECT_NEAR(r->p_value, 0.0204908576418, 1e-11);
}

TEST(Proportions, golden_values_of_r) {
    const auto test = two_proportion_z(530, 5000, 480, 5000);  // R 4.2 prop.test(correct = FALSE)
    EXPECT_NEAR(test->z, 1.65931741624, 1e-10);
    EXPECT_NEAR(test->p_value, 0.0970518475925, 1e-11);
    EXPECT_NEAR(test->difference.low, -0.00181024272383, 1e-12);
    EXPECT_NEAR(test->difference.high, 0.0218102427238, 1e-12);
    EXPECT_NEAR(wilson(95, 100).low, 0.888249530768, 1e-11);
    EXPECT_NEAR(wilson(95, 100).high, 0.978456320846, 1e-11);
    EXPECT_NEAR(wilson(100, 100).low, 0.963006501793, 1e-11);
    EXPECT_EQ(wilson(100, 100).high, 1.0);
    EXPECT_NEAR(clopper_pearson(95, 100).low, 0.887165088895, 1e-11);  // R 4.2 binom.test
    EXPECT_NEAR(clopper_pearson(95, 100).high, 0.983568120818, 1e-11);
    EXPECT_EQ(wilson(0, 0).high, 1.0);
    EXPECT_FALSE(two_proportion_z(5, 4, 1, 2));
}

TEST(SampleRatio, golden_values_of_r) {
    const auto bad = sample_ratio_mismatch(Values{821579, 815482}, Values{0.5, 0.5});  // R 4.2 chisq.test
    EXPECT_NEAR(bad->statistic, 22.7074061382, 1e-8);
    EXPECT_LT(bad->p_value, kSrmAlpha);
    const auto good = sample_ratio_mismatch(Values{5050, 94950}, Values{0.05, 0.95});
    EXPECT_NEAR(good->statistic, 0.526315789474, 1e-10);
    EXPECT_NEAR(good->p_value, 0.468159909854, 1e-10);
}

}  // namespace
}  // namespace gyre::stats
