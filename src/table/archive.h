#pragma once
// One member of a zip file, unpacked with bounds. Members' names only select; they never become paths.
#include <cstdint>
#include <string>

#include "base/result.h"
#include "table/limits.h"

namespace gyre::table {

struct ArchiveBounds {
    std::uint64_t expanded_bytes_max = kExpandedBytesMax;
    std::uint64_t ratio_max = kExpansionRatioMax;
    std::uint64_t free_bytes = kExpansionFreeBytes;  // the ratio counts only beyond this
    std::size_t members_max = kArchiveMembersMax;
};

struct MemberRequest {
    std::string archive;      // path of the zip file
    std::string member;       // empty: the only file in it
    std::string destination;  // path to write, replaced
};

/// Unpacks one member and returns its name in the archive. Errors: not_found, invalid_argument (no zip, or
/// several members and none named), resource_exhausted (a bound), data_loss (a broken archive).
Result<std::string> unpack_member(const MemberRequest& request, const ArchiveBounds& bounds = {});

}  // namespace gyre::table
