#include "monitoring/monitor.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "events/events.h"
#include "monitoring/export.h"
#include "monitoring/monitoring.h"
#include "monitoring/test_support.h"

namespace gyre::monitoring {
namespace {

const EndpointSchema kSchema{.name = "flights",
                             .columns = {{"carrier", InputKind::text}, {"distance", InputKind::number}},
                             .outputs = {"p"}};
const VariantInfo kChampion{.endpoint = "flights", .model = "flights/1", .role = "champion"};
constexpr std::int64_t kWeek = kPerformanceWindowUs;

class MonitorTest : public testing::Test {
 protected:
    void SetUp() override { open(); }

    void open() {
        database = *storage::Database::open(dir.path + "/meta.db", storage::migrations(), {.clock = &clock});
        scores = std::make_unique<ScoreStore>(ScoreStoreOptions{.label_lateness_us = kUsPerDay});
        profiles = std::make_unique<ProfileStore>();
        service = std::make_unique<MonitorService>(
            *database, *scores, *profiles, nullptr,
            [this](const std::string&) -> Result<EndpointContext> { return context; }, clock);
    }

    void row(std::int64_t time_us, float score, double distance, std::optional<double> truth) {
        const std::string id = "r" + std::to_string(rows++);
        const TextValue carrier{.text = "UA"};
        const PredictionRecord record{.request_id = id,
                                      .event_time_us = time_us,
                                      .latency_ns = 500'000'000,
                                      .outputs = {&score, 1},
                                      .numbers = {&distance, 1},
                                      .texts = {&carrier, 1}};
        scores->add_row({kSchema, kChampion, record});
        profiles->add_row({kSchema, kChampion, record});
        if (truth) {
            const Label label{.request_id = id, .value = *truth, .time_us = time_us + kUsPerHour};
            static_cast<void>(scores->add_labels("flights", {&label, 1}));
        }
        last_id = id;
    }

    /// 300 labelled rows, of which the share `right` is predicted right.
    void week(int number, double right, double mean_distance = 1000.0) {
        for (int i = 0; i < 300; ++i) {
            const double truth = rng.uniform() < 0.5 ? 1.0 : 0.0;
            const bool good = rng.uniform() < right;
            row(number * kWeek + i * kUsPerHour / 2, good == (truth == 1.0) ? 0.9F : 0.1F,
                mean_distance + 100.0 * rng.normal(), truth);
        }
    }

    /// Moves both watermarks past the end of week `number`.
    void finish(int number) { row((number + 1) * kWeek + kUsPerDay, 0.5F, 1000.0, 1.0); }

    /// What monitors said, without the changes of monitors themselves.
    std::vector<events::Event> news() {
        events::EventStream stream(*database);
        std::vector<events::Event> events = stream.read(0, 1000)->events;
        std::erase_if(events, [](const events::Event& event) { return event.type.starts_with("monitor."); });
        return events;
    }
    std::vector<std::string> event_types() {
        events::EventStream stream(*database);
        std::vector<std::string> types;
        for (const events::Event& event : news()) {
            types.push_back(event.type);
        }
        EXPECT_FALSE(stream.verify()->first_bad);
        return types;
    }

    TempDir dir;
    ManualClock clock{1'000'000};
    Rng rng{5};
    int rows = 0;
    std::string last_id;
    EndpointContext context{.champion = "flights/1", .baseline = {}, .baseline_metrics = {}};
    std::unique_ptr<storage::Database> database;
    std::unique_ptr<ScoreStore> scores;
    std::unique_ptr<ProfileStore> profiles;
    std::unique_ptr<MonitorService> service;
};

MonitorSpec accuracy_spec() {
    MonitorSpec spec;
    spec.endpoint = "flights";
    spec.name = "accuracy";
    spec.kind = MonitorKind::performance;
    spec.metric = "accuracy";
    spec.threshold_kind = ThresholdKind::absolute;
    spec.threshold = 0.85;
    spec.severity = Severity::critical;
    return spec;
}

TEST_F(MonitorTest, evaluates_each_boundary_once_and_opens_and_resolves_an_alert) {
    const Monitor monitor = *service->create(accuracy_spec(), local_principal());
    week(0, 0.95);
    EXPECT_TRUE(service->evaluate_due("flights")->empty());  // the week is not over
    week(1, 0.6);
    week(2, 0.6);
    week(3, 0.95);
    week(4, 0.95);
    finish(4);
    const auto evaluations = *service->evaluate_due("flights");
    ASSERT_EQ(evaluations.size(), 5U);
    for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_EQ(evaluations[i].span.start_us, static_cast<std::int64_t>(i) * kWeek);
        EXPECT_EQ(evaluations[i].as_of_us, evaluations[i].span.end_us + kUsPerDay);
    }
    EXPECT_TRUE(evaluations[0].opened.empty());
    EXPECT_EQ(evaluations[1].opened.size(), 1U);
    EXPECT_TRUE(evaluations[2].opened.empty());    // firing already
    EXPECT_TRUE(evaluations[3].resolved.empty());  // hysteresis
    EXPECT_EQ(evaluations[4].resolved, evaluations[1].opened);
    EXPECT_EQ(event_types(),
              (std::vector<std::string>{"performance.degraded", "alert.opened", "alert.resolved"}));
    EXPECT_TRUE(service->evaluate_due("flights")->empty());

    const auto alerts = *service->alerts("flights", MonitorService::AlertFilter::all);
    ASSERT_EQ(alerts.size(), 1U);
    EXPECT_FALSE(alerts[0].firing);
    EXPECT_EQ(alerts[0].metric, "accuracy");
    EXPECT_NEAR(*alerts[0].value, 0.6, 0.1);
    EXPECT_EQ(alerts[0].as_of_us, 2 * kWeek + kUsPerDay);
    EXPECT_EQ(service->results(monitor.id)->size(), 5U);
    EXPECT_TRUE(service->alerts("flights", MonitorService::AlertFilter::firing)->empty());
}

TEST_F(MonitorTest, stores_watermarks_once_a_day_and_with_what_they_decided) {
    ASSERT_TRUE(service->create(accuracy_spec(), local_principal()));
    const auto commits_of = [&](std::int64_t event_us) {
        row(event_us, 0.9F, 1000.0, 1.0);
        const std::uint64_t before = database->stats().commits;
        EXPECT_TRUE(service->evaluate_due("flights"));
        return database->stats().commits - before;
    };
    EXPECT_EQ(commits_of(kUsPerHour), 1U);
    EXPECT_EQ(commits_of(2 * kUsPerHour), 0U);
    EXPECT_EQ(commits_of(2 * kUsPerHour), 0U);
    EXPECT_GT(commits_of(kUsPerDay + kUsPerHour), 0U);
    week(0, 0.6);
    finish(0);
    EXPECT_EQ(service->evaluate_due("flights")->size(), 1U);
    const Watermarks decided = scores->watermarks("flights");
    service.reset();
    database.reset();
    open();
    ASSERT_TRUE(service->restore_watermarks());
    EXPECT_EQ(scores->watermarks("flights").labels_us, decided.labels_us);
}

TEST_F(MonitorTest, goes_on_where_it_was_after_a_restart) {
    ASSERT_TRUE(service->create(accuracy_spec(), local_principal()));
    week(0, 0.6);
    finish(0);
    EXPECT_EQ(service->evaluate_due("flights")->size(), 1U);
    const Watermarks before = scores->watermarks("flights");
    service.reset();
    database.reset();
    open();
    ASSERT_TRUE(service->restore_watermarks());
    EXPECT_EQ(scores->watermarks("flights").labels_us, before.labels_us);
    EXPECT_EQ(scores->watermarks("flights").first_event_us, 0);
    week(1, 0.6);
    finish(1);
    const auto evaluations = *service->evaluate_due("flights");
    ASSERT_EQ(evaluations.size(), 1U);
    EXPECT_EQ(evaluations[0].span.start_us, kWeek);
    EXPECT_TRUE(evaluations[0].opened.empty());  // the alert of week 0 still fires
    EXPECT_EQ(service->alerts("flights", MonitorService::AlertFilter::firing)->size(), 1U);
}

TEST_F(MonitorTest, no_evidence_opens_nothing) {
    ASSERT_TRUE(service->create(accuracy_spec(), local_principal()));
    for (int i = 0; i < 50; ++i) {
        row(i, 0.9F, 1000.0, 0.0);  // all wrong, but fewer than min_labelled
    }
    finish(0);
    const auto evaluations = *service->evaluate_due("flights");
    ASSERT_EQ(evaluations.size(), 1U);
    EXPECT_EQ(evaluations[0].verdict, evidence::Verdict::insufficient);
    EXPECT_TRUE(event_types().empty());
}

TEST_F(MonitorTest, latency_decides_only_where_time_is_arrival) {
    MonitorSpec spec = accuracy_spec();
    spec.name = "latency";
    spec.metric = "latency_ms";
    spec.threshold = 100.0;
    week(0, 0.95);
    const PerformanceWindow window =
        compute_performance(*scores, {.endpoint = "flights", .model = "flights/1", .span = {0, kWeek}});
    EXPECT_EQ(judge_performance(spec, context, window).verdict, evidence::Verdict::insufficient);
    context.time = EndpointContext::Time::arrival;
    EXPECT_EQ(judge_performance(spec, context, window).verdict, evidence::Verdict::fail);
}

TEST_F(MonitorTest, relative_threshold_compares_with_the_baselines_interval) {
    MonitorSpec spec = accuracy_spec();
    spec.threshold_kind = ThresholdKind::relative;
    spec.threshold = 0.05;
    week(0, 0.9);
    const PerformanceWindow window =
        compute_performance(*scores, {.endpoint = "flights", .model = "flights/1", .span = {0, kWeek}});
    EXPECT_EQ(judge_performance(spec, context, window).verdict, evidence::Verdict::insufficient);
    context.baseline_metrics["accuracy"] = {.estimate = 0.9, .low = 0.89, .high = 0.91, .n = 10'000};
    EXPECT_NE(judge_performance(spec, context, window).verdict, evidence::Verdict::fail);
    context.baseline_metrics["accuracy"] = {.estimate = 0.99, .low = 0.985, .high = 0.995, .n = 10'000};
    const evidence::Finding worse = judge_performance(spec, context, window);
    EXPECT_EQ(worse.verdict, evidence::Verdict::fail);
    EXPECT_DOUBLE_EQ(*worse.estimate, window.metric("accuracy")->estimate);  // the level, beside its floor
    EXPECT_DOUBLE_EQ(*worse.threshold, 0.99 - 0.05 * 0.99);
    // A small model's evaluation has fewer rows than a window: it counts by its interval, down to a bound.
    context.baseline_metrics["accuracy"] = {
        .estimate = 0.99, .low = 0.984, .high = 0.996, .n = kBaselineRowsMin};
    EXPECT_EQ(judge_performance(spec, context, window).verdict, evidence::Verdict::fail);
    context.baseline_metrics["accuracy"].n = kBaselineRowsMin - 1;
    EXPECT_EQ(judge_performance(spec, context, window).verdict, evidence::Verdict::insufficient);
}

TEST_F(MonitorTest, an_rmse_is_degraded_only_beyond_the_reach_of_chance) {
    MonitorSpec spec = accuracy_spec();
    spec.metric = "rmse";
    spec.threshold_kind = ThresholdKind::relative;
    spec.threshold = 0.0;
    const auto window_of = [&](int number, double sd) {
        for (int i = 0; i < 300; ++i) {
            row(number * kWeek + i * kUsPerHour / 2, static_cast<float>(sd * rng.normal()), 1000.0, 0.0);
        }
        return compute_performance(*scores, {.endpoint = "flights",
                                             .model = "flights/1",
                                             .task = Task::regression,
                                             .span = {number * kWeek, (number + 1) * kWeek}});
    };
    context.baseline_metrics["rmse"] = {.estimate = 2.0, .low = 1.9, .high = 2.1, .n = 1000};
    const PerformanceWindow chance = window_of(0, 2.05);
    EXPECT_LT(chance.metric("rmse")->low, chance.metric("rmse")->estimate);
    EXPECT_TRUE(api_json(chance).find("rmse_low") != nullptr);
    EXPECT_NE(judge_performance(spec, context, chance).verdict, evidence::Verdict::fail);
    EXPECT_EQ(judge_performance(spec, context, window_of(1, 2.6)).verdict, evidence::Verdict::fail);
    EXPECT_NE(chance.reasons.at("r2").find("not finite"), std::string::npos);  // labels of one value
}

TEST_F(MonitorTest, an_r2_is_watched_with_its_interval) {
    for (int i = 0; i < 300; ++i) {
        const double value = rng.normal();
        row(i * kUsPerHour / 2, static_cast<float>(value + 0.5 * rng.normal()), 1000.0, value);
    }
    const PerformanceWindow window = compute_performance(
        *scores, {.endpoint = "flights", .model = "flights/1", .task = Task::regression, .span = {0, kWeek}});
    MonitorSpec spec = accuracy_spec();
    spec.metric = "r2";
    spec.threshold_kind = ThresholdKind::absolute;
    spec.threshold = window.metric("r2")->estimate + 0.01;  // within the reach of chance
    EXPECT_NE(judge_performance(spec, context, window).verdict, evidence::Verdict::fail);
    spec.threshold = window.metric("r2")->high + 0.01;
    EXPECT_EQ(judge_performance(spec, context, window).verdict, evidence::Verdict::fail);
}

TEST_F(MonitorTest, simple_rule_of_thresholds) {
    PerformanceWindow window;
    window.metrics["accuracy"] = {.estimate = 0.8, .low = 0.7, .high = 0.9, .n = 10};
    window.latency_ms["mean"] = 150.0;
    const auto alerts = simple_alerts(window, {.accuracy = 0.85, .latency_ms = 100.0});
    ASSERT_EQ(alerts.size(), 2U);
    EXPECT_EQ(alerts[0].severity, Severity::critical);
    EXPECT_EQ(alerts[1].severity, Severity::warning);
    EXPECT_TRUE(simple_alerts(window, {.accuracy = 0.8, .latency_ms = 150.0}).empty());
}

TEST_F(MonitorTest, drift_is_an_event_with_numbers_only) {
    evidence::BaselineColumnBuilder carrier("carrier", stats::ColumnKind::categorical);
    evidence::BaselineColumnBuilder distance("distance", stats::ColumnKind::numeric);
    for (int w = 0; w < 8; ++w) {
        const double shift = 5.0 * rng.normal();
        for (int i = 0; i < 300; ++i) {
            distance.add(w * kWeek + i, 1000.0 + shift + 100.0 * rng.normal());
            carrier.add(w * kWeek + i, std::string_view("UA"));
        }
    }
    context.baseline.emplace().columns = {*carrier.build(), *distance.build()};
    MonitorSpec spec;
    spec.endpoint = "flights";
    spec.name = "drift";
    ASSERT_TRUE(service->create(spec, local_principal()));
    week(0, 0.9);
    for (int w = 1; w < 4; ++w) {
        week(w, 0.9, 1100.0);
    }
    finish(3);
    const auto evaluations = *service->evaluate_due("flights");
    ASSERT_EQ(evaluations.size(), 4U);
    EXPECT_EQ(evaluations[0].verdict, evidence::Verdict::pass);
    EXPECT_EQ(evaluations[3].verdict, evidence::Verdict::fail);
    EXPECT_EQ(event_types(), (std::vector<std::string>{"drift.detected", "alert.opened"}));
    const auto alerts = *service->alerts("", MonitorService::AlertFilter::firing);
    ASSERT_EQ(alerts.size(), 1U);
    EXPECT_EQ(alerts[0].metric, "distance");
    EXPECT_EQ(api_json(alerts[0])["state"].as_string(), "firing");
    EXPECT_EQ(news()[0].data.dump().find("UA"), std::string::npos);
    EXPECT_TRUE(news()[0].as_of_us.has_value());
}

TEST_F(MonitorTest, late_labels_make_a_new_revision_of_a_window) {
    week(0, 0.9);
    row(kWeek - 1, 0.9F, 1000.0, std::nullopt);
    const std::string unlabelled = last_id;
    finish(0);
    ASSERT_TRUE(service->evaluate_due("flights"));
    auto windows = *service->performance("flights");
    ASSERT_EQ(windows.size(), 1U);
    EXPECT_EQ(windows[0].revision, 1);
    EXPECT_EQ(windows[0].labelled, 300);
    EXPECT_EQ(windows[0].n, 301);
    const Label late{.request_id = unlabelled, .value = 1.0, .time_us = kWeek + 3 * kUsPerDay};
    static_cast<void>(scores->add_labels("flights", {&late, 1}));
    week(1, 0.9);
    finish(1);
    ASSERT_TRUE(service->evaluate_due("flights"));
    windows = *service->performance("flights");
    ASSERT_EQ(windows.size(), 2U);
    EXPECT_EQ(windows[0].revision, 2);
    EXPECT_EQ(windows[0].labelled, 301);
    EXPECT_EQ(windows[1].revision, 1);
}

TEST_F(MonitorTest, refuses_what_it_cannot_watch) {
    MonitorSpec spec = accuracy_spec();
    spec.metric = "happiness";
    EXPECT_EQ(service->create(spec, local_principal()).error().code(), ErrorCode::invalid_argument);
    spec = accuracy_spec();
    for (const char* step : {"36h", "0d", "-1d", "604800000000", "a week"}) {
        spec.step = step;
        const auto refused = service->create(spec, local_principal());
        ASSERT_FALSE(refused) << step;
        EXPECT_EQ(refused.error().message(),
                  "step: expected whole days above 0, such as 1d, 7d or 4w, got '" + std::string(step) + "'");
    }
    spec = accuracy_spec();
    spec.window = "2w";
    EXPECT_TRUE(spec.check());
    EXPECT_EQ(spec.window_us(), 14 * kUsPerDay);
    const Monitor kept = *service->create(accuracy_spec(), local_principal());
    EXPECT_EQ(service->create(accuracy_spec(), local_principal()).error().code(), ErrorCode::already_exists);
    EXPECT_EQ(service->list("flights")->size(), 1U);
    EXPECT_TRUE(service->list("other")->empty());
    ASSERT_TRUE(service->remove(kept.id, local_principal()));
    EXPECT_EQ(service->remove(kept.id, local_principal()).error().code(), ErrorCode::not_found);
}

TEST_F(MonitorTest, a_change_of_what_is_watched_is_an_event_with_who_did_it) {
    const Monitor monitor = *service->create(accuracy_spec(), {"anna"});
    week(0, 0.5);
    finish(0);
    ASSERT_EQ((*service->evaluate_due("flights"))[0].opened.size(), 1U);
    ASSERT_TRUE(service->remove(monitor.id, {"bert"}));
    events::EventStream stream(*database);
    const std::vector<events::Event> events = stream.read(0, 10)->events;
    EXPECT_EQ(events.front().type, "monitor.created");
    EXPECT_EQ(events.front().subject, "endpoint/flights");
    EXPECT_EQ(events.front().principal, "anna");
    EXPECT_EQ(events.front().data["spec"].string_or("metric", ""), "accuracy");
    EXPECT_EQ(events.back().type, "monitor.removed");
    EXPECT_EQ(events.back().principal, "bert");
    // Nothing fires that nobody watches any more, and the name is free again.
    EXPECT_TRUE(service->alerts("flights", MonitorService::AlertFilter::firing)->empty());
    EXPECT_TRUE(service->create(accuracy_spec(), {"anna"}));
}

class MonitoringTest : public testing::Test {
 protected:
    void SetUp() override { open(); }
    void open() {
        auto opened = Monitoring::open({.directory = dir.path}, system_clock(), metrics);
        ASSERT_TRUE(opened) << opened.error().message();
        monitoring = *std::move(opened);
        endpoint = *monitoring->log().declare_endpoint(kSchema);
        champion = *monitoring->log().register_variant("flights", "flights/1", "champion");
        shadow = *monitoring->log().register_variant("flights", "flights/2", "shadow");
    }
    void predict(const std::string& id, std::int64_t time_us, VariantId variant, RowKind kind, float score,
                 std::int64_t arrival_us = 0) {
        const double distance = static_cast<double>(time_us);
        const TextValue carrier{.text = "UA"};
        PredictionRecord record{.request_id = id,
                                .endpoint = endpoint,
                                .variant = variant,
                                .kind = kind,
                                .event_time_us = time_us,
                                .arrival_us = arrival_us,
                                .outputs = {&score, 1}};
        if (kind == RowKind::answered) {
            record.numbers = {&distance, 1};
            record.texts = {&carrier, 1};
        }
        ASSERT_EQ(monitoring->log().append(record), AppendOutcome::logged);
    }
    TempDir dir;
    Metrics metrics;
    std::unique_ptr<Monitoring> monitoring;
    EndpointId endpoint = 0;
    VariantId champion = 0;
    VariantId shadow = 0;
};

TEST_F(MonitoringTest, index_and_profiles_survive_a_restart) {
    for (int i = 0; i < 100; ++i) {
        predict("r" + std::to_string(i), i, champion, RowKind::answered, 0.25F);
    }
    monitoring->log().record_failure(endpoint, champion, 5);
    const std::vector<Label> labels{{"r1", 1.0, 50}, {"r2", 0.0, 60}, {"unknown", 1.0, 70}};
    const LabelCounts counts = *monitoring->add_labels("flights", labels);
    EXPECT_EQ(counts.accepted, 3);
    EXPECT_EQ(monitoring->add_labels("flights", labels)->duplicates, 3);
    ASSERT_TRUE(monitoring->log().flush());
    const ScoreQuery query{.endpoint = "flights", .model = "flights/1"};
    const auto before = monitoring->scores().scored_rows(query);
    monitoring.reset();
    open();
    const auto after = monitoring->scores().scored_rows(query);
    ASSERT_EQ(after.size(), 100U);
    ASSERT_EQ(before.size(), 100U);
    for (std::size_t i = 0; i < after.size(); ++i) {
        EXPECT_EQ(after[i].key, before[i].key);
        EXPECT_EQ(after[i].label, before[i].label);
    }
    EXPECT_EQ(monitoring->scores().traffic("flights", kUsPerDay)[0].predictions, 100);
    EXPECT_EQ(monitoring->scores().traffic("flights", kUsPerDay)[0].errors, 1);
    EXPECT_EQ(monitoring->profiles().window("flights", {0, kUsPerDay}).find("distance")->second.valid(), 100);
    EXPECT_EQ(monitoring->scores().stats().pending, 1U);
}

/// A copy of what a sink is lent.
struct KeptRow {
    struct KeptScore {
        std::string model;
        std::string role;
        float score = 0.0F;
        bool answered = false;
    };
    explicit KeptRow(const ExportedRow& row)
        : request_id(row.request_id),
          numbers(row.numbers.begin(), row.numbers.end()),
          label(row.label),
          label_time_us(row.label_time_us) {
        for (const TextValue& value : row.texts) {
            texts.push_back(value.missing ? std::nullopt : std::optional<std::string>(value.text));
        }
        for (const ModelScore& score : row.scores) {
            scores.push_back(
                {std::string(score.model), std::string(score.role), score.score, score.answered});
        }
    }
    std::string request_id;
    std::vector<double> numbers;
    std::vector<std::optional<std::string>> texts;
    std::vector<KeptScore> scores;
    std::optional<double> label;
    std::int64_t label_time_us = 0;
};

TEST_F(MonitoringTest, export_joins_each_request_once_as_of_a_time) {
    predict("b", 20, champion, RowKind::answered, 0.2F);
    predict("a", 10, shadow, RowKind::shadow, 0.9F);
    predict("a", 10, champion, RowKind::answered, 0.1F, 7);
    predict("a", 10, champion, RowKind::answered, 0.5F, 9);  // the request was repeated
    predict("late", 30, champion, RowKind::answered, 0.3F);
    predict("future", 99, champion, RowKind::answered, 0.3F);
    const std::vector<Label> labels{
        {"a", 1.0, 40}, {"b", 0.0, 45}, {"late", 1.0, 60}, {"a", 0.0, 70}, {"future", 1.0, 20}};
    ASSERT_TRUE(monitoring->add_labels("flights", labels));
    const LogFiles files = *monitoring->files("flights", 0, 50);
    std::vector<KeptRow> rows;
    const ExportSink sink = [&](const EndpointSchema& schema, const ExportedRow& row) -> Result<void> {
        EXPECT_EQ(schema, kSchema);
        rows.emplace_back(row);
        return {};
    };
    EXPECT_EQ(*export_rows(files.segments, files.labels, {.endpoint = "flights", .as_of_us = 50}, sink), 2);
    EXPECT_EQ(rows[0].request_id, "a");
    EXPECT_EQ(rows[0].label, 1.0);  // the revision of 70 was not known at 50
    EXPECT_EQ(rows[0].label_time_us, 40);
    ASSERT_EQ(rows[0].scores.size(), 2U);
    EXPECT_EQ(rows[0].scores[1].model, "flights/2");
    EXPECT_EQ(rows[0].scores[1].score, 0.9F);
    EXPECT_FALSE(rows[0].scores[1].answered);
    EXPECT_EQ(rows[0].scores[0].score, 0.1F);  // the first of the repeated answers
    EXPECT_TRUE(rows[0].scores[0].answered);
    EXPECT_EQ(rows[0].scores[0].role, "champion");
    EXPECT_EQ(rows[0].numbers[0], 10.0);
    EXPECT_EQ(rows[0].texts[0], "UA");
    EXPECT_EQ(rows[1].request_id, "b");
    rows.clear();
    EXPECT_EQ(*export_rows(files.segments, files.labels,
                           {.endpoint = "flights", .to_us = 50, .labels = ExportLabels::optional}, sink),
              3);
    EXPECT_EQ(rows[0].label, 0.0);
    EXPECT_EQ(export_rows(files.segments, files.labels, {.endpoint = "other"}, sink).error().code(),
              ErrorCode::not_found);
    rows.clear();
    ExportFilter bounded{.endpoint = "flights", .labels = ExportLabels::optional, .requests_max = 4};
    EXPECT_EQ(*export_rows(files.segments, files.labels, bounded, sink),
              4);  // repeats and shadows are no more
    bounded.requests_max = 3;
    rows.clear();
    const auto refused = export_rows(files.segments, files.labels, bounded, sink);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::resource_exhausted);
    EXPECT_EQ(
        refused.error().message(),
        "endpoint 'flights' has more than 3 requests in that time, the most that one export takes; ask for a "
        "shorter time");
    EXPECT_TRUE(rows.empty());
}

TEST_F(MonitoringTest, export_maps_rows_of_an_older_schema_by_name) {
    predict("old", 10, champion, RowKind::answered, 0.2F);
    EndpointSchema wider = kSchema;
    wider.columns.insert(wider.columns.begin(), {"hour", InputKind::number});
    const EndpointId newer = *monitoring->log().declare_endpoint(wider);
    const std::array<double, 2> numbers{5.0, 777.0};
    const TextValue carrier{.missing = true};
    const float score = 0.5F;
    monitoring->log().append({.request_id = "new",
                              .endpoint = newer,
                              .variant = champion,
                              .event_time_us = 20,
                              .outputs = {&score, 1},
                              .numbers = numbers,
                              .texts = {&carrier, 1}});
    const LogFiles files = *monitoring->files("flights", 0, 50);
    std::vector<KeptRow> rows;
    ASSERT_TRUE(export_rows(files.segments, files.labels,
                            {.endpoint = "flights", .labels = ExportLabels::optional},
                            [&](const EndpointSchema& schema, const ExportedRow& row) -> Result<void> {
                                EXPECT_EQ(schema, wider);
                                rows.emplace_back(row);
                                return {};
                            }));
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_TRUE(std::isnan(rows[0].numbers[0]));
    EXPECT_EQ(rows[0].numbers[1], 10.0);
    EXPECT_EQ(rows[0].texts[0], "UA");
    EXPECT_EQ(rows[1].numbers[1], 777.0);
    EXPECT_EQ(rows[1].texts[0], std::nullopt);
}

}  // namespace
}  // namespace gyre::monitoring
