#include "evidence/success.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace gyre::evidence {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

ScoredOutcome brier(double probability, double label) {
    return {probability, label, (probability - label) * (probability - label)};
}

TEST(SuccessOptions, the_default_is_a_probability_on_the_right_side_of_one_half) {
    const SuccessOptions options;
    EXPECT_TRUE(options.is_success(brier(0.51, 1.0)));
    EXPECT_FALSE(options.is_success(brier(0.49, 1.0)));
    EXPECT_FALSE(options.is_success(brier(0.5, 0.0)));  // a loss of 0.25 is not below it
    EXPECT_EQ(options.text(), "loss below 0.25");
    const SuccessOptions strict{SuccessSignal::loss_below, 0.01};
    EXPECT_TRUE(strict.is_success(brier(0.95, 1.0)));
    EXPECT_FALSE(strict.is_success(brier(0.85, 1.0)));
}

TEST(SuccessOptions, correct_is_the_class_at_one_half) {
    const SuccessOptions options{SuccessSignal::correct, {}};
    EXPECT_TRUE(options.is_success(brier(0.5, 1.0)));
    EXPECT_FALSE(options.is_success(brier(0.5, 0.0)));
    EXPECT_TRUE(options.is_success(brier(0.1, 0.0)));
    EXPECT_FALSE(options.is_success(brier(kNan, 0.0)));
}

TEST(SuccessOptions, error_below_counts_in_the_targets_unit) {
    const SuccessOptions options{SuccessSignal::error_below, 2.5};
    EXPECT_TRUE(options.is_success({12.0, 14.0, 0.9}));
    EXPECT_FALSE(options.is_success({12.0, 9.5, 0.0}));
    EXPECT_FALSE(options.is_success({kNan, 9.5, 0.0}));
    EXPECT_EQ(options.text(), "error below 2.5");
}

TEST(SuccessOptions, a_limit_that_does_not_fit_its_signal_is_refused_with_what_to_do) {
    struct Case {
        SuccessOptions options;
        const char* words;
    };
    for (const Case& one : {Case{{SuccessSignal::loss_below, 1.5}, "in (0, 1], got 1.5"},
                            Case{{SuccessSignal::loss_below, 0.0}, "in (0, 1], got 0"},
                            Case{{SuccessSignal::loss_below, kNan}, "in (0, 1]"},
                            Case{{SuccessSignal::correct, 0.5}, "takes no limit, got 0.5; leave it out"},
                            Case{{SuccessSignal::error_below, {}}, "in the target's unit, got none"},
                            Case{{SuccessSignal::error_below, -1.0}, "above 0"}}) {
        const auto checked = one.options.check();
        ASSERT_FALSE(checked) << one.words;
        EXPECT_NE(checked.error().message().find(one.words), std::string::npos) << checked.error().message();
    }
    EXPECT_TRUE(SuccessOptions{}.check());
    EXPECT_TRUE((SuccessOptions{SuccessSignal::error_below, 1e6}).check());
}

TEST(SuccessOptions, is_read_from_json_by_names) {
    const auto options = from_json<SuccessOptions>(*parse_json(R"({"signal":"error_below","limit":3})"));
    ASSERT_TRUE(options) << options.error().message();
    EXPECT_EQ(options->limit, 3.0);
    EXPECT_NE(
        from_json<SuccessOptions>(*parse_json(R"({"signal":"right"})")).error().message().find("correct"),
        std::string::npos);
}

}  // namespace
}  // namespace gyre::evidence
