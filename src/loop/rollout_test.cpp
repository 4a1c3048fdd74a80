#include "loop/rollout.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "loop/limits.h"

namespace gyre::loop {
namespace {

evidence::Finding finding(std::int64_t n, double estimate) {
    evidence::Finding out;
    out.metric = "brier";
    out.n = n;
    out.estimate = estimate;
    out.low = estimate - 0.1;
    out.high = estimate + 0.1;
    return out;
}

TEST(RolloutLooks, a_look_that_saw_nothing_new_is_not_kept) {
    Rollout rollout;
    note_look(rollout, {}, 0);  // no evidence at all
    note_look(rollout, finding(100, 0.01), kUsPerDay);
    note_look(rollout, finding(100, 0.01), 2 * kUsPerDay);
    note_look(rollout, finding(150, 0.02), 3 * kUsPerDay);
    ASSERT_EQ(rollout.looks.size(), 2U);
    EXPECT_EQ(rollout.looks[1].time, "1970-01-04T00:00:00Z");
    EXPECT_DOUBLE_EQ(rollout.looks[1].high.value_or(0.0), 0.12);
}

TEST(RolloutLooks, are_bounded_and_the_newest_stay) {
    Rollout rollout;
    const std::int64_t last = 10 * static_cast<std::int64_t>(kRolloutLooksMax);
    for (std::int64_t n = 1; n <= last; ++n) {
        note_look(rollout, finding(n, 0.0), n);
        ASSERT_LE(rollout.looks.size(), kRolloutLooksMax);
    }
    EXPECT_GE(rollout.looks.size(), kRolloutLooksMax / 2);
    EXPECT_EQ(rollout.looks.back().n, last);
    EXPECT_LT(rollout.looks.front().n, last - static_cast<std::int64_t>(kRolloutLooksMax));
}

TEST(RolloutLooks, survive_a_restart) {
    Rollout rollout;
    note_look(rollout, finding(7, 0.25), 0);
    const auto again = from_json<Rollout>(*parse_json(to_json(rollout).dump()));
    ASSERT_TRUE(again) << again.error().message();
    ASSERT_EQ(again->looks.size(), 1U);
    EXPECT_EQ(again->looks[0].estimate, 0.25);
    EXPECT_EQ(again->looks[0].margin, std::nullopt);
}

}  // namespace
}  // namespace gyre::loop
