#pragma once
// Bounds of serving; each is reached by a test.
#include <cstddef>
#include <cstdint>

namespace gyre::serving {

inline constexpr std::size_t kEndpointsMax = 1000;
inline constexpr std::size_t kVariantsPerEndpointMax = 16;
inline constexpr std::size_t kRowsPerRequestMax = 100'000;
inline constexpr std::size_t kRequestIdBytesMax = 64;
// A parser grows to several times its largest body; those of larger bodies than this are not kept by the
// threads.
inline constexpr std::size_t kParserKeptBodyBytes = 1U << 20U;
// Numbers, and texts, of the largest request whose room the threads keep.
inline constexpr std::size_t kRowBufferKeptValues = 1U << 17U;
inline constexpr std::size_t kShadowQueueRowsMax =
    20'000;  // rows waiting to be scored; more are shed and counted
inline constexpr std::int64_t kFutureSkewMaxDefaultS = 300;
inline constexpr std::uint32_t kStageSampling = 64;  // one request in so many has its stages timed
inline constexpr std::int64_t kPublishWaitMaxMs = 30'000;
inline constexpr std::int64_t kLiveStepS = 5;       // seconds of one point of an endpoint's live history
inline constexpr std::size_t kLivePointsMax = 120;  // ten minutes of them

}  // namespace gyre::serving
