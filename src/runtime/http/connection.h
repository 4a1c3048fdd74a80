#pragma once
// Private to runtime/http: the class behind one client's connection, a coroutine of its loop.
//
// The shape that keeps it near the speed of a bare epoll loop: heads and small bodies are parsed where they
// were read, answers are gathered in one buffer and written at the end of the loop's turn, and a small
// request on an inline route needs no coroutine but serve(). Everything else takes the slow path. The
// definitions are in connection.cpp (heads, time, bytes out), connection_answer.cpp and connection_body.cpp.
#include <limits>
#include <optional>

#include "runtime/http/head_memo.h"
#include "runtime/http/loop.h"
#include "runtime/http/request_parser.h"
#include "runtime/http/socket.h"

namespace gyre::http {

inline constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();
inline constexpr std::int64_t kNsPerMs = 1'000'000;
inline constexpr std::int64_t kLingerMs = 1000;
inline constexpr std::size_t kLingerBytesMax = 8U << 20U;
inline constexpr std::size_t kKeptOutBytes = 256U << 10U;
inline constexpr std::int64_t kPoolRetryMs = 20;
inline constexpr int kPoolRetriesMax = 250;
inline constexpr int kRequestTimeout = 408;

enum class Phase : std::uint8_t { idle, head, body, handler, write, stream };
enum class HeadState : std::uint8_t { complete, more, refused };

class Connection final : public Tracked {
 public:
    Connection(Loop& loop, Fd socket, std::string remote)
        : loop_(loop), socket_(loop.events, std::move(socket)), in_(kReadBufferBytes + kBodyPadding) {
        request_.remote = std::move(remote);
        place_ = loop_.connections.insert(loop_.connections.end(), this);
        loop_.counters.open.add(1);
    }
    ~Connection() override {
        loop_.connections.erase(place_);
        loop_.counters.open.add(-1);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    Task<void> serve();

    void tick() override;
    void drain() override;
    void cut() override;

 private:
    // Reading heads.
    HeadState take_head();
    HeadState refuse_head(int status, const Error& error);
    void prepare_read();
    void accept_read(std::size_t bytes);
    void finish_request();
    [[nodiscard]] std::size_t buffered() const { return end_ - begin_; }
    [[nodiscard]] std::string_view unread() const { return {in_.data() + begin_, buffered()}; }

    // Answering.
    [[nodiscard]] bool fits_fast_path() const;
    void run_handler();
    void compress_answer();
    void append_answer();
    void start_answer(std::optional<std::uint64_t> length);
    void refuse(int status, const Error& error);
    Task<void> answer_slowly();
    Task<void> answer_buffered();
    Task<void> answer_streamed();
    Task<bool> feed_sink(BodySink& sink);
    Task<void> send_answer();
    Task<void> send_source();
    Task<void> send_events();
    Task<bool> next_events(Timer& timer);
    void append_chunk(std::string_view piece);

    // Bodies.
    void start_body();
    Task<bool> read_in_place();
    Task<bool> read_whole_body();
    bool unzip_to_body(std::string_view zipped);
    void hand_over_body();
    Task<bool> next_piece(std::string& out);
    Task<bool> next_chunked(std::string& out);
    Task<void> drop_body();

    // Bytes out, work elsewhere, the end.
    bool flush_now();
    Task<void> flush();
    Task<bool> on_pool(std::function<void()> work);
    Task<bool> on_pool_patiently(std::function<void()> work);
    Task<void> finish();
    void set_deadline(Phase phase, std::int64_t ms);
    void set_body_deadline();
    void refuse_slow_client();
    [[nodiscard]] bool is_head_request() const { return request_.method == Method::head; }

    Loop& loop_;
    Socket socket_;
    std::list<Tracked*>::iterator place_;

    std::vector<char> in_;  // bytes [begin_, end_) are not used yet
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t scanned_ = 0;
    std::string out_;  // answers to be written, from out_sent_ on
    std::size_t out_sent_ = 0;
    std::size_t gathered_ = 0;
    bool answered_ = false;  // since the last turn

    Request request_;
    Response response_;
    Plan plan_;
    bool planned_ = false;  // done() is owed
    HeadMemo memo_;
    std::optional<RequestParser> parser_;  // of a head that was not recalled
    std::string body_;                     // a body that does not fit into in_
    std::string raw_;                      // chunked bytes not decoded yet
    std::uint64_t body_left_ = 0;
    std::uint64_t body_read_ = 0;
    bool body_done_ = false;

    Phase phase_ = Phase::idle;
    std::int64_t deadline_ns_ = 0;
    std::int64_t body_started_ns_ = 0;
    bool close_ = false;   // after the answer
    bool linger_ = false;  // the client may still be sending
    bool broken_ = false;  // nothing can be sent any more
};

}  // namespace gyre::http
