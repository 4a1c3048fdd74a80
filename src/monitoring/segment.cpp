#include "monitoring/segment.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "monitoring/segment_file.h"

namespace gyre::monitoring {

Result<SegmentFooter> read_footer(const std::string& path) {
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status{};
    if (!file.valid() || ::fstat(file.get(), &status) != 0) {
        return errno_error("open '" + path + "'", errno);
    }
    std::array<char, 16> tail{};
    const auto tail_at = status.st_size - static_cast<off_t>(tail.size());
    std::uint64_t place = 0;
    if (tail_at < 0 || ::pread(file.get(), tail.data(), tail.size(), tail_at) != ssize_t{16} ||
        std::string_view(tail.data() + 8, 8) != "GYREEND1") {
        return data_loss("segment '" + path + "' has no footer: it was not sealed");
    }
    std::memcpy(&place, tail.data(), sizeof place);
    GYRE_TRY(FrameReader reader, FrameReader::open(path));
    GYRE_TRY_VOID(reader.seek(place));
    GYRE_TRY(const std::optional<Frame> frame, reader.next());
    if (!frame || frame->kind != FrameKind::footer) {
        return data_loss("the footer of segment '" + path + "' is damaged");
    }
    GYRE_TRY(const Json json, parse_json(frame->payload));
    return from_json<SegmentFooter>(json);
}

struct SegmentReader::Impl {
    std::vector<std::string> paths;
    std::size_t next_path = 0;
    std::optional<FrameReader> frames;
    std::optional<Names> names;
    bool sealed = false;
    std::string_view rest;  // of the rows frame being read
    std::uint32_t left = 0;
    RecordDecoder decoder;
    const PredictionRecord* record = nullptr;
    const EndpointSchema* schema = nullptr;
    const VariantInfo* variant = nullptr;
    std::vector<MissedRows> missed;
    std::uint64_t definitions = 0;

    Result<bool> next_file();
    Result<bool> next_frame();
    Result<void> take_record();
    [[nodiscard]] Error damaged(std::string_view what) const;
};

Error SegmentReader::Impl::damaged(std::string_view what) const {
    return data_loss("segment '" + paths[next_path - 1] + "' is damaged: " + std::string(what));
}

/// Opens the next path; false when there is none.
Result<bool> SegmentReader::Impl::next_file() {
    if (next_path == paths.size()) {
        return false;
    }
    const std::string& path = paths[next_path++];
    sealed = path.ends_with(".seg");
    GYRE_TRY(FrameReader reader, FrameReader::open(path));
    frames.emplace(std::move(reader));
    names.emplace();
    return true;
}

/// Reads one frame of the current file; false at its end.
Result<bool> SegmentReader::Impl::next_frame() {
    GYRE_TRY(const std::optional<Frame> frame, frames->next());
    if (!frame) {
        if (sealed && frames->offset() < frames->bytes()) {
            return damaged("a frame's checksum is wrong");
        }
        return false;
    }
    GYRE_TRY_VOID(names->add(*frame));
    definitions += frame->kind == FrameKind::schema || frame->kind == FrameKind::variant ? 1 : 0;
    if (frame->kind == FrameKind::rows) {
        rest = frame->payload;
        left = frame->records;
    } else if (frame->kind == FrameKind::missed) {
        GYRE_TRY(const Json json, parse_json(frame->payload));
        GYRE_TRY(MissedRows rows, from_json<MissedRows>(json));
        missed.push_back(std::move(rows));
    }
    return true;
}

Result<void> SegmentReader::Impl::take_record() {
    record = decoder.decode(rest, std::nullopt);
    if (record == nullptr) {
        return damaged("a record is not whole");
    }
    rest.remove_prefix(decoder.size());
    --left;
    schema = names->schema(record->endpoint);
    variant = names->variant(record->variant);
    if (schema == nullptr || variant == nullptr) {
        return damaged("a record names an endpoint or variant that the segment does not declare");
    }
    return {};
}

SegmentReader::SegmentReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SegmentReader::~SegmentReader() = default;
SegmentReader::SegmentReader(SegmentReader&&) noexcept = default;
SegmentReader& SegmentReader::operator=(SegmentReader&&) noexcept = default;

Result<SegmentReader> SegmentReader::open(std::vector<std::string> paths) {
    auto impl = std::make_unique<Impl>();
    impl->paths = std::move(paths);
    return SegmentReader(std::move(impl));
}

Result<bool> SegmentReader::next() {
    while (impl_->left == 0) {
        bool more = false;
        if (impl_->frames) {
            GYRE_TRY(more, impl_->next_frame());
        }
        if (!more) {
            GYRE_TRY(const bool file, impl_->next_file());
            if (!file) {
                return false;
            }
        }
    }
    GYRE_TRY_VOID(impl_->take_record());
    return true;
}

LoggedRow SegmentReader::row() const {
    return {*impl_->schema, *impl_->variant, *impl_->record};
}

std::uint64_t SegmentReader::definitions() const {
    return impl_->definitions;
}

const std::vector<MissedRows>& SegmentReader::missed() const {
    return impl_->missed;
}

}  // namespace gyre::monitoring
