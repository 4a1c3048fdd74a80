#pragma once
// RowTable: the rows of one endpoint, found by request key. Internal to ScoreStore, which locks it.
#include <algorithm>
#include <deque>
#include <map>
#include <ranges>
#include <vector>

#include "monitoring/score_store.h"

namespace gyre::monitoring {

inline constexpr std::uint32_t kNone = ~std::uint32_t{0};

struct LabelEvent {
    std::int64_t time_us = 0;
    double value = 0.0;
    auto operator<=>(const LabelEvent&) const = default;
};

/// Labels of one request in the order (time, value); one is the common case.
using LabelEvents = std::vector<LabelEvent>;

/// What the events say at `as_of`: the last value that had arrived before it, and since when it is in force.
std::optional<LabelEvent> label_at(std::span<const LabelEvent> events, std::int64_t as_of_us);

enum class LabelChange : std::uint8_t { first, revision, duplicate };
/// Adds a label to a request's events; past kRevisionsPerRowMax the oldest goes.
LabelChange add_label_event(LabelEvents& events, const LabelEvent& event);
bool is_duplicate_label(const LabelEvents& events, const LabelEvent& event);

struct Score {
    std::int64_t arrival_us = 0;
    std::int64_t latency_ns = 0;
    float value = 0.0F;
    std::uint16_t model = 0;
    std::uint16_t role = 0;  // for whom it matters: their own numbering
    bool answered = false;
    std::uint32_t next = kNone;
};

struct Row {
    RequestKey key = {};
    std::int64_t event_time_us = 0;
    std::uint32_t first_score = kNone;
    std::uint32_t labels = kNone;                         // index into revised labels; kNone: `label` alone
    LabelEvent label{.time_us = kTimeMax, .value = 0.0};  // time kTimeMax: none
};

/// A list in blocks: it grows without copying what it holds or touching memory ahead of need.
template <class T>
class Blocks {
 public:
    static constexpr std::size_t kRows = 1024;  // of a block

    void push_back(const T& value) {
        if (size_ % kRows == 0) {
            blocks_.emplace_back().reserve(kRows);
        }
        blocks_.back().push_back(value);
        ++size_;
    }
    [[nodiscard]] T& operator[](std::size_t i) { return blocks_[i / kRows][i % kRows]; }
    [[nodiscard]] const T& operator[](std::size_t i) const { return blocks_[i / kRows][i % kRows]; }
    [[nodiscard]] std::size_t size() const { return size_; }

 private:
    std::vector<std::vector<T>> blocks_;  // full, but for the last
    std::size_t size_ = 0;
};

class RowTable {
 public:
    RowTable();
    /// Starts to fetch what row_of(key) will look at: a table of millions of rows is in no cache.
    void prefetch(RequestKey key) const;
    /// The row of the key, made when new.
    Row& row_of(RequestKey key, std::int64_t event_time_us) { return row_at(index_of(key, event_time_us)); }
    /// The place of that row: as long as none was removed, rows are numbered from 0 as they came.
    std::uint32_t index_of(RequestKey key, std::int64_t event_time_us);
    [[nodiscard]] Row& operator[](std::uint32_t index) { return row_at(index); }
    [[nodiscard]] const Row& operator[](std::uint32_t index) const { return row_at(index); }
    [[nodiscard]] const Row* find(RequestKey key) const;
    /// Keeps the earliest answer of a model for a request.
    void add_score(Row& row, const Score& score);
    LabelChange add_label(Row& row, const LabelEvent& event);
    [[nodiscard]] LabelEvents labels_of(const Row& row) const;
    [[nodiscard]] std::optional<LabelEvent> label_at(const Row& row, std::int64_t as_of_us) const;
    [[nodiscard]] const Score* score_of(const Row& row, std::uint16_t model) const;
    /// Calls `visit` for every model's score of the row.
    template <class Visit>
    void visit_scores(const Row& row, Visit visit) const {
        for (std::uint32_t at = row.first_score; at != kNone; at = scores_[at].next) {
            visit(scores_[at]);
        }
    }
    [[nodiscard]] std::size_t size() const { return size_; }
    /// Event time of the earliest row, kTimeMax without any.
    [[nodiscard]] std::int64_t oldest_us() const;
    /// Event time of the row that `rank` rows are earlier than (or as early as); rank < size(). Looks only at
    /// blocks that may hold it.
    [[nodiscard]] std::int64_t event_time_at(std::size_t rank) const;
    /// All rows, about in the order of time.
    [[nodiscard]] auto rows() const {
        return order_ | std::views::transform([this](std::uint32_t number) -> const std::vector<Row>& {
                   return blocks_[number].rows;
               }) |
               std::views::join;
    }
    /// Calls `visit` for the rows with event time in [from, to). Rows come about in the order of time, so
    /// only few blocks are looked at.
    template <class Visit>
    void visit_between(std::int64_t from_us, std::int64_t to_us, Visit visit) const {
        for (const std::uint32_t number : order_) {
            const Block& block = blocks_[number];
            if (block.newest_us < from_us || block.oldest_us >= to_us) {
                continue;
            }
            for (const Row& row : block.rows) {
                if (row.event_time_us >= from_us && row.event_time_us < to_us) {
                    visit(row);
                }
            }
        }
    }
    /// Drops the rows before `event_time_us`; returns how many. Of rows that came about in the order of time
    /// the cost is that of what goes: the others stay where they are.
    std::size_t remove_before(std::int64_t event_time_us);
    /// Rows that had to move so that others could go, ever.
    [[nodiscard]] std::uint64_t moved_rows() const { return moved_rows_; }

 private:
    static constexpr std::size_t kBlockRows = 1024;
    struct Block {
        std::vector<Row> rows;
        std::int64_t oldest_us = kTimeMax;  // event times
        std::int64_t newest_us = kNoTime;
    };

    [[nodiscard]] Row& row_at(std::uint32_t name) {
        return blocks_[name / kBlockRows].rows[name % kBlockRows];
    }
    [[nodiscard]] const Row& row_at(std::uint32_t name) const {
        return blocks_[name / kBlockRows].rows[name % kBlockRows];
    }
    [[nodiscard]] std::size_t slot_of(RequestKey key) const;
    void index_rows();
    std::uint32_t append(const Row& row);
    void keep_since(std::uint32_t number, std::int64_t event_time_us);
    void free_slot(std::size_t slot);
    void free_contents(const Row& row);
    void repack();

    // A row is named by its block's number and its place there. Numbers are used again: what is named stays
    // below what the bound on rows allows, however many rows come and go.
    std::vector<Block> blocks_;
    std::vector<std::uint32_t> order_;  // numbers of the blocks with rows, in the order of arrival
    std::vector<std::uint32_t> free_blocks_;
    std::size_t size_ = 0;
    std::uint64_t moved_rows_ = 0;
    Blocks<Score> scores_;
    std::uint32_t free_score_ = kNone;  // of removed rows, a list by `next`
    std::vector<LabelEvents> revised_;
    std::vector<std::uint32_t> free_revised_;
    // Open addressing, a power of two, at most half full. A slot's tag is a byte of its row's key, 0 when it
    // is free: looking a new key up reads one or two cache lines of tags and no row.
    std::vector<std::uint8_t> tags_;
    std::vector<std::uint32_t> slots_;
};

}  // namespace gyre::monitoring
