#include "events/events.h"

#include <thread>

#include <gtest/gtest.h>

#include "storage/testing.h"

namespace gyre::events {
namespace {

using storage::Transaction;

class EventsTest : public ::testing::Test {
 protected:
    Result<Event> add(const std::string& type, const std::string& subject, Json data = Json::object()) {
        return database_->write([&](Transaction& tx) {
            return append(tx,
                          {.type = type, .subject = subject, .principal = local_principal(), .data = data});
        });
    }
    Result<void> change(const std::string& sql) {
        return database_->write([&](Transaction& tx) { return tx.run(sql); });
    }
    ManualClock clock_{1'700'000'000'000'000};
    storage::TestDatabase database_{{.clock = &clock_}};
    EventStream stream_{*database_};
};

TEST_F(EventsTest, positions_are_gapless_though_some_transactions_are_undone) {
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(add("run.created", "run/" + std::to_string(i)));
        static_cast<void>(database_->write([&](Transaction& tx) -> Result<void> {
            GYRE_TRY_VOID(
                append(tx, {.type = "run.created", .subject = "run/undone", .principal = local_principal()}));
            return conflict("undone");
        }));
    }
    auto page = stream_.read(0, 100);
    ASSERT_EQ(page->events.size(), 10U);
    for (std::size_t i = 0; i < 10; ++i) {
        EXPECT_EQ(page->events[i].position, static_cast<std::int64_t>(i) + 1);
    }
    EXPECT_EQ(stream_.head()->position, 10);
    auto verified = stream_.verify();
    EXPECT_EQ(verified->checked, 10);
    EXPECT_FALSE(verified->first_bad) << verified->reason;
}

// Origin of the hash: python3, hashlib.sha256(b"gyre.event.v1\n" + b"0"*64 + b"\n" + the canonical JSON
// below).
TEST_F(EventsTest, the_hash_can_be_computed_elsewhere) {
    // {"as_of_us":null,"data":{"a":1,"b":"x"},"position":1,"principal":"local","project":"default",
    //  "subject":"model/flights","time_us":1700000000000000,"type":"model.registered"} without spaces and
    //  line ends
    auto event = add("model.registered", "model/flights", Json::object({{"b", "x"}, {"a", 1}}));
    ASSERT_TRUE(event);
    EXPECT_EQ(event->previous_hash, std::string(64, '0'));
    EXPECT_EQ(event->hash, "5904c67413b0490c3602d5568d8ad5593f456b097c0e802998b37f47d1bcca17");
}

TEST_F(EventsTest, verify_names_the_first_bad_position) {
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(add("run.created", "run/1", Json::object({{"n", i}, {"x", 0.1}, {"whole", 2.0}})));
    }
    ASSERT_FALSE(stream_.verify()->first_bad);
    ASSERT_TRUE(change("UPDATE events SET subject = 'run/2' WHERE position = 3"));
    EXPECT_EQ(stream_.verify()->first_bad, 3);
    ASSERT_TRUE(change("UPDATE events SET subject = 'run/1' WHERE position = 3"));
    ASSERT_FALSE(stream_.verify()->first_bad);
    ASSERT_TRUE(change("DELETE FROM events WHERE position = 5"));
    EXPECT_EQ(stream_.verify()->first_bad, 5);  // the head still names it
    ASSERT_TRUE(change("DELETE FROM events WHERE position = 2"));
    EXPECT_EQ(stream_.verify()->first_bad, 2);
}

TEST_F(EventsTest, filters_leave_out_and_next_still_moves_on) {
    ASSERT_TRUE(add("rollout.started", "endpoint/a"));
    ASSERT_TRUE(add("rollout.promoted", "endpoint/b"));
    ASSERT_TRUE(add("run.created", "run/1"));
    auto rollouts = stream_.read(0, 10, {.type = "rollout.*", .subject = ""});
    EXPECT_EQ(rollouts->events.size(), 2U);
    EXPECT_EQ(rollouts->next, 3);
    EXPECT_EQ(stream_.read(0, 1, {.type = "rollout.*", .subject = ""})->next, 1);
    EXPECT_EQ(stream_.read(0, 10, {.type = "", .subject = "endpoint/b"})->events.size(), 1U);
    EXPECT_EQ(stream_.read(0, 10, {.type = "run.created", .subject = ""})->events.at(0).subject, "run/1");
    EXPECT_FALSE(stream_.read(0, kEventPageMax + 1));
    EXPECT_FALSE(stream_.read(-1, 1));
}

TEST_F(EventsTest, the_newest_come_first_going_back) {
    for (int i = 1; i <= 5; ++i) {
        ASSERT_TRUE(add(i == 2 ? "rollout.started" : "run.created", "run/" + std::to_string(i)));
    }
    const auto first = stream_.read_back(0, 2);
    ASSERT_TRUE(first);
    ASSERT_EQ(first->events.size(), 2U);
    EXPECT_EQ(first->events[0].position, 5);
    EXPECT_EQ(first->next, 4);
    const auto second = stream_.read_back(first->next, 2);
    EXPECT_EQ(second->events.at(0).position, 3);
    const auto last = stream_.read_back(second->next, 2);
    EXPECT_EQ(last->events.at(0).position, 1);
    EXPECT_EQ(last->next, 0);
    const auto filtered = stream_.read_back(0, 2, {.type = "rollout.*", .subject = ""});
    ASSERT_EQ(filtered->events.size(), 1U);
    EXPECT_EQ(filtered->events[0].position, 2);
    EXPECT_FALSE(stream_.read_back(-1, 1));
    EXPECT_FALSE(stream_.read_back(0, kEventPageMax + 1));
}

TEST_F(EventsTest, bounds_of_an_event_hold) {
    EXPECT_FALSE(add("Run.Created", "run/1"));
    EXPECT_FALSE(add("created", "run/1"));
    EXPECT_FALSE(add("run.created", ""));
    EXPECT_FALSE(add("run.created", std::string(kEventNameBytesMax + 1, 'x')));
    EXPECT_FALSE(add("run.created", "run/1", Json::object({{"x", std::string(kEventDataBytesMax, 'x')}})));
    EXPECT_EQ(stream_.head()->position, 0);
}

TEST_F(EventsTest, a_subscriber_gets_every_event_once_and_can_resume) {
    auto subscription = *stream_.subscribe(0);
    std::thread writer([&] {
        for (int i = 0; i < 100; ++i) {
            EXPECT_TRUE(add("run.created", "run/" + std::to_string(i)));
        }
    });
    std::int64_t expected = 1;
    while (expected <= 60) {
        const auto events = subscription->next(std::chrono::seconds(30), 7);
        for (const Event& event : *events) {
            EXPECT_EQ(event.position, expected++);
        }
    }
    writer.join();
    auto resumed = *stream_.subscribe(subscription->position());
    EXPECT_EQ(resumed->next(std::chrono::seconds(30), 1)->at(0).position, expected);
}

TEST_F(EventsTest, a_subscriber_without_news_waits_no_longer_than_asked_and_can_be_cancelled) {
    auto subscription = *stream_.subscribe(0);
    EXPECT_TRUE(subscription->next(std::chrono::milliseconds(1))->empty());
    std::thread canceller([&] { subscription->cancel(); });
    EXPECT_TRUE(subscription->next(std::chrono::seconds(30))->empty());
    canceller.join();
}

TEST_F(EventsTest, subscribers_are_bounded) {
    std::vector<std::unique_ptr<Subscription>> held;
    for (std::size_t i = 0; i < kSubscriptionsMax; ++i) {
        held.push_back(*stream_.subscribe(0));
    }
    EXPECT_EQ(stream_.subscribe(0).error().code(), ErrorCode::resource_exhausted);
    held.pop_back();
    EXPECT_TRUE(stream_.subscribe(0));
}

}  // namespace
}  // namespace gyre::events
