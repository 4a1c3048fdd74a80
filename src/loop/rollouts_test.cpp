// The rollout controller on a temporary database, with real models served and scores fed in as the prediction
// log would: every way that a rollout can go, and what a restart makes of it.
#include "loop/rollouts.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/rng.h"
#include "events/events.h"
#include "inference/testing.h"
#include "storage/testing.h"

namespace gyre::loop {
namespace {

constexpr std::int64_t kDay = kUsPerDay;
constexpr std::int64_t kStart = 15'706 * kDay;  // 2013-01-01
constexpr int kRowsPerDay = 200;

class RolloutsTest : public testing::Test {
 protected:
    void SetUp() override {
        ASSERT_TRUE(write_file_atomic(folder.file("model.json"), inference::one_leaf_model()));
        std::string wide = inference::one_leaf_model();
        wide.replace(wide.find(R"("num_feature":"1")"), 17, R"("num_feature":"2")");
        ASSERT_TRUE(write_file_atomic(folder.file("wide.json"), wide));
        open();
        serving::EndpointSpec spec;
        spec.name = "flights";
        spec.time = serving::TimeMode::event;
        spec.variants = {{"champion", "flights", 1, serving::Role::champion, 1.0}};
        ASSERT_TRUE(serving->create(spec, {local_principal(), "test"}));
    }
    void TearDown() override { close(); }

    void open() {
        const auto resolve = [this](const inference::ModelKey& key) -> Result<std::string> {
            if (key.version == missing_version) {
                return not_found("no files of version " + std::to_string(key.version));
            }
            return folder.file(key.version == 14 ? "wide.json" : "model.json");
        };
        manager = std::make_unique<inference::Manager>(inference::ManagerOptions{.resolve = resolve,
                                                                                 .on_change =
                                                                                     [this](const auto&) {
                                                                                         if (serving) {
                                                                                             serving->poke();
                                                                                         }
                                                                                     }},
                                                       metrics, system_clock());
        log = *monitoring::PredictionLog::open({.directory = folder.file("log")}, system_clock(), metrics);
        serving = std::make_unique<serving::Serving>(*database, *manager, *log, metrics, system_clock());
        ASSERT_TRUE(serving->start({}));
        const auto facts = [this](const std::string& model) -> Result<ModelFacts> {
            const auto own = facts_of.find(model);
            return own == facts_of.end() ? model_facts : own->second;
        };
        const auto alias = [this](storage::Transaction&, const std::string& model,
                                  std::int64_t version) -> Result<void> {
            champion_alias = model + "/" + std::to_string(version);
            return alias_result;
        };
        rollouts = std::make_unique<Rollouts>(*database, *serving, *scores, facts, alias, system_clock());
    }
    void close() {
        rollouts.reset();
        if (serving) {
            serving->stop();
        }
        manager.reset();  // its loader calls serving
        serving.reset();
        log.reset();
    }

    NewRollout request(const std::string& model, std::int64_t day) const {
        NewRollout out;
        out.endpoint = "flights";
        out.model = model;
        out.principal = local_principal();
        out.as_of_us = kStart + day * kDay;
        out.cause = "test";
        out.options.label_lateness = hours(1);
        out.options.min_span = days(2);
        return out;
    }

    void score(const std::string& model, const std::string& id, std::int64_t time_us, float value,
               monitoring::RowKind kind) {
        const monitoring::VariantInfo variant{.endpoint = "flights", .model = model, .role = "variant"};
        const double x = 1.0;
        scores->add_row({schema,
                         variant,
                         {.request_id = id,
                          .kind = kind,
                          .event_time_us = time_us,
                          .arrival_us = time_us,
                          .outputs = {&value, 1},
                          .numbers = {&x, 1}}});
    }

    /// A day of requests: champion and candidate score each, the candidate answers its `share`. The error of
    /// a model is how far its probability is from the truth.
    void day(std::int64_t number, double champion_error, double candidate_error, double share = 0.0,
             const std::string& candidate = "flights/2") {
        for (int i = 0; i < kRowsPerDay; ++i) {
            const std::int64_t time_us = kStart + number * kDay + i * (kDay / kRowsPerDay) + kUsPerSecond;
            const std::string id = "r" + std::to_string(number) + "-" + std::to_string(i);
            const double truth = rng.uniform() < 0.3 ? 1.0 : 0.0;
            const bool exposed = rng.uniform() < share;
            const auto said = [&](double error) { return static_cast<float>(std::abs(truth - error)); };
            score("flights/1", id, time_us, said(champion_error),
                  exposed ? monitoring::RowKind::shadow : monitoring::RowKind::answered);
            score(candidate, id, time_us, said(candidate_error),
                  exposed ? monitoring::RowKind::answered : monitoring::RowKind::shadow);
            const monitoring::Label label{.request_id = id, .value = truth, .time_us = time_us + 1};
            static_cast<void>(scores->add_labels("flights", {&label, 1}));
        }
    }

    Rollout tick(const std::string& id, std::int64_t day_number) {
        auto ticked = rollouts->tick("flights", kStart + day_number * kDay + kUsPerHour * 2);
        EXPECT_TRUE(ticked) << (ticked ? "" : ticked.error().message());
        return *rollouts->get(id);
    }

    serving::EndpointSpec spec() { return serving->get("flights")->spec; }
    double candidate_share() {
        const serving::EndpointSpec now = spec();
        return now.candidate() == nullptr ? -1.0 : now.candidate()->weight;
    }

    std::vector<events::Event> rollout_events() {
        events::EventStream stream(*database);
        EXPECT_FALSE(stream.verify()->first_bad);
        std::vector<events::Event> out = stream.read(0, 1000)->events;
        std::erase_if(out, [](const events::Event& event) { return !event.type.starts_with("rollout."); });
        return out;
    }
    std::vector<std::string> event_types() {
        std::vector<std::string> types;
        for (const events::Event& event : rollout_events()) {
            types.push_back(event.type);
        }
        return types;
    }

    const monitoring::EndpointSchema schema{
        .name = "flights", .columns = {{"x", monitoring::InputKind::number}}, .outputs = {"p"}};
    storage::TempFolder folder;
    storage::TestDatabase database;
    Metrics metrics;
    Rng rng{11};
    std::atomic<std::int64_t> missing_version = 13;
    ModelFacts model_facts;
    std::map<std::string, ModelFacts> facts_of;  // of models that differ from the others
    std::string champion_alias;
    Result<void> alias_result;
    std::unique_ptr<monitoring::ScoreStore> scores =
        std::make_unique<monitoring::ScoreStore>(monitoring::ScoreStoreOptions{});
    std::unique_ptr<inference::Manager> manager;
    std::unique_ptr<monitoring::PredictionLog> log;
    std::unique_ptr<serving::Serving> serving;
    std::unique_ptr<Rollouts> rollouts;
};

TEST_F(RolloutsTest, a_better_candidate_is_promoted_step_by_step_each_with_its_event) {
    NewRollout asked = request("flights/2", 0);
    asked.options.sequential.steps = {0.25, 1.0};
    const auto started = rollouts->start(asked);
    ASSERT_TRUE(started) << started.error().message();
    EXPECT_EQ(started->state, RolloutState::paired);
    EXPECT_EQ(started->champion, "flights/1");
    EXPECT_EQ(candidate_share(), 0.0);  // it scores, and nobody gets its answers
    day(0, 0.3, 0.1);
    day(1, 0.3, 0.1);
    Rollout now = tick(started->id, 1);
    EXPECT_EQ(now.state, RolloutState::paired);  // min_span: two whole days
    day(2, 0.3, 0.1);
    now = tick(started->id, 3);
    EXPECT_EQ(now.state, RolloutState::exposing) << now.reason;
    EXPECT_DOUBLE_EQ(candidate_share(), 0.25);
    EXPECT_EQ(now.exposed_predictions, 0);
    for (int number = 3; number < 40 && now.state == RolloutState::exposing; ++number) {
        day(number, 0.3, 0.1, 0.25);
        now = tick(started->id, number + 1);
    }
    EXPECT_EQ(now.state, RolloutState::promoted) << now.reason;
    EXPECT_GT(now.exposed_predictions, 20);
    EXPECT_EQ(champion_alias, "flights/2");
    EXPECT_EQ(spec().champion()->ref(), "flights/2");
    EXPECT_EQ(spec().candidate(), nullptr);
    EXPECT_EQ(event_types(), (std::vector<std::string>{"rollout.started", "rollout.verdict", "rollout.step",
                                                       "rollout.verdict", "rollout.promoted"}));
    const events::Event verdict = rollout_events()[1];
    EXPECT_EQ(verdict.subject, "endpoint/flights");
    EXPECT_EQ(verdict.principal, "system");
    EXPECT_GE(verdict.data["evidence"].integer_or("n", 0), 400);
    EXPECT_LT(verdict.data["evidence"].number_or("high", 1.0), 0.0);  // the loss is surely smaller
    // Decided is decided: later ticks change nothing.
    EXPECT_TRUE(rollouts->tick("flights", kStart + 50 * kDay));
    EXPECT_EQ(event_types().size(), 5U);
}

TEST_F(RolloutsTest, a_worse_candidate_is_rolled_back_before_anybody_is_exposed) {
    const Rollout started = *rollouts->start(request("flights/2", 0));
    for (int number = 0; number < 3; ++number) {
        day(number, 0.2, 0.5);
    }
    const Rollout now = tick(started.id, 3);
    EXPECT_EQ(now.state, RolloutState::rolled_back) << now.reason;
    EXPECT_EQ(now.exposed_predictions, 0);
    EXPECT_TRUE(champion_alias.empty());
    EXPECT_EQ(spec().champion()->ref(), "flights/1");
    EXPECT_EQ(spec().champion()->weight, 1.0);
    EXPECT_EQ(event_types(),
              (std::vector<std::string>{"rollout.started", "rollout.verdict", "rollout.rolled_back"}));
}

TEST_F(RolloutsTest, no_labels_hold_until_the_deadline_which_keeps_the_champion) {
    NewRollout asked = request("flights/2", 0);
    asked.options.sequential.deadline = days(10);
    const Rollout started = *rollouts->start(asked);
    for (int number = 1; number < 10; ++number) {
        EXPECT_EQ(tick(started.id, number).state, RolloutState::paired);
    }
    const Rollout now = tick(started.id, 11);
    EXPECT_EQ(now.state, RolloutState::rolled_back);
    EXPECT_NE(now.reason.find("deadline"), std::string::npos) << now.reason;
    EXPECT_EQ(now.evidence.string_or("verdict", ""), "insufficient");
}

TEST_F(RolloutsTest, a_verdict_takes_effect_at_its_time_and_not_before) {
    NewRollout asked = request("flights/2", 0);
    asked.options.effect_delay = days(1);
    asked.options.sequential.steps = {1.0};
    const Rollout started = *rollouts->start(asked);
    for (int number = 0; number < 3; ++number) {
        day(number, 0.3, 0.1);
    }
    Rollout now = tick(started.id, 3);
    ASSERT_TRUE(now.pending);
    EXPECT_EQ(now.state, RolloutState::paired);
    EXPECT_EQ(now.pending->effective_us, kStart + 4 * kDay + 2 * kUsPerHour);
    EXPECT_EQ(spec().champion()->ref(), "flights/1");
    ASSERT_TRUE(rollouts->tick("flights", now.pending->effective_us - 1));
    EXPECT_EQ(rollouts->get(started.id)->state, RolloutState::paired);
    ASSERT_TRUE(rollouts->tick("flights", now.pending->effective_us));
    EXPECT_EQ(rollouts->get(started.id)->state, RolloutState::promoted);
    EXPECT_EQ(event_types(),
              (std::vector<std::string>{"rollout.started", "rollout.verdict", "rollout.promoted"}));
    EXPECT_EQ(rollout_events()[1].data.string_or("effective_at", ""), "2013-01-05T02:00:00Z");
}

TEST_F(RolloutsTest, a_restart_goes_on_where_it_was) {
    NewRollout asked = request("flights/2", 0);
    asked.options.min_span = days(3);
    asked.options.effect_delay = days(1);
    asked.options.sequential.steps = {1.0};
    const Rollout started = *rollouts->start(asked);
    day(0, 0.3, 0.1);
    day(1, 0.3, 0.1);
    const Rollout before = tick(started.id, 2);
    close();
    open();
    EXPECT_EQ(to_json(*rollouts->get(started.id)), to_json(before));
    EXPECT_TRUE(serving->wait_published("flights", 1));
    day(2, 0.3, 0.1);
    EXPECT_TRUE(tick(started.id, 3).pending);
    close();
    open();
    const Rollout now = tick(started.id, 4);
    EXPECT_EQ(now.state, RolloutState::promoted);
    EXPECT_EQ(event_types(),
              (std::vector<std::string>{"rollout.started", "rollout.verdict", "rollout.promoted"}));
    // 600 rows were counted once each, whatever was stopped in between.
    EXPECT_EQ(rollout_events()[1].data["evidence"].integer_or("n", 0), 600);
}

TEST_F(RolloutsTest, an_alias_that_cannot_move_undoes_the_whole_promotion) {
    NewRollout asked = request("flights/2", 0);
    asked.options.sequential.steps = {1.0};
    const Rollout started = *rollouts->start(asked);
    for (int number = 0; number < 3; ++number) {
        day(number, 0.3, 0.1);
    }
    alias_result = unavailable("the registry is away");
    EXPECT_FALSE(rollouts->tick("flights", kStart + 4 * kDay));
    EXPECT_EQ(rollouts->get(started.id)->state, RolloutState::paired);
    EXPECT_EQ(spec().champion()->ref(), "flights/1");
    alias_result = {};
    EXPECT_EQ(tick(started.id, 5).state, RolloutState::promoted);
}

TEST_F(RolloutsTest, a_newer_rollout_supersedes_the_open_one) {
    const Rollout first = *rollouts->start(request("flights/2", 0));
    const Rollout second = *rollouts->start(request("flights/3", 1));
    const Rollout old = *rollouts->get(first.id);
    EXPECT_EQ(old.state, RolloutState::aborted);
    EXPECT_NE(old.reason.find("flights/3"), std::string::npos);
    EXPECT_EQ(rollouts->open_on("flights")->value().id, second.id);
    EXPECT_EQ(spec().candidate()->ref(), "flights/3");
    EXPECT_EQ(event_types(),
              (std::vector<std::string>{"rollout.started", "rollout.aborted", "rollout.started"}));
    const auto listed = *rollouts->list("flights");
    ASSERT_EQ(listed.size(), 2U);
    EXPECT_EQ(listed[0].id, second.id);
    EXPECT_TRUE(rollouts->list("elsewhere")->empty());
}

TEST_F(RolloutsTest, one_that_is_scheduled_starts_at_its_time_and_is_recorded_once) {
    const Rollout recorded = *rollouts->schedule(request("flights/2", 5));
    EXPECT_EQ(recorded.state, RolloutState::scheduled);
    EXPECT_EQ(rollouts->schedule(request("flights/2", 5))->id, recorded.id);
    EXPECT_EQ(tick(recorded.id, 4).state, RolloutState::scheduled);
    EXPECT_EQ(spec().candidate(), nullptr);
    const Rollout now = tick(recorded.id, 5);
    EXPECT_EQ(now.state, RolloutState::paired);
    EXPECT_EQ(now.champion, "flights/1");
    EXPECT_EQ(now.started_us, now.as_of_us);  // by the clock of the tick: nothing was scored before
    EXPECT_EQ(event_types(), (std::vector<std::string>{"rollout.scheduled", "rollout.started"}));
}

TEST_F(RolloutsTest, the_next_one_waits_for_the_one_that_is_judged) {
    const Rollout first = *rollouts->start(request("flights/2", 0));
    const Rollout next = *rollouts->schedule(request("flights/3", 1));
    day(0, 0.2, 0.5);
    day(1, 0.2, 0.5);
    EXPECT_EQ(tick(next.id, 1).state, RolloutState::scheduled);
    EXPECT_EQ(rollouts->get(first.id)->state, RolloutState::paired);
    day(2, 0.2, 0.5);
    EXPECT_EQ(tick(next.id, 3).state,
              RolloutState::paired);  // the turn comes in the tick that ends the first
    EXPECT_EQ(rollouts->get(first.id)->state, RolloutState::rolled_back);
}

TEST_F(RolloutsTest, of_one_origin_only_the_newest_that_waited_starts_and_others_keep_their_turn) {
    const Rollout open = *rollouts->start(request("flights/2", 0));
    NewRollout older = request("flights/3", 1);
    older.origin = "pipeline a";
    NewRollout other = request("flights/4", 2);
    other.origin = "pipeline b";
    NewRollout newer = request("flights/5", 3);
    newer.origin = "pipeline a";
    const Rollout third = *rollouts->schedule(older);
    const Rollout fourth = *rollouts->schedule(other);
    const Rollout fifth = *rollouts->schedule(newer);
    ASSERT_TRUE(rollouts->abort(open.id, local_principal()));
    EXPECT_EQ(tick(fifth.id, 3).state, RolloutState::paired);
    EXPECT_EQ(rollouts->get(third.id)->state, RolloutState::aborted);
    EXPECT_EQ(rollouts->get(third.id)->reason, "superseded by flights/5 while it waited");
    EXPECT_EQ(rollouts->get(fourth.id)->state, RolloutState::scheduled);
    ASSERT_TRUE(rollouts->abort(fifth.id, local_principal()));
    EXPECT_EQ(tick(fourth.id, 4).state, RolloutState::paired);
}

TEST_F(RolloutsTest, a_bounded_number_waits) {
    for (std::size_t i = 0; i < kRolloutsWaitingMax; ++i) {
        NewRollout one = request("flights/2", 50);
        one.cause = "test " + std::to_string(i);
        ASSERT_TRUE(rollouts->schedule(one)) << i;
    }
    NewRollout one_more = request("flights/2", 50);
    one_more.cause = "one more";
    EXPECT_EQ(rollouts->schedule(one_more).error().code(), ErrorCode::resource_exhausted);
}

TEST_F(RolloutsTest, a_paused_one_decides_nothing_and_a_resumed_one_catches_up) {
    const Rollout started = *rollouts->start(request("flights/2", 0));
    EXPECT_TRUE(rollouts->set_paused(started.id, local_principal(), true)->paused);
    for (int number = 0; number < 3; ++number) {
        day(number, 0.2, 0.5);
    }
    EXPECT_EQ(tick(started.id, 3).state, RolloutState::paired);
    EXPECT_FALSE(rollouts->set_paused(started.id, local_principal(), false)->paused);
    EXPECT_EQ(tick(started.id, 4).state, RolloutState::rolled_back);
    EXPECT_EQ(event_types(), (std::vector<std::string>{"rollout.started", "rollout.paused", "rollout.resumed",
                                                       "rollout.verdict", "rollout.rolled_back"}));
}

TEST_F(RolloutsTest, people_may_promote_or_abort_and_what_is_over_stays) {
    const Rollout first = *rollouts->start(request("flights/2", 0));
    const Principal anna{"anna"};
    EXPECT_EQ(rollouts->promote(first.id, anna)->state, RolloutState::promoted);
    EXPECT_EQ(spec().champion()->ref(), "flights/2");
    EXPECT_EQ(champion_alias, "flights/2");
    EXPECT_EQ(rollout_events().back().principal, "anna");
    EXPECT_EQ(rollouts->promote(first.id, anna)->state, RolloutState::promoted);  // again changes nothing
    EXPECT_EQ(event_types().size(), 2U);

    NewRollout exposing = request("flights/3", 1);
    exposing.policy = Policy::unpaired;
    const Rollout second = *rollouts->start(exposing);
    EXPECT_EQ(second.state, RolloutState::exposing);
    EXPECT_DOUBLE_EQ(candidate_share(), 0.25);
    const Rollout aborted = *rollouts->abort(second.id, anna);
    EXPECT_EQ(aborted.state, RolloutState::aborted);
    EXPECT_EQ(aborted.reason, "aborted by anna");
    EXPECT_EQ(aborted.ended_us, second.as_of_us);
    EXPECT_EQ(aborted.exposure, 0.0);
    EXPECT_EQ(event_types().back(), "rollout.aborted");
    EXPECT_EQ(rollout_events().back().principal, "anna");
    EXPECT_EQ(rollout_events().back().data.string_or("state", ""), "aborted");
    EXPECT_EQ(rollouts->abort(second.id, local_principal())->reason, "aborted by anna");  // once is enough
    EXPECT_EQ(spec().champion()->ref(), "flights/2");
    EXPECT_EQ(spec().champion()->weight, 1.0);
    EXPECT_EQ(spec().candidate(), nullptr);
    EXPECT_EQ(rollouts->get("none").error().code(), ErrorCode::not_found);
    EXPECT_EQ(rollouts->abort("none", anna).error().code(), ErrorCode::not_found);
}

TEST_F(RolloutsTest, promoting_one_that_waits_ends_the_open_one) {
    const Rollout first = *rollouts->start(request("flights/2", 0));
    const Rollout waiting = *rollouts->schedule(request("flights/3", 1));
    ASSERT_TRUE(rollouts->promote(waiting.id, local_principal()));
    EXPECT_EQ(rollouts->get(first.id)->state, RolloutState::aborted);
    EXPECT_EQ(rollouts->get(first.id)->reason, "superseded by flights/3");
    EXPECT_EQ(rollouts->get(waiting.id)->state, RolloutState::promoted);
    EXPECT_FALSE(*rollouts->open_on("flights"));
    EXPECT_EQ(spec().champion()->ref(), "flights/3");
    EXPECT_EQ(spec().candidate(), nullptr);
}

TEST_F(RolloutsTest, aborting_one_that_waits_leaves_the_open_one_alone) {
    NewRollout exposing = request("flights/2", 0);
    exposing.policy = Policy::unpaired;
    const Rollout open = *rollouts->start(exposing);
    const Rollout waiting = *rollouts->schedule(request("flights/3", 1));
    EXPECT_EQ(rollouts->abort(waiting.id, Principal{"anna"})->state, RolloutState::aborted);
    EXPECT_EQ(rollouts->get(open.id)->state, RolloutState::exposing);
    EXPECT_EQ(spec().candidate()->ref(), "flights/2");
    EXPECT_DOUBLE_EQ(candidate_share(), 0.25);
}

TEST_F(RolloutsTest, simple_exposes_at_once_and_goes_up_by_the_success_of_both_arms) {
    NewRollout asked = request("flights/2", 0);
    asked.policy = Policy::simple;
    asked.options.simple.increment = 0.95;
    asked.options.simple.min_rows = 20;
    const Rollout started = *rollouts->start(asked);
    EXPECT_EQ(started.state, RolloutState::exposing);
    EXPECT_DOUBLE_EQ(candidate_share(), 0.05);
    Rollout now = started;
    for (int number = 0; number < 13 && !is_over(now.state); ++number) {
        day(number, 0.1, 0.1, 0.3);  // every row of both arms is a success
        now = tick(started.id, number + 1);
    }
    EXPECT_EQ(now.state, RolloutState::promoted) << now.reason;
}

TEST_F(RolloutsTest, a_success_is_what_the_rollout_declares) {
    NewRollout asked = request("flights/2", 0);
    asked.policy = Policy::simple;
    asked.options.simple.min_rows = 20;
    asked.options.simple.success = {evidence::SuccessSignal::loss_below, 0.05};
    const Rollout started = *rollouts->start(asked);
    EXPECT_EQ(api_json(started).string_or("success", ""), "loss below 0.05");
    Rollout now = started;
    for (int number = 0; number < 4 && !is_over(now.state); ++number) {
        day(number, 0.1, 0.3, 0.3);  // both on the right side of one half, the candidate's loss is 0.09
        now = tick(started.id, number + 1);
    }
    EXPECT_EQ(now.state, RolloutState::rolled_back) << now.reason;
    EXPECT_NE(now.reason.find("success (loss below 0.05) of the candidate 0"), std::string::npos)
        << now.reason;
}

TEST_F(RolloutsTest, a_signal_of_success_that_the_endpoint_cannot_give_is_refused) {
    NewRollout asked = request("flights/2", 0);
    asked.policy = Policy::simple;
    asked.options.simple.success = {evidence::SuccessSignal::error_below, 2.0};
    auto refused = rollouts->start(asked);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::invalid_argument);
    EXPECT_NE(refused.error().message().find("expected correct or loss_below"), std::string::npos);
    asked.options.simple.success = {evidence::SuccessSignal::correct, 2.0};
    refused = rollouts->start(asked);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message().find("takes no limit"), std::string::npos);
    asked.options.simple.success = {evidence::SuccessSignal::correct, {}};
    EXPECT_EQ(api_json(*rollouts->start(asked)).string_or("success", ""), "predicted class is the label");
}

TEST_F(RolloutsTest, a_regression_may_count_errors_but_no_classes) {
    serving::EndpointSpec fares;
    fares.name = "fares";
    fares.task = serving::Task::regression;
    fares.variants = {{"champion", "flights", 1, serving::Role::champion, 1.0}};
    ASSERT_TRUE(serving->create(fares, {local_principal(), "test"}));
    model_facts = {serving::Task::regression, 1.0};
    NewRollout asked = request("flights/2", 0);
    asked.endpoint = "fares";
    asked.policy = Policy::simple_literal;
    asked.options.simple.success.signal = evidence::SuccessSignal::correct;
    const auto refused = rollouts->start(asked);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message().find("expected error_below"), std::string::npos);
    asked.options.simple.success = {evidence::SuccessSignal::error_below, 2.0};
    EXPECT_TRUE(rollouts->start(asked));
}

TEST_F(RolloutsTest, what_cannot_start_says_why) {
    EXPECT_EQ(rollouts->start(request("flights/1", 0)).error().code(), ErrorCode::invalid_argument);
    NewRollout asked = request("flights/2", 0);
    asked.options.sequential.steps = {0.5};
    EXPECT_EQ(rollouts->start(asked).error().code(), ErrorCode::invalid_argument);
    asked = request("flights/2", 0);
    asked.endpoint = "nowhere";
    EXPECT_EQ(rollouts->start(asked).error().code(), ErrorCode::not_found);
    EXPECT_TRUE(rollouts->list("")->empty());
    EXPECT_TRUE(event_types().empty());
}

TEST_F(RolloutsTest, a_candidate_that_does_not_load_ends_its_rollout_with_the_error) {
    const auto broken = rollouts->start(request("flights/13", 0));
    ASSERT_FALSE(broken);
    EXPECT_EQ(broken.error().code(), ErrorCode::unavailable);
    EXPECT_NE(broken.error().message().find("no files of version 13; the rollout has ended"),
              std::string::npos)
        << broken.error().message();
    const Rollout ended = rollouts->list("flights")->front();
    EXPECT_EQ(ended.state, RolloutState::rolled_back);
    EXPECT_NE(ended.reason.find("no files of version 13"), std::string::npos) << ended.reason;
    EXPECT_EQ(ended.evidence.string_or("metric", ""), "load");
    EXPECT_EQ(ended.evidence.string_or("verdict", ""), "fail");
    EXPECT_FALSE(*rollouts->open_on("flights"));
    EXPECT_EQ(spec().candidate(), nullptr);
    EXPECT_EQ(event_types(), (std::vector<std::string>{"rollout.started", "rollout.rolled_back"}));
    EXPECT_EQ(rollout_events().back().principal, "system");
    missing_version = 0;  // repaired: the next one starts
    const auto again = rollouts->start(request("flights/13", 1));
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(spec().candidate()->ref(), "flights/13");
}

TEST_F(RolloutsTest, files_that_are_gone_after_a_restart_end_the_open_rollout) {
    const Rollout started = *rollouts->start(request("flights/2", 0));
    close();
    missing_version = 2;
    open();
    EXPECT_EQ(serving->wait_published("flights", serving->get("flights")->generation).error().code(),
              ErrorCode::unavailable);
    EXPECT_TRUE(*rollouts->end_unservable("flights"));
    EXPECT_FALSE(*rollouts->end_unservable("flights"));
    const Rollout ended = *rollouts->get(started.id);
    EXPECT_EQ(ended.state, RolloutState::rolled_back);
    EXPECT_NE(ended.reason.find("no files of version 2"), std::string::npos) << ended.reason;
    EXPECT_TRUE(serving->wait_published("flights", serving->get("flights")->generation));
}

TEST_F(RolloutsTest, of_those_that_wait_one_that_does_not_load_makes_room_for_the_next) {
    const Rollout broken = *rollouts->schedule(request("flights/13", 1));
    const Rollout good = *rollouts->schedule(request("flights/2", 2));
    EXPECT_EQ(tick(broken.id, 1).state, RolloutState::rolled_back);
    EXPECT_EQ(tick(good.id, 2).state, RolloutState::paired);
}

TEST_F(RolloutsTest, a_candidate_of_other_columns_ends_its_rollout) {
    const auto wide = rollouts->start(request("flights/14", 0));
    ASSERT_FALSE(wide);
    EXPECT_NE(wide.error().message().find("takes other columns"), std::string::npos);
    EXPECT_EQ(rollouts->list("flights")->front().state, RolloutState::rolled_back);
}

class RegressionRolloutsTest : public RolloutsTest {
 protected:
    void SetUp() override {
        RolloutsTest::SetUp();
        serving::EndpointSpec fares;
        fares.name = "fares";
        fares.task = serving::Task::regression;
        fares.variants = {{"champion", "flights", 1, serving::Role::champion, 1.0}};
        ASSERT_TRUE(serving->create(fares, {local_principal(), "test"}));
        model_facts.task = serving::Task::regression;
    }
    [[nodiscard]] NewRollout of_fares() const {
        NewRollout asked = request("flights/2", 0);
        asked.endpoint = "fares";
        return asked;
    }
};

TEST_F(RegressionRolloutsTest, errors_are_measured_by_the_greater_rmse_of_both) {
    facts_of["flights/1"] = {serving::Task::regression, 2.0};
    facts_of["flights/2"] = {serving::Task::regression, 1.5};
    EXPECT_DOUBLE_EQ(rollouts->start(of_fares())->options.loss_scale, 6.0);
    facts_of["flights/2"].rmse = 3.0;
    EXPECT_DOUBLE_EQ(rollouts->start(of_fares())->options.loss_scale, 9.0);
}

TEST_F(RegressionRolloutsTest, a_scale_that_nobody_knows_is_asked_for) {
    NewRollout asked = of_fares();
    const auto refused = rollouts->start(asked);
    ASSERT_FALSE(refused)
        << "with a scale of about 0 every loss is 1, and any candidate is as good as any other";
    EXPECT_NE(refused.error().message().find("loss_scale"), std::string::npos);
    asked.options.loss_scale = 4.0;
    EXPECT_DOUBLE_EQ(rollouts->start(asked)->options.loss_scale, 4.0);
}

TEST_F(RegressionRolloutsTest, its_loss_is_called_what_it_is) {
    NewRollout asked = of_fares();
    asked.options.loss_scale = 4.0;
    EXPECT_EQ(rollouts->start(asked)->options.sequential.loss.metric, "squared_error");
}

TEST_F(RegressionRolloutsTest, a_model_of_another_task_is_refused) {
    model_facts.task = serving::Task::classification;
    EXPECT_EQ(rollouts->start(of_fares()).error().message(),
              "'flights/2' is a classification, and endpoint 'fares' serves a regression");
}

}  // namespace
}  // namespace gyre::loop
