#include "stats/profile.h"

#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "stats/distances.h"

namespace gyre::stats {
namespace {

TEST(Moments, merging_parts_equals_adding_all) {
    Rng rng(1);
    Moments whole;
    Moments parts[3];
    for (int i = 0; i < 3000; ++i) {
        const double value = 1e6 + rng.normal();
        whole.add(value);
        parts[i % 3].add(value);
    }
    parts[0].merge(parts[1]);
    parts[0].merge(parts[2]);
    EXPECT_EQ(parts[0].count, whole.count);
    EXPECT_NEAR(parts[0].mean, whole.mean, 1e-8);
    EXPECT_NEAR(parts[0].variance(), whole.variance(), 1e-8);
    EXPECT_EQ(parts[0].max, whole.max);
}

TEST(BitHistogram, merging_is_exact_in_any_order_even_when_resolution_is_given_up) {
    Rng rng(2);
    BitHistogram whole;
    BitHistogram parts[2];
    for (int i = 0; i < 40'000; ++i) {
        const double value = std::exp(40.0 * rng.normal()) * (i % 2 == 0 ? 1.0 : -1.0);
        whole.add(value);
        parts[i % 5 == 0 ? 0 : 1].add(value);
    }
    BitHistogram ab = parts[0];
    ab.merge(parts[1]);
    BitHistogram ba = parts[1];
    ba.merge(parts[0]);
    EXPECT_EQ(ab, whole);
    EXPECT_EQ(ba, whole);
    EXPECT_GT(whole.shift(), 0U);
    EXPECT_LE(whole.buckets().size(), kHistogramBucketsMax);
}

TEST(BitHistogram, small_integers_have_buckets_of_their_own) {
    BitHistogram histogram;
    for (int value = -127; value <= 127; ++value) {
        histogram.add(value);
    }
    EXPECT_EQ(histogram.buckets().size(), 255U);
}

/// Values of many magnitudes, so that places are found by the hint, found elsewhere and made anew.
std::vector<double> wild_values(std::size_t count) {
    Rng rng(11);
    std::vector<double> values;
    for (std::size_t i = 0; i < count; ++i) {
        const double scale = std::pow(10.0, static_cast<double>(rng.below(40)) - 20.0);
        values.push_back(i % 5 == 0 ? static_cast<double>(rng.below(9)) - 4.0 : rng.normal() * scale);
    }
    return values;
}

TEST(Profile, many_values_at_once_count_as_one_by_one) {
    std::vector<double> values = wild_values(20'000);
    for (const bool finite : {true, false}) {
        if (!finite) {
            values[77] = std::numeric_limits<double>::quiet_NaN();
            values[1234] = -std::numeric_limits<double>::infinity();
        }
        Profile together;
        together.add(values);
        Profile singly;
        for (const double value : values) {
            singly.add(value);
        }
        EXPECT_EQ(together.to_json().dump(), singly.to_json().dump());
        EXPECT_GT(together.histogram().shift(), 0U) << "the values were to need more buckets than there are";
        EXPECT_EQ(together.infinities(), finite ? 0 : 1);
    }
    Profile categories(ColumnKind::categorical);
    categories.add(std::vector<double>{1.0, 1.0, 2.5});
    EXPECT_EQ(categories.categories().at("1"), 2);
}

TEST(BitHistogram, a_copy_counts_on_as_the_original_does) {
    const std::vector<double> values = wild_values(3000);
    const std::span<const double> all(values);
    BitHistogram original;
    original.add(all.first(1000));
    BitHistogram copy = original;
    BitHistogram assigned;
    assigned.add(all.last(500));
    assigned = original;
    for (BitHistogram* histogram : {&original, &copy, &assigned}) {
        histogram->add(all.subspan(1000));
    }
    EXPECT_EQ(original, copy);
    EXPECT_EQ(original, assigned);
}

TEST(Profile, quantiles_and_cdf_are_within_a_bucket) {
    Rng rng(3);
    Profile profile;
    std::vector<double> values;
    for (int i = 0; i < 20'001; ++i) {
        values.push_back(50.0 + 10.0 * rng.normal());
        profile.add(values.back());
    }
    std::sort(values.begin(), values.end());
    for (const double p : {0.0, 0.01, 0.25, 0.5, 0.9, 0.999, 1.0}) {
        const double exact = values[static_cast<std::size_t>(p * 20'000)];
        EXPECT_NEAR(profile.quantile(p), exact, 0.016 * std::abs(exact)) << p;
        EXPECT_NEAR(profile.cdf(exact), p, 0.03) << p;
    }
    EXPECT_EQ(profile.quantile(0.0), values.front());
    EXPECT_EQ(profile.quantile(1.0), values.back());
}

TEST(Profile, what_is_no_number_is_counted_apart) {
    Profile profile;
    profile.add(std::nan(""));
    profile.add(std::numeric_limits<double>::infinity(), 2);
    profile.add("1.5");
    profile.add("NA");
    profile.add_null();
    profile.add(1.0, -5);
    EXPECT_EQ(profile.nans(), 1);
    EXPECT_EQ(profile.infinities(), 2);
    EXPECT_EQ(profile.invalid(), 1);
    EXPECT_EQ(profile.nulls(), 1);
    EXPECT_EQ(profile.valid(), 1);
    EXPECT_EQ(profile.rows(), 6);
}

TEST(Profile, categories_beyond_the_bound_are_other) {
    Profile profile(ColumnKind::categorical);
    for (std::size_t i = 0; i < kCategoriesMax + 7; ++i) {
        profile.add("category " + std::to_string(i), 2);
    }
    profile.add("category 3");
    EXPECT_EQ(profile.categories().size(), kCategoriesMax);
    EXPECT_EQ(profile.other(), 14);
    EXPECT_EQ(profile.categories().at("category 3"), 3);
    profile.add(std::string(10'000, 'x'));
    EXPECT_EQ(profile.other(), 15);
}

TEST(Profile, json_round_trips) {
    Profile numeric;
    Profile categorical(ColumnKind::categorical);
    Rng rng(4);
    for (int i = 0; i < 1000; ++i) {
        numeric.add(rng.normal());
        categorical.add(static_cast<double>(rng.below(5)));
    }
    numeric.add_null();
    categorical.add("UA");
    for (const Profile& profile : {numeric, categorical}) {
        const auto parsed = parse_json(profile.to_json().dump());
        ASSERT_TRUE(parsed);
        const auto back = Profile::from_json(*parsed);
        ASSERT_TRUE(back) << back.error().message();
        EXPECT_EQ(back->to_json(), profile.to_json());
        EXPECT_EQ(back->rows(), profile.rows());
    }
    EXPECT_EQ(categorical.categories().count("3"), 1U);
}

TEST(Profile, broken_documents_are_refused) {
    const char* const broken[] = {
        R"({"kind":"numeric","nulls":-1})",
        R"({"kind":"numeric","nulls":0,"histogram":{"shift":0,"keys":[5,0],"counts":[1,1]}})",
        R"({"kind":"numeric","nulls":0,"histogram":{"shift":0,"keys":[4000000],"counts":[1]}})",
        R"({"kind":"numeric","nulls":0,"histogram":{"shift":0,"keys":[5],"counts":[1]}})",
        R"({"kind":"categorical","nulls":0,"categories":{"a":0}})",
        R"({"kind":"text","nulls":0})",
    };
    for (const char* text : broken) {
        EXPECT_FALSE(Profile::from_json(*parse_json(text))) << text;
    }
}

TEST(Profile, profiles_of_different_kinds_do_not_merge) {
    Profile numeric;
    EXPECT_EQ(numeric.merge(Profile(ColumnKind::categorical)).error().code(), ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace gyre::stats
