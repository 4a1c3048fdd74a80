// The transport over real sockets, with an application that has one behaviour per path.
#include "runtime/http/server.h"

#include <arpa/inet.h>
#include <atomic>
#include <cstring>
#include <future>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/file.h"
#include "runtime/http/gzip.h"

namespace gyre::http {
namespace {

// AddressSanitizer keeps freed memory for a while, so the process is as large as all that passed through it.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kHeldBackBySanitizer = true;
#else
constexpr bool kHeldBackBySanitizer = false;
#endif
#else
constexpr bool kHeldBackBySanitizer = false;
#endif

constexpr std::size_t kTestBodyMax = 100'000;

/// Writes "0123456789..." for `left` bytes.
class DigitSource final : public BodySource {
 public:
    explicit DigitSource(std::size_t left) : left_(left) {}
    Result<std::size_t> read(std::span<char> out) override {
        const std::size_t size = std::min(left_, out.size());
        for (std::size_t i = 0; i < size; ++i) {
            out[i] = static_cast<char>('0' + static_cast<char>((at_ + i) % 10));
        }
        at_ += size;
        left_ -= size;
        return size;
    }

 private:
    std::size_t at_ = 0;
    std::size_t left_;
};

class TestApplication final : public Application {
 public:
    explicit TestApplication(runtime::ThreadPool& pool) : pool_(pool) {}

    Plan plan(Request& request, Response& response) override {
        Plan plan;
        plan.body_bytes_max = kTestBodyMax;
        if (request.path == "/refused") {
            response.set(404, "text/plain", "refused");
            plan.answered = true;
        } else if (request.path.starts_with("/pool") || request.path == "/slow") {
            plan.pool = &pool_;
        } else if (request.path == "/sink") {
            plan.pool = &pool_;
            plan.body = BodyMode::streamed;
            plan.body_bytes_max = 1ULL << 30U;
        }
        return plan;
    }
    void run(Request& request, Response& response) override {
        if (request.path == "/slow") {
            entered.set_value();
            release.wait();
        } else if (request.path == "/pool-source") {
            response.content_type = "text/plain";
            response.source = std::make_unique<DigitSource>(1'000'000);
            if (request.query == "known") {
                response.source_bytes = 1'000'000;
            }
            return;
        } else if (request.path == "/pool-events") {
            response.events = std::make_shared<EventStream>();
            events.set_value(response.events);
            return;
        } else if (request.path == "/big") {
            response.set(200, "text/plain", std::string(20'000, 'z'));
            return;
        }
        std::string text(request.method_name);
        text.append(" ").append(request.path).append(" ").append(request.body);
        response.set(200, "text/plain", text);
    }
    std::unique_ptr<BodySink> open_sink(Request& request, Response& response) override {
        if (request.query == "no") {
            response.set(403, "text/plain", "no");
            return nullptr;
        }
        class Sink final : public BodySink {
         public:
            explicit Sink(TestApplication& application) : application_(application) {}
            ~Sink() override { ++application_.sinks_ended; }
            Result<void> write(std::string_view piece) override {
                if (piece.find("POISON") != std::string_view::npos) {
                    return conflict("poisoned");
                }
                bytes_ += piece.size();
                return {};
            }
            void finish(Response& response) override {
                response.set(201, "text/plain", std::to_string(bytes_));
            }

         private:
            TestApplication& application_;
            std::size_t bytes_ = 0;
        };
        return std::make_unique<Sink>(*this);
    }
    void refuse(Request&, bool, int status, const Error& error, Response& response) override {
        response.set(status, "text/plain", error.message());
    }
    void done(const Request&, int status) override {
        ++done_count;
        last_status = status;
    }

    std::promise<void> entered;
    std::promise<void> released;
    std::shared_future<void> release = released.get_future().share();
    std::promise<std::shared_ptr<EventStream>> events;
    std::atomic<int> sinks_ended{0};
    std::atomic<int> done_count{0};
    std::atomic<int> last_status{0};

 private:
    runtime::ThreadPool& pool_;
};

/// A client that sends exactly the bytes it is told to.
class RawClient {
 public:
    explicit RawClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    }
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) {
                return false;
            }
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    /// Reads until `text` has come `times` times, or the end.
    std::string read_until(std::string_view text, int times = 1) {
        const auto enough = [&] {
            int count = 0;
            for (std::size_t at = got_.find(text); at != std::string::npos;
                 at = got_.find(text, at + text.size())) {
                ++count;
            }
            return count >= times;
        };
        while (!enough() && more()) {
        }
        return std::exchange(got_, {});
    }
    /// Reads to the end of the connection; fails the test after 10 s.
    std::string read_all() {
        while (more()) {
        }
        return std::exchange(got_, {});
    }

 private:
    bool more() {
        pollfd ready{fd_.get(), POLLIN, 0};
        if (::poll(&ready, 1, 10'000) <= 0) {
            ADD_FAILURE() << "nothing came for 10 s; so far: " << got_.substr(0, 500);
            return false;
        }
        char chunk[65536];
        const ssize_t size = ::recv(fd_.get(), chunk, sizeof chunk, 0);
        if (size <= 0) {
            return false;
        }
        got_.append(chunk, static_cast<std::size_t>(size));
        return true;
    }
    Fd fd_;
    std::string got_;
};

class HttpServer : public ::testing::Test {
 protected:
    void start(const Limits& limits = {}) {
        ServerOptions options;
        options.io_threads = 2;
        options.limits = limits;
        auto started = Server::start(options, application_, metrics_);
        ASSERT_TRUE(started) << started.error().message();
        server_ = *std::move(started);
    }
    RawClient connect() { return RawClient(server_->port()); }
    std::string ask(std::string_view bytes) {
        RawClient client = connect();
        client.send(bytes);
        return client.read_all();
    }
    Metrics metrics_;
    runtime::ThreadPool pool_{{.name = "test", .threads = 1, .queue = 1}, metrics_};
    TestApplication application_{pool_};
    std::unique_ptr<Server> server_;
};

std::string request(std::string_view line, std::string_view headers = "", std::string_view body = "") {
    std::string out(line);
    out.append(" HTTP/1.1\r\nHost: a\r\n").append(headers).append("\r\n").append(body);
    return out;
}

TEST_F(HttpServer, answers_pipelined_requests_in_order_on_one_connection) {
    start();
    std::string all;
    for (int i = 0; i < 300; ++i) {
        all += request("POST /n" + std::to_string(i), "Content-Length: 3\r\n", "abc");
    }
    all += request("GET /last", "Connection: close\r\n");
    const std::string answers = ask(all);
    std::size_t at = 0;
    for (int i = 0; i < 300; ++i) {
        at = answers.find("POST /n" + std::to_string(i) + " abc", at);
        ASSERT_NE(at, std::string::npos) << i;
    }
    EXPECT_NE(answers.find("GET /last", at), std::string::npos);
    EXPECT_EQ(application_.done_count, 301);
}

TEST_F(HttpServer, pipelined_requests_may_mix_pool_chunked_and_refused_ones) {
    start();
    const std::string answers =
        ask(request("POST /pool", "Content-Length: 1\r\n", "1") +
            request("POST /c", "Transfer-Encoding: chunked\r\n", "2\r\nxy\r\n1\r\nz\r\n0\r\n\r\n") +
            request("POST /refused", "Content-Length: 4\r\n", "drop") +
            request("GET /end", "Connection: close\r\n"));
    const std::size_t pool = answers.find("POST /pool 1");
    const std::size_t chunked = answers.find("POST /c xyz", pool);
    const std::size_t refused = answers.find("404 Not Found", chunked);
    ASSERT_NE(refused, std::string::npos) << answers;
    EXPECT_NE(answers.find("GET /end", refused), std::string::npos) << answers;
}

TEST_F(HttpServer, bytes_may_come_one_at_a_time) {
    start();
    RawClient client = connect();
    for (const char c : request("POST /x", "Content-Length: 5\r\n", "hello")) {
        client.send(std::string_view(&c, 1));
    }
    EXPECT_NE(client.read_until("hello").find("200 OK"), std::string::npos);
    for (const char c : request("POST /y", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n")) {
        client.send(std::string_view(&c, 1));
    }
    EXPECT_NE(client.read_until("POST /y abc").find("200 OK"), std::string::npos);
}

TEST_F(HttpServer, bodies_larger_than_the_read_buffer_arrive_whole) {
    start();
    const std::string body(kTestBodyMax, 'q');
    const std::string length = "Content-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n";
    EXPECT_NE(ask(request("POST /p", length, body)).find("POST /p " + body), std::string::npos);
    const std::string chunks = "Transfer-Encoding: chunked\r\nConnection: close\r\n";
    const std::string half = "c350\r\n" + std::string(50'000, 'q') + "\r\n";
    EXPECT_NE(ask(request("POST /p", chunks, half + half + "0\r\n\r\n")).find("POST /p " + body),
              std::string::npos);
}

TEST_F(HttpServer, bodies_above_the_bound_are_413_before_they_are_read) {
    start();
    const std::string large = "Content-Length: 100000000\r\n";
    EXPECT_NE(ask(request("POST /p", large)).find("413 Content Too Large"), std::string::npos);
    const std::string chunk = "186a1\r\n" + std::string(100'001, 'q') + "\r\n0\r\n\r\n";
    EXPECT_NE(
        ask(request("POST /p", "Transfer-Encoding: chunked\r\nConnection: close\r\n", chunk)).find("413 "),
        std::string::npos);
    const std::string bomb = gzip(std::string(kTestBodyMax + 1, '0'));
    const std::string packed =
        "Content-Encoding: gzip\r\nConnection: close\r\nContent-Length: " + std::to_string(bomb.size()) +
        "\r\n";
    EXPECT_NE(ask(request("POST /p", packed, bomb)).find("413 "), std::string::npos);
    // The client that goes on sending still gets the answer.
    RawClient client = connect();
    client.send(request("POST /p", "Content-Length: 3000000\r\n"));
    client.send(std::string(3'000'000, 'x'));
    EXPECT_NE(client.read_all().find("413 Content Too Large"), std::string::npos);
}

TEST_F(HttpServer, a_client_that_expects_100_gets_it_or_the_refusal) {
    start();
    RawClient client = connect();
    client.send(request("POST /p", "Content-Length: 5\r\nExpect: 100-continue\r\n"));
    EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hello");
    EXPECT_NE(client.read_until("POST /p hello").find("200 OK"), std::string::npos);
    for (const char* path : {"POST /p", "POST /refused"}) {
        const std::string answer = ask(request(path, "Content-Length: 900000\r\nExpect: 100-continue\r\n"));
        EXPECT_EQ(answer.find("100 Continue"), std::string::npos);
        EXPECT_NE(answer.find("Connection: close"), std::string::npos);
    }
}

TEST_F(HttpServer, gzip_goes_in_and_out) {
    start();
    const std::string packed = gzip("plain text");
    const std::string headers = "Content-Encoding: gzip\r\nConnection: close\r\nContent-Length: ";
    const std::string length = std::to_string(packed.size()) + "\r\n";
    EXPECT_NE(ask(request("POST /p", headers + length, packed)).find("POST /p plain text"),
              std::string::npos);
    EXPECT_NE(ask(request("POST /pool", headers + length, packed)).find("POST /pool plain text"),
              std::string::npos);
    const std::string answer = ask(request("GET /big", "Accept-Encoding: gzip\r\nConnection: close\r\n"));
    const std::size_t body = answer.find("\r\n\r\n") + 4;
    EXPECT_NE(answer.find("Content-Encoding: gzip"), std::string::npos);
    EXPECT_EQ(gunzip(std::string_view(answer).substr(body), 1U << 20U).value_or(""),
              std::string(20'000, 'z'));
    EXPECT_NE(ask(request("POST /p", headers + "8\r\n", "not gzip")).find("400 Bad Request"),
              std::string::npos);
    EXPECT_NE(
        ask(request("POST /p", "Content-Encoding: br\r\nConnection: close\r\nContent-Length: 1\r\n", "x"))
            .find("415 "),
        std::string::npos);
}

TEST_F(HttpServer, what_could_be_smuggled_is_refused_and_the_connection_ends) {
    start();
    const std::string tail = request("GET /smuggled");
    for (const std::string& first :
         {request("POST /p", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
          request("POST /p", "Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"),
          request("POST /p", "Transfer-Encoding: chunked\r\n", "zz\r\n\r\n"),
          request("POST /p", "Content-Length: 5\r\nContent-Length: 6\r\n", "hello!"),
          std::string("\x16\x03\x01garbage"), std::string("GET / HTTP/1.1\nHost: a\n\n\r\n\r\n")}) {
        const std::string answer = ask(first + tail);
        EXPECT_EQ(answer.find("200 OK"), std::string::npos) << first;
        EXPECT_EQ(answer.find("/smuggled"), std::string::npos) << first;
        EXPECT_TRUE(answer.starts_with("HTTP/1.1 400") || answer.starts_with("HTTP/1.1 50")) << answer;
    }
}

TEST_F(HttpServer, a_head_that_is_too_large_is_431) {
    start();
    const std::string line = "X: " + std::string(kHeadBytesMax, 'a') + "\r\n";
    EXPECT_NE(ask(request("GET /", line)).find("431 "), std::string::npos);
    RawClient client = connect();
    client.send("GET / HTTP/1.1\r\nX: " + std::string(kHeadBytesMax, 'a'));  // never ends
    EXPECT_NE(client.read_all().find("431 "), std::string::npos);
}

TEST_F(HttpServer, slow_clients_are_cut) {
    Limits limits;
    limits.head_ms = 300;
    limits.idle_ms = 300;
    limits.body_ms = 300;
    start(limits);
    EXPECT_EQ(ask(""), "");  // says nothing
    const std::string half_a_head = ask("GET / HT");
    EXPECT_NE(half_a_head.find("408 "), std::string::npos);
    EXPECT_NE(half_a_head.find("did not arrive within"), std::string::npos) << half_a_head;
    EXPECT_NE(ask(request("POST /p", "Content-Length: 5\r\n", "he")).find("408 "), std::string::npos);
    EXPECT_NE(ask(request("POST /p", "Transfer-Encoding: chunked\r\n", "5\r\nhe")).find("408 "),
              std::string::npos);
    EXPECT_NE(ask(request("GET /ok")).find("200 OK"), std::string::npos);  // then idle
}

TEST_F(HttpServer, one_that_drips_its_head_is_cut_as_well) {
    Limits limits;
    limits.head_ms = 500;
    start(limits);
    RawClient client = connect();
    const std::int64_t began = system_clock().now_ms();
    bool open = client.send("GET / HTTP/1.1\r\n");
    while (open && system_clock().now_ms() - began < 8'000) {
        ::usleep(20'000);
        open = client.send("X");
    }
    EXPECT_FALSE(open);
}

TEST_F(HttpServer, a_client_that_does_not_read_is_cut) {
    Limits limits;
    limits.write_ms = 300;
    start(limits);
    RawClient client = connect();
    const std::string many = request("GET /big");
    bool open = true;
    const std::int64_t began = system_clock().now_ms();
    while (open && system_clock().now_ms() - began < 9'000) {
        open = client.send(many);
    }
    EXPECT_FALSE(open);
}

TEST_F(HttpServer, connections_above_the_bound_get_503) {
    Limits limits;
    limits.connections = 2;
    start(limits);
    RawClient first = connect();
    RawClient second = connect();
    first.send(request("GET /1"));
    second.send(request("GET /2"));
    first.read_until("GET /1");
    second.read_until("GET /2");
    EXPECT_NE(connect().read_all().find("503 "), std::string::npos);
}

TEST_F(HttpServer, a_full_pool_is_429) {
    start();
    RawClient running = connect();
    running.send(request("GET /slow"));
    application_.entered.get_future().wait();
    RawClient waiting = connect();
    waiting.send(request("GET /pool"));
    while (pool_.depth() == 0) {
        ::usleep(1000);
    }
    EXPECT_NE(ask(request("GET /pool", "Connection: close\r\n")).find("429 Too Many"), std::string::npos);
    application_.released.set_value();
    EXPECT_NE(waiting.read_until("GET /pool").find("200 OK"), std::string::npos);
}

TEST_F(HttpServer, streamed_bodies_are_never_held_as_a_whole) {
    start();
    RawClient client = connect();
    constexpr std::size_t kSize = 100U << 20U;
    const auto resident = [] {
        const std::string text = read_file("/proc/self/statm").value_or("0 0");
        return std::strtoull(text.c_str() + text.find(' '), nullptr, 10) * 4096;
    };
    const auto before = resident();
    client.send(request("PUT /sink", "Content-Length: " + std::to_string(kSize) + "\r\n"));
    const std::string piece(1U << 20U, 'd');
    std::uint64_t most = 0;
    for (std::size_t sent = 0; sent < kSize; sent += piece.size()) {
        ASSERT_TRUE(client.send(piece));
        most = std::max<std::uint64_t>(most, resident());
    }
    EXPECT_NE(client.read_until("104857600").find("201 Created"), std::string::npos);
    if (!kHeldBackBySanitizer) {
        EXPECT_LT(most, before + (20U << 20U));
    }
    const std::string packed = gzip(std::string(2'000'000, 'k'));
    const std::string headers =
        "Content-Encoding: gzip\r\nContent-Length: " + std::to_string(packed.size()) + "\r\n";
    client.send(request("PUT /sink", headers, packed));
    EXPECT_NE(client.read_until("2000000").find("201 Created"), std::string::npos);
    client.send(request("PUT /sink", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"));
    EXPECT_NE(client.read_until("\r\n\r\n7").find("201 Created"), std::string::npos);
    EXPECT_EQ(application_.sinks_ended, 3);
}

TEST_F(HttpServer, a_sink_may_refuse_at_first_or_in_the_middle) {
    start();
    EXPECT_NE(ask(request("PUT /sink?no", "Content-Length: 500000\r\n", "x")).find("403 "),
              std::string::npos);
    const std::string poisoned = "POISON" + std::string(300'000, 'x');
    const std::string length = "Content-Length: " + std::to_string(poisoned.size() + 1'000'000) + "\r\n";
    EXPECT_NE(ask(request("PUT /sink", length, poisoned)).find("409 "), std::string::npos);
    EXPECT_EQ(application_.sinks_ended, 1);
}

TEST_F(HttpServer, a_sink_whose_client_goes_away_is_ended_without_finish) {
    start();
    {
        RawClient client = connect();
        client.send(request("PUT /sink", "Content-Length: 500000\r\n", "only this"));
    }
    const std::int64_t until = system_clock().now_ms() + 5'000;
    while (application_.sinks_ended == 0 && system_clock().now_ms() < until) {
        ::usleep(1000);
    }
    EXPECT_EQ(application_.sinks_ended, 1);
    EXPECT_NE(application_.last_status, 201);
}

TEST_F(HttpServer, answers_may_be_made_while_they_are_sent) {
    start();
    const std::string known = ask(request("GET /pool-source?known", "Connection: close\r\n"));
    EXPECT_NE(known.find("Content-Length: 1000000"), std::string::npos);
    EXPECT_EQ(known.size() - known.find("\r\n\r\n") - 4, 1'000'000U);
    const std::string chunked = ask(request("GET /pool-source", "Connection: close\r\n"));
    EXPECT_NE(chunked.find("Transfer-Encoding: chunked"), std::string::npos);
    EXPECT_TRUE(chunked.ends_with("\r\n0\r\n\r\n"));
    const std::string old = ask("GET /pool-source HTTP/1.0\r\n\r\n");
    EXPECT_EQ(old.find("chunked"), std::string::npos);
    EXPECT_TRUE(old.ends_with("56789"));
    const std::string head = ask(request("HEAD /pool-source?known", "Connection: close\r\n"));
    EXPECT_TRUE(head.ends_with("\r\n\r\n")) << head;
}

TEST_F(HttpServer, events_come_as_they_happen_with_heartbeats_and_end_at_shutdown) {
    Limits limits;
    limits.heartbeat_ms = 50;
    start(limits);
    RawClient client = connect();
    client.send(request("GET /pool-events"));
    const auto events = application_.events.get_future().get();
    EXPECT_TRUE(events->send("1", "greeting", "hello"));
    const std::string first = client.read_until("data: hello");
    EXPECT_NE(first.find("text/event-stream"), std::string::npos);
    EXPECT_NE(client.read_until(": still here").find(": still here"), std::string::npos);
    server_->drain();
    EXPECT_TRUE(events->closed());
    EXPECT_TRUE(client.read_all().ends_with("0\r\n\r\n"));
}

TEST_F(HttpServer, drain_lets_running_requests_end_and_cuts_idle_connections) {
    start();
    RawClient idle = connect();
    idle.send(request("GET /x"));
    idle.read_until("GET /x");
    RawClient running = connect();
    running.send(request("GET /slow"));
    application_.entered.get_future().wait();
    std::thread drain([&] { server_->drain(); });
    EXPECT_EQ(idle.read_all(), "");
    application_.released.set_value();
    const std::string answer = running.read_all();
    EXPECT_NE(answer.find("GET /slow"), std::string::npos);
    EXPECT_NE(answer.find("Connection: close"), std::string::npos);
    drain.join();
}

TEST_F(HttpServer, drain_has_a_deadline_for_connections) {
    Limits limits;
    limits.drain_ms = 100;
    start(limits);
    RawClient half = connect();
    half.send("GET / HTTP/1.1\r\n");
    ::usleep(50'000);
    const std::int64_t began = system_clock().now_ms();
    server_->drain();
    EXPECT_LT(system_clock().now_ms() - began, 5'000);
    EXPECT_EQ(half.read_all(), "");
}

TEST_F(HttpServer, a_taken_port_is_a_conflict_with_a_sentence) {
    start();
    ServerOptions options;
    options.port = server_->port();
    const auto second = Server::start(options, application_, metrics_);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), ErrorCode::conflict);
    EXPECT_NE(second.error().message().find("is in use"), std::string::npos);
    options.port = 0;
    options.host = "no-address";
    EXPECT_FALSE(Server::start(options, application_, metrics_));
}

}  // namespace
}  // namespace gyre::http
