#include "monitoring/segment_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/digest.h"
#include "monitoring/limits.h"

namespace gyre::monitoring {
namespace {

constexpr std::string_view kStart = "GYRESEG1";
constexpr std::string_view kEnd = "GYREEND1";
/// A definition frame may be larger than a frame of rows: thousands of column names.
constexpr std::size_t kPayloadBytesMax = 8U << 20U;

struct FrameHead {
    std::uint32_t kind;
    std::uint32_t payload_bytes;
    std::uint64_t spool;
    std::uint64_t from;
    std::uint64_t to;
    std::uint32_t records;
    std::uint32_t crc;
};
static_assert(sizeof(FrameHead) == 40);

std::uint32_t checksum(const FrameHead& head, std::string_view payload) {
    const std::string_view bytes(reinterpret_cast<const char*>(&head), offsetof(FrameHead, crc));
    return crc32c(payload, crc32c(bytes));
}

template <class T>
Result<std::pair<std::uint16_t, T>> read_definition(std::string_view payload) {
    std::uint16_t id = 0;
    if (payload.size() < sizeof id) {
        return data_loss("a definition in the segment is cut short");
    }
    std::memcpy(&id, payload.data(), sizeof id);
    GYRE_TRY(const Json json, parse_json(payload.substr(sizeof id)));
    GYRE_TRY(T value, from_json<T>(json));
    return std::pair{id, std::move(value)};
}

template <class T>
std::string definition_payload(std::uint16_t id, const T& value) {
    std::string payload(sizeof id, '\0');
    std::memcpy(payload.data(), &id, sizeof id);
    return payload + to_json(value).dump();
}

}  // namespace

Result<FrameReader> FrameReader::open(const std::string& path) {
    FrameReader reader;
    reader.path_ = path;
    reader.file_ = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status{};
    if (!reader.file_.valid() || ::fstat(reader.file_.get(), &status) != 0) {
        return errno_error("open '" + path + "'", errno);
    }
    reader.bytes_ = static_cast<std::uint64_t>(status.st_size);
    std::array<char, kStart.size()> magic{};
    GYRE_TRY(const bool whole, reader.read_at(0, magic));
    if (!whole || std::string_view(magic.data(), magic.size()) != kStart) {
        return data_loss("'" + path + "' is no segment of a prediction log");
    }
    reader.offset_ = kStart.size();
    return reader;
}

Result<void> FrameReader::seek(std::uint64_t offset) {
    if (offset > bytes_) {
        return data_loss("segment '" + path_ + "' is shorter than its footer says");
    }
    offset_ = offset;
    return {};
}

Result<bool> FrameReader::read_at(std::uint64_t offset, std::span<char> out) const {
    if (offset + out.size() > bytes_) {
        return false;
    }
    while (!out.empty()) {
        const ssize_t got = ::pread(file_.get(), out.data(), out.size(), static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return errno_error("read '" + path_ + "'", errno);
        }
        if (got == 0) {
            return false;
        }
        out = out.subspan(static_cast<std::size_t>(got));
        offset += static_cast<std::uint64_t>(got);
    }
    return true;
}

Result<std::optional<Frame>> FrameReader::next() {
    FrameHead head{};
    const std::span<char> bytes(reinterpret_cast<char*>(&head), sizeof head);
    GYRE_TRY(const bool whole, read_at(offset_, bytes));
    if (!whole || head.payload_bytes > kPayloadBytesMax) {
        return std::optional<Frame>();
    }
    buffer_.resize(head.payload_bytes);
    GYRE_TRY(const bool whole_payload, read_at(offset_ + sizeof head, buffer_));
    if (!whole_payload || checksum(head, buffer_) != head.crc) {
        return std::optional<Frame>();
    }
    offset_ += sizeof head + head.payload_bytes;
    if (head.kind == static_cast<std::uint32_t>(FrameKind::footer)) {
        // Behind the footer there is only its place, which is no frame.
        offset_ = bytes_;
    }
    return std::optional(Frame{.kind = static_cast<FrameKind>(head.kind),
                               .records = head.records,
                               .spool = head.spool,
                               .from = head.from,
                               .to = head.to,
                               .payload = buffer_});
}

Result<void> Names::add(const Frame& frame) {
    if (frame.kind == FrameKind::schema) {
        GYRE_TRY(auto pair, read_definition<EndpointSchema>(frame.payload));
        set_schema(pair.first, std::move(pair.second));
    } else if (frame.kind == FrameKind::variant) {
        GYRE_TRY(auto pair, read_definition<VariantInfo>(frame.payload));
        set_variant(pair.first, std::move(pair.second));
    }
    return {};
}

void Names::set_schema(EndpointId id, EndpointSchema schema) {
    schemas_.resize(std::max<std::size_t>(schemas_.size(), id + 1U));
    schemas_[id] = std::move(schema);
}

void Names::set_variant(VariantId id, VariantInfo variant) {
    variants_.resize(std::max<std::size_t>(variants_.size(), id + 1U));
    variants_[id] = std::move(variant);
}

const EndpointSchema* Names::schema(EndpointId id) const {
    return id < schemas_.size() && !schemas_[id].name.empty() ? &schemas_[id] : nullptr;
}

const VariantInfo* Names::variant(VariantId id) const {
    return id < variants_.size() && !variants_[id].endpoint.empty() ? &variants_[id] : nullptr;
}

std::string Names::schema_payload(EndpointId id) const {
    return definition_payload(id, schemas_[id]);
}

std::string Names::variant_payload(VariantId id) const {
    return definition_payload(id, variants_[id]);
}

namespace {

void count_row(SegmentEndpoint& entry, std::int64_t event_time_us) {
    ++entry.rows;
    entry.min_event_us = std::min(entry.min_event_us, event_time_us);
    entry.max_event_us = std::max(entry.max_event_us, event_time_us);
}

}  // namespace

void FooterBuilder::add_row(const std::string& endpoint, std::int64_t event_time_us) {
    count_row(endpoints_[endpoint], event_time_us);
}

void FooterBuilder::add_rows(std::span<const LoggedRow> rows) {
    const EndpointSchema* schema = nullptr;
    SegmentEndpoint* entry = nullptr;
    for (const LoggedRow& row : rows) {
        if (&row.schema != schema) {
            schema = &row.schema;
            entry = &endpoints_[schema->name];
        }
        count_row(*entry, row.record.event_time_us);
    }
}

void FooterBuilder::add_missed(const MissedRows& missed) {
    endpoints_[missed.endpoint].dropped += missed.kind == Missed::dropped ? missed.rows : 0;
}

SegmentFooter FooterBuilder::build() const {
    SegmentFooter footer;
    for (const auto& [name, entry] : endpoints_) {
        footer.endpoints.push_back(entry);
        footer.endpoints.back().name = name;
        footer.rows += entry.rows;
    }
    return footer;
}

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::create(const std::string& path) {
    Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file.valid()) {
        return errno_error("create '" + path + "'", errno);
    }
    std::unique_ptr<SegmentWriter> writer(new SegmentWriter(std::move(file), path, 0));
    GYRE_TRY_VOID(writer->write_bytes(kStart, {}));
    return writer;
}

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::resume(const std::string& path, std::uint64_t offset) {
    Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!file.valid() || ::ftruncate(file.get(), static_cast<off_t>(offset)) != 0) {
        return errno_error("open '" + path + "'", errno);
    }
    return std::unique_ptr<SegmentWriter>(new SegmentWriter(std::move(file), path, offset));
}

Result<void> SegmentWriter::write_bytes(std::string_view head, std::string_view payload) {
    const std::uint64_t start = offset_;
    while (!head.empty() || !payload.empty()) {
        // writev does not change what it is given; the C interface cannot say so.
        std::array<iovec, 2> parts{{{const_cast<char*>(head.data()), head.size()},  // NOLINT
                                    {const_cast<char*>(payload.data()), payload.size()}}};
        const ssize_t written =
            ::pwritev(file_.get(), parts.data(), static_cast<int>(parts.size()), static_cast<off_t>(offset_));
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            const int failed = written == 0 ? ENOSPC : errno;
            offset_ = start;
            static_cast<void>(::ftruncate(file_.get(), static_cast<off_t>(start)) == 0);
            return errno_error("write '" + path_ + "'", failed);
        }
        offset_ += static_cast<std::uint64_t>(written);
        const auto count = static_cast<std::size_t>(written);
        const std::size_t of_head = std::min(count, head.size());
        head.remove_prefix(of_head);
        payload.remove_prefix(count - of_head);
    }
    return {};
}

Result<void> SegmentWriter::write(const Frame& frame) {
    FrameHead head{.kind = static_cast<std::uint32_t>(frame.kind),
                   .payload_bytes = static_cast<std::uint32_t>(frame.payload.size()),
                   .spool = frame.spool,
                   .from = frame.from,
                   .to = frame.to,
                   .records = frame.records,
                   .crc = 0};
    head.crc = checksum(head, frame.payload);
    return write_bytes({reinterpret_cast<const char*>(&head), sizeof head}, frame.payload);
}

Result<void> SegmentWriter::finish(const SegmentFooter& footer) {
    const std::uint64_t place = offset_;
    const std::string text = to_json(footer).dump();
    GYRE_TRY_VOID(write({.kind = FrameKind::footer, .payload = text}));
    GYRE_TRY_VOID(write_bytes({reinterpret_cast<const char*>(&place), sizeof place}, kEnd));
    return sync();
}

Result<void> SegmentWriter::rename(const std::string& path) {
    if (std::rename(path_.c_str(), path.c_str()) != 0) {
        return errno_error("rename '" + path_ + "'", errno);
    }
    path_ = path;
    return {};
}

Result<void> SegmentWriter::sync() const {
    if (::fdatasync(file_.get()) != 0) {
        return errno_error("sync '" + path_ + "'", errno);
    }
    return {};
}

}  // namespace gyre::monitoring
