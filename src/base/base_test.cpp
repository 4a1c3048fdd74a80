#include <atomic>
#include <cmath>
#include <filesystem>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/duration.h"
#include "base/file.h"
#include "base/id.h"
#include "base/metrics.h"
#include "base/model_ref.h"
#include "base/rng.h"
#include "base/snapshot.h"
#include "base/text.h"

namespace gyre {
namespace {

Result<int> half(int value) {
    if (value % 2 != 0) {
        return invalid_argument("odd");
    }
    return value / 2;
}

Result<int> quarter(int value) {
    GYRE_TRY(const int once, half(value));
    GYRE_TRY(const int twice, half(once));
    return twice;
}

TEST(Result, try_returns_early_with_the_first_error) {
    EXPECT_EQ(*quarter(8), 2);
    EXPECT_EQ(quarter(6).error().message(), "odd");
    EXPECT_EQ(quarter(6).error().code(), ErrorCode::invalid_argument);
}

TEST(ErrorCode, the_table_is_in_enum_order_and_its_names_are_unique) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < kErrorCodes.size(); ++i) {
        EXPECT_EQ(static_cast<std::size_t>(kErrorCodes[i].code), i);
        EXPECT_TRUE(names.insert(kErrorCodes[i].name).second);
        EXPECT_EQ(parse_error_code(kErrorCodes[i].name), kErrorCodes[i].code);
    }
}

TEST(Clock, times_survive_a_round_trip) {
    for (const char* text : {"2013-01-31T23:59:59Z", "1970-01-01T00:00:00Z", "2012-02-29T12:00:00.250000Z"}) {
        auto us = parse_rfc3339(text);
        ASSERT_TRUE(us);
        EXPECT_EQ(format_rfc3339(*us), text);
    }
    EXPECT_EQ(*parse_rfc3339("2013-01-01T05:00:00-05:00"), *parse_rfc3339("2013-01-01 10:00:00"));
    EXPECT_EQ(*parse_rfc3339("1970-01-02"), kUsPerDay);
    for (const char* text :
         {"2013-13-01", "2013-02-29", "2013-01-01T25:00:00Z", "yesterday", "", "2013-01-01T10:00:00+1"}) {
        EXPECT_FALSE(parse_rfc3339(text)) << text;
    }
}

TEST(Clock, durations_have_units) {
    EXPECT_EQ(*parse_duration_us("1.5h"), 5400 * kUsPerSecond);
    EXPECT_EQ(*parse_duration_us("250ms"), 250'000);
    EXPECT_EQ(*parse_duration_us("4w"), 28 * kUsPerDay);
    EXPECT_FALSE(parse_duration_us("10"));
    EXPECT_FALSE(parse_duration_us("-1s"));
}

struct Waits {
    Duration longest = days(28);
    std::vector<Duration> steps = {};
    static constexpr auto fields() {
        return std::tuple{Field{"longest", &Waits::longest, "Longest.", optional_field},
                          Field{"steps", &Waits::steps, "Of each step.", optional_field}};
    }
};

TEST(Duration, is_written_as_it_is_said) {
    for (const char* text : {"28d", "36h", "90m", "90s", "1500ms", "7us", "0s"}) {
        EXPECT_EQ(to_text({*parse_duration_us(text)}), text);
    }
    const auto waits = from_json<Waits>(*parse_json(R"({"longest": "1.5d", "steps": ["2w", 0, "0d"]})"));
    ASSERT_TRUE(waits) << waits.error().message();
    EXPECT_EQ(to_json(*waits).dump(), R"({"longest":"36h","steps":["14d","0s","0s"]})");
    EXPECT_EQ((*schema_of<Waits>().find("properties"))["longest"]["type"].as_string(), "string");
}

TEST(Duration, without_a_unit_is_refused_with_the_field) {
    const auto refusal = [](const char* json) {
        return from_json<Waits>(*parse_json(json)).error().message();
    };
    EXPECT_EQ(refusal(R"({"longest": 10})"),
              "field 'longest': expected a duration such as 90s, 30m, 2h or 14d, got integer 10");
    EXPECT_EQ(refusal(R"({"steps": ["1d", "soon"]})"),
              "field 'steps[1]': expected a duration such as 90s, 30m, 2h or 14d, got 'soon'");
    EXPECT_EQ(refusal(R"({"longest": "-1d"})"),
              "field 'longest': expected a duration such as 90s, 30m, 2h or 14d, got '-1d'");
    EXPECT_FALSE(from_json<Waits>(*parse_json(R"({"longest": true})")));
}

TEST(Id, uuid7_increases_and_is_well_formed) {
    ManualClock clock(1'700'000'000'000'000);
    std::string last;
    for (int i = 0; i < 10'000; ++i) {
        const std::string id = make_uuid7(clock);
        ASSERT_TRUE(is_uuid(id)) << id;
        ASSERT_EQ(id[14], '7');
        ASSERT_LT(last, id);
        last = id;
    }
    EXPECT_EQ(make_hex_id().size(), 32U);
}

TEST(Digest, known_values) {
    EXPECT_EQ(sha256_hex("abc"),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");  // FIPS 180-2
    EXPECT_EQ(crc32c("123456789"), 0xE3069283U);                                    // RFC 3720
    EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);                          // RFC 3720, B.4
    EXPECT_EQ(crc32c("56789", crc32c("1234")), 0xE3069283U);
}

TEST(Digest, two_hashes_at_once_are_the_two_hashes) {
    for (const std::string_view text : {"", "a", "0197a0c4-7e1f-7abc-8def-0123456789ab"}) {
        EXPECT_EQ(hash64_twice(text, {7, 0}), (std::array{hash64(text, 7), hash64(text)})) << text;
    }
}

TEST(Digest, hash_fraction_is_uniform) {
    int low = 0;
    for (int i = 0; i < 100'000; ++i) {
        low += hash_fraction("unit-" + std::to_string(i), 7) < 0.05 ? 1 : 0;
    }
    EXPECT_NEAR(low, 5000, 300);
}

TEST(ModelRef, every_spelling_is_understood) {
    EXPECT_FALSE(parse_model_ref("fraud")->version);
    EXPECT_EQ(parse_model_ref("fraud/7")->version, 7);
    EXPECT_EQ(parse_model_ref("models:/fraud/7")->version, 7);
    EXPECT_EQ(parse_model_ref("models:/fraud@champion")->alias, "champion");
    EXPECT_EQ(parse_model_ref("fraud@v2.4.0")->semantic, (SemanticVersion{2, 4, 0}));
    EXPECT_FALSE(parse_model_ref("fraud/x"));
    EXPECT_FALSE(parse_model_ref("/7"));
    EXPECT_FALSE(parse_model_ref("a:b"));
}

TEST(Rng, a_seed_fixes_the_stream) {
    Rng a(42);
    Rng b(42);
    double sum = 0;
    for (int i = 0; i < 100'000; ++i) {
        const double value = a.uniform();
        ASSERT_EQ(value, b.uniform());
        sum += value;
    }
    EXPECT_NEAR(sum / 100'000, 0.5, 0.01);
}

TEST(Snapshot, readers_see_whole_values_while_a_writer_publishes) {
    struct Pair {
        std::uint64_t a;
        std::uint64_t b;
    };
    Snapshot<Pair> snapshot(std::make_shared<Pair>(Pair{0, 0}));
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> torn{0};
    std::vector<std::thread> readers;
    for (int i = 0; i < 3; ++i) {
        readers.emplace_back([&] {
            while (!stop) {
                const auto& value = snapshot.read();
                torn += value->a == value->b ? 0 : 1;
            }
        });
    }
    for (std::uint64_t i = 1; i <= 2000; ++i) {
        snapshot.publish(std::make_shared<Pair>(Pair{i, i}));
    }
    stop = true;
    for (auto& reader : readers) {
        reader.join();
    }
    EXPECT_EQ(torn, 0U);
    EXPECT_EQ(snapshot.read()->a, 2000U);
}

TEST(File, atomic_write_replaces_and_reads_are_bounded) {
    const std::string folder = testing::TempDir() + "/gyre_file_test";
    ASSERT_TRUE(make_directories(folder));
    const std::string path = folder + "/a";
    ASSERT_TRUE(write_file_atomic(path, "one"));
    ASSERT_TRUE(write_file_atomic(path, "two"));
    EXPECT_EQ(*read_file(path), "two");
    EXPECT_EQ(read_file(path, 2).error().code(), ErrorCode::resource_exhausted);
    EXPECT_EQ(read_file(folder + "/none").error().code(), ErrorCode::not_found);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
    std::filesystem::remove_all(folder);
}

TEST(Text, suggestions_are_near_or_absent) {
    const std::string_view known[] = {"http_port", "host", "data"};
    EXPECT_EQ(nearest_of("htp_port", known), "http_port");
    EXPECT_EQ(nearest_of("zzzzzz", known), "");
    EXPECT_EQ(with_thousands(336776), "336,776");
    EXPECT_EQ(percent_decode("a%2Fb"), "a/b");
    EXPECT_FALSE(percent_decode("a%2"));
}

TEST(Metrics, a_duration_falls_into_the_bucket_whose_bounds_hold_it) {
    for (std::size_t bucket = 0; bucket + 2 < Histogram::kBuckets; ++bucket) {
        const double bound = Histogram::bound_seconds(bucket);
        const auto inside = static_cast<std::int64_t>(std::floor(bound * 1e9 * (1.0 + 1e-12)));
        for (const std::int64_t step : {0, 1}) {
            Histogram histogram;
            histogram.observe_ns(inside + step);
            const Histogram::Totals totals = histogram.totals();
            EXPECT_EQ(totals.counts[bucket + static_cast<std::size_t>(step)], 1U) << bucket << " " << step;
        }
    }
    Histogram histogram;
    for (const std::int64_t ns : {std::int64_t{-5}, std::int64_t{0}, std::int64_t{1} << 62U}) {
        histogram.observe_ns(ns);
    }
    EXPECT_EQ(histogram.totals().counts.front(), 2U);
    EXPECT_EQ(histogram.totals().counts.back(), 1U);
}

TEST(Metrics, a_histogram_shows_once_it_observed_something_and_in_few_lines) {
    Metrics metrics;
    auto& family = metrics.histogram("test_seconds", "Help.", {"route"});
    family.with({"idle"});
    family.with({"busy"}).observe_ns(5'000);
    metrics.counter("test_total", "Help.", {"route"}).with({"idle"});
    const std::string text = metrics.expose();
    EXPECT_EQ(text.find("test_seconds_count{route=\"idle\"}"), std::string::npos) << text;
    EXPECT_NE(text.find("test_seconds_count{route=\"busy\"} 1"), std::string::npos) << text;
    EXPECT_NE(text.find("test_total{route=\"idle\"} 0"), std::string::npos) << text;
    std::size_t buckets = 0;
    for (std::size_t at = text.find("_bucket{"); at != std::string::npos;
         at = text.find("_bucket{", at + 1)) {
        ++buckets;
    }
    EXPECT_EQ(buckets, 28U);
    // 5 us lie above 4 us and below 8 us.
    EXPECT_NE(text.find("le=\"4e-06\"} 0"), std::string::npos) << text;
    EXPECT_NE(text.find("le=\"8e-06\"} 1"), std::string::npos) << text;
    EXPECT_NE(text.find("le=\"+Inf\"} 1"), std::string::npos) << text;
}

}  // namespace
}  // namespace gyre
