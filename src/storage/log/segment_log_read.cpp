#include <array>
#include <cstring>

#include "base/digest.h"
#include "storage/log/record_format.h"
#include "storage/log/segment_log.h"

namespace gyre::storage {

namespace {

void append_u32(std::string& out, std::uint32_t value) {
    for (unsigned shift = 0; shift < 32; shift += 8) {
        out += static_cast<char>((value >> shift) & 0xFFU);
    }
}

std::uint32_t read_u32(const char* bytes) {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < 4; ++i) {
        value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
    }
    return value;
}

}  // namespace

std::string segment_name(LogPosition begin) {
    static constexpr char kHex[] = "0123456789abcdef";
    std::string name(16, '0');
    for (std::size_t i = 16; i-- > 0; begin >>= 4U) {
        name[i] = kHex[begin & 0xFU];
    }
    return name + ".log";
}

std::string encode_record(std::string_view payload) {
    std::string record;
    record.reserve(kRecordHeaderBytes + payload.size());
    append_u32(record, static_cast<std::uint32_t>(payload.size()));
    append_u32(record, crc32c(payload, crc32c(record)));
    return record.append(payload);
}

Result<bool> read_record(FileSystem& files, const Fd& file, LogPosition begin, LogPosition at,
                         LogPosition end, std::string& payload) {
    std::array<char, kRecordHeaderBytes> header{};
    if (end - at < header.size()) {
        return false;
    }
    GYRE_TRY(const std::size_t got, files.read_at(file, at - begin, header));
    const std::uint32_t size = read_u32(header.data());
    if (got < header.size() || size == 0 || size > kLogRecordBytesMax || end - at - header.size() < size) {
        return false;
    }
    payload.resize(size);
    GYRE_TRY(const std::size_t body, files.read_at(file, at - begin + header.size(), payload));
    const std::uint32_t expected = crc32c(payload, crc32c(std::string_view(header.data(), 4)));
    return body == size && read_u32(header.data() + 4) == expected;
}

Result<SegmentLog::Segment> SegmentLog::locate(LogPosition from) const {
    const std::scoped_lock lock(mutex_);
    auto found = segments_.upper_bound(from);
    if (found == segments_.begin()) {
        return not_found("the log begins at " + std::to_string(segments_.begin()->first) + ", after " +
                         std::to_string(from));
    }
    --found;
    if (from > found->second.end) {
        return invalid_argument("position " + std::to_string(from) + " is beyond the log's end");
    }
    Segment segment = found->second;
    if (segment.file == nullptr) {
        GYRE_TRY(Fd file, files_.open_file(folder_, segment_name(segment.begin), OpenMode::read));
        segment.file = std::make_shared<Fd>(std::move(file));
    }
    return segment;
}

Result<LogPage> SegmentLog::read(LogPosition from, std::size_t records_max) const {
    LogPage page{{}, from};
    std::size_t bytes = 0;
    const LogPosition last = end();
    while (page.next < last && page.records.size() < records_max && bytes < kLogReadBytesMax) {
        GYRE_TRY(const Segment segment, locate(page.next));
        while (page.next < segment.end && page.records.size() < records_max && bytes < kLogReadBytesMax) {
            std::string payload;
            GYRE_TRY(const bool whole,
                     read_record(files_, *segment.file, segment.begin, page.next, segment.end, payload));
            if (!whole) {
                return data_loss("log '" + path_ + "': no whole record at position " +
                                 std::to_string(page.next));
            }
            bytes += payload.size();
            const LogPosition position = page.next;
            page.next += kRecordHeaderBytes + payload.size();
            page.records.push_back({position, std::move(payload)});
        }
    }
    return page;
}

LogPosition SegmentLog::begin() const {
    const std::scoped_lock lock(mutex_);
    return segments_.begin()->first;
}

LogPosition SegmentLog::end() const {
    const std::scoped_lock lock(mutex_);
    return segments_.rbegin()->second.end;
}

std::vector<LogSegment> SegmentLog::segments() const {
    const std::scoped_lock lock(mutex_);
    std::vector<LogSegment> out;
    for (const auto& [begin, segment] : segments_) {
        out.push_back(
            {begin, segment.end, path_ + "/" + segment_name(begin), begin != segments_.rbegin()->first});
    }
    return out;
}

Result<std::size_t> SegmentLog::remove_before(LogPosition position) {
    const std::scoped_lock lock(mutex_);
    std::size_t removed = 0;
    while (segments_.size() > 1 && segments_.begin()->second.end <= position) {
        GYRE_TRY_VOID(files_.unlink(folder_, segment_name(segments_.begin()->first)));
        segments_.erase(segments_.begin());
        ++removed;
    }
    if (removed > 0) {
        GYRE_TRY_VOID(files_.sync_folder(folder_));
    }
    return removed;
}

}  // namespace gyre::storage
