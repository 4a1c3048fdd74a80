#include "serving/serving.h"

#include <atomic>
#include <cmath>
#include <future>

#include <gtest/gtest.h>

#include "base/file.h"
#include "inference/testing.h"
#include "serving/endpoint.h"
#include "serving/live.h"
#include "serving/row_buffer.h"
#include "serving/shadow_queue.h"
#include "serving/stages.h"
#include "storage/testing.h"

namespace gyre::serving {
namespace {

EndpointSpec two_variants(double share) {
    EndpointSpec spec;
    spec.name = "flights";
    spec.variants = {{"champion", "flights", 1, Role::champion, 1.0 - share},
                     {"candidate", "flights", 2, Role::candidate, share}};
    return spec;
}

TEST(EndpointSpec, one_champion_and_weights_that_sum_to_one) {
    EXPECT_TRUE(check(two_variants(0.05)));
    EndpointSpec spec = two_variants(0.05);
    spec.variants[1].weight = 0.5;
    EXPECT_NE(check(spec).error().message().find("sum to"), std::string::npos);
    spec = two_variants(0.05);
    spec.variants[1].role = Role::champion;
    EXPECT_FALSE(check(spec));
    spec = two_variants(0.0);
    spec.variants.push_back({"left-alone", "flights", 1, Role::shadow, 0.1});
    EXPECT_NE(check(spec).error().message().find("never answers"), std::string::npos);
    spec = two_variants(0.0);
    spec.variants.push_back({"champion", "flights", 1, Role::shadow, 0.0});
    EXPECT_NE(check(spec).error().message().find("two variants"), std::string::npos);
}

TEST(EndpointSpec, variants_are_bounded) {
    EndpointSpec spec = two_variants(0.0);
    while (spec.variants.size() <= kVariantsPerEndpointMax) {
        spec.variants.push_back({"s" + std::to_string(spec.variants.size()), "m", 1, Role::shadow, 0.0});
    }
    EXPECT_EQ(check(spec).error().code(), ErrorCode::resource_exhausted);
}

TEST(EndpointSpec, survives_a_round_trip) {
    const EndpointSpec spec = two_variants(0.25);
    const auto again = from_json<EndpointSpec>(*parse_json(to_json(spec).dump()));
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, spec);
}

TEST(Assign, raising_a_share_moves_nobody_back) {
    const std::vector<double> small{0.95, 1.0};
    const std::vector<double> large{0.75, 1.0};
    int candidates = 0;
    for (int i = 0; i < 100'000; ++i) {
        const std::string key = "user-" + std::to_string(i);
        const std::size_t before = assign(small, "flights", key);
        candidates += before == 1 ? 1 : 0;
        if (before == 1) {
            ASSERT_EQ(assign(large, "flights", key), 1U) << key;
        }
    }
    EXPECT_NEAR(candidates, 5000, 300);
}

TEST(RowBuffer, an_owned_copy_outlives_the_request) {
    model::Signature signature;
    signature.columns = {{"carrier", model::ColumnType::text, false},
                         {"distance", model::ColumnType::number, false}};
    RowBuffer copy;
    {
        std::string body = "a carrier with a long name";
        RowBuffer rows;
        rows.reset(signature, 2);
        rows.set_text(0, 1, body);
        rows.set_number(1, 0, 1400.0);
        copy = rows.owned_copy();
        body.assign(body.size(), 'x');
    }
    EXPECT_TRUE(copy.text(0, 0).missing);
    EXPECT_EQ(copy.text(0, 1).text, "a carrier with a long name");
    EXPECT_EQ(copy.batch().columns[1].numbers[0], 1400.0);
    EXPECT_TRUE(std::isnan(copy.batch().columns[1].numbers[1]));
}

TEST(RowBuffer, gives_the_room_of_a_large_request_back) {
    model::Signature signature;
    signature.columns = {{"carrier", model::ColumnType::text, false},
                         {"distance", model::ColumnType::number, false}};
    RowBuffer rows;
    rows.reset(signature, 4 * kRowBufferKeptValues);
    ASSERT_GE(rows.capacity(), 8 * kRowBufferKeptValues);
    rows.reset(signature, 3);
    EXPECT_LE(rows.capacity(), 100U);
    rows.set_number(1, 2, 1.0);
    EXPECT_EQ(rows.batch().columns[1].numbers[2], 1.0);
    rows.reset(signature, kRowBufferKeptValues / 2);
    rows.reset(signature, 3);
    EXPECT_GE(rows.capacity(), kRowBufferKeptValues) << "room of requests up to the bound is kept";
}

struct CountedModel {
    Counter requests, rows, errors, dropped;
    Histogram seconds;
    VariantSeries series(const std::string& model) {
        return {model, {&requests, &rows, &errors, &dropped, &seconds}};
    }
    void answer(std::int64_t ns) {
        requests.add();
        seconds.observe_ns(ns);
    }
};

TEST(StageTimer, one_request_in_so_many_is_timed_and_the_stages_add_up) {
    ManualClock clock(1'000);
    std::array<Histogram, kStages> histograms;
    StageHistograms series{};
    for (std::size_t i = 0; i < kStages; ++i) {
        series[i] = &histograms[i];
    }
    for (std::uint32_t request = 0; request < 3 * kStageSampling; ++request) {
        StageTimer timer(clock, clock.steady_ns());
        clock.advance_us(1);
        timer.end(Stage::parse);
        clock.advance_us(5);
        timer.end_at(Stage::predict, clock.steady_ns());
        timer.end(Stage::log);
        clock.advance_us(2);
        timer.end(Stage::write);
        timer.record(series);
    }
    const auto seconds = [&](Stage stage) { return histograms[static_cast<std::size_t>(stage)].totals(); };
    EXPECT_EQ(seconds(Stage::parse).count, 3U);
    EXPECT_NEAR(seconds(Stage::parse).sum_seconds, 3e-6, 1e-12);
    EXPECT_NEAR(seconds(Stage::predict).sum_seconds, 15e-6, 1e-12);
    EXPECT_NEAR(seconds(Stage::log).sum_seconds, 0.0, 1e-12);
    EXPECT_NEAR(seconds(Stage::write).sum_seconds, 6e-6, 1e-12);
}

TEST(LiveHistory, a_point_holds_only_what_happened_in_its_stretch) {
    constexpr std::int64_t kSecondNs = 1'000'000'000;
    CountedModel old_model;
    CountedModel new_model;
    LiveHistory history;
    std::vector<VariantSeries> series{old_model.series("flights/1")};
    old_model.answer(kSecondNs);  // long ago, and slow: no later point shows it
    history.sample(series, 0, kSecondNs);
    series.push_back(new_model.series("flights/2"));
    for (int second = 2; second <= 11; ++second) {
        for (int i = 0; i < 30; ++i) {
            old_model.answer(1'000'000);
        }
        for (int i = 0; i < 10 && second > 6; ++i) {
            new_model.answer(4'000'000);
        }
        history.sample(series, second * kUsPerSecond, second * kSecondNs);
    }
    ASSERT_EQ(history.points().size(), 2U);
    const LivePoint& first = history.points()[0];
    EXPECT_NEAR(first.rps, 30.0, 1e-9);
    ASSERT_EQ(first.models.size(), 1U);
    EXPECT_LT(first.p99_ms, 1.3);
    const LivePoint& second = history.points()[1];
    EXPECT_NEAR(second.rps, 40.0, 1e-9);
    ASSERT_EQ(second.models.size(), 2U);
    EXPECT_EQ(second.models[1].model, "flights/2");
    EXPECT_NEAR(second.models[1].rps, 10.0, 1e-9);
    EXPECT_GT(second.p99_ms, 3.9);
    EXPECT_LT(second.p99_ms, 5.0);
    EXPECT_NEAR(history.rps(), 40.0, 1e-9);
}

TEST(LiveHistory, keeps_a_bounded_tail) {
    CountedModel model;
    LiveHistory history;
    const std::vector<VariantSeries> series{model.series("flights/1")};
    const auto points = static_cast<std::int64_t>(kLivePointsMax) + 3;
    for (std::int64_t i = 0; i <= points; ++i) {
        history.sample(series, i, (1 + i * kLiveStepS) * 1'000'000'000);
    }
    EXPECT_EQ(history.points().size(), kLivePointsMax);
    EXPECT_EQ(history.points().back().time_us, points);
    EXPECT_EQ(history.points().back().rps, 0.0);
    EXPECT_EQ(history.points().back().p99_ms, 0.0);
}

TEST(ShadowQueue, sheds_what_does_not_fit_and_scores_the_rest) {
    std::atomic<int> scored{0};
    std::mutex gate;
    gate.lock();
    ShadowQueue queue(
        [&](ShadowJob& job) {
            const std::scoped_lock lock(gate);
            scored += static_cast<int>(job.request_ids.size());
        },
        10);
    int refused = 0;
    for (int i = 0; i < 20; ++i) {
        ShadowJob job;
        job.request_ids = {"a", "b"};
        refused += queue.push(std::move(job)) ? 0 : 1;
    }
    gate.unlock();
    queue.drain();
    EXPECT_EQ(scored, 10);
    EXPECT_EQ(refused, 15);
    EXPECT_EQ(queue.queued_rows(), 0U);
}

class ServingTest : public testing::Test {
 protected:
    void SetUp() override {
        ASSERT_TRUE(write_file_atomic(folder.file("model.json"), inference::one_leaf_model()));
        inference::ManagerOptions options;
        options.resolve = [this](const inference::ModelKey& key) -> Result<std::string> {
            if (key.version == kSlow) {
                slow.get_future().wait();
            }
            return folder.file(key.version == kBroken ? "none.json" : "model.json");
        };
        options.on_change = [this](const auto&) { serving->poke(); };
        log = *monitoring::PredictionLog::open({.directory = folder.file("log")}, system_clock(), metrics);
        manager = std::make_unique<inference::Manager>(options, metrics, system_clock());
        serving = std::make_unique<Serving>(*database, *manager, *log, metrics, system_clock());
        ASSERT_TRUE(serving->start({}));
    }
    void TearDown() override {
        serving->stop();
        manager.reset();  // its loader calls serving
    }
    void publish(const StoredEndpoint& stored) {
        ASSERT_TRUE(serving->wait_published("flights", stored.generation));
    }

    EndpointSpec with_shadow(const std::string& name, std::int64_t version) {
        EndpointSpec spec = two_variants(0.0);
        spec.name = name;
        spec.variants[1] = {"left-alone", "flights", version, Role::shadow, 0.0};
        return spec;
    }

    static constexpr std::int64_t kBroken = 13;
    static constexpr std::int64_t kSlow = 14;
    storage::TempFolder folder;
    storage::TestDatabase database;
    Metrics metrics;
    std::promise<void> slow;  // when version 14 has been found
    std::unique_ptr<monitoring::PredictionLog> log;
    std::unique_ptr<Serving> serving;
    std::unique_ptr<inference::Manager> manager;
};

TEST_F(ServingTest, a_request_keeps_the_picture_that_it_began_with) {
    EndpointSpec spec = with_shadow("flights", 2);
    publish(*serving->create(spec, {local_principal(), "test"}));
    const RoutedEndpoint& endpoint = *serving->table().peek("flights");
    const std::weak_ptr<const RoutedEndpoint> picture = endpoint.weak_from_this();

    spec.variants[0].version = 3;
    publish(*serving->update(spec, {local_principal(), "test"}));

    RowBuffer rows;
    rows.reset(*endpoint.signature(), 1);
    const std::vector<std::string_view> ids{"a"};
    const std::vector<std::int64_t> times{1};
    std::vector<float> out;
    ASSERT_TRUE(serving->predict(endpoint, endpoint.variants[0], rows, {ids, times}, out));
    serving->drain_shadows();
    ASSERT_FALSE(picture.expired()) << "the answer's version is read from it";
    EXPECT_EQ(endpoint.variants[0].version_text, "1");
}

TEST_F(ServingTest, a_broken_shadow_does_not_silence_the_champion_after_a_restart) {
    const StoredEndpoint stored =
        *serving->create(with_shadow("flights", kBroken), {local_principal(), "test"});
    EXPECT_FALSE(serving->wait_published("flights", stored.generation)) << "it is told, all the same";
    const RoutedEndpoint& endpoint = *serving->table().peek("flights");
    EXPECT_TRUE(endpoint.ready());
    EXPECT_TRUE(endpoint.shadowing.empty());
}

TEST_F(ServingTest, nothing_answers_before_the_log_knows_the_endpoint) {
    EndpointSpec other = with_shadow("flights", 2);
    publish(*serving->create(other, {local_principal(), "test"}));  // so the champion of both is loaded
    const StoredEndpoint stored = *serving->create(with_shadow("fares", kSlow), {local_principal(), "test"});
    EXPECT_FALSE(serving->wait_published("fares", stored.generation, 200));
    ASSERT_NE(serving->table().peek("fares"), nullptr);
    EXPECT_FALSE(serving->table().peek("fares")->ready());
    EXPECT_FALSE(static_cast<bool>(serving->table().peek("fares")->pinned(1)->model));
    slow.set_value();
    EXPECT_TRUE(serving->wait_published("fares", stored.generation));
}

}  // namespace
}  // namespace gyre::serving
