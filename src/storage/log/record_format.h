#pragma once
// The bytes of one record (see segment_log.h). Private to storage/log.
#include <string>
#include <string_view>

#include "storage/log/segment_log.h"

namespace gyre::storage {

inline constexpr std::size_t kRecordHeaderBytes = 8;

std::string segment_name(LogPosition begin);
std::string encode_record(std::string_view payload);
/// Reads the record at `at` of a segment whose valid bytes end at `end`; false when no whole record is there.
Result<bool> read_record(FileSystem& files, const Fd& file, LogPosition begin, LogPosition at,
                         LogPosition end, std::string& payload);

}  // namespace gyre::storage
