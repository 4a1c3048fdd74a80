#include "monitoring/windows.h"

#include <cmath>

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/rng.h"
#include "monitoring/drift.h"
#include "monitoring/test_support.h"

namespace gyre::monitoring {
namespace {

const EndpointSchema kSchema{.name = "flights",
                             .columns = {{"carrier", InputKind::text}, {"distance", InputKind::number}},
                             .outputs = {"p"}};
const VariantInfo kChampion{.endpoint = "flights", .model = "flights/1", .role = "champion"};

struct RowSpec {
    std::string id = {};
    std::int64_t event_time_us = 0;
    float score = 0.5F;
    double distance = 0.0;
    std::string carrier = "UA";
    std::int64_t latency_ns = 1'000'000;
};

template <class Sink>
void feed(Sink& sink, const RowSpec& spec) {
    const TextValue carrier{.text = spec.carrier, .missing = spec.carrier.empty()};
    const PredictionRecord record{.request_id = spec.id,
                                  .event_time_us = spec.event_time_us,
                                  .latency_ns = spec.latency_ns,
                                  .outputs = {&spec.score, 1},
                                  .numbers = {&spec.distance, 1},
                                  .texts = {&carrier, 1}};
    sink.add_row({kSchema, kChampion, record});
}

void label(ScoreStore& store, const std::string& id, double value, std::int64_t time_us) {
    const Label one{.request_id = id, .value = value, .time_us = time_us};
    static_cast<void>(store.add_labels("flights", {&one, 1}));
}

TEST(LabelLog, gives_back_labels_in_order_after_a_restart) {
    const TempDir dir;
    const std::vector<Label> first{{"a", 1.0, 10}, {"b", 0.0, -5}};
    const std::vector<Label> second{{"c", -2.5, 30}};
    {
        auto log = LabelLog::open({.directory = dir.path});
        ASSERT_TRUE(log);
        ASSERT_TRUE((*log)->append("flights", first));
        ASSERT_TRUE((*log)->append("other", second));
    }
    auto log = *LabelLog::open({.directory = dir.path});
    std::vector<LabelBatch> batches;
    const auto collect = [&](LabelBatch&& batch) -> Result<void> {
        batches.push_back(std::move(batch));
        return {};
    };
    ASSERT_TRUE(log->replay(collect));
    ASSERT_EQ(batches.size(), 2U);
    EXPECT_EQ(batches[0].endpoint, "flights");
    EXPECT_EQ(batches[0].labels, first);
    EXPECT_EQ(batches[1].endpoint, "other");
    EXPECT_EQ(batches[1].labels, second);

    ASSERT_TRUE(log->seal());
    batches.clear();
    ASSERT_EQ(log->files().size(), 1U);
    ASSERT_TRUE(read_label_file(log->files()[0], collect));
    EXPECT_EQ(batches.size(), 2U);
    EXPECT_EQ(*log->apply_retention(), 0U) << "all are kept unless a retention is declared";
}

/// What the log gives back, as "endpoint:id@time".
std::vector<std::string> kept_labels(LabelLog& log) {
    std::vector<std::string> kept;
    EXPECT_TRUE(log.replay([&](LabelBatch&& batch) -> Result<void> {
        for (const Label& label : batch.labels) {
            kept.push_back(batch.endpoint + ":" + label.request_id + "@" + std::to_string(label.time_us));
        }
        return {};
    }));
    return kept;
}

TEST(LabelLog, retention_lets_old_files_go_by_each_endpoints_own_time) {
    const TempDir dir;
    const LabelLogOptions options{.directory = dir.path, .segment_bytes = 1, .keep_us = 100};
    const auto add = [](LabelLog& log, std::string_view endpoint, const std::string& id, std::int64_t time) {
        const Label label{id, 1.0, time};
        ASSERT_TRUE(log.append(endpoint, {&label, 1}));
    };
    {
        auto log = *LabelLog::open(options);  // every record begins a file
        add(*log, "replay", "a", 10);
        add(*log, "replay", "b", 110);
        EXPECT_EQ(kept_labels(*log).size(), 2U) << "exactly keep_us old is kept";
        add(*log, "live", "c", 1'000'000);
        EXPECT_EQ(kept_labels(*log).size(), 3U) << "another endpoint's time counts for itself only";
        add(*log, "replay", "d", 111);
        EXPECT_EQ(kept_labels(*log),
                  (std::vector<std::string>{"replay:b@110", "live:c@1000000", "replay:d@111"}));
        add(*log, "replay", "e", 300);
        EXPECT_EQ(kept_labels(*log).front(), "live:c@1000000");
    }
    // A file that is needed keeps those after it; what a restart reads is judged again.
    auto log = *LabelLog::open(options);
    EXPECT_EQ(kept_labels(*log),
              (std::vector<std::string>{"live:c@1000000", "replay:d@111", "replay:e@300"}));
    add(*log, "live", "f", 1'000'101);
    EXPECT_EQ(kept_labels(*log), (std::vector<std::string>{"replay:e@300", "live:f@1000101"}));
}

TEST(LabelLog, retention_by_bytes_lets_the_oldest_files_go) {
    const TempDir dir;
    auto log = *LabelLog::open({.directory = dir.path, .segment_bytes = 1, .keep_bytes = 200});
    for (int i = 0; i < 50; ++i) {
        const Label label{"request" + std::to_string(i), 1.0, i};
        ASSERT_TRUE(log->append("flights", {&label, 1}));
    }
    const std::vector<std::string> kept = kept_labels(*log);
    EXPECT_EQ(kept.back(), "flights:request49@49");
    EXPECT_GE(kept.size(), 2U);
    EXPECT_LE(kept.size(), 4U);  // a record has 54 bytes
}

TEST(LabelLog, refuses_what_is_no_label) {
    const TempDir dir;
    auto log = *LabelLog::open({.directory = dir.path});
    const auto refused = [&](const std::vector<Label>& labels) {
        const auto result = log->append("flights", labels);
        return !result && result.error().code() == ErrorCode::invalid_argument;
    };
    EXPECT_TRUE(refused({}));
    EXPECT_TRUE(refused({{"", 1.0, 0}}));
    EXPECT_TRUE(refused({{std::string(kRequestIdBytesMax + 1, 'x'), 1.0, 0}}));
    EXPECT_TRUE(refused({{"a", std::nan(""), 0}}));
    EXPECT_TRUE(refused(std::vector<Label>(kLabelBatchMax + 1, Label{"a", 1.0, 0})));
}

TEST(LabelLog, decoding_survives_any_bytes) {
    const std::vector<Label> labels{{"a", 1.0, 10}, {"bcd", 0.0, 20}};
    const std::string good = encode_labels("flights", labels);
    EXPECT_EQ(decode_labels(good)->labels, labels);
    Rng rng(3);
    for (int i = 0; i < 20'000; ++i) {
        std::string bytes = good.substr(0, rng.below(good.size() + 1));
        for (char& c : bytes) {
            c = rng.below(6) == 0 ? static_cast<char>(rng.next()) : c;
        }
        if (const auto read = decode_labels(bytes); read) {
            EXPECT_LE(read->labels.size(), bytes.size());
        }
    }
}

TEST(Windows, are_aligned_to_the_first_day_and_end_before_the_watermark) {
    const std::int64_t origin = 10 * kUsPerDay + 5 * kUsPerHour;
    const auto windows = windows_until(origin, 7 * kUsPerDay, 31 * kUsPerDay - 1);
    ASSERT_EQ(windows.size(), 2U);
    EXPECT_EQ(windows[0], (TimeWindow{10 * kUsPerDay, 17 * kUsPerDay}));
    EXPECT_EQ(windows[1], (TimeWindow{17 * kUsPerDay, 24 * kUsPerDay}));
    EXPECT_EQ(windows_until(origin, 7 * kUsPerDay, 31 * kUsPerDay).size(), 3U);
    EXPECT_TRUE(windows_until(kNoTime, kUsPerDay, 0).empty());
    EXPECT_EQ(window_at(0, kUsPerDay, -1).start_us, -kUsPerDay);
}

TEST(Windows, months_are_calendar_months) {
    const auto months = months_between(*parse_rfc3339("2012-12-31T23:00:00Z"), *parse_rfc3339("2013-03-01"));
    ASSERT_EQ(months.size(), 3U);
    EXPECT_EQ(format_rfc3339(months[0].start_us), "2012-12-01T00:00:00Z");
    EXPECT_EQ(format_rfc3339(months[1].start_us), "2013-01-01T00:00:00Z");
    EXPECT_EQ(format_rfc3339(months[2].start_us), "2013-02-01T00:00:00Z");
    EXPECT_EQ(format_rfc3339(months[2].end_us), "2013-03-01T00:00:00Z");
}

TEST(Performance, of_a_window_is_known_by_hand) {
    ScoreStore store({});
    const std::array<float, 4> scores{0.1F, 0.4F, 0.35F, 0.8F};
    const std::array<double, 4> labels{0, 0, 1, 1};
    for (std::size_t i = 0; i < 4; ++i) {
        const std::string id = "r" + std::to_string(i);
        feed(store, {.id = id,
                     .event_time_us = 1,
                     .score = scores.at(i),
                     .latency_ns = 1'000'000 * (1 + static_cast<std::int64_t>(i))});
        label(store, id, labels.at(i), 10);
    }
    feed(store, {.id = "unlabelled", .event_time_us = 2, .latency_ns = 5'000'000});
    feed(store, {.id = "outside", .event_time_us = kUsPerDay});
    store.add_missed({.endpoint = "flights", .kind = Missed::dropped, .hour_us = 0, .rows = 5});
    const PerformanceQuery query{
        .endpoint = "flights", .model = "flights/1", .span = {0, kUsPerDay}, .as_of_us = kUsPerDay};
    const PerformanceWindow window = compute_performance(store, query);
    EXPECT_EQ(window.n, 5);
    EXPECT_EQ(window.labelled, 4);
    EXPECT_EQ(window.dropped, 5);
    EXPECT_DOUBLE_EQ(window.coverage, 0.5);
    // scikit-learn's documentation of roc_auc_score uses these four rows: 0.75.
    EXPECT_NEAR(window.metric("auc")->estimate, 0.75, 1e-12);
    // By hand: (0.01 + 0.16 + 0.4225 + 0.04) / 4.
    EXPECT_NEAR(window.metric("brier")->estimate, 0.158125, 1e-7);
    EXPECT_DOUBLE_EQ(window.metric("accuracy")->estimate, 0.75);
    EXPECT_DOUBLE_EQ(window.metric("recall")->estimate, 0.5);
    EXPECT_DOUBLE_EQ(window.metric("precision")->estimate, 1.0);
    EXPECT_DOUBLE_EQ(window.latency_ms.at("p50"), 3.0);
    EXPECT_NEAR(window.latency_ms.at("p95"), 4.8, 1e-12);  // numpy.percentile([1, 2, 3, 4, 5], 95)
    const auto back = PerformanceWindow::from_json(*parse_json(window.to_json().dump()));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->to_json(), window.to_json());
    EXPECT_TRUE(api_json(window).find("auc_low") != nullptr);
}

TEST(Performance, without_labels_says_why_and_has_no_nan) {
    ScoreStore store({});
    feed(store, {.id = "a", .event_time_us = 1});
    PerformanceQuery query{.endpoint = "flights", .model = "flights/1", .span = {0, kUsPerDay}};
    PerformanceWindow window = compute_performance(store, query);
    EXPECT_FALSE(window.metric("auc"));
    EXPECT_TRUE(window.reasons.contains("labels"));
    label(store, "a", 1.0, 5);  // one class: no AUC, but a Brier score
    window = compute_performance(store, query);
    EXPECT_FALSE(window.metric("auc"));
    EXPECT_TRUE(window.reasons.contains("auc"));
    query.task = Task::regression;
    window = compute_performance(store, query);
    EXPECT_EQ(window.to_json().dump().find("NaN"), std::string::npos);
}

/// Eight weeks of baseline whose distance has mean 1000, sd 100, moving a little from week to week.
evidence::Baseline steady_baseline(Rng& rng) {
    evidence::BaselineColumnBuilder carrier("carrier", stats::ColumnKind::categorical);
    evidence::BaselineColumnBuilder distance("distance", stats::ColumnKind::numeric);
    for (int week = 0; week < 8; ++week) {
        const double shift = 5.0 * rng.normal();
        for (int i = 0; i < 400; ++i) {
            const std::int64_t time = week * kPerformanceWindowUs + i * kUsPerHour / 4;
            distance.add(time, 1000.0 + shift + 100.0 * rng.normal());
            carrier.add(time, std::string_view(rng.uniform() < 0.6 ? "UA" : "AA"));
        }
    }
    evidence::Baseline baseline;
    baseline.columns = {*carrier.build(), *distance.build()};
    return baseline;
}

struct Production {
    ProfileStore profiles;
    ColumnValues values;
    void week(Rng& rng, int number, double mean, double share_of_ua) {
        for (int i = 0; i < 400; ++i) {
            const double distance = mean + 100.0 * rng.normal();
            feed(profiles, {.event_time_us = number * kPerformanceWindowUs + i * kUsPerHour / 4,
                            .distance = distance,
                            .carrier = rng.uniform() < share_of_ua ? "UA" : "AA"});
            values["distance"].push_back(distance);
        }
    }
    [[nodiscard]] ColumnProfiles window(int number) const {
        return profiles.window("flights",
                               {number * kPerformanceWindowUs, (number + 1) * kPerformanceWindowUs});
    }
};

DriftInput input_of(int week, DriftPreset preset) {
    return {.endpoint = "flights",
            .preset = preset,
            .span = {week * kPerformanceWindowUs, (week + 1) * kPerformanceWindowUs}};
}

TEST(Drift, default_preset_is_quiet_on_ordinary_weeks_and_fires_on_a_shift) {
    Rng rng(7);
    const evidence::Baseline baseline =
        *evidence::Baseline::from_json(*parse_json(steady_baseline(rng).to_json().dump()));
    Production production;
    for (int week = 10; week < 16; ++week) {
        production.week(rng, week, 1000.0, 0.6);
    }
    for (int week = 16; week < 19; ++week) {
        production.week(rng, week, 1080.0, 0.6);  // 0.8 sd: beyond any of the baseline's own weeks
    }
    DriftStates states;
    for (int week = 10; week < 16; ++week) {
        const auto report =
            judge_drift(input_of(week, DriftPreset::baseline), baseline, production.window(week), {}, states);
        EXPECT_FALSE(report.drifted) << week;
        ASSERT_EQ(report.columns.size(), 2U);
        EXPECT_EQ(report.columns[1].n_ref, 3200);
        EXPECT_EQ(report.columns[1].n_cur, 400);
    }
    bool drifted = false;
    for (int week = 16; week < 19; ++week) {
        const auto report =
            judge_drift(input_of(week, DriftPreset::baseline), baseline, production.window(week), {}, states);
        drifted = report.columns[1].drifted;
        EXPECT_FALSE(report.columns[0].drifted);
        EXPECT_EQ(to_json(report).dump().find("NaN"), std::string::npos);
    }
    EXPECT_TRUE(drifted);
}

TEST(Drift, classic_preset_is_the_copied_rule) {
    Rng rng(7);
    const evidence::Baseline baseline = steady_baseline(rng);
    Production production;
    production.week(rng, 10, 1030.0, 0.8);
    DriftStates states;
    const auto report = judge_drift(input_of(10, DriftPreset::classic), baseline, production.window(10),
                                    production.values, states);
    EXPECT_EQ(report.columns[0].statistic, "chi_square");
    EXPECT_TRUE(report.columns[0].drifted);
    EXPECT_EQ(report.columns[1].statistic, "ks");
    EXPECT_TRUE(report.columns[1].drifted);
    EXPECT_LT(*report.columns[1].p_value, 0.05);
    EXPECT_TRUE(report.drifted);
    EXPECT_DOUBLE_EQ(report.share, 1.0);
}

TEST(Drift, classic_without_a_sample_says_what_to_do) {
    Rng rng(7);
    evidence::Baseline old = steady_baseline(rng);
    old.columns[1].sample.clear();  // as packages of the first form have it
    Production production;
    production.week(rng, 10, 1030.0, 0.6);
    DriftStates states;
    const auto report = judge_drift(input_of(10, DriftPreset::classic), old, production.window(10),
                                    production.values, states);
    EXPECT_FALSE(report.columns[0].insufficient);
    EXPECT_TRUE(report.columns[1].insufficient);
    EXPECT_NE(report.columns[1].reason.find("train the model again"), std::string::npos);
}

TEST(Drift, too_few_rows_or_no_column_is_insufficient) {
    Rng rng(7);
    const evidence::Baseline baseline = steady_baseline(rng);
    ProfileStore profiles;
    feed(profiles, {.event_time_us = 1, .distance = 1e9});
    DriftStates states;
    for (const DriftPreset preset : {DriftPreset::baseline, DriftPreset::classic}) {
        const auto few = judge_drift(input_of(0, preset), baseline,
                                     profiles.window("flights", {0, kPerformanceWindowUs}), {}, states);
        EXPECT_TRUE(few.columns[1].insufficient);
        EXPECT_FALSE(few.drifted);
        const auto none = judge_drift(input_of(0, preset), baseline, {}, {}, states);
        EXPECT_TRUE(none.columns[0].insufficient);
        EXPECT_FALSE(none.columns[0].reason.empty());
    }
}

TEST(ProfileStore, sums_days_and_forgets_the_oldest_over_the_bound) {
    ProfileStore store;
    for (int day = 0; day < static_cast<int>(kProfileDaysMax) + 10; ++day) {
        feed(store, {.event_time_us = day * kUsPerDay, .distance = 1.0, .carrier = day % 2 == 0 ? "" : "UA"});
    }
    const ColumnProfiles all = store.window("flights", {0, kTimeMax});
    EXPECT_EQ(all.find("distance")->second.valid(), static_cast<std::int64_t>(kProfileDaysMax));
    EXPECT_EQ(all.find("carrier")->second.nulls(), static_cast<std::int64_t>(kProfileDaysMax) / 2);
    EXPECT_EQ(all.find("prediction")->second.valid(), static_cast<std::int64_t>(kProfileDaysMax));
    const ColumnProfiles two = store.window("flights", {100 * kUsPerDay, 102 * kUsPerDay});
    EXPECT_EQ(two.find("distance")->second.valid(), 2);
}

TEST(ProfileStore, rows_of_changing_days_endpoints_and_columns_go_where_they_belong) {
    ProfileStore store;
    const auto add = [&](const std::string& endpoint, std::int64_t day, std::vector<std::string> names) {
        EndpointSchema schema;
        schema.name = endpoint;
        schema.outputs = {"p"};
        std::vector<double> numbers;
        for (const std::string& name : names) {
            schema.columns.push_back({.name = name, .kind = InputKind::number});
            numbers.push_back(name == "a" ? 1.0 : 2.0);
        }
        const float output = 0.5F;
        const PredictionRecord record{
            .event_time_us = day * kUsPerDay, .outputs = {&output, 1}, .numbers = numbers};
        store.add_row({schema, VariantInfo{}, record});
    };
    for (std::int64_t i = 0; i < 30; ++i) {
        add("x", i % 2, {"a", "b"});
        add("y", i % 3, {"b", "a"});
        add("x", 0, {"b"});  // a later schema of the same endpoint
        add("x", 0, {"b", "a"});
    }
    const ColumnProfiles first = store.window("x", {0, kUsPerDay});
    const ColumnProfiles second = store.window("x", {kUsPerDay, 2 * kUsPerDay});
    EXPECT_EQ(first.find("a")->second.valid(), 15 + 30);
    EXPECT_EQ(first.find("b")->second.valid(), 15 + 30 + 30);
    EXPECT_EQ(first.find("prediction")->second.valid(), 15 + 60);
    EXPECT_EQ(second.find("a")->second.valid(), 15);
    EXPECT_DOUBLE_EQ(first.find("a")->second.moments().mean, 1.0);
    EXPECT_DOUBLE_EQ(first.find("b")->second.moments().mean, 2.0);
    EXPECT_DOUBLE_EQ(store.window("y", {0, kTimeMax}).find("a")->second.moments().mean, 1.0);
}

TEST(ScoreStore, rows_at_once_give_what_they_give_one_by_one) {
    Rng random(7);
    const EndpointSchema other{.name = "other", .columns = {}, .outputs = {"p"}};
    std::vector<RowSpec> specs;
    for (std::int64_t i = 0; i < 500; ++i) {
        specs.push_back({.id = "r" + std::to_string(random.next() % 400),
                         .event_time_us = static_cast<std::int64_t>(random.next() % 4) * kUsPerDay,
                         .score = static_cast<float>(random.uniform()),
                         .distance = random.uniform(),
                         .carrier = random.next() % 5 == 0 ? "" : "UA"});
    }
    std::vector<TextValue> texts;
    for (const RowSpec& spec : specs) {
        texts.push_back({.text = spec.carrier, .missing = spec.carrier.empty()});
    }
    std::vector<PredictionRecord> records;
    std::vector<LoggedRow> rows;
    records.reserve(specs.size());
    for (std::size_t i = 0; i < specs.size(); ++i) {
        records.push_back({.request_id = specs[i].id,
                           .kind = i % 7 == 0 ? RowKind::shadow : RowKind::answered,
                           .event_time_us = specs[i].event_time_us,
                           .outputs = {&specs[i].score, 1},
                           .numbers = {&specs[i].distance, 1},
                           .texts = {&texts[i], 1}});
        rows.push_back({i % 50 < 40 ? kSchema : other, kChampion, records[i]});
    }
    ScoreStore one_by_one({});
    ScoreStore at_once({});
    ProfileStore profiles;
    ProfileStore profiles_at_once;
    for (const LoggedRow& row : rows) {
        one_by_one.add_row(row);
        profiles.add_row(row);
    }
    at_once.add_rows(rows);
    profiles_at_once.add_rows(rows);
    for (const char* endpoint : {"flights", "other"}) {
        const auto wanted = one_by_one.scored_rows({.endpoint = endpoint, .model = "flights/1"});
        const auto given = at_once.scored_rows({.endpoint = endpoint, .model = "flights/1"});
        ASSERT_EQ(given.size(), wanted.size());
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            EXPECT_EQ(given[i].key, wanted[i].key);
            EXPECT_EQ(given[i].score, wanted[i].score);
        }
    }
    const ColumnProfiles wanted = profiles.window("flights", {0, kTimeMax});
    const ColumnProfiles given = profiles_at_once.window("flights", {0, kTimeMax});
    ASSERT_EQ(given.size(), 3U);
    for (const auto& [name, profile] : wanted) {
        EXPECT_EQ(given.find(name)->second.to_json().dump(), profile.to_json().dump()) << name;
    }
}

}  // namespace
}  // namespace gyre::monitoring
