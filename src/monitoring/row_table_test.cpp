#include "monitoring/row_table.h"

#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "base/rng.h"

namespace gyre::monitoring {
namespace {

/// Keys of which many want the same slot, so that a removal has something to close up.
RequestKey key_of(std::uint64_t id) {
    return {.high = id * 0x9E3779B97F4A7C15ULL, .low = id % 997 * 64};
}

RequestKey spread_key(std::uint64_t id) {
    return {.high = id, .low = id * 0x9E3779B97F4A7C15ULL >> 20U};
}

struct Known {
    std::int64_t event_time_us = 0;
    std::vector<float> scores = {};  // of model 0, 1, ...
    LabelEvents labels = {};
};

void expect_same(const RowTable& table, const std::map<std::uint64_t, Known>& known, std::uint64_t ids) {
    ASSERT_EQ(table.size(), known.size());
    ASSERT_EQ(static_cast<std::size_t>(std::ranges::distance(table.rows())), known.size());
    for (std::uint64_t id = 0; id < ids; ++id) {
        const Row* row = table.find(key_of(id));
        const auto wanted = known.find(id);
        ASSERT_EQ(row != nullptr, wanted != known.end()) << id;
        if (row == nullptr) {
            continue;
        }
        EXPECT_EQ(row->event_time_us, wanted->second.event_time_us);
        EXPECT_EQ(table.labels_of(*row), wanted->second.labels);
        for (std::size_t model = 0; model < wanted->second.scores.size(); ++model) {
            const Score* score = table.score_of(*row, static_cast<std::uint16_t>(model));
            ASSERT_NE(score, nullptr);
            EXPECT_EQ(score->value, wanted->second.scores[model]);
        }
        EXPECT_EQ(table.score_of(*row, static_cast<std::uint16_t>(wanted->second.scores.size())), nullptr);
    }
}

void add(RowTable& table, Known& known, std::uint64_t id, Rng& rng) {
    Row& row = table.row_of(key_of(id), known.event_time_us);
    for (std::uint16_t model = 0; model < 1 + id % 3; ++model) {
        known.scores.push_back(static_cast<float>(rng.uniform()));
        table.add_score(row, {.value = known.scores.back(), .model = model});
    }
    for (std::uint64_t i = 0; i < id % 4; ++i) {
        const LabelEvent event{.time_us = static_cast<std::int64_t>(i), .value = static_cast<double>(i)};
        table.add_label(row, event);
        known.labels.push_back(event);
    }
}

TEST(RowTable, what_stays_is_found_with_its_scores_and_labels_whatever_the_order_of_time) {
    for (const std::uint64_t disorder : {1U, 3'000U, 40'000U}) {
        Rng rng(disorder);
        RowTable table;
        std::map<std::uint64_t, Known> known;
        std::uint64_t ids = 0;
        for (int round = 0; round < 12; ++round) {
            for (int i = 0; i < 1500; ++i, ++ids) {
                Known& row = known[ids];
                row.event_time_us = static_cast<std::int64_t>(ids * 10 + rng.below(disorder));
                add(table, row, ids, rng);
            }
            const auto cut = static_cast<std::int64_t>((ids - std::min<std::uint64_t>(ids, 2500)) * 10);
            const std::size_t wanted =
                std::erase_if(known, [cut](const auto& entry) { return entry.second.event_time_us < cut; });
            EXPECT_EQ(table.remove_before(cut), wanted);
            expect_same(table, known, ids);
        }
    }
}

TEST(RowTable, the_row_of_a_rank_is_that_of_all_times_in_order) {
    Rng rng(7);
    RowTable table;
    std::vector<std::int64_t> times;
    for (std::uint64_t id = 0; id < 5000; ++id) {
        times.push_back(static_cast<std::int64_t>(id * 10 + rng.below(30'000)));
        table.row_of(key_of(id), times.back());
    }
    std::ranges::sort(times);
    for (const std::size_t rank : {0U, 1U, 50U, 1023U, 2500U, 4999U}) {
        EXPECT_EQ(table.event_time_at(rank), times[rank]);
    }
    EXPECT_EQ(table.oldest_us(), times[0]);
}

TEST(RowTable, rows_in_the_order_of_time_go_without_moving_the_others) {
    RowTable table;
    std::int64_t now = 0;
    const auto fill_to = [&](std::size_t rows) {
        for (; table.size() < rows; ++now) {
            table.row_of(spread_key(static_cast<std::uint64_t>(now)), now);
        }
    };
    for (int round = 0; round < 500; ++round) {
        fill_to(20'000);
        table.remove_before(table.event_time_at(200));
        ASSERT_EQ(table.size(), 19'800U);
    }
    // At most the rest of one block moves at a time.
    EXPECT_LT(table.moved_rows(), 500U * 1024U);
    EXPECT_EQ(table.oldest_us(), now - 19'800);
}

TEST(RowTable, rows_in_no_order_of_time_move_a_bounded_number_of_times_for_each_that_goes) {
    Rng rng(11);
    RowTable table;
    std::uint64_t removed = 0;
    for (std::uint64_t id = 0; id < 200'000; ++id) {
        table.row_of(spread_key(id), static_cast<std::int64_t>(id + rng.below(20'000)));
        if (table.size() > 20'000) {
            removed += table.remove_before(table.event_time_at(2000));
        }
    }
    EXPECT_GT(removed, 170'000U);
    EXPECT_LT(table.moved_rows(), 15 * removed);
}

}  // namespace
}  // namespace gyre::monitoring
