#include "monitoring/row_table.h"

#include <algorithm>
#include <utility>

namespace gyre::monitoring {

std::optional<LabelEvent> label_at(std::span<const LabelEvent> events, std::int64_t as_of_us) {
    std::optional<LabelEvent> in_force;
    for (const LabelEvent& event : events) {
        if (event.time_us >= as_of_us) {
            break;
        }
        if (!in_force || in_force->value != event.value) {
            in_force = event;
        }
    }
    return in_force;
}

bool is_duplicate_label(const LabelEvents& events, const LabelEvent& event) {
    const std::int64_t including = event.time_us == kTimeMax ? kTimeMax : event.time_us + 1;
    const auto in_force = label_at(events, including);
    return in_force && in_force->value == event.value;
}

LabelChange add_label_event(LabelEvents& events, const LabelEvent& event) {
    if (is_duplicate_label(events, event)) {
        return LabelChange::duplicate;
    }
    if (events.empty()) {
        events.push_back(event);
        return LabelChange::first;
    }
    if (events.size() == 1 && events.front().value == event.value) {
        events.front().time_us = event.time_us;  // the same, known earlier
        return LabelChange::duplicate;
    }
    events.insert(std::ranges::upper_bound(events, event), event);
    if (events.size() > kRevisionsPerRowMax) {
        events.erase(events.begin());
    }
    return LabelChange::revision;
}

namespace {

/// Never 0, and of bits that do not choose the slot.
std::uint8_t tag_of(RequestKey key) {
    const auto byte = static_cast<std::uint8_t>(key.high);
    return byte == 0 ? 1 : byte;
}

}  // namespace

RowTable::RowTable() {
    index_rows();
}

void RowTable::prefetch(RequestKey key) const {
    const std::size_t slot = key.low & (tags_.size() - 1);
    __builtin_prefetch(&tags_[slot], 1);
    __builtin_prefetch(&slots_[slot], 1);
}

std::size_t RowTable::slot_of(RequestKey key) const {
    const std::size_t mask = tags_.size() - 1;
    const std::uint8_t tag = tag_of(key);
    std::size_t slot = key.low & mask;
    while (tags_[slot] != 0 && (tags_[slot] != tag || row_at(slots_[slot]).key != key)) {
        slot = (slot + 1) & mask;
    }
    return slot;
}

/// Makes the slots anew, for twice as many rows or more.
void RowTable::index_rows() {
    std::size_t wanted = 1024;
    while (wanted < size_ * 2 + 2) {
        wanted *= 2;
    }
    tags_.assign(wanted, 0);
    slots_.resize(wanted);
    for (const std::uint32_t number : order_) {
        auto name = static_cast<std::uint32_t>(number * kBlockRows);
        for (const Row& row : blocks_[number].rows) {
            std::size_t slot = row.key.low & (wanted - 1);
            while (tags_[slot] != 0) {  // keys differ: a free slot is all it takes
                slot = (slot + 1) & (wanted - 1);
            }
            tags_[slot] = tag_of(row.key);
            slots_[slot] = name++;
        }
    }
}

std::uint32_t RowTable::index_of(RequestKey key, std::int64_t event_time_us) {
    if ((size_ + 1) * 2 > tags_.size()) {
        index_rows();
    }
    const std::size_t slot = slot_of(key);
    if (tags_[slot] == 0) {
        tags_[slot] = tag_of(key);
        slots_[slot] = append({.key = key, .event_time_us = event_time_us});
    }
    return slots_[slot];
}

std::uint32_t RowTable::append(const Row& row) {
    if (order_.empty() || blocks_[order_.back()].rows.size() == kBlockRows) {
        if (free_blocks_.empty()) {
            free_blocks_.push_back(static_cast<std::uint32_t>(blocks_.size()));
            blocks_.emplace_back();
        }
        order_.push_back(free_blocks_.back());
        free_blocks_.pop_back();
        blocks_[order_.back()].rows.reserve(kBlockRows);
    }
    Block& block = blocks_[order_.back()];
    block.oldest_us = std::min(block.oldest_us, row.event_time_us);
    block.newest_us = std::max(block.newest_us, row.event_time_us);
    block.rows.push_back(row);
    ++size_;
    return static_cast<std::uint32_t>(order_.back() * kBlockRows + block.rows.size() - 1);
}

std::int64_t RowTable::oldest_us() const {
    std::int64_t oldest = kTimeMax;
    for (const std::uint32_t number : order_) {
        oldest = std::min(oldest, blocks_[number].oldest_us);
    }
    return oldest;
}

std::int64_t RowTable::event_time_at(std::size_t rank) const {
    std::vector<std::pair<std::int64_t, std::size_t>> ends;
    for (const std::uint32_t number : order_) {
        ends.emplace_back(blocks_[number].newest_us, blocks_[number].rows.size());
    }
    std::ranges::sort(ends);
    std::size_t rows = 0;
    std::int64_t latest = kTimeMax;  // the row that is asked for is no later
    for (std::size_t i = 0; i < ends.size() && rows <= rank; ++i) {
        rows += ends[i].second;
        latest = ends[i].first;
    }
    std::vector<std::int64_t> times;
    visit_between(kNoTime, latest == kTimeMax ? kTimeMax : latest + 1,
                  [&times](const Row& row) { times.push_back(row.event_time_us); });
    const auto wanted = times.begin() + static_cast<std::ptrdiff_t>(rank);
    std::ranges::nth_element(times, wanted);
    return *wanted;
}

const Row* RowTable::find(RequestKey key) const {
    const std::size_t slot = slot_of(key);
    return tags_[slot] == 0 ? nullptr : &row_at(slots_[slot]);
}

void RowTable::add_score(Row& row, const Score& score) {
    std::size_t held = 0;
    for (std::uint32_t at = row.first_score; at != kNone; at = scores_[at].next) {
        ++held;
        Score& have = scores_[at];
        if (have.model != score.model) {
            continue;
        }
        // An answer counts before a shadow's score, then the earliest counts: a repeated request changes
        // nothing.
        const bool better = score.answered != have.answered ? score.answered
                                                            : std::pair(score.arrival_us, score.value) <
                                                                  std::pair(have.arrival_us, have.value);
        if (better) {
            const std::uint32_t next = have.next;
            have = score;
            have.next = next;
        }
        return;
    }
    if (held >= kScoresPerRowMax) {
        return;
    }
    std::uint32_t place = free_score_;
    if (place == kNone) {
        place = static_cast<std::uint32_t>(scores_.size());
        scores_.push_back(score);
    } else {
        free_score_ = scores_[place].next;
        scores_[place] = score;
    }
    scores_[place].next = row.first_score;
    row.first_score = place;
}

LabelEvents RowTable::labels_of(const Row& row) const {
    if (row.labels != kNone) {
        return revised_[row.labels];
    }
    return row.label.time_us == kTimeMax ? LabelEvents{} : LabelEvents{row.label};
}

LabelChange RowTable::add_label(Row& row, const LabelEvent& event) {
    LabelEvents events = labels_of(row);
    const LabelChange change = add_label_event(events, event);
    if (row.labels != kNone) {
        revised_[row.labels] = std::move(events);
    } else if (events.size() == 1) {
        row.label = events.front();
    } else if (free_revised_.empty()) {
        row.labels = static_cast<std::uint32_t>(revised_.size());
        revised_.push_back(std::move(events));
    } else {
        row.labels = free_revised_.back();
        free_revised_.pop_back();
        revised_[row.labels] = std::move(events);
    }
    return change;
}

std::optional<LabelEvent> RowTable::label_at(const Row& row, std::int64_t as_of_us) const {
    if (row.labels != kNone) {
        return monitoring::label_at(revised_[row.labels], as_of_us);
    }
    return row.label.time_us < as_of_us ? std::optional(row.label) : std::nullopt;
}

const Score* RowTable::score_of(const Row& row, std::uint16_t model) const {
    for (std::uint32_t at = row.first_score; at != kNone; at = scores_[at].next) {
        if (scores_[at].model == model) {
            return &scores_[at];
        }
    }
    return nullptr;
}

/// Closes the gap: what hangs behind the slot moves up, so that a search still ends at a free slot.
void RowTable::free_slot(std::size_t slot) {
    const std::size_t mask = tags_.size() - 1;
    for (std::size_t next = (slot + 1) & mask; tags_[next] != 0; next = (next + 1) & mask) {
        const std::size_t home = row_at(slots_[next]).key.low & mask;
        if (((next - home) & mask) >= ((next - slot) & mask)) {
            tags_[slot] = tags_[next];
            slots_[slot] = slots_[next];
            slot = next;
        }
    }
    tags_[slot] = 0;
}

void RowTable::free_contents(const Row& row) {
    for (std::uint32_t place = row.first_score; place != kNone;) {
        const std::uint32_t next = std::exchange(scores_[place].next, free_score_);
        free_score_ = std::exchange(place, next);
    }
    if (row.labels != kNone) {
        revised_[row.labels] = {};
        free_revised_.push_back(row.labels);
    }
}

/// Removes the block's rows before that time; the others close up.
void RowTable::keep_since(std::uint32_t number, std::int64_t event_time_us) {
    Block& block = blocks_[number];
    std::size_t kept = 0;
    block.oldest_us = kTimeMax;
    block.newest_us = kNoTime;
    for (std::size_t place = 0; place < block.rows.size(); ++place) {
        const Row row = block.rows[place];
        const std::size_t slot = slot_of(row.key);
        if (row.event_time_us < event_time_us) {
            free_slot(slot);
            free_contents(row);
            continue;
        }
        block.oldest_us = std::min(block.oldest_us, row.event_time_us);
        block.newest_us = std::max(block.newest_us, row.event_time_us);
        moved_rows_ += kept != place ? 1 : 0;
        slots_[slot] = static_cast<std::uint32_t>(number * kBlockRows + kept);
        block.rows[kept++] = row;
    }
    size_ -= block.rows.size() - kept;
    block.rows.resize(kept);
}

std::size_t RowTable::remove_before(std::int64_t event_time_us) {
    const std::size_t before = size_;
    for (const std::uint32_t number : order_) {
        if (blocks_[number].oldest_us < event_time_us) {
            keep_since(number, event_time_us);
        }
    }
    std::erase_if(order_, [this](std::uint32_t number) {
        if (!blocks_[number].rows.empty()) {
            return false;
        }
        blocks_[number] = {};
        free_blocks_.push_back(number);
        return true;
    });
    if (order_.size() > 2 * (size_ / kBlockRows + 1)) {
        repack();
    }
    return before - size_;
}

/// Rows that came in no order of time leave holes in all blocks. When these are most of them, what is left
/// moves together; as many rows have gone since the last time.
void RowTable::repack() {
    std::vector<Block> blocks = std::exchange(blocks_, {});
    const std::vector<std::uint32_t> order = std::exchange(order_, {});
    free_blocks_.clear();
    moved_rows_ += std::exchange(size_, 0);
    for (const std::uint32_t number : order) {
        for (const Row& row : std::exchange(blocks[number].rows, {})) {
            append(row);
        }
    }
    index_rows();
}

}  // namespace gyre::monitoring
