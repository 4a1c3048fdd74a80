#pragma once
// LabelLog: what really happened, by request id; on the disk when append() returns.
//
// Records lie in a storage::SegmentLog (appenders that wait together share one fsync), one batch a record:
//   u16 endpoint bytes | endpoint | u32 labels | per label: i64 time | f64 value | u8 id bytes | id
// Reading it back in order gives the same labels in the same order. Thread-safe.
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "monitoring/limits.h"

namespace gyre::monitoring {

/// `time_us`: when the label became known, on the endpoint's clock (event time for a replay).
struct Label {
    std::string request_id;
    double value = 0.0;
    std::int64_t time_us = 0;
    bool operator==(const Label&) const = default;
};

/// Errors: invalid_argument (no label, more than kLabelBatchMax, an id that is empty or too long, a value
/// that is not finite).
Result<void> check_labels(std::span<const Label> labels);

std::string encode_labels(std::string_view endpoint, std::span<const Label> labels);
struct LabelBatch {
    std::string endpoint;
    std::vector<Label> labels;
};
/// Errors: data_loss.
Result<LabelBatch> decode_labels(std::string_view payload);

struct LabelLogOptions {
    std::string directory;
    std::uint64_t segment_bytes = kSegmentBytesDefault;
    // Retention; 0 keeps all. Age counts from the endpoint's newest label time, not from the clock.
    std::int64_t keep_us = 0;
    std::uint64_t keep_bytes = 0;
};

class LabelLog {
 public:
    static Result<std::unique_ptr<LabelLog>> open(const LabelLogOptions& options);
    ~LabelLog();
    LabelLog(const LabelLog&) = delete;
    LabelLog& operator=(const LabelLog&) = delete;

    /// Durable on return. Errors: those of check_labels; resource_exhausted (disk), unavailable.
    Result<void> append(std::string_view endpoint, std::span<const Label> labels);
    /// Every batch kept, oldest first; stops at the first Error of `sink`.
    Result<void> replay(const std::function<Result<void>(LabelBatch&&)>& sink);
    /// Ends the file being written, so that files() holds everything appended before.
    Result<void> seal();
    /// The files, oldest first, for read_label_file; sealed ones only.
    [[nodiscard]] std::vector<std::string> files() const;
    /// Removes the oldest sealed files as far as retention lets them go (a file stays while it holds a label
    /// that its endpoint still needs, and so do all after it); returns how many. Done by itself whenever a
    /// new file is begun and after replay().
    Result<std::size_t> apply_retention();

 private:
    struct Impl;
    explicit LabelLog(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// The batches of one file of a LabelLog, in another process. Errors: not_found, data_loss.
Result<void> read_label_file(const std::string& path, const std::function<Result<void>(LabelBatch&&)>& sink);

}  // namespace gyre::monitoring
