#pragma once
// Bounds of the loop.
#include <cstddef>
#include <cstdint>

namespace gyre::loop {

inline constexpr std::size_t kRolloutHistoryMax = 200;  // entries kept of one rollout
inline constexpr std::size_t kRolloutLooksMax = 64;     // looks kept of one rollout; older ones thin out
inline constexpr std::size_t kRolloutsListMax = 500;
inline constexpr std::size_t kRolloutsWaitingMax = 16;  // candidates of one endpoint that wait for their turn
inline constexpr std::int64_t kChildTimeoutMaxMs = 3'600'000;
inline constexpr std::size_t kChildLogBytesMax = 4000;  // of a failed child's output, shown in its error
inline constexpr std::uint64_t kResultBytesMax = 64U << 20U;
inline constexpr std::int64_t kSettleTimeoutMs = 240'000;  // a clock waits this long for what is due

}  // namespace gyre::loop
