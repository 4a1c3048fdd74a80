#include "runtime/http/connection.h"

#include <cstring>

namespace gyre::http {

// --- time

void Connection::set_deadline(Phase phase, std::int64_t ms) {
    phase_ = phase;
    deadline_ns_ = ms == kForever ? kForever : loop_.events.now_ns() + ms * kNsPerMs;
}

void Connection::set_body_deadline() {
    phase_ = Phase::body;
    const auto earned_ms = static_cast<std::int64_t>(body_read_ * 1000) / loop_.limits.body_rate_min;
    deadline_ns_ = body_started_ns_ + (loop_.limits.body_ms + earned_ms) * kNsPerMs;
}

void Connection::tick() {
    if (loop_.events.now_ns() <= deadline_ns_) {
        return;
    }
    loop_.counters.timeouts.add();
    if ((phase_ == Phase::head || phase_ == Phase::body) && out_.empty()) {
        refuse_slow_client();
    }
    cut();
}

void Connection::drain() {
    if (phase_ == Phase::stream) {  // elsewhere the response may be a pool thread's
        response_.events->close();
    }
    if (phase_ == Phase::idle && buffered() == 0 && out_.empty()) {
        cut();
    }
}

void Connection::cut() {
    broken_ = true;
    close_ = true;
    if (phase_ == Phase::stream) {
        response_.events->abandon();
    }
    socket_.close();
}

void Connection::refuse_slow_client() {
    const std::int64_t limit_ms = phase_ == Phase::head ? loop_.limits.head_ms : loop_.limits.body_ms;
    response_.reset();
    loop_.application.refuse(
        request_, planned_, kRequestTimeout,
        {ErrorCode::deadline_exceeded, "the request did not arrive within " + std::to_string(limit_ms) +
                                           " ms; send it faster, or in smaller requests"},
        response_);
    close_ = true;
    append_answer();
    flush_now();
}

// --- the loop of one connection

Task<void> Connection::serve() {
    set_deadline(Phase::idle, loop_.limits.head_ms);  // the first request must come sooner than later ones
    while (!close_) {
        const HeadState head = take_head();
        if (head == HeadState::more) {
            if (std::exchange(answered_, false)) {
                co_await loop_.events.turn_end();
            }
            if (!flush_now()) {
                co_await flush();
            }
            if (close_) {
                break;
            }
            prepare_read();
            accept_read(co_await socket_.read(in_.data() + end_, kReadBufferBytes - end_));
        } else if (head == HeadState::complete && fits_fast_path()) {
            run_handler();
            if (response_.source || response_.events) {
                co_await send_answer();
            } else {
                append_answer();
            }
            finish_request();
        } else if (head == HeadState::complete) {
            co_await answer_slowly();
            finish_request();
        }
        if (gathered_ >= kPipelinedMax || out_.size() >= kOutBytesMax) {
            co_await flush();
        }
    }
    co_await finish();
}

void Connection::prepare_read() {
    if (begin_ == end_) {
        begin_ = end_ = scanned_ = 0;
    } else if (begin_ > 0) {
        std::memmove(in_.data(), in_.data() + begin_, buffered());
        end_ -= begin_;
        begin_ = 0;
    }
    if (phase_ != Phase::head && phase_ != Phase::idle) {
        set_deadline(Phase::idle, loop_.limits.idle_ms);
    }
    if (phase_ == Phase::idle && end_ > 0) {
        set_deadline(Phase::head, loop_.limits.head_ms);
    }
    if (loop_.draining && end_ == 0) {
        cut();
    }
}

void Connection::accept_read(std::size_t bytes) {
    if (bytes == 0) {
        broken_ = close_ = true;
        return;
    }
    end_ += bytes;
}

HeadState Connection::take_head() {
    while (buffered() >= 2 && in_[begin_] == '\r' && in_[begin_ + 1] == '\n') {
        begin_ += 2;  // RFC 9112, 2.2: an empty line before a request is ignored
        scanned_ = 0;
    }
    const std::string_view bytes = unread();
    if (bytes.empty() || bytes == "\r") {
        return HeadState::more;
    }
    const std::size_t size = find_head(bytes, scanned_);
    if (size > kHeadBytesMax || (size == 0 && bytes.size() >= kHeadBytesMax)) {
        return refuse_head(431, invalid_argument("the request's head is larger than 16 KiB"));
    }
    if (size == 0) {
        const bool letter = bytes.front() >= 'A' && bytes.front() <= 'Z';
        return letter ? HeadState::more : refuse_head(400, invalid_argument("this is not an HTTP request"));
    }
    const std::string_view head = bytes.substr(0, size);
    if (!memo_.recall(head, request_)) {
        parser_.emplace();
        if (const auto refusal = parser_->parse_head(head, request_)) {
            return refuse_head(refusal->status, refusal->error);
        }
        memo_.keep(head, request_);
    }
    begin_ += size;
    scanned_ = 0;
    phase_ = Phase::handler;
    deadline_ns_ = kForever;
    response_.reset();
    plan_ = loop_.application.plan(request_, response_);
    planned_ = true;
    return HeadState::complete;
}

/// What follows a head that cannot be read cannot be told apart from it, so the connection ends.
HeadState Connection::refuse_head(int status, const Error& error) {
    response_.reset();
    request_.method = Method::other;
    request_.facts = {};
    loop_.application.refuse(request_, false, status, error, response_);
    close_ = linger_ = true;
    append_answer();
    return HeadState::refused;
}

void Connection::finish_request() {
    ++gathered_;
    answered_ = true;
    if (planned_) {  // the client went away before its answer
        constexpr int kClientClosed = 499;
        loop_.application.done(request_, kClientClosed);
        planned_ = false;
    }
    parser_.reset();
    request_.body = {};
    if (body_.capacity() > 0) {
        std::string().swap(body_);
    }
    if (!raw_.empty()) {  // what came behind a chunked body
        std::memcpy(in_.data(), raw_.data(), raw_.size());
        begin_ = 0;
        end_ = raw_.size();
    }
    if (raw_.capacity() > 0) {
        std::string().swap(raw_);
    }
    response_.source.reset();
    response_.events.reset();
    phase_ = Phase::write;
    deadline_ns_ = kForever;
}

// --- bytes out, the end

/// Writes without waiting; true when nothing is left.
bool Connection::flush_now() {
    while (out_sent_ < out_.size() && !broken_) {
        const auto sent = socket_.write_some(std::string_view(out_).substr(out_sent_));
        if (!sent) {
            broken_ = close_ = true;
        } else if (*sent == 0) {
            return false;
        } else {
            out_sent_ += *sent;
        }
    }
    if (out_.capacity() > kKeptOutBytes) {
        std::string().swap(out_);
    }
    out_.clear();
    out_sent_ = 0;
    gathered_ = 0;
    return true;
}

Task<void> Connection::flush() {
    while (!flush_now()) {
        set_deadline(Phase::write, loop_.limits.write_ms);
        co_await socket_.writable();
    }
}

/// Sends what is left. After a refusal, what the client still sends is read for a moment: closing at once
/// would make the kernel reset the connection, and the client might never see the answer.
Task<void> Connection::finish() {
    co_await flush();
    if (!broken_ && linger_) {
        socket_.shutdown_send();
        set_deadline(Phase::write, kLingerMs);
        std::size_t dropped = 0;
        std::size_t got = 1;
        while (got > 0 && dropped < kLingerBytesMax) {
            got = co_await socket_.read(in_.data(), kReadBufferBytes);
            dropped += got;
        }
    }
    socket_.close();
}

namespace {

Task<void> run_connection(std::unique_ptr<Connection> connection) {
    co_await connection->serve();
}

}  // namespace

void spawn_connection(Loop& loop, Fd socket, std::string remote) {
    auto connection = std::make_unique<Connection>(loop, std::move(socket), std::move(remote));
    loop.events.spawn(run_connection(std::move(connection)));
}

}  // namespace gyre::http
