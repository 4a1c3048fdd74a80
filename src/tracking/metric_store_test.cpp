#include "tracking/metric_store.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "storage/testing.h"
#include "tracking/limits.h"
#include "tracking/tracking.h"

namespace gyre::tracking {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

class MetricStoreTest : public ::testing::Test {
 protected:
    void log(std::vector<Metric> metrics) {
        ASSERT_TRUE(tracking_->log_batch(run_, {.metrics = std::move(metrics), .params = {}, .tags = {}}));
    }
    std::vector<Metric> history(std::string_view key) {
        return tracking_->metric_history(run_, key, kHistoryPageMax, "")->items;
    }
    storage::TestDatabase database_;
    std::unique_ptr<Tracking> tracking_ = *Tracking::open(*database_, "mlflow-artifacts:/");
    std::string run_ = tracking_->create_run(local_principal(), {})->info.run_id;
};

TEST_F(MetricStoreTest, points_survive_tails_and_blocks_in_any_order) {
    Rng rng(3);
    std::vector<Metric> expected;
    for (std::int64_t i = 0; i < 1500; ++i) {
        expected.push_back({.key = "loss", .value = rng.normal(), .timestamp_ms = i, .step = i});
    }
    std::vector<Metric> shuffled = expected;
    std::shuffle(shuffled.begin(), shuffled.end(), rng);
    for (std::size_t at = 0; at < shuffled.size();) {
        const std::size_t n =
            std::min<std::size_t>(1 + rng.below(rng.below(2) == 0 ? 3 : 300), shuffled.size() - at);
        log({shuffled.begin() + static_cast<std::ptrdiff_t>(at),
             shuffled.begin() + static_cast<std::ptrdiff_t>(at + n)});
        at += n;
    }
    const auto got = history("loss");
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
        ASSERT_EQ(got[i].value, expected[i].value) << i;
        ASSERT_EQ(got[i].step, expected[i].step);
    }
    EXPECT_EQ(tracking_->get_run(run_)->metrics.at(0).value, expected.back().value);
}

TEST_F(MetricStoreTest, a_point_that_was_sent_before_is_dropped_wherever_it_lies) {
    std::vector<Metric> all;
    for (std::int64_t i = 0; i < 300; ++i) {
        all.push_back({.key = "m", .value = static_cast<double>(i % 3), .timestamp_ms = i / 2, .step = 0});
    }
    log(all);
    log(all);
    log({all[5], all[299], all[299]});
    EXPECT_EQ(history("m").size(), 300U);
    log({{.key = "m", .value = 77, .timestamp_ms = 2, .step = 0}});
    EXPECT_EQ(history("m").size(), 301U);
}

TEST_F(MetricStoreTest, nan_is_kept_and_infinities_become_the_largest_numbers) {
    constexpr double kInf = std::numeric_limits<double>::infinity();
    log({{.key = "a", .value = kNan, .timestamp_ms = 1},
         {.key = "a", .value = kNan, .timestamp_ms = 1},
         {.key = "b", .value = kInf},
         {.key = "c", .value = -kInf}});
    ASSERT_EQ(history("a").size(), 1U);
    EXPECT_TRUE(std::isnan(history("a")[0].value));
    const auto latest = tracking_->get_run(run_)->metrics;
    EXPECT_TRUE(std::isnan(latest.at(0).value));
    EXPECT_EQ(latest.at(1).value, std::numeric_limits<double>::max());
    EXPECT_EQ(latest.at(2).value, std::numeric_limits<double>::lowest());
}

// MLflow: the latest is the greatest by (step, timestamp, value).
TEST_F(MetricStoreTest, the_latest_is_by_step_then_time_then_value) {
    log({{.key = "m", .value = 1, .timestamp_ms = 100, .step = 5}});
    log({{.key = "m", .value = 2, .timestamp_ms = 900, .step = 4}});
    EXPECT_EQ(tracking_->get_run(run_)->metrics.at(0).value, 1);
    log({{.key = "m", .value = 0.5, .timestamp_ms = 100, .step = 5}});
    EXPECT_EQ(tracking_->get_run(run_)->metrics.at(0).value, 1);
    log({{.key = "m", .value = 0, .timestamp_ms = 101, .step = 5}});
    EXPECT_EQ(tracking_->get_run(run_)->metrics.at(0).value, 0);
}

TEST_F(MetricStoreTest, history_is_paged) {
    std::vector<Metric> all;
    for (std::int64_t i = 0; i < 10; ++i) {
        all.push_back({.key = "m", .value = 0, .timestamp_ms = i, .step = i});
    }
    log(all);
    auto first = tracking_->metric_history(run_, "m", 6, "");
    EXPECT_EQ(first->items.size(), 6U);
    auto second = tracking_->metric_history(run_, "m", 6, first->next_page_token);
    EXPECT_EQ(second->items.size(), 4U);
    EXPECT_EQ(second->items[0].step, 6);
    EXPECT_EQ(second->next_page_token, "");
    EXPECT_TRUE(tracking_->metric_history(run_, "other", 6, "")->items.empty());
    EXPECT_FALSE(tracking_->metric_history("none", "m", 6, ""));
    EXPECT_FALSE(tracking_->metric_history(run_, "m", kHistoryPageMax + 1, ""));
}

}  // namespace
}  // namespace gyre::tracking
