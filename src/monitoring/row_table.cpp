#include "monitoring/row_table.h"

#include <algorithm>

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
    grow();
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
    while (tags_[slot] != 0 && (tags_[slot] != tag || rows_[slots_[slot]].key != key)) {
        slot = (slot + 1) & mask;
    }
    return slot;
}

void RowTable::grow() {
    std::size_t wanted = 1024;
    while (wanted < rows_.size() * 2 + 2) {
        wanted *= 2;
    }
    tags_.assign(wanted, 0);
    slots_.resize(wanted);
    std::uint32_t index = 0;
    for (const Row& row : rows_.values()) {
        std::size_t slot = row.key.low & (wanted - 1);
        while (tags_[slot] != 0) {  // keys differ: a free slot is all it takes
            slot = (slot + 1) & (wanted - 1);
        }
        tags_[slot] = tag_of(row.key);
        slots_[slot] = index++;
    }
}

std::uint32_t RowTable::index_of(RequestKey key, std::int64_t event_time_us) {
    if ((rows_.size() + 1) * 2 > tags_.size()) {
        grow();
    }
    const std::size_t slot = slot_of(key);
    if (tags_[slot] == 0) {
        tags_[slot] = tag_of(key);
        slots_[slot] = static_cast<std::uint32_t>(rows_.size());
        append({.key = key, .event_time_us = event_time_us});
    }
    return slots_[slot];
}

void RowTable::append(const Row& row) {
    if (rows_.size() % Blocks<Row>::kRows == 0) {
        spans_.push_back({row.event_time_us, row.event_time_us});
    }
    Span& span = spans_.back();
    span.oldest_us = std::min(span.oldest_us, row.event_time_us);
    span.newest_us = std::max(span.newest_us, row.event_time_us);
    rows_.push_back(row);
}

std::int64_t RowTable::oldest_us() const {
    std::int64_t oldest = kTimeMax;
    for (const Span& span : spans_) {
        oldest = std::min(oldest, span.oldest_us);
    }
    return oldest;
}

const Row* RowTable::find(RequestKey key) const {
    const std::size_t slot = slot_of(key);
    return tags_[slot] == 0 ? nullptr : &rows_[slots_[slot]];
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
    scores_.push_back(score);
    scores_.back().next = row.first_score;
    row.first_score = static_cast<std::uint32_t>(scores_.size() - 1);
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
    } else {
        row.labels = static_cast<std::uint32_t>(revised_.size());
        revised_.push_back(std::move(events));
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

std::size_t RowTable::remove_before(std::int64_t event_time_us) {
    RowTable kept;
    for (const Row& row : rows_.values()) {
        if (row.event_time_us < event_time_us) {
            continue;
        }
        Row copy = row;
        copy.first_score = kNone;
        for (std::uint32_t at = row.first_score; at != kNone; at = scores_[at].next) {
            kept.scores_.push_back(scores_[at]);
            kept.scores_.back().next = copy.first_score;
            copy.first_score = static_cast<std::uint32_t>(kept.scores_.size() - 1);
        }
        if (row.labels != kNone) {
            copy.labels = static_cast<std::uint32_t>(kept.revised_.size());
            kept.revised_.push_back(revised_[row.labels]);
        }
        kept.append(copy);
    }
    const std::size_t removed = rows_.size() - kept.rows_.size();
    kept.grow();
    *this = std::move(kept);
    return removed;
}

}  // namespace gyre::monitoring
