#include "monitoring/score_store.h"

#include <algorithm>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "base/digest.h"
#include "base/rng.h"

namespace gyre::monitoring {
namespace {

const EndpointSchema kSchema{.name = "flights", .columns = {}, .outputs = {"p"}};

struct RowSpec {
    std::string id = {};
    std::string model = "flights/1";
    std::int64_t event_time_us = 0;
    float score = 0.5F;
    RowKind kind = RowKind::answered;
    std::int64_t arrival_us = 0;
};

void add(ScoreStore& store, const RowSpec& spec) {
    const VariantInfo variant{.endpoint = "flights", .model = spec.model, .role = "champion"};
    const PredictionRecord record{.request_id = spec.id,
                                  .kind = spec.kind,
                                  .event_time_us = spec.event_time_us,
                                  .arrival_us = spec.arrival_us,
                                  .latency_ns = 7,
                                  .outputs = {&spec.score, 1}};
    store.add_row({kSchema, variant, record});
}

void label(ScoreStore& store, const std::string& id, double value, std::int64_t time_us) {
    const Label one{.request_id = id, .value = value, .time_us = time_us};
    static_cast<void>(store.add_labels("flights", {&one, 1}));
}

TEST(ScoreStore, joins_labels_that_come_before_or_after_their_prediction) {
    ScoreStore store({});
    label(store, "early", 1.0, 50);
    add(store, {.id = "early", .event_time_us = 10, .score = 0.9F});
    add(store, {.id = "late", .event_time_us = 20, .score = 0.1F});
    label(store, "late", 0.0, 60);
    const auto rows = store.scored_rows({.endpoint = "flights", .model = "flights/1"});
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].label, 1.0);
    EXPECT_EQ(rows[0].label_time_us, 50);
    EXPECT_EQ(rows[1].label, 0.0);
    EXPECT_EQ(rows[1].score, 0.1F);
    EXPECT_EQ(store.stats().pending, 0U);
}

TEST(ScoreStore, looks_only_at_what_was_known_at_as_of) {
    ScoreStore store({});
    add(store, {.id = "a", .event_time_us = 10});
    add(store, {.id = "b", .event_time_us = 20});
    label(store, "a", 1.0, 15);
    label(store, "a", 0.0, 30);  // a revision
    const auto at = [&](std::int64_t as_of) {
        return store.scored_rows({.endpoint = "flights", .model = "flights/1", .as_of_us = as_of});
    };
    EXPECT_TRUE(at(10).empty());
    EXPECT_EQ(at(15)[0].label, std::nullopt);
    EXPECT_EQ(at(16)[0].label, 1.0);
    EXPECT_EQ(at(16).size(), 1U);
    EXPECT_EQ(at(30)[0].label, 1.0);
    EXPECT_EQ(at(31)[0].label, 0.0);
    EXPECT_EQ(at(31)[0].label_time_us, 30);
    EXPECT_EQ(at(31).size(), 2U);
}

TEST(ScoreStore, windows_are_found_across_blocks_whatever_the_order_of_rows) {
    ScoreStore store({});
    Rng rng(21);
    std::vector<std::int64_t> times;
    for (int i = 0; i < 5000; ++i) {
        times.push_back(i * 10 + static_cast<std::int64_t>(rng.below(20'000)));
        add(store, {.id = "r" + std::to_string(i), .event_time_us = times.back()});
        if (i % 3 == 0) {
            label(store, "r" + std::to_string(i), 1.0, times.back() + 5);
        }
    }
    for (int run = 0; run < 50; ++run) {
        const auto from = static_cast<std::int64_t>(rng.below(70'000));
        const std::int64_t to = from + static_cast<std::int64_t>(rng.below(10'000));
        std::int64_t rows = 0;
        std::int64_t labelled = 0;
        for (std::size_t i = 0; i < times.size(); ++i) {
            const bool inside = times[i] >= from && times[i] < to;
            rows += inside ? 1 : 0;
            labelled += inside && i % 3 == 0 ? 1 : 0;
        }
        const ScoreQuery query{.endpoint = "flights", .model = "flights/1", .from_us = from, .to_us = to};
        EXPECT_EQ(static_cast<std::int64_t>(store.scored_rows(query).size()), rows);
        EXPECT_EQ(store.count_rows(query).rows, rows);
        EXPECT_EQ(store.count_rows(query).labelled, labelled);
    }
}

TEST(ScoreStore, counts_duplicates_and_revisions) {
    ScoreStore store({});
    add(store, {.id = "a", .event_time_us = 10});
    const std::vector<Label> labels{{"a", 1.0, 20}, {"a", 1.0, 25}, {"a", 0.0, 30}, {"b", 1.0, 30}};
    EXPECT_FALSE(store.is_duplicate("flights", labels[0]));
    const LabelCounts counts = store.add_labels("flights", labels);
    EXPECT_EQ(counts.accepted, 3);
    EXPECT_EQ(counts.duplicates, 1);
    EXPECT_EQ(counts.revisions, 1);
    EXPECT_EQ(counts.pending, 1);
    EXPECT_TRUE(store.is_duplicate("flights", {"a", 1.0, 22}));
    EXPECT_FALSE(store.is_duplicate("flights", {"a", 1.0, 35}));
    EXPECT_TRUE(store.is_duplicate("flights", {"b", 1.0, 30}));
}

TEST(ScoreStore, keeps_a_bounded_number_of_revisions) {
    ScoreStore store({});
    add(store, {.id = "a", .event_time_us = 0});
    for (int i = 0; i < 100; ++i) {
        label(store, "a", i % 2 == 0 ? 0.0 : 1.0, i);
    }
    EXPECT_EQ(store.scored_rows({.endpoint = "flights", .model = "flights/1", .as_of_us = 100})[0].label,
              1.0);
    EXPECT_EQ(store.scored_rows({.endpoint = "flights", .model = "flights/1", .as_of_us = 50})[0].label,
              std::nullopt);  // forgotten
}

TEST(ScoreStore, drops_the_oldest_pending_labels_over_the_bound) {
    ScoreStore store({.pending_max = 10});
    for (int i = 0; i < 25; ++i) {
        label(store, "r" + std::to_string(i), 1.0, i);
    }
    EXPECT_EQ(store.stats().pending, 10U);
    EXPECT_EQ(store.stats().evicted_labels, 15U);
    add(store, {.id = "r14"});
    add(store, {.id = "r15"});
    const auto rows = store.scored_rows({.endpoint = "flights", .model = "flights/1"});
    EXPECT_EQ(std::ranges::count_if(rows, [](const auto& row) { return row.label.has_value(); }), 1);
}

TEST(ScoreStore, drops_the_oldest_rows_over_the_bound_and_beyond_the_horizon) {
    ScoreStore bounded({.rows_max = 100});
    for (int i = 0; i < 250; ++i) {
        add(bounded, {.id = "r" + std::to_string(i), .event_time_us = i});
    }
    EXPECT_LE(bounded.stats().rows, 100U);
    EXPECT_EQ(bounded.stats().evicted_rows + bounded.stats().rows, 250U);
    EXPECT_EQ(bounded.scored_rows({.endpoint = "flights", .model = "flights/1"}).back().event_time_us, 249);

    ScoreStore aging({.horizon_us = 10 * kUsPerDay});
    for (int day = 0; day < 40; ++day) {
        add(aging, {.id = "r" + std::to_string(day), .event_time_us = day * kUsPerDay});
    }
    const auto rows = aging.scored_rows({.endpoint = "flights", .model = "flights/1"});
    EXPECT_GE(rows.front().event_time_us, 28 * kUsPerDay);
    EXPECT_LE(rows.front().event_time_us, 29 * kUsPerDay);
    EXPECT_EQ(rows.back().event_time_us, 39 * kUsPerDay);
    add(aging, {.id = "ancient", .event_time_us = 1});
    EXPECT_EQ(aging.stats().late_rows, 1U);
    EXPECT_EQ(aging.first_event_us("flights"), 0);
    EXPECT_EQ(aging.oldest_event_us("flights"), rows.front().event_time_us);
    EXPECT_EQ(aging.oldest_event_us("others"), kNoTime);
}

TEST(ScoreStore, at_its_bound_the_oldest_go_and_the_newest_are_all_there) {
    ScoreStore store({});
    const std::int64_t total = static_cast<std::int64_t>(kStoreRowsMax) + 50'000;
    for (std::int64_t i = 0; i < total; ++i) {
        add(store, {.id = std::to_string(i), .event_time_us = i});
    }
    const ScoreStoreStats stats = store.stats();
    EXPECT_LE(stats.rows, kStoreRowsMax);
    EXPECT_GE(stats.rows, kStoreRowsMax - kStoreRowsMax / kStoreEvictedPart);
    EXPECT_EQ(stats.evicted_rows + stats.rows, static_cast<std::uint64_t>(total));
    const std::int64_t oldest = store.oldest_event_us("flights");
    EXPECT_EQ(oldest, static_cast<std::int64_t>(stats.evicted_rows));
    const ScoreQuery all{.endpoint = "flights", .model = "flights/1"};
    EXPECT_EQ(store.count_rows(all).rows, static_cast<std::int64_t>(stats.rows));
    label(store, std::to_string(oldest), 1.0, total);
    label(store, std::to_string(oldest - 1), 1.0, total);
    EXPECT_EQ(store.count_rows(all).labelled, 1);
    EXPECT_EQ(store.stats().pending, 1U);
    add(store, {.id = "before the oldest", .event_time_us = oldest - 1});
    EXPECT_EQ(store.stats().late_rows, 1U);
}

TEST(ScoreStore, pairs_rows_that_both_variants_scored) {
    ScoreStore store({});
    for (int i = 0; i < 4; ++i) {
        const std::string id = "r" + std::to_string(i);
        add(store, {.id = id, .event_time_us = i, .score = 0.25F});
        if (i != 2) {
            add(store, {.id = id,
                        .model = "flights/2",
                        .event_time_us = i,
                        .score = 0.75F,
                        .kind = RowKind::shadow});
        }
        label(store, id, 1.0, 100 - i);
    }
    auto rows = store.paired_rows(
        {.endpoint = "flights", .model_a = "flights/1", .model_b = "flights/2", .as_of_us = 100});
    ASSERT_EQ(rows.size(), 2U);  // r0's label came at as_of; r2 has no shadow score
    EXPECT_EQ(rows[0].label_time_us, 97);
    EXPECT_EQ(rows[1].label_time_us, 99);
    EXPECT_EQ(rows[0].score_a, 0.25F);
    EXPECT_EQ(rows[0].score_b, 0.75F);
    rows = store.paired_rows(
        {.endpoint = "flights", .model_a = "flights/1", .model_b = "flights/2", .since_us = 98});
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].label_time_us, 99);
}

TEST(ScoreStore, counts_traffic_by_bucket) {
    ScoreStore store({});
    add(store, {.id = "a", .event_time_us = 1, .score = 0.25F});
    add(store, {.id = "b", .event_time_us = kUsPerHour, .score = 0.75F});
    add(store, {.id = "c", .event_time_us = kUsPerDay, .score = 0.5F});
    add(store, {.id = "a", .model = "flights/2", .event_time_us = 1, .score = 0.9F, .kind = RowKind::shadow});
    store.add_missed(
        {.endpoint = "flights", .model = "flights/1", .kind = Missed::failed, .hour_us = 0, .rows = 2});
    store.add_missed({.endpoint = "flights", .kind = Missed::dropped, .hour_us = kUsPerHour, .rows = 5});
    const auto points = store.traffic("flights", kUsPerDay);
    ASSERT_EQ(points.size(), 2U);  // a shadow's scores are no traffic
    EXPECT_EQ(points[0].predictions, 2);
    EXPECT_EQ(points[0].errors, 2);
    EXPECT_NEAR(points[0].mean_output, 0.5, 1e-6);
    EXPECT_EQ(points[1].time_us, kUsPerDay);
    EXPECT_EQ(store.dropped_rows("flights", 0, kUsPerDay), 5);
    EXPECT_EQ(store.dropped_rows("flights", 0, kUsPerHour), 0);
    EXPECT_EQ(store.models("flights"), (std::vector<std::string>{"flights/1", "flights/2"}));
}

TEST(ScoreStore, watermarks_are_the_newest_times_minus_the_lateness) {
    ScoreStore store({.prediction_lateness_us = 10, .label_lateness_us = 100});
    EXPECT_EQ(store.watermarks("flights").predictions_us, kNoTime);
    add(store, {.id = "a", .event_time_us = 1000});
    add(store, {.id = "b", .event_time_us = 500});
    label(store, "a", 1.0, 2000);
    EXPECT_EQ(store.watermarks("flights").predictions_us, 990);
    EXPECT_EQ(store.watermarks("flights").labels_us, 1900);
    ScoreStore restored({.prediction_lateness_us = 10, .label_lateness_us = 100});
    restored.restore_watermarks("flights", store.watermarks("flights"));
    EXPECT_EQ(restored.watermarks("flights").predictions_us, 990);
    EXPECT_EQ(restored.watermarks("flights").labels_us, 1900);
}

/// One thing that arrives: a score or a label.
struct Arrival {
    bool is_label = false;
    RowSpec row = {};
    double value = 0.0;
    std::int64_t label_time_us = 0;
};

std::vector<Arrival> random_arrivals(Rng& rng) {
    std::vector<Arrival> arrivals;
    for (int i = 0; i < 300; ++i) {
        const std::string id = "r" + std::to_string(rng.below(120));
        const auto event = static_cast<std::int64_t>(hash64(id) % 1000);
        switch (rng.below(3)) {
            case 0:
                arrivals.push_back(
                    {.row = {.id = id, .event_time_us = event, .score = 0.5F, .arrival_us = i}});
                arrivals.back().row.score = static_cast<float>(rng.uniform());
                break;
            case 1:
                arrivals.push_back({.row = {.id = id,
                                            .model = "flights/2",
                                            .event_time_us = event,
                                            .kind = RowKind::shadow,
                                            .arrival_us = i}});
                arrivals.back().row.score = static_cast<float>(rng.uniform());
                break;
            default:
                // Values never repeat, so that each is a revision of its own (at most 8 of one request).
                arrivals.push_back({.is_label = true,
                                    .row = {.id = id},
                                    .value = static_cast<double>(i),
                                    .label_time_us = event + static_cast<std::int64_t>(rng.below(500))});
        }
    }
    return arrivals;
}

/// The join by the definition: every pair of loops, no index.
std::vector<ScoredRow> naive_scored(const std::vector<Arrival>& arrivals, std::int64_t from, std::int64_t to,
                                    std::int64_t as_of) {
    std::map<std::string, const Arrival*> first;
    for (const Arrival& arrival : arrivals) {
        if (!arrival.is_label && arrival.row.model == "flights/1") {
            const Arrival*& held = first[arrival.row.id];
            held = held == nullptr || arrival.row.arrival_us < held->row.arrival_us ? &arrival : held;
        }
    }
    std::vector<ScoredRow> rows;
    for (const auto& [id, arrival] : first) {
        const std::int64_t event = arrival->row.event_time_us;
        if (event < from || event >= to || event >= as_of) {
            continue;
        }
        const Arrival* last = nullptr;
        for (const Arrival& other : arrivals) {
            if (other.is_label && other.row.id == id && other.label_time_us < as_of &&
                (last == nullptr ||
                 std::pair(other.label_time_us, other.value) > std::pair(last->label_time_us, last->value))) {
                last = &other;
            }
        }
        rows.push_back({.key = request_key(id),
                        .event_time_us = event,
                        .label = last != nullptr ? std::optional(last->value) : std::nullopt,
                        .label_time_us = last != nullptr ? last->label_time_us : kNoTime,
                        .score = arrival->row.score});
    }
    std::ranges::sort(rows, {}, [](const ScoredRow& row) { return std::pair(row.event_time_us, row.key); });
    return rows;
}

TEST(ScoreStore, join_equals_the_naive_one_in_any_order_of_arrival) {
    Rng rng(2024);
    for (int round = 0; round < 60; ++round) {
        std::vector<Arrival> arrivals = random_arrivals(rng);
        const auto from = static_cast<std::int64_t>(rng.below(500));
        const auto to = from + static_cast<std::int64_t>(rng.below(800));
        const auto as_of = static_cast<std::int64_t>(rng.below(1600));
        const auto expected = naive_scored(arrivals, from, to, as_of);
        for (int order = 0; order < 3; ++order) {
            std::shuffle(arrivals.begin(), arrivals.end(), rng);
            ScoreStore store({});
            for (const Arrival& arrival : arrivals) {
                arrival.is_label ? label(store, arrival.row.id, arrival.value, arrival.label_time_us)
                                 : add(store, arrival.row);
            }
            const auto rows = store.scored_rows({.endpoint = "flights",
                                                 .model = "flights/1",
                                                 .from_us = from,
                                                 .to_us = to,
                                                 .as_of_us = as_of});
            ASSERT_EQ(rows.size(), expected.size());
            for (std::size_t i = 0; i < rows.size(); ++i) {
                EXPECT_EQ(rows[i].key, expected[i].key);
                EXPECT_EQ(rows[i].label, expected[i].label);
                EXPECT_EQ(rows[i].label_time_us, expected[i].label_time_us);
                EXPECT_EQ(rows[i].score, expected[i].score);
            }
        }
    }
}

}  // namespace
}  // namespace gyre::monitoring
