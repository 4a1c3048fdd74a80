#pragma once
// BodyParser: the parser of one request's body. A parser grows to several times the largest body that it has
// read, so a thread keeps one for small bodies, and a large body has one of its own.
#include <cstddef>
#include <memory>

#include "serving/limits.h"

namespace gyre::api {

/// Parser: a default-constructed vendor's parser, in whose memory the texts that it has read lie.
template <class Parser>
class BodyParser {
 public:
    explicit BodyParser(std::size_t body_bytes)
        : own_(body_bytes > serving::kParserKeptBodyBytes ? std::make_shared<Parser>() : nullptr) {}

    [[nodiscard]] Parser& get() {
        thread_local Parser kept;
        return own_ ? *own_ : kept;
    }
    /// What keeps the texts of a large body; null for a small one, whose texts live until the thread's next.
    [[nodiscard]] std::shared_ptr<const void> texts_owner() const { return own_; }

 private:
    std::shared_ptr<Parser> own_;
};

}  // namespace gyre::api
