#pragma once
// Every bound of the HTTP transport. Bodies have a bound per route.
#include <cstddef>
#include <cstdint>

namespace gyre::http {

inline constexpr std::size_t kHeadBytesMax = 16U << 10U;
inline constexpr std::size_t kHeadersMax = 100;
/// A connection remembers its last head up to this size, see HeadMemo.
inline constexpr std::size_t kRememberedHeadBytesMax = 1024;
inline constexpr std::size_t kPathSegmentsMax = 64;
/// Head plus a small body that is parsed where it was read. One per connection.
inline constexpr std::size_t kReadBufferBytes = 24U << 10U;
/// Readable bytes behind a body, for parsers that read in blocks (simdjson).
inline constexpr std::size_t kBodyPadding = 64;
/// Answers gathered for pipelined requests before they are written.
inline constexpr std::size_t kPipelinedMax = 64;
inline constexpr std::size_t kOutBytesMax = 64U << 10U;
/// One piece of a streamed body, in either direction.
inline constexpr std::size_t kPieceBytes = 256U << 10U;
/// A refused body of at most this size is read and dropped, so that the connection can be kept.
inline constexpr std::size_t kDropBytesMax = 64U << 10U;
inline constexpr std::size_t kBodyBytesDefault = 1U << 20U;
/// Bodies above this never run on an I/O thread.
inline constexpr std::size_t kInlineBodyBytesMax = 64U << 10U;
/// Smaller answers are not compressed.
inline constexpr std::size_t kGzipBytesMin = 1400;
/// Larger ones are not compressed on an I/O thread.
inline constexpr std::size_t kGzipInlineBytesMax = 32U << 10U;
inline constexpr std::size_t kEventQueueMax = 1024;
inline constexpr std::size_t kEventQueueBytesMax = 1U << 20U;
inline constexpr std::int64_t kRetryAfterSeconds = 1;

/// What a deployment (or a test) may change. Times in milliseconds; they are kept to about a quarter second.
struct Limits {
    std::size_t connections = 4096;
    std::int64_t idle_ms = 75'000;       // between two requests
    std::int64_t head_ms = 10'000;       // first to last byte of a head
    std::int64_t body_ms = 30'000;       // without enough progress of a body, see body_rate_min
    std::int64_t body_rate_min = 1024;   // bytes a second a body must reach on average after body_ms
    std::int64_t write_ms = 30'000;      // without progress of a write
    std::int64_t drain_ms = 10'000;      // running requests at shutdown
    std::int64_t heartbeat_ms = 15'000;  // silence on an event stream
};

}  // namespace gyre::http
