#pragma once
// Every bound of the module. Reaching one is counted and reported, never a crash or an endless wait.
#include <cstddef>
#include <cstdint>

namespace gyre::monitoring {

inline constexpr std::size_t kRequestIdBytesMax = 64;
inline constexpr std::size_t kRecordBytesMax = 60U << 10U;  // one prediction, encoded
inline constexpr std::size_t kOutputsMax = 255;
inline constexpr std::size_t kColumnsMax = 4096;
/// Schemas and variants that one log can hold ids for (a changed schema takes a new id).
inline constexpr std::size_t kEndpointsMax = 4096;
inline constexpr std::size_t kVariantsMax = 4096;

/// A thread's ring of predictions that the drainer has not taken yet.
inline constexpr std::size_t kSpoolBytesDefault = 8U << 20U;
inline constexpr std::size_t kSpoolBytesMin = 64U << 10U;
inline constexpr std::size_t kSpoolsMax = 256;        // threads that append at the same time
inline constexpr std::size_t kConsumedRowsMax = 128;  // that a consumer gets at once
/// (endpoint, variant, hour) triples whose missed rows are counted apart between two drains; further ones
/// share a slot.
inline constexpr std::size_t kMissedSlotsMax = 1024;

inline constexpr std::uint64_t kSegmentBytesDefault = 64U << 20U;
inline constexpr std::size_t kFrameBytesMax = 1U << 20U;
inline constexpr std::size_t kSegmentsMax = 100'000;

inline constexpr std::size_t kLabelBatchMax = 100'000;
inline constexpr std::size_t kPendingLabelsMax = 200'000;  // labels whose prediction has not been seen
inline constexpr std::size_t kRevisionsPerRowMax = 8;
inline constexpr std::size_t kStoreRowsMax = 2'000'000;  // of all endpoints together
inline constexpr std::size_t kStoreEvictedPart = 100;    // over it, this part of the largest endpoint's goes
inline constexpr std::size_t kScoresPerRowMax = 16;      // variants that scored one request
inline constexpr std::size_t kTrafficBucketsMax = 200'000;

/// Windows of one list (weeks of 190 years, days of 27).
inline constexpr std::size_t kWindowsMax = 10'000;
/// Days of profiles kept per endpoint; the oldest go.
inline constexpr std::size_t kProfileDaysMax = 400;
/// Rows that a champion's own evaluation must have to be compared with (fewer, where a monitor asks for
/// fewer).
inline constexpr std::int64_t kBaselineRowsMin = 100;
/// Requests of one export, unless it is told otherwise; they are held in memory.
inline constexpr std::size_t kExportRequestsMax = 5'000'000;

}  // namespace gyre::monitoring
