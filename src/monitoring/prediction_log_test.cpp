#include "monitoring/prediction_log.h"

#include <atomic>
#include <barrier>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/id.h"
#include "base/rng.h"
#include "monitoring/test_support.h"

namespace gyre::monitoring {
namespace {

namespace fs = std::filesystem;

EndpointSchema flights_schema() {
    return {.name = "flights",
            .columns = {{"carrier", InputKind::text}, {"distance", InputKind::number}},
            .outputs = {"p_late"}};
}

struct Ids {
    EndpointId endpoint = 0;
    VariantId champion = 0;
    VariantId shadow = 0;
};

Ids declare(PredictionLog& log) {
    Ids ids;
    ids.endpoint = *log.declare_endpoint(flights_schema());
    ids.champion = *log.register_variant("flights", "flights/1", "champion");
    ids.shadow = *log.register_variant("flights", "flights/2", "shadow");
    return ids;
}

AppendOutcome append_row(PredictionLog& log, const Ids& ids, std::string_view request_id,
                         std::int64_t event_time_us, double distance = 100.0) {
    const float score = 0.25F;
    const TextValue carrier{.text = "UA"};
    return log.append({.request_id = request_id,
                       .endpoint = ids.endpoint,
                       .variant = ids.champion,
                       .event_time_us = event_time_us,
                       .arrival_us = event_time_us + 5,
                       .latency_ns = 1234,
                       .outputs = {&score, 1},
                       .numbers = {&distance, 1},
                       .texts = {&carrier, 1}});
}

std::unique_ptr<PredictionLog> open_log(const std::string& folder, Metrics& metrics,
                                        PredictionLogOptions options = {}) {
    options.directory = folder;
    auto log = PredictionLog::open(options, system_clock(), metrics);
    EXPECT_TRUE(log) << (log ? "" : log.error().message());
    return *std::move(log);
}

std::vector<std::string> paths_of(const PredictionLog& log) {
    std::vector<std::string> paths;
    for (const SegmentInfo& segment : log.files()) {
        paths.push_back(segment.path);
    }
    return paths;
}

std::vector<std::string> request_ids(const std::vector<std::string>& paths) {
    std::vector<std::string> ids;
    auto reader = SegmentReader::open(paths);
    for (;;) {
        auto more = reader->next();
        EXPECT_TRUE(more) << (more ? "" : more.error().message());
        if (!more || !*more) {
            return ids;
        }
        ids.emplace_back(reader->row().record.request_id);
    }
}

TEST(PredictionLog, gives_back_what_was_appended) {
    const TempDir dir;
    Metrics metrics;
    auto log = open_log(dir.path, metrics);
    const Ids ids = declare(*log);
    ASSERT_EQ(append_row(*log, ids, "r1", 1000), AppendOutcome::logged);
    const std::array<float, 1> shadow_score{0.75F};
    ASSERT_EQ(log->append({.request_id = "r1",
                           .endpoint = ids.endpoint,
                           .variant = ids.shadow,
                           .kind = RowKind::shadow,
                           .event_time_us = 1000,
                           .outputs = shadow_score}),
              AppendOutcome::logged);
    const double missing = std::numeric_limits<double>::quiet_NaN();
    const TextValue no_carrier{.missing = true};
    ASSERT_EQ(log->append({.request_id = "r2",
                           .endpoint = ids.endpoint,
                           .variant = ids.champion,
                           .event_time_us = 2000,
                           .outputs = shadow_score,
                           .numbers = {&missing, 1},
                           .texts = {&no_carrier, 1}}),
              AppendOutcome::logged);
    ASSERT_TRUE(log->seal());

    auto reader = SegmentReader::open(paths_of(*log));
    ASSERT_TRUE(*reader->next());
    {
        const LoggedRow row = reader->row();
        EXPECT_EQ(row.schema, flights_schema());
        EXPECT_EQ(row.variant.model, "flights/1");
        EXPECT_EQ(row.record.request_id, "r1");
        EXPECT_EQ(row.record.kind, RowKind::answered);
        EXPECT_EQ(row.record.event_time_us, 1000);
        EXPECT_EQ(row.record.arrival_us, 1005);
        EXPECT_EQ(row.record.latency_ns, 1234);
        ASSERT_EQ(row.record.outputs.size(), 1U);
        EXPECT_EQ(row.record.outputs[0], 0.25F);
        ASSERT_EQ(row.record.numbers.size(), 1U);
        EXPECT_EQ(row.record.numbers[0], 100.0);
        ASSERT_EQ(row.record.texts.size(), 1U);
        EXPECT_EQ(row.record.texts[0].text, "UA");
    }
    ASSERT_TRUE(*reader->next());
    EXPECT_EQ(reader->row().variant.role, "shadow");
    EXPECT_EQ(reader->row().record.kind, RowKind::shadow);
    EXPECT_TRUE(reader->row().record.numbers.empty());
    ASSERT_TRUE(*reader->next());
    EXPECT_TRUE(std::isnan(reader->row().record.numbers[0]));
    EXPECT_TRUE(reader->row().record.texts[0].missing);
    EXPECT_FALSE(*reader->next());

    ASSERT_EQ(log->files().size(), 1U);
    const SegmentFooter footer = log->files()[0].footer;
    EXPECT_EQ(footer.rows, 3);
    EXPECT_EQ(footer.endpoints[0].min_event_us, 1000);
    EXPECT_EQ(footer.endpoints[0].max_event_us, 2000);
    EXPECT_EQ(log->files_for("flights", 2000, 3000).size(), 1U);
    EXPECT_TRUE(log->files_for("flights", 2001, 3000).empty());
    EXPECT_TRUE(log->files_for("other", 0, 3000).empty());
}

TEST(PredictionLog, flush_hands_every_earlier_row_to_the_consumer_in_order) {
    const TempDir dir;
    Metrics metrics;
    std::vector<std::string> seen;  // outlives the log, which drains when it ends
    auto log = open_log(dir.path, metrics);
    log->consume(
        [&](std::span<const LoggedRow> rows) {
            for (const LoggedRow& row : rows) {
                seen.emplace_back(row.record.request_id);
            }
        },
        {});
    const Ids ids = declare(*log);
    std::vector<std::string> expected;
    for (int i = 0; i < 1000; ++i) {
        expected.push_back("r" + std::to_string(i));
        append_row(*log, ids, expected.back(), i);
    }
    ASSERT_TRUE(log->flush());
    EXPECT_EQ(seen, expected);
    EXPECT_EQ(log->stats().consumed, 1000U);
}

TEST(PredictionLog, rings_are_reused_lap_after_lap_while_threads_append) {
    const TempDir dir;
    Metrics metrics;
    std::atomic<std::int64_t> consumed{0};  // outlives the log, which drains when it ends
    auto log = open_log(dir.path, metrics,
                        {.spool_bytes = kSpoolBytesMin, .segment_bytes = 1 << 20, .drain_every_ms = 1});
    log->consume([&](std::span<const LoggedRow> rows) { consumed += static_cast<std::int64_t>(rows.size()); },
                 {});
    log->start();
    const Ids ids = declare(*log);
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 5000; ++i) {
                const std::string id = "t" + std::to_string(t) + "-" + std::to_string(i);
                while (append_row(*log, ids, id, i) != AppendOutcome::logged) {
                    std::this_thread::yield();
                }
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    ASSERT_TRUE(log->seal());
    EXPECT_EQ(consumed.load(), 15'000);
    EXPECT_GT(log->files().size(), 1U);
    const auto ids_read = request_ids(paths_of(*log));
    EXPECT_EQ(ids_read.size(), 15'000U);
    EXPECT_EQ(std::set<std::string>(ids_read.begin(), ids_read.end()).size(), 15'000U);
    // An ended thread's ring goes to the next thread.
    EXPECT_LE(log->stats().spools, 3U);
    std::thread([&] { append_row(*log, ids, "later", 1); }).join();
    EXPECT_LE(log->stats().spools, 3U);
}

TEST(PredictionLog, a_full_ring_drops_and_the_segment_says_how_many) {
    const TempDir dir;
    Metrics metrics;
    auto log = open_log(dir.path, metrics, {.spool_bytes = kSpoolBytesMin});
    const Ids ids = declare(*log);
    std::int64_t logged = 0;
    std::int64_t dropped = 0;
    for (int i = 0; i < 2000; ++i) {  // nobody drains: start() was not called
        (append_row(*log, ids, "r" + std::to_string(i), kUsPerDay + i) == AppendOutcome::logged ? logged
                                                                                                : dropped)++;
    }
    EXPECT_GT(dropped, 0);
    ASSERT_TRUE(log->seal());
    const SegmentFooter footer = log->files()[0].footer;
    EXPECT_EQ(footer.rows, logged);
    EXPECT_EQ(footer.endpoints[0].dropped, dropped);
    auto reader = SegmentReader::open(paths_of(*log));
    while (*reader->next()) {
    }
    ASSERT_EQ(reader->missed().size(), 1U);
    EXPECT_EQ(reader->missed()[0].hour_us, kUsPerDay);
    EXPECT_EQ(reader->missed()[0].rows, dropped);
    EXPECT_EQ(append_row(*log, ids, "again", 1), AppendOutcome::logged);  // there is room again
}

TEST(PredictionLog, failures_are_counted_by_variant_and_hour) {
    const TempDir dir;
    Metrics metrics;
    auto log = open_log(dir.path, metrics);
    std::vector<MissedRows> seen;
    log->consume({}, [&](const MissedRows& rows) { seen.push_back(rows); });
    const Ids ids = declare(*log);
    log->record_failure(ids.endpoint, ids.champion, kUsPerHour + 1);
    log->record_failure(ids.endpoint, ids.champion, 2 * kUsPerHour - 1);
    log->record_failure(ids.endpoint, ids.shadow, -1);
    ASSERT_TRUE(log->flush());
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_EQ(seen[0].model, "flights/1");
    EXPECT_EQ(seen[0].kind, Missed::failed);
    EXPECT_EQ(seen[0].hour_us, kUsPerHour);
    EXPECT_EQ(seen[0].rows, 2);
    EXPECT_EQ(seen[1].hour_us, -kUsPerHour);
    for (std::int64_t i = 0; i < 2000; ++i) {  // the bound on slots: none is lost
        log->record_failure(ids.endpoint, ids.champion, i * kUsPerHour);
    }
    seen.clear();
    ASSERT_TRUE(log->flush());
    EXPECT_EQ(seen.size(), kMissedSlotsMax);
    std::int64_t total = 0;
    for (const MissedRows& rows : seen) {
        total += rows.rows;
    }
    EXPECT_EQ(total, 2000);
}

TEST(PredictionLog, rows_over_a_bound_are_refused_and_counted) {
    const TempDir dir;
    Metrics metrics;
    auto log = open_log(dir.path, metrics);
    const Ids ids = declare(*log);
    EXPECT_EQ(append_row(*log, ids, std::string(kRequestIdBytesMax, 'x'), 1), AppendOutcome::logged);
    EXPECT_EQ(append_row(*log, ids, std::string(kRequestIdBytesMax + 1, 'x'), 1), AppendOutcome::too_large);
    const std::string huge(kRecordBytesMax, 'x');
    const TextValue text{.text = huge};
    EXPECT_EQ(log->append({.request_id = "r", .endpoint = ids.endpoint, .texts = {&text, 1}}),
              AppendOutcome::too_large);
    ASSERT_TRUE(log->flush());
    EXPECT_EQ(log->stats().dropped, 2U);
    EXPECT_EQ(log->stats().consumed, 1U);
}

TEST(PredictionLog, more_threads_than_rings_drop) {
    const TempDir dir;
    Metrics metrics;
    auto log = open_log(dir.path, metrics, {.spool_bytes = kSpoolBytesMin});
    const Ids ids = declare(*log);
    std::atomic<int> refused{0};
    std::barrier all_have_appended(static_cast<std::ptrdiff_t>(kSpoolsMax) + 1);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i <= kSpoolsMax; ++i) {
        threads.emplace_back([&] {
            refused += append_row(*log, ids, "r", 1) == AppendOutcome::dropped ? 1 : 0;
            all_have_appended.arrive_and_wait();
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(refused.load(), 1);
}

TEST(PredictionLog, the_same_schema_has_one_id_and_a_changed_one_another) {
    const TempDir dir;
    Metrics metrics;
    auto log = open_log(dir.path, metrics);
    const EndpointId first = *log->declare_endpoint(flights_schema());
    EXPECT_EQ(*log->declare_endpoint(flights_schema()), first);
    EndpointSchema wider = flights_schema();
    wider.columns.push_back({"hour", InputKind::number});
    EXPECT_NE(*log->declare_endpoint(wider), first);
    EXPECT_EQ(*log->register_variant("flights", "flights/1", "champion"),
              *log->register_variant("flights", "flights/1", "champion"));

    EndpointSchema wrong = flights_schema();
    wrong.columns.push_back({"carrier", InputKind::number});
    EXPECT_EQ(log->declare_endpoint(wrong).error().code(), ErrorCode::invalid_argument);
    wrong = flights_schema();
    wrong.score_output = 1;
    EXPECT_EQ(log->declare_endpoint(wrong).error().code(), ErrorCode::invalid_argument);
    for (std::size_t i = 1; i < kVariantsMax; ++i) {
        ASSERT_TRUE(log->register_variant("flights", "flights/" + std::to_string(i + 1), "candidate"));
    }
    EXPECT_EQ(log->register_variant("flights", "one too many", "candidate").error().code(),
              ErrorCode::resource_exhausted);
}

TEST(PredictionLog, retention_removes_old_segments_by_event_time) {
    const TempDir dir;
    Metrics metrics;
    auto log = open_log(dir.path, metrics, {.keep_us = 10 * kUsPerDay});
    const Ids ids = declare(*log);
    for (int day = 0; day < 20; ++day) {
        append_row(*log, ids, "d" + std::to_string(day), day * kUsPerDay);
        ASSERT_TRUE(log->seal());
    }
    // The newest is day 19: day 9 is exactly at the limit and stays.
    EXPECT_EQ(request_ids(paths_of(*log)).front(), "d9");
    EXPECT_EQ(log->files().size(), 11U);
}

TEST(PredictionLog, retention_removes_the_oldest_segments_over_the_byte_limit) {
    const TempDir dir;
    Metrics metrics;
    auto log = open_log(dir.path, metrics, {.keep_bytes = 4000});
    const Ids ids = declare(*log);
    for (int i = 0; i < 20; ++i) {
        append_row(*log, ids, "r" + std::to_string(i), i);
        ASSERT_TRUE(log->seal());
    }
    std::uint64_t bytes = 0;
    for (const SegmentInfo& segment : log->files()) {
        bytes += segment.bytes;
    }
    EXPECT_LE(bytes, 4000U);
    EXPECT_EQ(request_ids(paths_of(*log)).back(), "r19");
    EXPECT_FALSE(fs::exists(dir.path + "/segments/00000001.seg"));
}

/// Files of this process cannot grow beyond `bytes` while it lives: what a full disk does to a segment.
class FileSizeLimit {
 public:
    explicit FileSizeLimit(std::uint64_t bytes) {
        std::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limited{bytes, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &limited);
    }
    ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
    rlimit before_{};
};

TEST(PredictionLog, a_segment_that_could_not_be_sealed_is_sealed_once_there_is_room) {
    const TempDir dir;
    Metrics metrics;
    constexpr std::uint64_t kSegment = 64U << 10U;
    auto log = open_log(dir.path, metrics, {.segment_bytes = kSegment});
    const Ids ids = declare(*log);
    std::vector<std::string> appended;
    const auto add = [&] {
        appended.push_back("r" + std::to_string(appended.size()));
        ASSERT_EQ(append_row(*log, ids, appended.back(), 1000), AppendOutcome::logged);
    };
    add();  // makes this thread's ring, which is larger than the limit
    {
        const FileSizeLimit limit(kSegment + 150);  // one more row fits behind a full segment, no footer does
        Result<void> flushed;
        while (flushed && appended.size() < 10'000) {
            add();
            flushed = log->flush();
        }
        ASSERT_FALSE(flushed);
        add();
        EXPECT_FALSE(log->seal()) << "files() would not hold everything";
        EXPECT_TRUE(log->files().empty());
    }
    add();
    ASSERT_TRUE(log->seal());
    EXPECT_EQ(request_ids(paths_of(*log)), appended) << "every row once, in order";
    log.reset();
    log = open_log(dir.path, metrics);
    EXPECT_EQ(request_ids(paths_of(*log)), appended);
}

TEST(PredictionLog, a_restart_keeps_the_segments_and_leaves_no_ring) {
    const TempDir dir;
    Metrics metrics;
    {
        auto log = open_log(dir.path, metrics);
        append_row(*log, declare(*log), "before", 1);
    }
    EXPECT_TRUE(fs::is_empty(dir.path + "/spool"));
    auto log = open_log(dir.path, metrics);
    EXPECT_EQ(log->stats().recovered, 0U);
    append_row(*log, declare(*log), "after", 2);
    ASSERT_TRUE(log->seal());
    EXPECT_EQ(request_ids(paths_of(*log)), (std::vector<std::string>{"before", "after"}));
}

/// Progress that survives the child: how many rows each thread has appended.
struct Shared {
    std::array<std::atomic<std::int64_t>, 3> appended;
};

[[noreturn]] void append_until_killed(const std::string& folder, Shared& shared) {
    Metrics metrics;
    auto log = open_log(folder, metrics,
                        {.spool_bytes = kSpoolBytesMin * 4, .segment_bytes = 200'000, .drain_every_ms = 1});
    log->start();
    const Ids ids = declare(*log);
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < shared.appended.size(); ++t) {
        threads.emplace_back([&, t] {
            for (std::int64_t i = 0; i < 8000;) {
                const std::string id = std::to_string(t) + ":" + std::to_string(i);
                if (append_row(*log, ids, id, i) == AppendOutcome::logged) {
                    shared.appended[t].store(++i);
                } else {
                    std::this_thread::sleep_for(std::chrono::microseconds(100));
                }
            }
        });
    }
    for (;;) {
        ::pause();
    }
}

TEST(PredictionLog, kill_loses_no_appended_row_and_doubles_none) {
    for (int round = 0; round < 5; ++round) {
        const TempDir dir;
        void* memory =
            ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        ASSERT_NE(memory, MAP_FAILED);
        auto* shared = new (memory) Shared{};
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            append_until_killed(dir.path, *shared);
        }
        while (shared->appended[0].load() < 300 * (round + 1)) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        ::kill(child, SIGKILL);
        int status = 0;
        ::waitpid(child, &status, 0);
        ASSERT_TRUE(WIFSIGNALED(status));

        Metrics metrics;
        auto log = open_log(dir.path, metrics);
        std::array<std::int64_t, 3> next{};
        for (const std::string& id : request_ids(paths_of(*log))) {
            const auto thread = static_cast<std::size_t>(id[0] - '0');
            EXPECT_EQ(id.substr(2), std::to_string(next.at(thread)++));  // each once, in order
        }
        for (std::size_t t = 0; t < next.size(); ++t) {
            EXPECT_GE(next.at(t), shared->appended.at(t).load());
        }
        ::munmap(memory, sizeof(Shared));
    }
}

/// A log whose process was killed before anything was drained.
void crash_with_rows(const std::string& folder, int rows) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        Metrics metrics;
        auto log = open_log(folder, metrics, {.spool_bytes = kSpoolBytesMin});
        const Ids ids = declare(*log);
        for (int i = 0; i < rows; ++i) {
            append_row(*log, ids, "r" + std::to_string(i), i);
        }
        ::kill(::getpid(), SIGKILL);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
}

TEST(PredictionLog, a_torn_record_ends_what_a_ring_gives_back) {
    const TempDir dir;
    crash_with_rows(dir.path, 10);
    const std::string ring = fs::directory_iterator(dir.path + "/spool")->path().string();
    std::string bytes = *read_file(ring);
    const std::size_t at = bytes.find("r7");
    ASSERT_NE(at, std::string::npos);
    std::fstream(ring, std::ios::in | std::ios::out | std::ios::binary)
        .seekp(static_cast<std::streamoff>(at))
        .put('x');
    Metrics metrics;
    auto log = open_log(dir.path, metrics);
    EXPECT_EQ(log->stats().recovered, 7U);
    EXPECT_EQ(request_ids(paths_of(*log)).size(), 7U);
}

TEST(PredictionLog, a_torn_open_segment_is_cut_and_filled_from_the_ring_again) {
    const TempDir dir;
    crash_with_rows(dir.path, 10);
    {
        std::ofstream open(dir.path + "/segments/00000001.open", std::ios::app | std::ios::binary);
        open << "half a frame";
    }
    Metrics metrics;
    auto log = open_log(dir.path, metrics);
    EXPECT_EQ(request_ids(paths_of(*log)).size(), 10U);
}

TEST(SegmentReader, damage_in_a_sealed_segment_is_reported) {
    const TempDir dir;
    Metrics metrics;
    auto log = open_log(dir.path, metrics);
    append_row(*log, declare(*log), "r1", 1);
    ASSERT_TRUE(log->seal());
    const std::string path = paths_of(*log)[0];
    std::string bytes = *read_file(path);
    bytes[bytes.find("r1", bytes.find("UA"))] ^= 1;
    ASSERT_TRUE(write_file_atomic(path, bytes));
    auto reader = SegmentReader::open({path});
    const auto next = reader->next();
    ASSERT_FALSE(next);
    EXPECT_EQ(next.error().code(), ErrorCode::data_loss);
}

TEST(RecordDecoder, survives_any_bytes) {
    Rng rng(1);
    RecordDecoder decoder;
    const double number = 1.5;
    const TextValue text{.text = "abc"};
    const PredictionRecord record{.request_id = "id", .numbers = {&number, 1}, .texts = {&text, 1}};
    std::string good(encoded_bytes(record), '\0');
    encode(record, 64, good);
    ASSERT_NE(decoder.decode(good, 64), nullptr);
    EXPECT_EQ(decoder.decode(good, 72), nullptr);  // another place: a stale lap
    for (int i = 0; i < 20'000; ++i) {
        std::string bytes = good.substr(0, rng.below(good.size() + 1));
        for (char& c : bytes) {
            c = rng.below(8) == 0 ? static_cast<char>(rng.next()) : c;
        }
        if (const PredictionRecord* read = decoder.decode(bytes, std::nullopt); read != nullptr) {
            EXPECT_LE(decoder.size(), bytes.size());
            EXPECT_LE(read->request_id.size(), kRequestIdBytesMax);
        }
    }
}

}  // namespace
}  // namespace gyre::monitoring
