#include "runtime/http/gzip.h"

#include <gtest/gtest.h>

#include "runtime/http/event_stream.h"
#include "runtime/http/limits.h"

namespace gyre::http {
namespace {

TEST(Gzip, comes_back_as_it_was) {
    for (const std::string& text : {std::string(), std::string("x"), std::string(3'000'000, 'y')}) {
        const auto back = gunzip(gzip(text), text.size());
        ASSERT_TRUE(back);
        EXPECT_EQ(*back, text);
    }
}

TEST(Gzip, a_bomb_is_refused_at_the_bound) {
    const std::string bomb = gzip(std::string(50U << 20U, '\0'));
    ASSERT_LT(bomb.size(), 300'000U);
    const auto back = gunzip(bomb, 1U << 20U);
    ASSERT_FALSE(back);
    EXPECT_EQ(back.error().code(), ErrorCode::resource_exhausted);
}

TEST(Gzip, damaged_short_and_trailing_bytes_are_refused) {
    const std::string good = gzip("hello hello hello");
    EXPECT_FALSE(gunzip("not gzip at all", 100));
    EXPECT_FALSE(gunzip(good.substr(0, good.size() - 3), 100));
    EXPECT_FALSE(gunzip(good + "x", 100));
    std::string flipped = good;
    flipped[good.size() - 6] = static_cast<char>(flipped[good.size() - 6] ^ 1);  // the CRC
    EXPECT_FALSE(gunzip(flipped, 100));
}

TEST(EventStream, frames_are_wire_text_and_cannot_be_broken_out_of) {
    EXPECT_EQ(format_event("12", "run.created", "{\"a\":1}"),
              "id: 12\nevent: run.created\ndata: {\"a\":1}\n\n");
    EXPECT_EQ(format_event("1\nid: 2", "", "a\nb"), "id: 1 id: 2\ndata: a\ndata: b\n\n");
}

TEST(EventStream, a_slow_reader_is_dropped_at_the_bound) {
    EventStream stream;
    bool ended = false;
    stream.on_end([&] { ended = true; });
    std::size_t sent = 0;
    while (stream.send("1", "e", "d")) {
        ++sent;
    }
    EXPECT_EQ(sent, kEventQueueMax);
    EXPECT_TRUE(stream.closed());
    EXPECT_TRUE(ended);
    EventStream large;
    EXPECT_FALSE(large.send("1", "e", std::string(kEventQueueBytesMax, 'x')));
}

TEST(EventStream, wakes_once_for_what_comes_and_not_for_what_is_there) {
    EventStream stream;
    int woken = 0;
    ASSERT_TRUE(stream.arm([&] { ++woken; }));
    EXPECT_TRUE(stream.send("1", "", "a"));
    EXPECT_TRUE(stream.send("2", "", "b"));
    EXPECT_EQ(woken, 1);
    EXPECT_FALSE(stream.arm([&] { ++woken; }));
    EXPECT_EQ(stream.take(), "id: 1\ndata: a\n\nid: 2\ndata: b\n\n");
    stream.close();
    EXPECT_FALSE(stream.arm([&] { ++woken; }));
    EXPECT_FALSE(stream.send("3", "", "c"));
}

}  // namespace
}  // namespace gyre::http
