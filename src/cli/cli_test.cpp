#include <gtest/gtest.h>

#include "cli/progress.h"
#include "cli/remote.h"
#include "cli/table.h"

namespace gyre::cli {
namespace {

TEST(TextTable, aligns_text_left_and_numbers_right) {
    TextTable table({"name", "n", "note"});
    table.add_row({"flights", "12", "ok"});
    table.add_row({"b\x1b[2J", "7"});
    EXPECT_EQ(table.str(), "name      n  note\nflights  12  ok\nb?[2J     7\n");
}

TEST(Progress, draws_a_bar_within_bounds) {
    EXPECT_EQ(Progress::draw("train", 0.5, "row 5"), "train [###############---------------]  50 % row 5");
    EXPECT_EQ(Progress::draw("x", 7.0, ""), "x [##############################] 100 %");
    EXPECT_EQ(Progress::draw("x", -1.0, ""), "x [------------------------------]   0 %");
}

TEST(Progress, in_a_pipe_writes_a_line_now_and_then) {
    ManualClock clock;
    std::FILE* out = std::tmpfile();
    ASSERT_NE(out, nullptr);
    {
        Progress progress("load", ProgressStyle::lines, clock, out);
        for (int i = 0; i < 11; ++i) {
            progress.update(0.1 * i, "");
            clock.advance_us(1'000'000);
        }
        progress.finish("done");
    }
    std::rewind(out);
    int lines = 0;
    for (int c = std::fgetc(out); c != EOF; c = std::fgetc(out)) {
        lines += c == '\n' ? 1 : 0;
    }
    std::fclose(out);
    EXPECT_EQ(lines, 3);  // at 0 and 5 s, and the end, once
}

TEST(Remote, a_servers_error_keeps_its_code_and_sentence) {
    const Error native =
        error_of_reply(404, R"({"code":"not_found","message":"no model 'x'","request_id":"1"})");
    EXPECT_EQ(native.code(), ErrorCode::not_found);
    EXPECT_EQ(native.message(), "no model 'x'");
    EXPECT_EQ(error_of_reply(502, "<html>").code(), ErrorCode::unavailable);
    EXPECT_EQ(error_of_reply(401, "").code(), ErrorCode::unauthenticated);
}

TEST(Remote, no_server_is_unavailable_and_says_what_to_do) {
    Remote remote("http://127.0.0.1:1", "");
    const auto reply = remote.get("/healthz");
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code(), ErrorCode::unavailable);
    EXPECT_NE(reply.error().message().find("gyre server"), std::string::npos);
}

TEST(EventReader, cuts_a_stream_into_events_wherever_the_pieces_end) {
    const std::string wire = ": hi\n\nid: 1\nevent: a\ndata: x\ndata: y\n\nid: 2\r\ndata: z\r\n\r\n";
    for (std::size_t step = 1; step <= wire.size(); ++step) {
        EventReader reader;
        std::string seen;
        for (std::size_t at = 0; at < wire.size(); at += step) {
            const auto more = reader.feed(wire.substr(at, step), [&](auto id, auto event, auto data) {
                seen.append(id).append("/").append(event).append("/").append(data).append(";");
                return true;
            });
            ASSERT_TRUE(more);
        }
        EXPECT_EQ(seen, "1/a/x\ny;2//z;") << step;
    }
}

TEST(EventReader, an_event_without_end_is_refused) {
    EventReader reader;
    const auto more =
        reader.feed(std::string(EventReader::kEventBytesMax + 1, 'x'), [](auto, auto, auto) { return true; });
    ASSERT_FALSE(more);
    EXPECT_EQ(more.error().code(), ErrorCode::resource_exhausted);
}

}  // namespace
}  // namespace gyre::cli
