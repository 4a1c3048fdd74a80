#pragma once
// Every bound of the module. Reaching one is an error with a sentence, never a crash or an endless wait.
#include <cstddef>
#include <cstdint>

namespace gyre::table {

/// Rows of one result that is held in memory; `scan` hands out batches and has no such bound.
inline constexpr std::uint64_t kResultRowsMax = 20'000'000;
/// Bytes of values of one result that is held in memory.
inline constexpr std::uint64_t kResultBytesMax = 4ULL << 30U;
/// Broken rows of one source with on_error=skip; one more and the source is refused.
inline constexpr std::uint64_t kRejectedRowsMax = 100'000;
/// Broken rows that are listed with file, line and column.
inline constexpr std::size_t kRejectedRowsListed = 20;
/// A row of a CSV or JSON lines file.
inline constexpr std::size_t kRowBytesMax = 2U << 20U;
inline constexpr std::size_t kColumnsMax = 4096;
inline constexpr std::size_t kSourcesMax = 256;
inline constexpr std::size_t kSourceFilesMax = 10'000;
inline constexpr std::size_t kSqlBytesMax = 256U << 10U;
inline constexpr std::size_t kMessageBytesMax = 600;
/// What a member of a zip may grow to, and by which factor (beyond the first 16 MiB).
inline constexpr std::uint64_t kExpandedBytesMax = 8ULL << 30U;
inline constexpr std::uint64_t kExpansionRatioMax = 200;
inline constexpr std::uint64_t kExpansionFreeBytes = 16ULL << 20U;
inline constexpr std::size_t kArchiveMembersMax = 10'000;

}  // namespace gyre::table
