#pragma once
// Spool: one thread's ring of records in a mapped file. Internal to PredictionLog.
//
// Positions count bytes since the ring was made and never wrap; a record lies at position % size and never
// crosses the ring's end (padding does). One thread pushes; one thread at a time drains. The bytes are in the
// page cache once `committed` has moved, so killing the process loses none.
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "monitoring/record.h"

namespace gyre::monitoring {

class Spool {
 public:
    /// Makes a file of `bytes` (a power of two) with all its blocks allocated.
    static Result<std::shared_ptr<Spool>> create(const std::string& path, std::uint64_t id,
                                                 std::size_t bytes);
    /// Maps what another process left. Errors: data_loss when it is no spool.
    static Result<std::shared_ptr<Spool>> open_left(const std::string& path);
    ~Spool();
    Spool(const Spool&) = delete;
    Spool& operator=(const Spool&) = delete;

    /// Owner's thread. False when there is no room.
    bool push(const PredictionRecord& record, std::size_t bytes);

    /// A run of whole records that lie side by side, at most kFrameBytesMax; `to` is behind the run and
    /// behind padding after it.
    struct Run {
        std::string_view bytes;
        std::uint64_t from = 0;
        std::uint64_t to = 0;
        std::uint32_t records = 0;
    };
    /// Where the owner's next record will start: everything before is committed.
    [[nodiscard]] std::uint64_t committed() const;
    /// The next run from position `from` of what lies before `end`, a position that committed() gave;
    /// `records` is 0 when there is none.
    [[nodiscard]] Run committed_run(std::uint64_t from, std::uint64_t end) const;
    /// For a ring that a crash left: the next run whose records' checksums hold, committed or not.
    [[nodiscard]] Run sound_run(std::uint64_t from) const;
    /// Frees everything before `position`.
    void release(std::uint64_t position);
    [[nodiscard]] std::uint64_t released() const;

    [[nodiscard]] std::uint64_t id() const { return id_; }
    [[nodiscard]] const std::string& path() const { return path_; }

    // Who owns the ring: handed from thread to thread under the log's mutex.
    std::atomic<bool> owned{false};
    std::atomic<bool> closed{false};  // the log is gone

 private:
    struct Control;
    Spool(std::string path, char* map, std::size_t map_bytes);
    [[nodiscard]] Run run(std::uint64_t from, std::uint64_t end, std::optional<std::uint64_t> check) const;

    std::string path_;
    char* map_;
    std::size_t map_bytes_;
    char* ring_;
    std::size_t ring_bytes_;
    std::uint64_t id_ = 0;
    std::uint64_t head_ = 0;        // owner's copy of committed
    std::uint64_t free_until_ = 0;  // owner's last view of released + size
};

}  // namespace gyre::monitoring
