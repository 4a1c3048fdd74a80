#include "storage/log/segment_log.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "storage/log/record_format.h"

namespace gyre::storage {

namespace {

Result<std::uint64_t> size_of(const Fd& file) {
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) {
        return errno_error("log segment", errno);
    }
    return static_cast<std::uint64_t>(status.st_size);
}

/// The position in a segment's name; nothing for other files.
std::optional<LogPosition> parse_segment_name(std::string_view name) {
    if (name.size() != 20 || !name.ends_with(".log")) {
        return std::nullopt;
    }
    LogPosition begin = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + 16, begin, 16);
    return error == std::errc() && end == name.data() + 16 ? std::optional(begin) : std::nullopt;
}

}  // namespace

SegmentLog::SegmentLog(std::string path, Fd folder, const SegmentLogOptions& options, FileSystem& files)
    : path_(std::move(path)), folder_(std::move(folder)), options_(options), files_(files) {}

SegmentLog::~SegmentLog() {
    static_cast<void>(sync());
}

Result<std::unique_ptr<SegmentLog>> SegmentLog::open(const std::string& folder,
                                                     const SegmentLogOptions& options, FileSystem& files) {
    GYRE_CHECK(options.record_bytes_max <= kLogRecordBytesMax, "record_bytes_max is over kLogRecordBytesMax");
    GYRE_TRY_VOID(make_directories(folder));
    GYRE_TRY(Fd opened, open_folder(folder));
    std::unique_ptr<SegmentLog> log(
        new SegmentLog(folder, std::move(opened), options, files));  // NOLINT: private constructor
    if (auto recovered = log->recover(); !recovered) {
        return std::move(recovered).error().context("log '" + folder + "'");
    }
    return log;
}

Result<void> SegmentLog::recover() {
    GYRE_TRY(const auto names, folder_entries(folder_, kLogSegmentsMax + 16));
    for (const std::string& name : names) {
        const auto begin = parse_segment_name(name);
        if (!begin) {
            continue;
        }
        GYRE_TRY(Fd file, files_.open_file(folder_, name, OpenMode::read));
        GYRE_TRY(const std::uint64_t size, size_of(file));
        if (!segments_.empty() && segments_.rbegin()->second.end != *begin) {
            return data_loss("segment '" + name + "' does not follow the one before it");
        }
        segments_[*begin] = Segment{*begin, *begin + size, nullptr};
    }
    if (segments_.empty()) {
        return start_segment(0);
    }
    return recover_newest(segments_.rbegin()->second);
}

Result<void> SegmentLog::recover_newest(Segment& segment) {
    GYRE_TRY(Fd file, files_.open_file(folder_, segment_name(segment.begin), OpenMode::read_write));
    GYRE_TRY(const LogPosition end, valid_end(file, segment));
    cut_bytes_ = segment.end - end;
    if (cut_bytes_ > 0) {
        log_warn("log_torn_end_cut", {{"log", path_}, {"bytes", static_cast<std::int64_t>(cut_bytes_)}});
    }
    segment.end = end;
    GYRE_TRY_VOID(files_.truncate(file, end - segment.begin));  // also moves the write position there
    GYRE_TRY_VOID(files_.sync_file(file));
    segment.file = std::make_shared<Fd>(std::move(file));
    synced_ = end;
    return {};
}

Result<LogPosition> SegmentLog::valid_end(const Fd& file, const Segment& segment) const {
    LogPosition at = segment.begin;
    std::string payload;
    for (;;) {
        GYRE_TRY(const bool whole, read_record(files_, file, segment.begin, at, segment.end, payload));
        if (!whole) {
            return at;
        }
        at += kRecordHeaderBytes + payload.size();
    }
}

Result<void> SegmentLog::start_segment(LogPosition begin) {
    if (segments_.size() >= kLogSegmentsMax) {
        return resource_exhausted("the log has " + std::to_string(kLogSegmentsMax) + " segments");
    }
    const std::string name = segment_name(begin);
    GYRE_TRY(Fd file, files_.open_file(folder_, name, OpenMode::create_new));
    if (auto synced = files_.sync_folder(folder_); !synced) {
        static_cast<void>(files_.unlink(folder_, name));
        return std::move(synced).error();
    }
    segments_[begin] = Segment{begin, begin, std::make_shared<Fd>(std::move(file))};
    return {};
}

Result<void> SegmentLog::rotate() {
    Segment& sealed = segments_.rbegin()->second;
    if (auto synced = files_.sync_file(*sealed.file); !synced) {
        failed_ = true;
        synced_moved_.notify_all();
        return std::move(synced).error();
    }
    synced_ = sealed.end;
    synced_moved_.notify_all();
    GYRE_TRY_VOID(start_segment(sealed.end));
    sealed.file.reset();
    return {};
}

Result<LogPosition> SegmentLog::write_record(std::string_view payload) {
    if (payload.empty() || payload.size() > options_.record_bytes_max) {
        return invalid_argument("a record of " + std::to_string(payload.size()) + " bytes; 1 to " +
                                std::to_string(options_.record_bytes_max) + " are allowed");
    }
    if (failed_) {
        return unavailable("the log failed to reach the disk; open it again");
    }
    const std::uint64_t used = segments_.rbegin()->second.end - segments_.rbegin()->first;
    if (used > 0 && used + kRecordHeaderBytes + payload.size() > options_.segment_bytes_max) {
        GYRE_TRY_VOID(rotate());
    }
    Segment& segment = segments_.rbegin()->second;
    const std::string record = encode_record(payload);
    if (auto wrote = files_.write(*segment.file, record); !wrote) {
        if (auto cut = files_.truncate(*segment.file, segment.end - segment.begin); !cut) {
            failed_ = true;
            synced_moved_.notify_all();
        }
        return std::move(wrote).error().context("log '" + path_ + "'");
    }
    const LogPosition position = segment.end;
    segment.end += record.size();
    return position;
}

Result<LogPosition> SegmentLog::append(std::string_view payload) {
    std::unique_lock lock(mutex_);
    GYRE_TRY(const LogPosition position, write_record(payload));
    GYRE_TRY_VOID(wait_synced(lock, position + kRecordHeaderBytes + payload.size()));
    return position;
}

Result<LogPosition> SegmentLog::append_nosync(std::string_view payload) {
    const std::scoped_lock lock(mutex_);
    return write_record(payload);
}

Result<void> SegmentLog::sync() {
    std::unique_lock lock(mutex_);
    return segments_.empty() ? Result<void>() : wait_synced(lock, segments_.rbegin()->second.end);
}

/// One waiter syncs for all that have written by then; the others wait for it or for their own turn.
Result<void> SegmentLog::wait_synced(std::unique_lock<std::mutex>& lock, LogPosition end) {
    while (synced_ < end) {
        if (failed_) {
            return unavailable("the log failed to reach the disk; open it again");
        }
        if (syncing_) {
            synced_moved_.wait(lock);
            continue;
        }
        syncing_ = true;
        const std::shared_ptr<Fd> file = segments_.rbegin()->second.file;
        const LogPosition target = segments_.rbegin()->second.end;
        lock.unlock();
        auto done = files_.sync_file(*file);
        lock.lock();
        syncing_ = false;
        failed_ = failed_ || !done;
        if (done) {
            synced_ = std::max(synced_, target);
        }
        synced_moved_.notify_all();
    }
    return {};
}

Result<void> SegmentLog::seal() {
    const std::scoped_lock lock(mutex_);
    if (failed_) {
        return unavailable("the log failed to reach the disk; open it again");
    }
    const Segment& last = segments_.rbegin()->second;
    return last.end == last.begin ? Result<void>() : rotate();
}

}  // namespace gyre::storage
