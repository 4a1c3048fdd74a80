// How a connection reads bodies: where its head was read, whole, or in pieces.
#include "runtime/http/connection.h"
#include "runtime/http/gzip.h"

namespace gyre::http {

void Connection::start_body() {
    const HeadFacts& facts = request_.facts;
    body_left_ = facts.content_length;
    body_read_ = 0;
    body_done_ = facts.framing == Framing::none;
    body_started_ns_ = loop_.events.now_ns();
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
        accept_read(co_await socket_.read(in_.data() + end_, room));
    }
    body_done_ = true;
    if (broken_ || request_.facts.content_encoding == Encoding::identity) {
        co_return !broken_;
    }
    const std::string_view zipped = unread().substr(0, size);
    begin_ += size;
    if (!unzip_to_body(zipped)) {
        co_return false;
    }
    hand_over_body();
    co_return true;
}

/// False when it was refused: `response_` says why.
bool Connection::unzip_to_body(std::string_view zipped) {
    auto plain = gunzip(zipped, plan_.body_bytes_max);
    if (!plain) {
        refuse(plain.error().code() == ErrorCode::resource_exhausted ? 413 : 400, plain.error());
        return false;
    }
    body_ = *std::move(plain);
    return true;
}

void Connection::hand_over_body() {
    body_.append(kBodyPadding, '\0');
    request_.body = std::string_view(body_).substr(0, body_.size() - kBodyPadding);
}

Task<bool> Connection::read_whole_body() {
    while (!body_done_) {
        const bool got = co_await next_piece(body_);
        if (!got) {
            co_return false;
        }
    }
    if (request_.facts.content_encoding == Encoding::gzip && !unzip_to_body(body_)) {
        co_return false;
    }
    hand_over_body();
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
        got = co_await socket_.read(out.data() + before, out.size() - before);
        out.resize(before + got);
        if (got == 0) {
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
    const std::size_t got = co_await socket_.read(raw_.data() + kept, raw_.size() - kept);
    raw_.resize(kept + got);
    if (got == 0) {
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

}  // namespace gyre::http
