#pragma once
// SegmentLog: an append-only log of records in files ("segments") of bounded size, in one folder.
//
// A position is the number of bytes before a record since the log began, over all segments. Layout of a
// segment
// "<position of its first byte, 16 hex digits>.log": records, each
//   u32 payload bytes | u32 CRC-32C of (payload bytes field + payload) | payload       (little endian)
// Only the newest segment can have a torn end (a crash); opening cuts it at the first record that is not
// whole. An earlier segment that is damaged is reported as data_loss when it is read. Thread-safe; one
// process.
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "storage/file_system.h"

namespace gyre::storage {

inline constexpr std::size_t kLogRecordBytesMax = 16U << 20U;
inline constexpr std::uint64_t kLogSegmentBytesDefault = 64U << 20U;
inline constexpr std::size_t kLogSegmentsMax = 65'536;
inline constexpr std::size_t kLogReadBytesMax =
    4U << 20U;  // payload bytes of one read(), but at least one record

using LogPosition = std::uint64_t;

struct LogSegment {
    LogPosition begin = 0;
    LogPosition end = 0;
    std::string path;
    bool sealed = false;
};

struct LogRecord {
    LogPosition position = 0;
    std::string payload;
};

struct LogPage {
    std::vector<LogRecord> records;
    LogPosition next = 0;  // pass as `from` to go on
};

struct SegmentLogOptions {
    std::uint64_t segment_bytes_max = kLogSegmentBytesDefault;
    std::size_t record_bytes_max = kLogRecordBytesMax;
};

class SegmentLog {
 public:
    static Result<std::unique_ptr<SegmentLog>> open(const std::string& folder,
                                                    const SegmentLogOptions& options = {},
                                                    FileSystem& files = posix_file_system());
    ~SegmentLog();
    SegmentLog(const SegmentLog&) = delete;
    SegmentLog& operator=(const SegmentLog&) = delete;

    /// Appends and waits until the record is on the disk; appenders that wait together share one fsync.
    /// Errors: invalid_argument over record_bytes_max or empty; resource_exhausted for a full disk (the log
    /// goes on when there is room); unavailable after a failed fsync, until the log is opened again.
    Result<LogPosition> append(std::string_view payload);
    /// Appends without waiting: on the disk after the next append() or sync().
    Result<LogPosition> append_nosync(std::string_view payload);
    Result<void> sync();

    /// Records from `from` (0, or a position seen before), at most `records_max`. At the end: none. Records
    /// that append_nosync wrote are read before they are durable. Errors: not_found when retention has
    /// removed `from`; data_loss for a damaged record.
    Result<LogPage> read(LogPosition from, std::size_t records_max) const;
    [[nodiscard]] LogPosition begin() const;  // of the oldest record kept
    [[nodiscard]] LogPosition end() const;    // where the next record goes
    [[nodiscard]] std::vector<LogSegment> segments() const;
    /// Bytes that opening cut off the torn end.
    [[nodiscard]] std::uint64_t recovered_cut_bytes() const { return cut_bytes_; }

    /// Starts a new segment, so that everything so far is sealed.
    Result<void> seal();
    /// Removes the sealed segments that end at or before `position`; returns how many.
    Result<std::size_t> remove_before(LogPosition position);

 private:
    struct Segment {
        LogPosition begin = 0;
        LogPosition end = 0;
        std::shared_ptr<Fd>
            file;  // null once sealed; shared with a reader or an fsync that outlives a rotation
    };
    SegmentLog(std::string path, Fd folder, const SegmentLogOptions& options, FileSystem& files);
    Result<void> recover();
    Result<void> recover_newest(Segment& segment);
    Result<LogPosition> valid_end(const Fd& file, const Segment& segment) const;
    Result<void> start_segment(LogPosition begin);
    Result<void> rotate();
    Result<LogPosition> write_record(std::string_view payload);
    Result<void> wait_synced(std::unique_lock<std::mutex>& lock, LogPosition end);
    Result<Segment> locate(LogPosition from) const;

    const std::string path_;
    const Fd folder_;
    const SegmentLogOptions options_;
    FileSystem& files_;
    std::uint64_t cut_bytes_ = 0;

    mutable std::mutex mutex_;  // guards all below
    std::condition_variable synced_moved_;
    std::map<LogPosition, Segment> segments_;  // by begin; the last is being written
    LogPosition synced_ = 0;
    bool syncing_ = false;
    bool failed_ = false;
};

}  // namespace gyre::storage
