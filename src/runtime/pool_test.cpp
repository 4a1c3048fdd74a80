#include "runtime/pool.h"

#include <atomic>
#include <future>
#include <stdexcept>

#include <gtest/gtest.h>

#include "runtime/timers.h"

namespace gyre::runtime {
namespace {

TEST(ThreadPool, what_does_not_fit_is_refused_and_counted) {
    Metrics metrics;
    std::promise<void> started;
    std::promise<void> release;
    auto wait = release.get_future().share();
    ThreadPool pool({.name = "t", .threads = 1, .queue = 2}, metrics);
    ASSERT_TRUE(pool.submit([&] {
        started.set_value();
        wait.wait();
    }));
    started.get_future().wait();
    EXPECT_TRUE(pool.submit([] {}));
    EXPECT_TRUE(pool.submit([] {}));
    const auto refused = pool.submit([] {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::resource_exhausted);
    EXPECT_EQ(pool.depth(), 2U);
    EXPECT_NE(metrics.expose().find("gyre_pool_dropped_total{pool=\"t\"} 1"), std::string::npos);
    release.set_value();
}

TEST(ThreadPool, stop_runs_what_is_queued_and_refuses_the_rest) {
    Metrics metrics;
    std::atomic<int> ran{0};
    ThreadPool pool({.name = "t", .threads = 2, .queue = 100}, metrics);
    for (int i = 0; i < 50; ++i) {
        ASSERT_TRUE(pool.submit([&] { ++ran; }));
    }
    pool.stop();
    EXPECT_EQ(ran, 50);
    const auto late = pool.submit([] {});
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code(), ErrorCode::unavailable);
}

TEST(ThreadPool, a_task_that_throws_does_not_end_its_thread) {
    Metrics metrics;
    std::promise<void> ran;
    ThreadPool pool({.name = "t", .threads = 1, .queue = 8}, metrics);
    ASSERT_TRUE(pool.submit([] { throw std::runtime_error("boom"); }));
    ASSERT_TRUE(pool.submit([&] { ran.set_value(); }));
    ran.get_future().wait();
    EXPECT_NE(metrics.expose().find("gyre_pool_failed_total{pool=\"t\"} 1"), std::string::npos);
}

TEST(Timers, a_job_runs_again_and_again_until_it_is_cancelled) {
    std::atomic<int> count{0};
    std::promise<void> third;
    std::promise<void> other;
    std::atomic<bool> once{false};
    Timers timers;
    const auto id = timers.every("tick", 1, [&] {
        if (++count == 3) {
            third.set_value();
        }
    });
    third.get_future().wait();
    timers.cancel(id);
    const int seen = count;  // a later job runs, the cancelled one does not
    timers.every("other", 5, [&] {
        if (!once.exchange(true)) {
            other.set_value();
        }
    });
    other.get_future().wait();
    EXPECT_EQ(count, seen);
}

TEST(Timers, a_job_that_throws_goes_on) {
    std::atomic<int> count{0};
    std::promise<void> second;
    Timers timers;
    timers.every("bad", 1, [&] {
        if (++count == 2) {
            second.set_value();
        }
        throw std::runtime_error("boom");
    });
    second.get_future().wait();
}

}  // namespace
}  // namespace gyre::runtime
