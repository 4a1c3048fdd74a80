#pragma once
// Segments: the files that predictions rest in. A segment explains itself: the schemas and variants that its
// rows name are in it, so that a child process needs nothing but the paths.
//
// File: "GYRESEG1", then frames, each
//   u32 kind | u32 payload bytes | u64 spool | u64 from | u64 to | u32 records | u32 CRC-32C of all before
//   and of the payload | payload
// kinds: 1 schema (u16 id + JSON), 2 variant (u16 id + JSON), 3 rows (records of one ring's [from, to)),
// 4 missed (JSON), 5 footer (JSON). A sealed segment ends with the footer, then u64 footer's offset,
// "GYREEND1".
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "monitoring/record.h"

namespace gyre::monitoring {

/// Rows that have no record: the log could not take them (dropped), or a variant failed to answer (failed).
enum class Missed : std::uint8_t { dropped, failed };
constexpr auto enum_names(Missed) {
    return std::array{EnumName{Missed::dropped, "dropped"}, EnumName{Missed::failed, "failed"}};
}

struct MissedRows {
    std::string endpoint;
    std::string model = {};  // the variant that failed; "" for dropped rows
    Missed kind = Missed::dropped;
    std::int64_t hour_us = 0;  // start of the hour of the rows' event time
    std::int64_t rows = 0;
    static constexpr auto fields() {
        return std::tuple{Field{"endpoint", &MissedRows::endpoint, "The endpoint."},
                          Field{"model", &MissedRows::model, "The variant that failed."},
                          Field{"kind", &MissedRows::kind, "dropped or failed."},
                          Field{"hour_us", &MissedRows::hour_us, "Start of the hour of their event time."},
                          Field{"rows", &MissedRows::rows, "How many."}};
    }
};

struct SegmentEndpoint {
    std::string name;
    std::int64_t rows = 0;
    std::int64_t dropped = 0;
    std::int64_t min_event_us = kTimeMax;
    std::int64_t max_event_us = kNoTime;
    static constexpr auto fields() {
        return std::tuple{Field{"name", &SegmentEndpoint::name, "The endpoint."},
                          Field{"rows", &SegmentEndpoint::rows, "Its rows, shadows included."},
                          Field{"dropped", &SegmentEndpoint::dropped, "Rows that could not be logged."},
                          Field{"min_event_us", &SegmentEndpoint::min_event_us, "Earliest event time."},
                          Field{"max_event_us", &SegmentEndpoint::max_event_us, "Latest event time."}};
    }
};

struct SegmentFooter {
    std::int64_t rows = 0;
    std::vector<SegmentEndpoint> endpoints;
    static constexpr auto fields() {
        return std::tuple{Field{"rows", &SegmentFooter::rows, "Rows in the segment."},
                          Field{"endpoints", &SegmentFooter::endpoints, "Rows by endpoint."}};
    }
};

struct SegmentInfo {
    std::string path;
    std::uint64_t number = 0;
    std::uint64_t bytes = 0;
    SegmentFooter footer;
};

/// The footer of a sealed segment. Errors: not_found, data_loss (no footer, or damaged).
Result<SegmentFooter> read_footer(const std::string& path);

/// Iterates the rows of segments, sealed or open, in the order written. Views of a row live until the next
/// call. Not thread-safe. A torn end of an open segment ends it; damage elsewhere is data_loss.
class SegmentReader {
 public:
    static Result<SegmentReader> open(std::vector<std::string> paths);
    ~SegmentReader();
    SegmentReader(SegmentReader&&) noexcept;
    SegmentReader& operator=(SegmentReader&&) noexcept;

    /// Moves to the next row; false at the end of the last file.
    Result<bool> next();
    /// The row that next() moved to.
    [[nodiscard]] LoggedRow row() const;
    /// How many schemas and variants the frames passed so far declare, one that comes again counted again:
    /// while it stays, a row's ids mean what they meant.
    [[nodiscard]] std::uint64_t definitions() const;
    /// Missed rows that the frames passed so far report.
    [[nodiscard]] const std::vector<MissedRows>& missed() const;

 private:
    struct Impl;
    explicit SegmentReader(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace gyre::monitoring
