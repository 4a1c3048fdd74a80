// Adapter: one client's connection as an Asio coroutine. connection.h says how it is built.
#include "runtime/http/connection.h"

#include <cstring>

#include "base/no_space.h"

namespace gyre::http {

// --- time
// ---------------------------------------------------------------------------------------------------

void Connection::set_deadline(Phase phase, std::int64_t ms) {
    phase_ = phase;
    deadline_ns_ = ms == kForever ? kForever : loop_.now_ns + ms * kNsPerMs;
}

void Connection::set_body_deadline() {
    phase_ = Phase::body;
    const auto earned_ms = static_cast<std::int64_t>(body_read_ * 1000) / loop_.limits.body_rate_min;
    deadline_ns_ = body_started_ns_ + (loop_.limits.body_ms + earned_ms) * kNsPerMs;
}

void Connection::tick() {
    if (loop_.now_ns <= deadline_ns_) {
        return;
    }
    loop_.counters.timeouts.add();
    if ((phase_ == Phase::head || phase_ == Phase::body) && out_.empty()) {
        constexpr std::string_view kTimeout =
            "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        error_code ignored;
        socket_.write_some(net::buffer(kTimeout.data(), kTimeout.size()), ignored);
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
    error_code ignored;
    socket_.close(ignored);
}

// --- the loop of one connection
// -----------------------------------------------------------------------------

Task<void> Connection::serve() {
    set_deadline(Phase::idle, loop_.limits.head_ms);  // the first request must come sooner than later ones
    while (!close_) {
        const HeadState head = take_head();
        if (head == HeadState::more) {
            if (!flush_now()) {
                co_await flush();
            }
            if (close_) {
                break;
            }
            prepare_read();
            const std::size_t bytes = co_await socket_.async_read_some(
                net::buffer(in_.data() + end_, kReadBufferBytes - end_), quiet(error_));
            accept_read(bytes);
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
    if (error_ || bytes == 0) {
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
    parser_.emplace();
    if (const auto refusal = parser_->parse_head(bytes.substr(0, size), request_)) {
        return refuse_head(refusal->status, refusal->error);
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

// --- answering
// ----------------------------------------------------------------------------------------------

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
    if (!co_await on_pool(std::move(open))) {
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
        if (!co_await on_pool_patiently(std::move(end))) {
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
            auto used = gunzip->step(rest, plain, kPieceBytes);
            outcome = used ? sink.write(plain) : Result<void>(std::move(used).error());
            rest.remove_prefix(used ? *used : rest.size());
        } while (outcome && (!rest.empty() || plain.size() == kPieceBytes));
    };
    while (!body_done_) {
        piece.clear();
        if (!co_await next_piece(piece)) {
            co_return false;
        }
        if (piece.empty()) {
            continue;
        }
        if (!co_await on_pool_patiently(write)) {
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
    Timer timer(socket_.get_executor());
    do {
        co_await flush();
    } while (!broken_ && co_await next_events(timer));
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
    timer.expires_after(std::chrono::milliseconds(loop_.limits.heartbeat_ms));
    auto* io = &loop_.io;
    const auto alive = std::make_shared<Timer*>(&timer);
    std::function<void()> wake = [io, weak = std::weak_ptr(alive)] {
        net::post(*io, [weak] {
            if (const auto target = weak.lock()) {
                (*target)->cancel();
            }
        });
    };
    bool silent = false;
    if (events->arm(std::move(wake))) {
        error_code woken;
        co_await timer.async_wait(quiet(woken));
        silent = !woken;
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

// --- bodies
// -------------------------------------------------------------------------------------------------

void Connection::start_body() {
    const HeadFacts& facts = request_.facts;
    body_left_ = facts.content_length;
    body_read_ = 0;
    body_done_ = facts.framing == Framing::none;
    body_started_ns_ = loop_.now_ns;
    if (facts.framing == Framing::chunked) {
        raw_.assign(unread());
        begin_ = end_;
    }
    const bool welcome = !plan_.answered && facts.content_length <= plan_.body_bytes_max &&
                         facts.content_encoding != Encoding::unknown;
    if (facts.expects_continue && welcome && buffered() == 0 && raw_.empty()) {
        out_.append("HTTP/1.1 100 Continue\r\n\r\n");
    }
}

/// A body that fits behind its head in the read buffer.
Task<bool> Connection::read_in_place() {
    const auto size = static_cast<std::size_t>(body_left_);
    co_await flush();
    while (buffered() < size && !broken_) {
        body_read_ = buffered();
        set_body_deadline();
        const std::size_t room = begin_ + size - end_;
        accept_read(co_await socket_.async_read_some(net::buffer(in_.data() + end_, room), quiet(error_)));
    }
    body_done_ = true;
    if (broken_ || request_.facts.content_encoding == Encoding::identity) {
        co_return !broken_;
    }
    auto plain = gunzip(unread().substr(0, size), plan_.body_bytes_max);
    begin_ += size;
    if (!plain) {
        refuse(plain.error().code() == ErrorCode::resource_exhausted ? 413 : 400, plain.error());
        co_return false;
    }
    body_ = *std::move(plain);
    body_.append(kBodyPadding, '\0');
    request_.body = std::string_view(body_).substr(0, body_.size() - kBodyPadding);
    co_return true;
}

Task<bool> Connection::read_whole_body() {
    while (!body_done_) {
        if (!co_await next_piece(body_)) {
            co_return false;
        }
    }
    if (request_.facts.content_encoding == Encoding::gzip) {
        auto plain = gunzip(body_, plan_.body_bytes_max);
        if (!plain) {
            refuse(plain.error().code() == ErrorCode::resource_exhausted ? 413 : 400, plain.error());
            co_return false;
        }
        body_ = *std::move(plain);
    }
    body_.append(kBodyPadding, '\0');
    request_.body = std::string_view(body_).substr(0, body_.size() - kBodyPadding);
    co_return true;
}

/// Appends the next bytes of the body to `out`; sets body_done_ with the last. False: refused or broken.
Task<bool> Connection::next_piece(std::string& out) {
    if (request_.facts.framing == Framing::chunked) {
        co_return co_await next_chunked(out);
    }
    std::size_t got = static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, buffered()));
    out.append(unread().substr(0, got));
    begin_ += got;
    if (got == 0 && body_left_ > 0) {
        const std::size_t before = out.size();
        co_await flush();
        set_body_deadline();
        out.resize(before + static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, kPieceBytes)));
        got = co_await socket_.async_read_some(net::buffer(out.data() + before, out.size() - before),
                                               quiet(error_));
        out.resize(before + got);
        if (error_ || got == 0) {
            broken_ = close_ = true;
            co_return false;
        }
    }
    body_left_ -= got;
    body_read_ += got;
    body_done_ = body_left_ == 0;
    co_return true;
}

Task<bool> Connection::next_chunked(std::string& out) {
    const std::size_t before = out.size();
    auto decoded = parser_->decode(raw_, out);
    if (!decoded) {
        close_ = linger_ = true;
        refuse(400, decoded.error());
        co_return false;
    }
    raw_.erase(0, decoded->consumed);
    body_read_ += out.size() - before;
    body_done_ = decoded->done;
    if (body_read_ > plan_.body_bytes_max) {
        refuse(413, resource_exhausted("the body is larger than this route takes (" +
                                       std::to_string(plan_.body_bytes_max) + " bytes)"));
        co_return false;
    }
    if (body_done_ || decoded->consumed > 0) {
        co_return true;
    }
    co_await flush();
    set_body_deadline();
    const std::size_t kept = raw_.size();
    raw_.resize(kReadBufferBytes);
    const std::size_t got =
        co_await socket_.async_read_some(net::buffer(raw_.data() + kept, raw_.size() - kept), quiet(error_));
    raw_.resize(kept + got);
    if (error_ || got == 0) {
        broken_ = close_ = true;
        co_return false;
    }
    co_return true;
}

/// Before an answer that did not need the body: reads and drops a small one, so that the connection can be
/// kept; with a large or unbounded one the connection ends after the answer.
Task<void> Connection::drop_body() {
    const bool small = request_.facts.framing == Framing::length && body_left_ <= kDropBytesMax &&
                       !request_.facts.expects_continue;
    std::string dropped;
    while (!body_done_ && small && !broken_) {
        dropped.clear();
        co_await next_piece(dropped);
    }
    if (!body_done_) {
        close_ = linger_ = true;
    }
}

// --- bytes out, work elsewhere, the end
// ---------------------------------------------------------------------

/// Writes without waiting; true when nothing is left.
bool Connection::flush_now() {
    while (out_sent_ < out_.size() && !broken_) {
        error_code error;
        out_sent_ += socket_.write_some(net::buffer(out_.data() + out_sent_, out_.size() - out_sent_), error);
        if (error == net::error::would_block) {
            return false;
        }
        if (error) {
            broken_ = close_ = true;
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
        co_await socket_.async_wait(Stream::wait_write, quiet(error_));
        if (error_) {
            broken_ = close_ = true;
        }
    }
}

/// Runs `work` on the plan's pool and comes back to this loop; false when the pool is full.
Task<bool> Connection::on_pool(std::function<void()> work) {
    phase_ = Phase::handler;
    deadline_ns_ = kForever;
    if (plan_.pool == nullptr) {
        work();
        co_return true;
    }
    auto start = [pool = plan_.pool, io = &loop_.io, work = std::move(work)](auto handler) {
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        auto guard = net::make_work_guard(*io);  // the loop stays until the work is done
        const auto queued = pool->submit([shared, guard, io, work] {
            work();
            net::post(*io, [shared] { std::move (*shared)(true); });
        });
        if (!queued) {
            net::post(*io, [shared] { std::move (*shared)(false); });
        }
    };
    co_return co_await net::async_initiate<const net::use_awaitable_t<Executor>, void(bool)>(std::move(start),
                                                                                             kUseAwaitable);
}

/// In the middle of a body a full pool means to wait, not to give up at once.
Task<bool> Connection::on_pool_patiently(std::function<void()> work) {
    for (int i = 0; i < kPoolRetriesMax && !broken_; ++i) {
        if (co_await on_pool(work)) {
            co_return true;
        }
        Timer pause(socket_.get_executor(), std::chrono::milliseconds(kPoolRetryMs));
        error_code ignored;
        co_await pause.async_wait(quiet(ignored));
    }
    co_return false;
}

/// Sends what is left. After a refusal, what the client still sends is read for a moment: closing at once
/// would make the kernel reset the connection, and the client might never see the answer.
Task<void> Connection::finish() {
    co_await flush();
    error_code ignored;
    if (broken_ || !linger_) {
        socket_.shutdown(tcp::socket::shutdown_both, ignored);
        socket_.close(ignored);
        co_return;
    }
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    set_deadline(Phase::write, kLingerMs);
    std::size_t dropped = 0;
    while (!error_ && dropped < kLingerBytesMax) {
        dropped += co_await socket_.async_read_some(net::buffer(in_.data(), kReadBufferBytes), quiet(error_));
    }
    socket_.close(ignored);
}

namespace {

Task<void> run_connection(std::unique_ptr<Connection> connection) {
    co_await connection->serve();
}

}  // namespace

void spawn_connection(Loop& loop, int socket, std::string remote) {
    Stream stream(loop.io);
    error_code failed;
    stream.assign(tcp::v4(), socket, failed);
    if (!failed) {
        stream.non_blocking(true, failed);
    }
    if (failed) {
        log_warn("connection_failed", {{"reason", failed.message()}});
        return;
    }
    auto connection = std::make_unique<Connection>(loop, std::move(stream), std::move(remote));
    net::co_spawn(loop.io, run_connection(std::move(connection)), [](std::exception_ptr failure) {
        if (failure) {
            log_error("connection_failed", {{"reason", "an exception ended the connection"}});
        }
    });
}

}  // namespace gyre::http
