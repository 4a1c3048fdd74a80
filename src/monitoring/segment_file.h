#pragma once
// Frames of a segment: writing, reading back, recovering. Internal; segment.h describes the layout.
#include <deque>

#include "monitoring/segment.h"

namespace gyre::monitoring {

enum class FrameKind : std::uint32_t { schema = 1, variant = 2, rows = 3, missed = 4, footer = 5 };

struct Frame {
    FrameKind kind = FrameKind::rows;
    std::uint32_t records = 0;
    std::uint64_t spool = 0;
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    std::string_view payload = {};
};

/// Reads frames one by one. Not thread-safe.
class FrameReader {
 public:
    static Result<FrameReader> open(const std::string& path);
    /// The next frame; its payload lives until the next call. Nothing at the end or at a frame that is not
    /// whole: offset() < bytes() tells the second case.
    Result<std::optional<Frame>> next();
    /// Goes on at a frame that starts at `offset`. Errors: data_loss beyond the file.
    Result<void> seek(std::uint64_t offset);
    /// Where the next frame starts.
    [[nodiscard]] std::uint64_t offset() const { return offset_; }
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
    Result<bool> read_at(std::uint64_t offset, std::span<char> out) const;

    Fd file_;
    std::string path_;
    std::string buffer_;
    std::uint64_t offset_ = 0;
    std::uint64_t bytes_ = 0;
};

/// The names behind the small ids of one segment.
class Names {
 public:
    /// Takes schema and variant frames in. Errors: data_loss.
    Result<void> add(const Frame& frame);
    void set_schema(EndpointId id, EndpointSchema schema);
    void set_variant(VariantId id, VariantInfo variant);
    [[nodiscard]] const EndpointSchema* schema(EndpointId id) const;
    [[nodiscard]] const VariantInfo* variant(VariantId id) const;
    [[nodiscard]] std::size_t schemas() const { return schemas_.size(); }
    [[nodiscard]] std::size_t variants() const { return variants_.size(); }
    std::string schema_payload(EndpointId id) const;
    std::string variant_payload(VariantId id) const;

 private:
    // Deques: references stay valid while more come.
    std::deque<EndpointSchema> schemas_;
    std::deque<VariantInfo> variants_;
};

/// What a footer will say, gathered frame by frame.
class FooterBuilder {
 public:
    void add_row(const std::string& endpoint, std::int64_t event_time_us);
    void add_rows(std::span<const LoggedRow> rows);
    void add_missed(const MissedRows& missed);
    [[nodiscard]] SegmentFooter build() const;
    [[nodiscard]] bool empty() const { return endpoints_.empty(); }

 private:
    std::map<std::string, SegmentEndpoint, std::less<>> endpoints_;
};

/// Appends frames to an open segment. Not thread-safe.
class SegmentWriter {
 public:
    static Result<std::unique_ptr<SegmentWriter>> create(const std::string& path);
    /// Goes on behind the last whole frame of a file that a crash left.
    static Result<std::unique_ptr<SegmentWriter>> resume(const std::string& path, std::uint64_t offset);

    /// Writes one frame; after an Error the file is as before.
    Result<void> write(const Frame& frame);
    /// Writes the footer and syncs; no write may follow.
    Result<void> finish(const SegmentFooter& footer);
    Result<void> sync() const;
    Result<void> rename(const std::string& path);
    [[nodiscard]] std::uint64_t bytes() const { return offset_; }
    [[nodiscard]] const std::string& path() const { return path_; }

 private:
    SegmentWriter(Fd file, std::string path, std::uint64_t offset)
        : file_(std::move(file)), path_(std::move(path)), offset_(offset) {}
    Result<void> write_bytes(std::string_view head, std::string_view payload);

    Fd file_;
    std::string path_;
    std::uint64_t offset_;
};

}  // namespace gyre::monitoring
