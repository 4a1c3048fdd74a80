#include "runtime/http/head_memo.h"

#include "runtime/http/limits.h"

namespace gyre::http {
namespace {

constexpr std::size_t kNamedParts = 4;        // before those of the headers
constexpr std::size_t kLengthDigitsMax = 18;  // as many always fit 64 bits

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

}  // namespace

bool HeadMemo::recall(std::string_view head, Request& request) const {
    const std::string_view kept = head_;
    if (kept.empty() || !head.starts_with(kept.substr(0, length_at_))) {
        return false;
    }
    const std::string_view behind = kept.substr(length_at_ + length_size_);
    std::size_t digits = 0;
    std::uint64_t length = 0;
    while (length_size_ > 0 && digits < kLengthDigitsMax && length_at_ + digits < head.size() &&
           is_digit(head[length_at_ + digits])) {
        length = length * 10 + static_cast<std::uint64_t>(head[length_at_ + digits++] - '0');
    }
    if ((length_size_ > 0 && digits == 0) || head.substr(length_at_ + digits) != behind) {
        return false;
    }
    const auto view = [&](Part part) {
        if (part.at == length_at_ && part.size == length_size_) {
            return head.substr(part.at, digits);
        }
        return head.substr(part.at > length_at_ ? part.at + digits - length_size_ : part.at, part.size);
    };
    request.method = method_;
    request.method_name = view(parts_[0]);
    request.path = view(parts_[1]);
    request.query = view(parts_[2]);
    request.host = view(parts_[3]);
    request.headers.clear();
    for (std::size_t i = kNamedParts; i + 1 < parts_.size(); i += 2) {
        request.headers.push_back({view(parts_[i]), view(parts_[i + 1])});
    }
    request.facts = facts_;
    request.facts.content_length = length;
    request.facts.framing = length > 0 ? Framing::length : Framing::none;
    return true;
}

void HeadMemo::keep(std::string_view head, const Request& request) {
    head_.clear();
    parts_.clear();
    if (head.size() > kRememberedHeadBytesMax || request.facts.framing == Framing::chunked) {
        return;
    }
    length_at_ = head.size();
    length_size_ = 0;
    bool good = note(head, request.method_name) && note(head, request.path) && note(head, request.query) &&
                note(head, request.host);
    for (const Header& header : request.headers) {
        good = good && note(head, header.name) && note(head, header.value) &&
               !equals_ignoring_case(header.name, "Expect");
        if (good && equals_ignoring_case(header.name, "Content-Length")) {
            good = length_size_ == 0 && request.facts.framing == Framing::length;
            length_at_ = parts_.back().at;
            length_size_ = parts_.back().size;
        }
    }
    if (good) {
        head_ = head;
        method_ = request.method;
        facts_ = request.facts;
    }
}

/// False for what does not stand in the head, as the path of a target without one.
bool HeadMemo::note(std::string_view head, std::string_view part) {
    if (part.empty()) {
        parts_.push_back({});
        return true;
    }
    const std::size_t at = static_cast<std::size_t>(part.data() - head.data());
    if (part.data() < head.data() || at + part.size() > head.size()) {
        return false;
    }
    parts_.push_back({static_cast<std::uint16_t>(at), static_cast<std::uint16_t>(part.size())});
    return true;
}

}  // namespace gyre::http
