// kill -9 at every durable moment, any number of times: after each restart the run goes on, every effect that
// is committed with its step happens exactly once, and one trigger makes one run.
#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "pipelines/engine.h"
#include "pipelines/engine_testing.h"
#include "storage/testing.h"

namespace gyre::pipelines {
namespace {

struct Crash {
    std::string point;
    int passage = 1;  // die the n-th time
};

struct Opened {
    ManualClock clock{kT0};
    std::unique_ptr<storage::Database> database;
    std::unique_ptr<events::EventStream> stream;
    std::unique_ptr<Engine> engine;
};

/// An engine over the folder; dies at the crash point. The step kind "flaky" fails once and is retried.
Result<std::unique_ptr<Opened>> open_engine(const std::string& folder, const Crash& crash) {
    auto opened = std::make_unique<Opened>();
    GYRE_TRY(opened->database, storage::Database::open(folder + "/gyre.db", storage::migrations()));
    opened->stream = std::make_unique<events::EventStream>(*opened->database);
    StepKinds kinds = counting_kinds();
    GYRE_TRY_VOID(kinds.add({.name = "flaky", .start = [](const StepContext& context) {
                                 return context.attempt == 1 ? StepOutcome::failed("not yet", Retry::yes)
                                                             : count_effect(context);
                             }}));
    auto passed = std::make_shared<std::atomic<int>>(0);
    GYRE_TRY(opened->engine,
             Engine::create(
                 *opened->database, *opened->stream, opened->clock, std::move(kinds),
                 {.work_root = folder + "/steps", .fault_point = [crash, passed](std::string_view name) {
                      if (name == crash.point && ++*passed == crash.passage) {
                          ::kill(::getpid(), SIGKILL);
                      }
                  }}));
    GYRE_TRY_VOID(opened->engine->start());
    return opened;
}

/// In a process of its own: opens, and waits until nothing is left to do. Exit 0, or dies at the crash point.
bool dies(const std::string& folder, const Crash& crash) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        auto opened = open_engine(folder, crash);
        const bool rest = opened && (*opened)->engine->wait_idle(kT0 + kUsPerDay, kPatience);
        ::_exit(rest ? 0 : 1);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << "the engine did not come to rest";
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

std::string crash_pipeline() {
    std::string text(kSixSteps);
    const std::string from = "{id: gate, kind: count";
    return text.replace(text.find(from), from.size(),
                        "{id: gate, retries: {max: 3, backoff: 0s}, kind: flaky");
}

/// A pipeline, and one event that triggers it.
void prepare(const std::string& folder) {
    auto opened = open_engine(folder, {});
    ASSERT_TRUE(opened) << opened.error().message();
    ASSERT_TRUE((*opened)->engine->put_pipeline(crash_pipeline(), local_principal()));
    (*opened)->engine->stop();
    ASSERT_TRUE((*opened)->database->write([](storage::Transaction& tx) {
        return events::append(tx, {.type = "drift.detected",
                                   .subject = "endpoint/flights",
                                   .principal = system_principal(),
                                   .as_of_us = kT0});
    }));
}

void expect_done_once(const std::string& folder) {
    auto opened = open_engine(folder, {});
    ASSERT_TRUE(opened) << opened.error().message();
    ASSERT_TRUE((*opened)->engine->wait_idle(kT0 + kUsPerDay, kPatience));
    const auto runs = (*opened)->engine->list_runs({});
    ASSERT_EQ(runs->size(), 1U);
    const RunRecord run = *(*opened)->engine->get_run((*runs)[0].id);
    EXPECT_EQ(run.state, RunState::succeeded) << run.reason;
    std::map<std::string, int> effects;
    std::map<std::string, int> lifecycle;
    const auto page = (*opened)->stream->read(0, events::kEventPageMax);
    for (const events::Event& event : page->events) {
        ++(event.type == "test.effect" ? effects[event.subject] : lifecycle[event.type]);
    }
    EXPECT_EQ(effects.size(), 6U);
    for (const auto& [key, count] : effects) {
        EXPECT_EQ(count, 1) << key;
    }
    EXPECT_EQ(lifecycle["pipeline.triggered"], 1);
    EXPECT_EQ(lifecycle["pipeline.started"], 1);
    EXPECT_EQ(lifecycle["pipeline.step_finished"], 6);
    EXPECT_EQ(lifecycle["pipeline.finished"], 1);
    EXPECT_FALSE((*opened)->stream->verify()->first_bad);
}

class EngineCrash : public ::testing::TestWithParam<const char*> {};

TEST_P(EngineCrash, every_effect_happens_once) {
    storage::TempFolder folder;
    prepare(folder.path());
    EXPECT_TRUE(dies(folder.path(), {.point = GetParam(), .passage = 1})) << "the point was not reached";
    dies(folder.path(), {.point = GetParam(), .passage = 2});
    dies(folder.path(), {.point = GetParam(), .passage = 1});
    expect_done_once(folder.path());
}

INSTANTIATE_TEST_SUITE_P(DurableMoments, EngineCrash,
                         ::testing::Values("recovered", "trigger.before", "trigger.committed", "run.started",
                                           "step.settled", "attempt.committed", "step.returned",
                                           "step.committed", "retry.committed", "run.finished"));

TEST(EngineCrashLoop, a_run_that_dies_after_every_attempt_still_ends) {
    storage::TempFolder folder;
    prepare(folder.path());
    int deaths = 0;
    while (dies(folder.path(), {.point = "step.committed", .passage = 1})) {
        ASSERT_LT(++deaths, 20);
    }
    EXPECT_EQ(deaths, 7) << "six steps, and the waiting of the sixth";
    expect_done_once(folder.path());
}

TEST(EngineCrashLoop, a_step_that_always_kills_the_server_is_given_up) {
    storage::TempFolder folder;
    prepare(folder.path());
    for (int i = 0; i <= kInterruptionsMax; ++i) {
        ASSERT_TRUE(dies(folder.path(), {.point = "attempt.committed", .passage = 1})) << i;
    }
    auto opened = open_engine(folder.path(), {});
    ASSERT_TRUE(opened);
    ASSERT_TRUE((*opened)->engine->wait_idle(kT0 + kUsPerDay, kPatience));
    const RunRecord run = *(*opened)->engine->get_run((*(*opened)->engine->list_runs({}))[0].id);
    EXPECT_EQ(run.state, RunState::failed);
    EXPECT_EQ(run.steps[0].state, StepState::lost);
    EXPECT_EQ(run.steps[1].state, StepState::upstream_failed);
}

}  // namespace
}  // namespace gyre::pipelines
