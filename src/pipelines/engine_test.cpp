#include "pipelines/engine.h"

#include <filesystem>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipelines/engine_testing.h"
#include "storage/testing.h"

namespace gyre::pipelines {
namespace {

using ::testing::HasSubstr;

class EngineTest : public ::testing::Test {
 protected:
    void start(StepKinds kinds, std::size_t workers = 2, std::size_t work_runs_kept = kWorkRunsKept) {
        engine_.reset();
        auto made = Engine::create(
            *database_, stream_, clock_, std::move(kinds),
            {.work_root = folder_.path() + "/steps", .workers = workers, .work_runs_kept = work_runs_kept});
        ASSERT_TRUE(made) << made.error().message();
        engine_ = *std::move(made);
        const auto started = engine_->start();
        ASSERT_TRUE(started) << started.error().message();
    }
    void put(std::string_view yaml) {
        const auto put = engine_->put_pipeline(yaml, local_principal());
        ASSERT_TRUE(put) << put.error().message();
    }
    std::int64_t emit(const std::string& type, const std::string& subject, std::int64_t as_of,
                      Json data = Json::object()) {
        auto event = database_->write([&](storage::Transaction& tx) {
            return events::append(tx, {.type = type,
                                       .subject = subject,
                                       .principal = system_principal(),
                                       .as_of_us = as_of,
                                       .data = data});
        });
        EXPECT_TRUE(event);
        return event->position;
    }
    void settle(std::int64_t as_of = kT0 + 1000 * kUsPerDay) {
        ASSERT_TRUE(engine_->wait_idle(as_of, kPatience)) << "the engine did not come to rest";
    }
    std::vector<RunRecord> runs(const std::string& pipeline = "") {
        auto listed = engine_->list_runs({.pipeline = pipeline});
        EXPECT_TRUE(listed);
        return *std::move(listed);
    }
    RunRecord run_once(const std::string& pipeline) {
        auto run = engine_->start_run({.pipeline = pipeline, .as_of_us = kT0}, local_principal());
        EXPECT_TRUE(run) << run.error().message();
        settle();
        return *engine_->get_run(run->id);
    }
    std::size_t events_of(const std::string& type) {
        return stream_.read(0, events::kEventPageMax, {.type = type, .subject = ""})->events.size();
    }

    ManualClock clock_{kT0};
    storage::TempFolder folder_;
    storage::TestDatabase database_{{.clock = &clock_}};
    events::EventStream stream_{*database_};
    std::unique_ptr<Engine> engine_;
};

TEST_F(EngineTest, runs_steps_in_order_and_hands_outputs_on) {
    start(counting_kinds());
    put(kSixSteps);
    const RunRecord run = run_once("retrain");
    ASSERT_EQ(run.state, RunState::succeeded) << run.reason;
    EXPECT_EQ(run.steps[1].outputs["with"]["trees"], Json(100));
    EXPECT_EQ(run.steps[1].outputs["with"]["as_of"], Json(format_rfc3339(kT0)));
    EXPECT_EQ(run.steps[2].outputs["with"]["package"], Json("p-train"));
    EXPECT_EQ(run.steps[5].outputs["waited_for"], Json("rollout-1"));
    EXPECT_EQ(events_of("test.effect"), 6U);
    const std::vector<RunRecord> listed = runs("retrain");
    ASSERT_EQ(listed.size(), 1U);
    ASSERT_EQ(listed[0].steps.size(), 6U);
    EXPECT_EQ(listed[0].steps[1].state, StepState::succeeded);
    EXPECT_EQ(listed[0].steps[1].progress, 1.0);
    EXPECT_EQ(events_of("pipeline.step_finished"), 6U);
    EXPECT_EQ(events_of("pipeline.started"), 1U);
    EXPECT_EQ(events_of("pipeline.finished"), 1U);
    EXPECT_FALSE(stream_.verify()->first_bad);
    EXPECT_EQ(to_json(run)["steps"].items()[2]["needs"].dump(), R"(["train"])");
}

TEST_F(EngineTest, a_trigger_is_decided_once_with_a_reason_and_cools_down_in_event_time) {
    start(counting_kinds());
    emit("drift.detected", "endpoint/flights", kT0);  // before the pipeline: not its business
    put(kSixSteps);
    settle();
    EXPECT_TRUE(runs().empty());
    const std::int64_t first = emit("drift.detected", "endpoint/flights", kT0);
    settle();
    emit("drift.detected", "endpoint/flights", kT0 + 6 * kUsPerDay);
    emit("drift.detected", "endpoint/other", kT0 + 8 * kUsPerDay);
    settle();
    ASSERT_EQ(runs().size(), 1U);
    EXPECT_EQ(runs()[0].trigger["position"], Json(first));
    EXPECT_EQ(runs()[0].as_of_us, kT0);
    emit("drift.detected", "endpoint/flights", kT0 + 7 * kUsPerDay);
    settle();
    EXPECT_EQ(runs().size(), 2U);
    const auto decisions = engine_->list_decisions("retrain", 10);
    ASSERT_TRUE(decisions);
    ASSERT_EQ(decisions->size(), 3U);
    EXPECT_EQ((*decisions)[1].outcome, Decision::skipped);
    EXPECT_THAT((*decisions)[1].reason, HasSubstr("cool-down until 2023-11-21T22:13:20Z"));
    EXPECT_EQ((*decisions)[2].source, "event:" + std::to_string(first));
    start(counting_kinds());  // the stream is read again: nothing is decided twice
    settle();
    EXPECT_EQ(runs().size(), 2U);
}

TEST_F(EngineTest, a_removed_pipeline_starts_nothing_and_its_runs_stay) {
    start(counting_kinds());
    put(kSixSteps);
    const RunRecord run = run_once("retrain");
    ASSERT_TRUE(engine_->remove_pipeline("retrain", {"anna"}));
    emit("drift.detected", "endpoint/flights", kT0);
    settle();
    EXPECT_EQ(runs().size(), 1U);
    EXPECT_EQ(engine_->get_run(run.id)->state, RunState::succeeded);
    EXPECT_EQ(engine_->get_pipeline("retrain").error().code(), ErrorCode::not_found);
    EXPECT_EQ(engine_->remove_pipeline("retrain", {"anna"}).error().code(), ErrorCode::not_found);
    EXPECT_EQ(engine_->start_run({.pipeline = "retrain"}, {"anna"}).error().code(), ErrorCode::not_found);
    EXPECT_EQ(events_of("pipeline.removed"), 1U);
    put(kSixSteps);  // a new one: what was emitted before is not its business
    settle();
    EXPECT_EQ(runs().size(), 1U);
}

/// A kind "hold" that keeps its step until released, or asked to stop.
struct Hold {
    struct State {
        std::atomic<bool> released{false};
        std::atomic<int> begun{0};
    };
    std::shared_ptr<State> state = std::make_shared<State>();  // the engine's steps may outlive the Hold

    [[nodiscard]] StepKinds kinds() const {
        StepKinds kinds = counting_kinds();
        const auto wait = [held = state](const StepContext& context) {
            ++held->begun;
            context.report(0.5, "half way");
            while (!held->released && !context.stop_requested()) {
                std::this_thread::yield();
            }
            return StepOutcome::succeeded(Json::object({{"stopped", context.stop_requested()}}));
        };
        EXPECT_TRUE(kinds.add({.name = "hold", .start = wait}));
        return kinds;
    }
    void release() const { state->released = true; }
    void wait_begun(int count) const {
        while (state->begun < count) {
            std::this_thread::yield();
        }
    }
};

TEST_F(EngineTest, working_files_of_ended_runs_are_kept_up_to_a_number) {
    const auto folders = [this] {
        std::set<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(folder_.path() + "/steps")) {
            names.insert(entry.path().filename().string());
        }
        return names;
    };
    const Hold hold;
    start(hold.kinds(), 2, 2);
    put("name: short\nsteps:\n  - {id: a, kind: count}\n");
    put("name: long\nsteps:\n  - {id: a, kind: hold}\n");
    const auto running = engine_->start_run({.pipeline = "long", .as_of_us = kT0}, local_principal());
    hold.wait_begun(1);
    std::filesystem::create_directories(folder_.path() + "/steps/not-a-run");
    std::vector<std::string> ended;
    for (int i = 0; i < 4; ++i) {
        clock_.advance_us(kUsPerSecond);
        const auto run = engine_->start_run({.pipeline = "short", .as_of_us = kT0 - 1}, local_principal());
        ASSERT_TRUE(engine_->wait_idle(kT0 - 1, kPatience));
        ended.push_back(run->id);
    }
    EXPECT_EQ(folders(), (std::set<std::string>{running->id, ended[2], ended[3], "not-a-run"}));
    hold.release();
    settle();
    EXPECT_EQ(folders(), (std::set<std::string>{ended[2], ended[3], "not-a-run"})) << "the oldest go first";
}

std::string held(std::string_view overlap) {
    return "name: held\nconcurrency: {overlap: " + std::string(overlap) +
           "}\non: {events: [{type: drift.detected, match: {severity: [high, worst]}}]}\n"
           "steps: [{id: a, kind: hold, timeout: 1m}]\n";
}

TEST_F(EngineTest, overlap_skips_queues_or_keeps_the_latest) {
    for (const auto& [overlap, expected] :
         {std::pair<std::string, std::vector<RunState>>{"skip", {RunState::succeeded}},
          {"queue", {RunState::succeeded, RunState::succeeded, RunState::succeeded}},
          {"latest", {RunState::succeeded, RunState::superseded, RunState::succeeded}}}) {
        Hold hold;
        start(hold.kinds());
        put(held(overlap));
        const std::size_t before = runs().size();
        emit("drift.detected", "endpoint/flights", kT0, Json::object({{"severity", "low"}}));
        emit("drift.detected", "endpoint/flights", kT0, Json::object({{"severity", "high"}}));
        hold.wait_begun(1);
        emit("drift.detected", "endpoint/flights", kT0 + 1, Json::object({{"severity", "high"}}));
        emit("drift.detected", "endpoint/flights", kT0 + 2, Json::object({{"severity", "worst"}}));
        EXPECT_FALSE(engine_->wait_idle(kT0 + 2, std::chrono::milliseconds(50))) << "a run is not over";
        hold.release();
        settle();
        std::vector<RunState> states;
        const auto all = runs();
        for (std::size_t i = all.size() - before; i-- > 0;) {
            states.push_back(all[i].state);
            EXPECT_TRUE(is_terminal(engine_->get_run(all[i].id)->steps[0].state));
        }
        EXPECT_EQ(states, expected) << overlap;
    }
}

TEST_F(EngineTest, a_cancelled_run_ends_at_once_and_its_late_result_is_not_applied) {
    Hold hold;
    start(hold.kinds());
    put(held("skip"));
    const auto run = engine_->start_run({.pipeline = "held"}, local_principal());
    ASSERT_TRUE(run);
    hold.wait_begun(1);
    EXPECT_EQ(engine_->get_run(run->id)->steps[0].progress, 0.5);
    ASSERT_TRUE(engine_->cancel(run->id, local_principal()));
    settle();
    const RunRecord after = *engine_->get_run(run->id);
    EXPECT_EQ(after.state, RunState::cancelled);
    EXPECT_EQ(after.steps[0].state, StepState::cancelled);
    EXPECT_EQ(after.steps[0].outputs.dump(), "{}");
    EXPECT_EQ(engine_->cancel(run->id, local_principal()).error().code(), ErrorCode::conflict);
}

TEST_F(EngineTest, an_attempt_that_takes_too_long_is_fenced_off) {
    Hold hold;
    start(hold.kinds());
    put(held("skip"));
    const auto run = engine_->start_run({.pipeline = "held"}, local_principal());
    ASSERT_TRUE(run);
    hold.wait_begun(1);
    clock_.advance_us(61 * kUsPerSecond);
    engine_->poke();
    settle();
    const RunRecord after = *engine_->get_run(run->id);
    EXPECT_EQ(after.state, RunState::failed);
    EXPECT_THAT(after.reason, HasSubstr("no result after 60.0 s"));
    EXPECT_EQ(after.steps[0].outputs.dump(), "{}");
}

TEST_F(EngineTest, retries_wait_for_their_time_and_are_bounded) {
    const auto calls = std::make_shared<std::atomic<int>>(0);
    StepKinds kinds = counting_kinds();
    ASSERT_TRUE(kinds.add({.name = "flaky", .start = [calls](const StepContext& context) {
                               ++*calls;
                               return context.attempt < 3 ? StepOutcome::failed(unavailable("not yet"))
                                                          : count_effect(context);
                           }}));
    ASSERT_TRUE(kinds.add({.name = "never", .start = [](const StepContext&) {
                               return StepOutcome::failed("down", Retry::yes);
                           }}));
    start(std::move(kinds));
    put("name: flaky\nsteps: [{id: a, kind: flaky, retries: {max: 2, backoff: 10s, factor: 3}}]\n");
    const auto run = engine_->start_run({.pipeline = "flaky", .as_of_us = kT0}, local_principal());
    ASSERT_TRUE(run);
    for (const std::int64_t wait_s : {10, 30}) {
        EXPECT_FALSE(engine_->wait_idle(kT0, std::chrono::milliseconds(300))) << "a retry is not rest";
        EXPECT_EQ(engine_->get_run(run->id)->steps[0].state, StepState::retry_wait);
        EXPECT_EQ(engine_->get_run(run->id)->steps[0].due_us, clock_.now_us() + wait_s * kUsPerSecond);
        clock_.advance_us(wait_s * kUsPerSecond);
    }
    settle();
    EXPECT_EQ(engine_->get_run(run->id)->state, RunState::succeeded);
    EXPECT_EQ(*calls, 3);
    put("name: never\nsteps: [{id: a, kind: never, retries: {max: 1, backoff: 0s}}]\n");
    const RunRecord never = run_once("never");
    EXPECT_EQ(never.state, RunState::failed);
    EXPECT_EQ(never.steps[0].attempt, 2);
    EXPECT_EQ(never.reason, "step 'a': down");
}

TEST_F(EngineTest, what_a_step_does_wrong_fails_the_step_and_undoes_its_commit) {
    StepKinds kinds;
    const auto add = [&](const char* name, auto make) {
        ASSERT_TRUE(
            kinds.add({.name = name, .start = [make](const StepContext& context) { return make(context); }}));
    };
    add("large", [](const StepContext&) {
        return StepOutcome::succeeded(Json::object({{"x", std::string(kOutputsBytesMax, 'x')}}));
    });
    add("throws", [](const StepContext&) -> StepOutcome { throw std::runtime_error("boom"); });
    add("stuck", [](const StepContext&) { return StepOutcome::waiting(Json(1)); });
    add("refused", [](const StepContext& context) {
        StepOutcome outcome = count_effect(context);
        outcome.commit = [inner = outcome.commit](storage::Transaction& tx) -> Result<void> {
            GYRE_TRY_VOID(inner(tx));
            return conflict("somebody was faster");
        };
        return outcome;
    });
    start(std::move(kinds));
    for (const auto& [kind, reason] : {std::pair{"large", "over 262144 bytes"},
                                       {"throws", "the step threw: boom"},
                                       {"stuck", "cannot be waited for"},
                                       {"refused", "somebody was faster"}}) {
        put("name: " + std::string(kind) + "\nsteps: [{id: a, kind: " + kind + "}]\n");
        const RunRecord run = run_once(kind);
        EXPECT_EQ(run.state, RunState::failed) << kind;
        EXPECT_THAT(run.reason, HasSubstr(reason));
    }
    EXPECT_EQ(events_of("test.effect"), 0U);
}

TEST_F(EngineTest, schedules_follow_event_time_and_run_the_latest_tick_only) {
    start(counting_kinds());
    put("name: weekly\non: {schedule: [{every: 4w, time: event, subject: endpoint/flights}]}\n"
        "steps: [{id: a, kind: count}]\n");
    engine_->advance("endpoint/flights", kT0);
    settle();
    engine_->advance("endpoint/flights", kT0 + 27 * kUsPerDay);
    settle();
    EXPECT_TRUE(runs().empty());
    engine_->advance("endpoint/flights", kT0 + 29 * kUsPerDay);
    settle();
    ASSERT_EQ(runs().size(), 1U);
    EXPECT_EQ(runs()[0].as_of_us, kT0 + 28 * kUsPerDay) << "the tick's time, not the watermark's";
    start(counting_kinds());  // the next tick survives a restart
    engine_->advance("endpoint/flights", kT0 + 30 * kUsPerDay);
    settle();
    EXPECT_EQ(runs().size(), 1U);
    engine_->advance("endpoint/flights", kT0 + 113 * kUsPerDay);
    settle();
    ASSERT_EQ(runs().size(), 2U);
    EXPECT_EQ(runs()[0].as_of_us, kT0 + 112 * kUsPerDay);
    EXPECT_EQ((*engine_->list_decisions("weekly", 1))[0].reason, "2 earlier ticks were missed");
}

TEST_F(EngineTest, the_queue_of_runs_is_bounded) {
    Hold hold;
    start(hold.kinds());
    put(held("queue"));
    ASSERT_TRUE(engine_->start_run({.pipeline = "held"}, local_principal()));
    hold.wait_begun(1);
    for (std::size_t i = 0; i < kRunsQueuedMax; ++i) {
        ASSERT_TRUE(engine_->start_run({.pipeline = "held"}, local_principal()));
    }
    EXPECT_EQ(engine_->start_run({.pipeline = "held"}, local_principal()).error().code(),
              ErrorCode::resource_exhausted);
}

TEST_F(EngineTest, a_stop_leaves_the_step_to_the_next_start) {
    Hold hold;
    start(hold.kinds());
    put(held("skip"));
    const auto run = engine_->start_run({.pipeline = "held", .as_of_us = kT0}, local_principal());
    ASSERT_TRUE(run);
    hold.wait_begun(1);
    engine_->stop();
    hold.release();
    start(hold.kinds());
    settle();
    const RunRecord after = *engine_->get_run(run->id);
    EXPECT_EQ(after.state, RunState::succeeded);
    EXPECT_EQ(after.steps[0].attempt, 2);
    EXPECT_EQ(after.steps[0].interruptions, 1);
    EXPECT_EQ(after.steps[0].outputs["stopped"], Json(false));
}

TEST_F(EngineTest, unknown_things_are_not_found) {
    start(counting_kinds());
    EXPECT_EQ(engine_->get_pipeline("x").error().code(), ErrorCode::not_found);
    EXPECT_EQ(engine_->get_run("x").error().code(), ErrorCode::not_found);
    EXPECT_EQ(engine_->cancel("x", local_principal()).error().code(), ErrorCode::not_found);
    EXPECT_EQ(engine_->start_run({.pipeline = "x"}, local_principal()).error().code(), ErrorCode::not_found);
    EXPECT_EQ(
        engine_->put_pipeline("name: x\nsteps: [{id: a, kind: nope}]", local_principal()).error().code(),
        ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace gyre::pipelines
