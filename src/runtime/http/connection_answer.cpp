// How a connection runs what was asked and sends the answer.
#include "base/log.h"
#include "base/no_space.h"
#include "runtime/http/connection.h"
#include "runtime/http/gzip.h"

namespace gyre::http {

bool Connection::fits_fast_path() const {
    const HeadFacts& facts = request_.facts;
    return plan_.pool == nullptr && !plan_.answered && plan_.body == BodyMode::buffered &&
           facts.framing != Framing::chunked && facts.content_length <= buffered() &&
           facts.content_length <= plan_.body_bytes_max && facts.content_encoding == Encoding::identity;
}

void Connection::run_handler() {
    if (request_.facts.framing == Framing::length && body_.empty()) {
        const auto size = static_cast<std::size_t>(request_.facts.content_length);
        request_.body = unread().substr(0, size);
        begin_ += size;
    }
    loop_.application.run(request_, response_);
    compress_answer();
}

void Connection::compress_answer() {
    const bool large_inline = plan_.pool == nullptr && response_.body.size() > kGzipInlineBytesMax;
    if (!request_.facts.accepts_gzip || response_.encoded || response_.body.size() < kGzipBytesMin ||
        large_inline) {
        return;
    }
    const std::string_view type = response_.content_type;
    if (type.starts_with("text/") || type.starts_with("application/json") || type.ends_with("+json")) {
        response_.body = gzip(response_.body);
        response_.encoded = true;
        response_.add_header("Content-Encoding", "gzip");
        response_.add_header("Vary", "Accept-Encoding");
    }
}

void Connection::start_answer(std::optional<std::uint64_t> length) {
    close_ = close_ || !request_.facts.keep_alive || loop_.draining;
    append_head(out_, response_, request_.facts, close_, length, loop_.date);
    if (planned_) {
        loop_.application.done(request_, response_.status);
        planned_ = false;
    }
}

void Connection::append_answer() {
    start_answer(response_.body.size());
    if (!is_head_request() && response_.status != 204 && response_.status != 304) {
        out_.append(response_.body);
    }
}

void Connection::refuse(int status, const Error& error) {
    response_.reset();
    loop_.application.refuse(request_, true, status, error, response_);
}

Task<void> Connection::answer_slowly() {
    const HeadFacts& facts = request_.facts;
    start_body();
    if (plan_.answered) {
        co_await drop_body();
        append_answer();
        co_return;
    }
    if (facts.content_length > plan_.body_bytes_max) {
        refuse(413, resource_exhausted("the body is larger than this route takes (" +
                                       std::to_string(plan_.body_bytes_max) + " bytes)"));
    } else if (facts.content_encoding == Encoding::unknown) {
        refuse(415, invalid_argument("only Content-Encoding gzip is understood"));
    } else if (plan_.body == BodyMode::streamed) {
        co_return co_await answer_streamed();
    } else {
        co_return co_await answer_buffered();
    }
    co_await drop_body();
    append_answer();
}

Task<void> Connection::answer_buffered() {
    const bool in_place =
        request_.facts.framing == Framing::length && begin_ + body_left_ <= kReadBufferBytes;
    const bool complete = in_place ? co_await read_in_place() : co_await read_whole_body();
    if (broken_) {
        co_return;
    }
    if (!complete) {  // refused while reading: `response_` says why
        co_await drop_body();
        append_answer();
        co_return;
    }
    phase_ = Phase::handler;
    deadline_ns_ = kForever;
    bool ran = true;
    if (plan_.pool == nullptr) {
        run_handler();
    } else {
        co_await flush();
        std::function<void()> work = [this] { run_handler(); };
        ran = co_await on_pool(std::move(work));
    }
    if (!ran) {
        refuse(429, resource_exhausted("the server is busy; try again later"));
    }
    co_await send_answer();
}

Task<void> Connection::answer_streamed() {
    std::unique_ptr<BodySink> sink;
    std::function<void()> open = [this, &sink] { sink = loop_.application.open_sink(request_, response_); };
    co_await flush();
    const bool opened = co_await on_pool(std::move(open));
    if (!opened) {
        refuse(429, resource_exhausted("the server is busy; try again later"));
    }
    bool complete = false;
    if (sink != nullptr) {
        complete = co_await feed_sink(*sink);
    }
    if (broken_) {
        co_return;
    }
    if (complete) {
        BodySink* target = sink.get();
        std::function<void()> end = [this, target] { target->finish(response_); };
        const bool ended = co_await on_pool_patiently(std::move(end));
        if (!ended) {
            refuse(429, resource_exhausted("the server is busy; try again later"));
        }
    }
    co_await drop_body();
    co_await send_answer();
}

/// False when the body was refused (`response_` says why) or the connection broke.
Task<bool> Connection::feed_sink(BodySink& sink) {
    std::string piece;
    std::string plain;
    std::optional<Gunzip> gunzip;
    if (request_.facts.content_encoding == Encoding::gzip) {
        gunzip.emplace(plan_.body_bytes_max);
    }
    Result<void> outcome;
    std::function<void()> write = [&] {
        if (!gunzip) {
            outcome = sink.write(piece);
            return;
        }
        std::string_view rest = piece;
        do {
            plain.clear();
            const auto used = gunzip->step(rest, plain, kPieceBytes);
            outcome = used ? sink.write(plain) : Result<void>(used.error());
            rest.remove_prefix(used ? *used : rest.size());
        } while (outcome && (!rest.empty() || plain.size() == kPieceBytes));
    };
    while (!body_done_) {
        piece.clear();
        const bool got = co_await next_piece(piece);
        if (!got) {
            co_return false;
        }
        if (piece.empty()) {
            continue;
        }
        const bool wrote = co_await on_pool_patiently(write);
        if (!wrote) {
            refuse(429, resource_exhausted("the server is busy; try again later"));
            co_return false;
        }
        if (!outcome) {
            refuse(http_status_of(outcome.error()), outcome.error());
            co_return false;
        }
    }
    if (gunzip && !gunzip->done()) {
        refuse(400, invalid_argument("the gzip body is cut short"));
        co_return false;
    }
    co_return true;
}

Task<void> Connection::send_answer() {
    if (response_.events) {
        co_await send_events();
    } else if (response_.source) {
        co_await send_source();
    } else {
        append_answer();
        co_await flush();
    }
}

void Connection::append_chunk(std::string_view piece) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    if (request_.facts.minor_version == 0 || response_.source_bytes) {
        out_.append(piece);
        return;
    }
    std::string size;
    for (std::size_t rest = piece.size(); rest > 0; rest >>= 4U) {
        size.insert(size.begin(), kDigits[rest & 0xFU]);
    }
    out_.append(size.empty() ? "0" : size).append("\r\n").append(piece).append("\r\n");
}

Task<void> Connection::send_source() {
    const bool framed = response_.source_bytes || request_.facts.minor_version == 1;
    close_ = close_ || !framed;
    start_answer(response_.source_bytes);
    std::string piece(is_head_request() ? 0 : kPieceBytes, '\0');
    Result<std::size_t> got(std::size_t{0});
    std::uint64_t sent = 0;
    std::function<void()> read = [&] { got = response_.source->read(std::span(piece)); };
    while (!is_head_request() && !broken_) {
        bool ran = true;
        if (plan_.pool == nullptr) {
            read();
        } else {
            ran = co_await on_pool_patiently(read);
        }
        if (!ran || !got) {
            log_warn("answer_cut", {{"reason", got ? "pool full" : got.error().message()}});
            co_return cut();
        }
        if (*got == 0) {
            break;
        }
        sent += *got;
        append_chunk(std::string_view(piece).substr(0, *got));
        co_await flush();
    }
    if (!is_head_request() && !response_.source_bytes && request_.facts.minor_version == 1) {
        out_.append("0\r\n\r\n");
    }
    if (!is_head_request() && response_.source_bytes && *response_.source_bytes != sent) {
        co_return cut();  // the length was promised
    }
    co_await flush();
}

Task<void> Connection::send_events() {
    close_ = true;
    response_.content_type = "text/event-stream";
    response_.add_header("Cache-Control", "no-store");
    start_answer(std::nullopt);
    const std::shared_ptr<EventStream> events = response_.events;
    Timer timer(loop_.events);
    bool more = true;
    while (more) {
        co_await flush();
        more = !broken_;
        if (more) {
            more = co_await next_events(timer);
        }
    }
    events->abandon();
    if (request_.facts.minor_version == 1) {
        out_.append("0\r\n\r\n");
    }
    co_await flush();
}

/// Puts the next frames, or a heartbeat, into out_; false at the end of the stream.
Task<bool> Connection::next_events(Timer& timer) {
    const std::shared_ptr<EventStream> events = response_.events;
    if (loop_.draining) {
        events->close();
    }
    phase_ = Phase::stream;
    deadline_ns_ = kForever;
    EventLoop* loop = &loop_.events;
    const auto alive = std::make_shared<Timer*>(&timer);
    std::function<void()> wake = [loop, weak = std::weak_ptr(alive)] {
        loop->post([weak] {
            if (const auto target = weak.lock()) {
                (*target)->cancel();
            }
        });
    };
    bool silent = false;
    if (events->arm(std::move(wake))) {
        silent = co_await timer.wait(loop_.limits.heartbeat_ms);
    }
    const bool over = events->closed();
    const std::string frames = events->take();
    if (!frames.empty()) {
        append_chunk(frames);
    } else if (silent) {
        append_chunk(": still here\n\n");
    }
    co_return !over;
}

// --- work elsewhere

/// Runs `work` on the plan's pool and comes back to this loop; false when the pool is full.
Task<bool> Connection::on_pool(std::function<void()> work) {
    phase_ = Phase::handler;
    deadline_ns_ = kForever;
    if (plan_.pool == nullptr) {
        work();
        co_return true;
    }
    co_return co_await OnPool(loop_.events, *plan_.pool, work);
}

/// In the middle of a body a full pool means to wait, not to give up at once.
Task<bool> Connection::on_pool_patiently(std::function<void()> work) {
    for (int i = 0; i < kPoolRetriesMax && !broken_; ++i) {
        const bool ran = co_await on_pool(work);
        if (ran) {
            co_return true;
        }
        Timer pause(loop_.events);
        co_await pause.wait(kPoolRetryMs);
    }
    co_return false;
}

}  // namespace gyre::http
