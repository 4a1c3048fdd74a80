#pragma once
// SegmentStore: the folder of segments, the one that is open, and what crashes left. Internal to
// PredictionLog, which guards it with its mutex. Not thread-safe.
#include <deque>

#include "monitoring/segment_file.h"
#include "monitoring/spool.h"

namespace gyre::monitoring {

class SegmentStore {
 public:
    struct Options {
        std::string directory = {};
        std::uint64_t segment_bytes = 0;
        std::int64_t keep_us = 0;
        std::uint64_t keep_bytes = 0;
    };
    /// Recovers the folder and starts a new open segment. `recovered` counts the rows that rings still held.
    static Result<std::unique_ptr<SegmentStore>> open(const Options& options, std::uint64_t& recovered);

    /// Writes a definition to the open segment and keeps it for later ones.
    Result<void> declare(EndpointId id, const EndpointSchema& schema);
    Result<void> declare(VariantId id, const VariantInfo& variant);
    Result<void> write_run(std::uint64_t spool, const Spool::Run& run);
    Result<void> write_missed(const MissedRows& missed);
    /// Counts rows of the last write_run for the footer.
    void count_rows(std::span<const LoggedRow> rows) { footer_.add_rows(rows); }

    [[nodiscard]] bool full() const { return writer_->bytes() >= options_.segment_bytes; }
    [[nodiscard]] bool has_rows() const { return !footer_.empty(); }
    /// Starts the next segment and seals the open one. After an Error either the open one goes on, or it
    /// waits to be sealed (see unsealed).
    Result<void> rotate();
    /// Segments that a full disk kept from being sealed: whole and on the disk, but not among sealed() yet.
    [[nodiscard]] bool unsealed() const { return !waiting_.empty(); }
    Result<void> seal_waiting();
    /// Seals what is open, for good; removes it when it has no rows.
    Result<void> close();
    [[nodiscard]] std::shared_ptr<SegmentWriter> writer() const { return writer_; }

    [[nodiscard]] const Names& names() const { return names_; }
    [[nodiscard]] const std::vector<SegmentInfo>& sealed() const { return sealed_; }
    Result<std::size_t> apply_retention();

 private:
    explicit SegmentStore(Options options) : options_(std::move(options)) {}
    struct Left;
    struct Waiting {
        std::shared_ptr<SegmentWriter> writer;
        FooterBuilder footer;
        std::uint64_t number = 0;
    };
    Result<void> scan_folder(std::vector<std::string>& open_names);
    Result<Left> scan_open(const std::string& name);
    Result<void> recover(const std::vector<std::string>& open_names, std::uint64_t& recovered);
    Result<void> recover_spools(Left& last, std::map<std::uint64_t, std::uint64_t>& done,
                                std::uint64_t& recovered);
    Result<void> remove_spools() const;
    Result<void> start_segment();
    Result<void> seal_file(SegmentWriter& writer, const FooterBuilder& footer, std::uint64_t number);
    [[nodiscard]] std::string path_of(std::uint64_t number, std::string_view suffix) const;
    [[nodiscard]] std::string folder() const { return options_.directory + "/segments"; }

    Options options_;
    Names names_;
    FooterBuilder footer_;
    std::shared_ptr<SegmentWriter> writer_;             // shared with a sync that outlives a rotation
    std::uint64_t number_ = 0;                          // of the open segment
    std::map<std::uint64_t, std::uint64_t> positions_;  // by spool: how far its ring is in segments
    std::vector<SegmentInfo> sealed_;                   // oldest first
    std::deque<Waiting> waiting_;                       // to be sealed, oldest first
};

}  // namespace gyre::monitoring
