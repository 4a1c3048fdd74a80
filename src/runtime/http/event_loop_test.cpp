// The loop, its timers and its sockets, over socket pairs.
#include "runtime/http/event_loop.h"

#include <array>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "runtime/http/socket.h"

namespace gyre::http {
namespace {

std::unique_ptr<EventLoop> new_loop() {
    auto loop = EventLoop::create();
    EXPECT_TRUE(loop.has_value());
    return std::move(*loop);
}

struct Pair {
    Fd ours;
    Fd theirs;
};

Pair socket_pair() {
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds.data()), 0);
    return {Fd(fds[0]), Fd(fds[1])};
}

void send_all(const Fd& fd, std::string_view text) {
    EXPECT_EQ(::send(fd.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
}

Task<void> read_once(Socket& socket, std::string& out) {
    std::array<char, 64> piece{};
    out.assign(piece.data(), co_await socket.read(piece.data(), piece.size()));
    out += ";";
}

Task<void> read_to_end(Socket& socket, std::string& out) {
    std::array<char, 64> piece{};
    std::size_t got = 1;
    while (got > 0) {
        got = co_await socket.read(piece.data(), piece.size());
        out.append(piece.data(), got).append(";");
    }
}

Task<void> close_after_read(Socket& socket, Socket& other) {
    std::array<char, 64> piece{};
    EXPECT_LE(co_await socket.read(piece.data(), piece.size()), 1U);
    other.close();
}

TEST(EventLoop, jobs_posted_by_many_threads_all_run_on_the_loops_thread) {
    constexpr int kThreads = 4;
    constexpr int kJobs = 1000;
    const auto loop = new_loop();
    std::thread runner([&] { loop->run(); });
    const std::thread::id expected = runner.get_id();
    int ran = 0;
    bool elsewhere = false;
    std::vector<std::thread> posters;
    for (int i = 0; i < kThreads; ++i) {
        posters.emplace_back([&] {
            for (int job = 0; job < kJobs; ++job) {
                loop->post([&] {
                    ++ran;
                    elsewhere = elsewhere || std::this_thread::get_id() != expected;
                });
            }
        });
    }
    for (std::thread& poster : posters) {
        poster.join();
    }
    loop->stop();
    runner.join();
    EXPECT_EQ(ran, kThreads * kJobs);
    EXPECT_FALSE(elsewhere);
}

Task<void> wait_and_note(EventLoop& loop, std::int64_t ms, std::string& out, std::string name) {
    Timer timer(loop);
    const bool over = co_await timer.wait(ms);
    out += over ? name : "!";
}

TEST(EventLoop, timers_expire_in_the_order_of_their_times) {
    const auto loop = new_loop();
    std::string order;
    loop->spawn(wait_and_note(*loop, 30, order, "c"));
    loop->spawn(wait_and_note(*loop, 1, order, "a"));
    loop->spawn(wait_and_note(*loop, 15, order, "b"));
    loop->stop();  // spawned tasks still end
    loop->run();
    EXPECT_EQ(order, "abc");
}

Task<void> wait_for(Timer& timer, std::string& out) {
    const bool over = co_await timer.wait(60'000);
    out += over ? "expired" : "cancelled";
}

TEST(EventLoop, a_cancelled_timer_says_so) {
    const auto loop = new_loop();
    Timer timer(*loop);
    std::string outcome;
    loop->spawn(wait_for(timer, outcome));
    loop->post([&] { timer.cancel(); });
    loop->stop();
    loop->run();
    EXPECT_EQ(outcome, "cancelled");
}

Task<void> note_around_turn_end(EventLoop& loop, std::string& out, std::string name) {
    out += name;
    co_await loop.turn_end();
    out += name;
}

TEST(EventLoop, the_end_of_a_turn_comes_after_all_that_was_ready_in_it) {
    const auto loop = new_loop();
    std::string order;
    loop->post([&] { loop->spawn(note_around_turn_end(*loop, order, "a")); });
    loop->post([&] { loop->spawn(note_around_turn_end(*loop, order, "b")); });
    loop->stop();
    loop->run();
    EXPECT_EQ(order, "abab");
}

Task<int> fail() {
    throw std::runtime_error("as asked");
    co_return 1;
}

Task<void> catch_failure(std::string& out) {
    try {
        out = std::to_string(co_await fail());
    } catch (const std::runtime_error& failure) {
        out = failure.what();
    }
}

Task<void> let_failure_through() {
    co_await fail();
}

TEST(EventLoop, what_a_task_throws_reaches_its_awaiter_and_never_the_loop) {
    const auto loop = new_loop();
    std::string seen;
    loop->spawn(catch_failure(seen));
    loop->spawn(let_failure_through());
    loop->stop();
    loop->run();
    EXPECT_EQ(seen, "as asked");
}

TEST(Socket, bytes_that_come_together_with_the_end_are_read_and_so_is_the_end) {
    const auto loop = new_loop();
    Pair pair = socket_pair();
    Socket socket(*loop, std::move(pair.ours));
    std::string got;
    loop->spawn(read_to_end(socket, got));
    send_all(pair.theirs, "last words");
    pair.theirs.reset();
    loop->stop();
    loop->run();
    EXPECT_EQ(got, "last words;;");
}

TEST(Socket, a_reader_waits_and_goes_on_with_each_arrival) {
    const auto loop = new_loop();
    Pair pair = socket_pair();
    Socket socket(*loop, std::move(pair.ours));
    std::string got;
    loop->spawn(read_to_end(socket, got));
    std::thread peer([&] {
        for (const std::string_view text : {"one", "two", "three"}) {
            send_all(pair.theirs, text);
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        pair.theirs.reset();
    });
    loop->stop();
    loop->run();
    peer.join();
    std::erase(got, ';');
    EXPECT_EQ(got, "onetwothree");
}

TEST(Socket, closing_it_ends_a_wait) {
    const auto loop = new_loop();
    Pair pair = socket_pair();
    Socket socket(*loop, std::move(pair.ours));
    std::string got;
    loop->spawn(read_once(socket, got));
    loop->post([&] { socket.close(); });
    loop->stop();
    loop->run();
    EXPECT_EQ(got, ";");
    EXPECT_TRUE(socket.closed());
    EXPECT_FALSE(socket.write_some("x").has_value());
}

TEST(Socket, one_that_is_closed_while_its_event_is_under_way_is_left_alone) {
    const auto loop = new_loop();
    Pair first = socket_pair();
    Pair second = socket_pair();
    auto a = std::make_unique<Socket>(*loop, std::move(first.ours));
    auto b = std::make_unique<Socket>(*loop, std::move(second.ours));
    loop->spawn(close_after_read(*a, *b));
    loop->spawn(close_after_read(*b, *a));
    send_all(first.theirs, "x");
    send_all(second.theirs, "x");
    loop->stop();
    loop->run();
    EXPECT_TRUE(a->closed() || b->closed());
}

Task<void> write_all(Socket& socket, std::string bytes, int& waits) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
        const auto took = socket.write_some(std::string_view(bytes).substr(sent));
        if (!took) {
            co_return;
        }
        sent += *took;
        if (*took == 0) {
            ++waits;
            co_await socket.writable();
        }
    }
    socket.close();
}

TEST(Socket, a_writer_waits_for_a_slow_reader) {
    constexpr std::size_t kBytes = 4U << 20U;
    const auto loop = new_loop();
    Pair pair = socket_pair();
    Socket socket(*loop, std::move(pair.ours));
    int waits = 0;
    std::size_t received = 0;
    loop->spawn(write_all(socket, std::string(kBytes, 'x'), waits));
    std::thread peer([&] {
        std::array<char, 65536> piece{};
        for (ssize_t got = 1; got != 0;) {
            got = ::recv(pair.theirs.get(), piece.data(), piece.size(), 0);
            received += got > 0 ? static_cast<std::size_t>(got) : 0;
        }
    });
    loop->stop();
    loop->run();
    peer.join();
    EXPECT_EQ(received, kBytes);
    EXPECT_GT(waits, 0);
}

Task<void> run_on_pool(EventLoop& loop, runtime::ThreadPool& pool, std::thread::id& ran_on, bool& ran,
                       bool& back) {
    const std::thread::id home = std::this_thread::get_id();
    const std::function<void()> work = [&] { ran_on = std::this_thread::get_id(); };
    ran = co_await OnPool(loop, pool, work);
    back = std::this_thread::get_id() == home;
}

TEST(OnPool, work_runs_on_the_pool_and_the_coroutine_comes_back) {
    const auto loop = new_loop();
    Metrics metrics;
    runtime::ThreadPool pool({.name = "test", .threads = 1, .queue = 4}, metrics);
    std::thread::id ran_on;
    bool ran = false;
    bool back = false;
    loop->spawn(run_on_pool(*loop, pool, ran_on, ran, back));
    loop->stop();
    loop->run();
    EXPECT_TRUE(ran);
    EXPECT_TRUE(back);
    EXPECT_NE(ran_on, std::this_thread::get_id());
    pool.stop();
    loop->spawn(run_on_pool(*loop, pool, ran_on, ran, back));
    EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace gyre::http
