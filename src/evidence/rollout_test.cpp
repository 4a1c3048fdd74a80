#include "evidence/rollout.h"

#include <cmath>

#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/rng.h"

namespace gyre::evidence {
namespace {

TEST(LiteralRollout, follows_the_listing_step_by_step) {
    auto rollout = LiteralRollout::start({});
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(rollout->observe(Arm::champion, 1.0).action, RolloutAction::collecting_data);
    }
    for (int i = 0; i < 99; ++i) {
        EXPECT_EQ(rollout->observe(Arm::candidate, 1.0).action, RolloutAction::collecting_data);
    }
    // Every later row steps: 15 %, 25 %, ... 95 %, then all.
    for (int step = 1; step <= 9; ++step) {
        const RolloutDecision decision =
            rollout->observe(step % 2 == 0 ? Arm::champion : Arm::candidate, 1.0);
        EXPECT_EQ(decision.action, RolloutAction::increased);
        EXPECT_NEAR(decision.exposure, 0.05 + 0.1 * step, 1e-12);
    }
    EXPECT_EQ(rollout->observe(Arm::candidate, 1.0).action, RolloutAction::promoted);
    EXPECT_EQ(rollout->observe(Arm::candidate, 0.0).action, RolloutAction::promoted);  // terminal
}

TEST(LiteralRollout, rolls_back_and_waits_in_the_dead_zone) {
    auto bad = LiteralRollout::start({});
    auto between = LiteralRollout::start({});
    for (int i = 0; i < 100; ++i) {
        bad->observe(Arm::champion, 1.0);
        between->observe(Arm::champion, i < 97 ? 1.0 : 0.0);
    }
    RolloutDecision decision;
    RolloutDecision waiting;
    for (int i = 0; i < 100; ++i) {
        decision = bad->observe(Arm::candidate, i < 90 ? 1.0 : 0.0);
        waiting = between->observe(Arm::candidate, i < 94 ? 1.0 : 0.0);
    }
    EXPECT_EQ(decision.action, RolloutAction::rolled_back);
    EXPECT_EQ(decision.exposure, 0.0);
    EXPECT_EQ(waiting.action, RolloutAction::monitoring);
}

TEST(SimpleRollout, needs_rows_in_both_arms_and_new_rows_per_step) {
    auto rollout = SimpleRollout::start({}, 0);
    for (int i = 0; i < 150; ++i) {
        rollout->observe(Arm::candidate, 1.0);
    }
    EXPECT_EQ(rollout->decide(1).action, RolloutAction::collecting_data);
    for (int i = 0; i < 100; ++i) {
        rollout->observe(Arm::champion, 1.0);
    }
    EXPECT_EQ(rollout->decide(2).action, RolloutAction::increased);
    EXPECT_EQ(rollout->decide(3).action, RolloutAction::collecting_data);
    auto resumed = SimpleRollout::parse(*parse_json(to_json(*rollout).dump()));
    ASSERT_TRUE(resumed);
    EXPECT_EQ(to_json(*resumed).dump(), to_json(*rollout).dump());
    int steps = 1;
    while (resumed->phase == RolloutPhase::exposing && steps < 20) {
        for (int i = 0; i < 100; ++i) {
            resumed->observe(Arm::candidate, 1.0);
        }
        resumed->decide(4);
        ++steps;
    }
    EXPECT_EQ(resumed->phase, RolloutPhase::promoted);
    EXPECT_EQ(steps, 10);
}

TEST(SimpleRollout, the_dead_zone_ends_at_the_deadline) {
    auto rollout = SimpleRollout::start({}, 1000);
    for (int i = 0; i < 1000; ++i) {
        rollout->observe(Arm::candidate, i % 100 < 94 ? 1.0 : 0.0);
        rollout->observe(Arm::champion, i % 100 < 94 ? 1.0 : 0.0);
    }
    EXPECT_EQ(rollout->decide(2000).action, RolloutAction::monitoring);
    const RolloutDecision late = rollout->decide(1000 + 14 * kUsPerDay);
    EXPECT_EQ(late.action, RolloutAction::rolled_back);
    EXPECT_EQ(late.finding.verdict, Verdict::insufficient);
    EXPECT_FALSE(SimpleRollout::start({.increment = 0.0}, 0));
}

RolloutDecision feed_pairs(SequentialRollout& rollout, double candidate, double champion, int rows,
                           std::int64_t now) {
    Rng rng(6);
    for (int i = 0; i < rows; ++i) {
        const double noise = 0.1 * rng.uniform();
        EXPECT_TRUE(rollout.observe_pair(candidate + noise, champion + 0.1 * rng.uniform()));
    }
    return rollout.decide(now);
}

TEST(SequentialRollout, exposes_nobody_before_paired_evidence_and_then_in_steps) {
    auto rollout = SequentialRollout::start({}, 0);
    EXPECT_EQ(rollout->decide(0).action, RolloutAction::collecting_data);
    EXPECT_EQ(rollout->exposure(), 0.0);
    std::int64_t now = kUsPerHour;
    const RolloutDecision first = feed_pairs(*rollout, 0.05, 0.2, 300, now);
    EXPECT_EQ(first.action, RolloutAction::increased);
    EXPECT_EQ(first.exposure, 0.05);
    for (const double exposure : {0.25, 0.5, 1.0}) {
        rollout->observe_requests(Arm::candidate, {3000, 10});
        rollout->observe_requests(Arm::champion, {9000, 30});
        EXPECT_EQ(rollout->decide(now).action, RolloutAction::monitoring) << "bake time";
        now += kUsPerHour;
        const RolloutDecision next = rollout->decide(now);
        EXPECT_EQ(next.exposure, exposure) << next.finding.reason;
    }
    EXPECT_EQ(rollout->phase, RolloutPhase::promoted);
    auto resumed = SequentialRollout::parse(*parse_json(to_json(*rollout).dump()));
    ASSERT_TRUE(resumed) << resumed.error().message();
    EXPECT_EQ(resumed->phase, rollout->phase);
    EXPECT_EQ(resumed->step, rollout->step);
    EXPECT_EQ(resumed->candidate.requests, rollout->candidate.requests);
    EXPECT_NEAR(*resumed->paired.finding().high, *rollout->paired.finding().high, 1e-12);
}

TEST(SequentialRollout, worse_quality_or_errors_roll_back) {
    auto worse = SequentialRollout::start({}, 0);
    EXPECT_EQ(feed_pairs(*worse, 0.2, 0.05, 400, 1).action, RolloutAction::rolled_back);
    auto failing = SequentialRollout::start({}, 0);
    ASSERT_EQ(feed_pairs(*failing, 0.05, 0.2, 300, 1).action, RolloutAction::increased);
    failing->observe_requests(Arm::candidate, {60, 40});
    failing->observe_requests(Arm::champion, {2000, 10});
    const RolloutDecision decision = failing->decide(2);
    EXPECT_EQ(decision.action, RolloutAction::rolled_back);
    EXPECT_EQ(failing->exposure(), 0.0);
}

TEST(SequentialRollout, little_traffic_goes_on_after_a_while_unless_a_request_failed) {
    const SequentialOptions options;
    for (const std::int64_t errors : {0, 1}) {
        auto rollout = SequentialRollout::start(options, 0);
        ASSERT_EQ(feed_pairs(*rollout, 0.05, 0.2, 300, 1).action, RolloutAction::increased);
        rollout->observe_requests(Arm::candidate, {5, errors});
        rollout->observe_requests(Arm::champion, {90, 0});
        EXPECT_EQ(rollout->decide(options.few_requests_after.us).action, RolloutAction::monitoring);
        EXPECT_EQ(rollout->decide(options.few_requests_after.us + 1).action,
                  errors == 0 ? RolloutAction::increased : RolloutAction::monitoring);
    }
}

TEST(SequentialRollout, slow_answers_and_moved_predictions_roll_back_and_only_while_exposing) {
    Rng rng(12);
    stats::Profile fast;
    stats::Profile slow;
    for (int i = 0; i < 20'000; ++i) {
        fast.add(1.0 + rng.uniform());
        slow.add(3.0 + rng.uniform());
    }
    const StepProfiles alike{&fast, &fast};
    const StepProfiles apart{&slow, &fast};
    SequentialOptions options;
    auto paired = SequentialRollout::start(options, 0);
    EXPECT_EQ(paired->decide(1, apart, apart).action, RolloutAction::collecting_data);
    for (const bool latency : {true, false}) {
        auto rollout = SequentialRollout::start(options, 0);
        ASSERT_EQ(feed_pairs(*rollout, 0.05, 0.2, 300, 1).action, RolloutAction::increased);
        EXPECT_EQ(rollout->decide(2, alike, alike).action, RolloutAction::monitoring);
        const RolloutDecision decision =
            latency ? rollout->decide(3, apart, alike) : rollout->decide(3, alike, apart);
        EXPECT_EQ(decision.action, RolloutAction::rolled_back);
        EXPECT_EQ(decision.finding.metric, latency ? "latency_p99_ratio" : "prediction_gap");
    }
    options.latency.decides = false;
    options.predictions.decides = false;
    auto deaf = SequentialRollout::start(options, 0);
    ASSERT_EQ(feed_pairs(*deaf, 0.05, 0.2, 300, 1).action, RolloutAction::increased);
    EXPECT_EQ(deaf->decide(2, apart, apart).action, RolloutAction::monitoring);
    options.latency.ratio_max = 0.5;
    EXPECT_FALSE(SequentialRollout::start(options, 0));
}

TEST(SequentialRollout, the_deadline_keeps_the_champion_unless_told_otherwise) {
    for (const auto rule : {OnUndecided::keep_champion, OnUndecided::promote, OnUndecided::hold}) {
        SequentialOptions options;
        options.on_undecided = rule;
        auto rollout = SequentialRollout::start(options, 0);
        EXPECT_EQ(rollout->decide(options.deadline.us - 1).action, RolloutAction::collecting_data);
        const RolloutDecision late = rollout->decide(options.deadline.us);
        EXPECT_EQ(late.finding.verdict, Verdict::insufficient);
        const RolloutAction wanted = rule == OnUndecided::keep_champion ? RolloutAction::rolled_back
                                     : rule == OnUndecided::promote     ? RolloutAction::promoted
                                                                        : RolloutAction::collecting_data;
        EXPECT_EQ(late.action, wanted);
    }
}

TEST(SequentialRollout, broken_options_and_states_are_refused) {
    SequentialOptions options;
    options.steps = {0.5, 0.25, 1.0};
    EXPECT_FALSE(SequentialRollout::start(options, 0));
    options.steps = {0.5, std::nan(""), 1.0};
    EXPECT_FALSE(SequentialRollout::start(options, 0));
    options.steps.assign(kRolloutStepsMax + 1, 1.0);
    EXPECT_FALSE(SequentialRollout::start(options, 0));
    Json json = to_json(*SequentialRollout::start({}, 0));
    json.set("step", 99);
    EXPECT_FALSE(SequentialRollout::parse(json));
}

}  // namespace
}  // namespace gyre::evidence
