#include "monitoring/prediction_log.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <set>
#include <thread>
#include <unistd.h>

#include "base/log.h"
#include "base/rng.h"
#include "monitoring/prediction_store.h"

namespace gyre::monitoring {
namespace {

/// How long threads without a ring log nothing after a ring could not be made.
constexpr std::int64_t kSpoolRetryNs = 1'000'000'000;

/// The rings that this thread owns, one per log.
struct ThreadSpools {
    struct Entry {
        std::uint64_t log;
        std::shared_ptr<Spool> spool;  // shared with the log, which may end before the thread or after it
    };
    std::vector<Entry> entries;
    ~ThreadSpools() {
        for (const Entry& entry : entries) {
            entry.spool->owned.store(false, std::memory_order_release);
        }
    }
};

ThreadSpools& thread_spools() {
    thread_local ThreadSpools spools;
    return spools;
}

std::uint64_t next_log_key() {
    static std::atomic<std::uint64_t> next{1};
    return next.fetch_add(1);
}

std::uint64_t random_spool_id() {
    std::uint64_t id = 0;
    fill_random({reinterpret_cast<std::uint8_t*>(&id), sizeof id});
    return id;
}

std::int64_t hour_of(std::int64_t time_us) {
    const std::int64_t hour = time_us / kUsPerHour - (time_us % kUsPerHour < 0 ? 1 : 0);
    return hour * kUsPerHour;
}

/// What missed rows are counted by. Dropped rows have no variant.
struct MissedKey {
    EndpointId endpoint = 0;
    std::optional<VariantId> variant = std::nullopt;
    std::int64_t hour_us = 0;
    auto operator<=>(const MissedKey&) const = default;
};

}  // namespace

struct PredictionLog::Impl {
    PredictionLogOptions options;
    const Clock& clock;
    const std::uint64_t key = next_log_key();
    Counter& rows_total;
    Counter& dropped_total;
    Counter& failures_total;
    RowConsumer on_rows;
    MissedConsumer on_missed;

    struct Ring {
        std::shared_ptr<Spool> spool;
        std::uint64_t drained = 0;
    };
    mutable std::mutex mutex;  // guards what follows to `unsynced`; held while draining
    std::unique_ptr<SegmentStore> store;
    std::vector<Ring> rings;
    std::vector<RecordDecoder> decoders{kConsumedRowsMax};  // one a row of `batch`
    std::vector<LoggedRow> batch;                           // being consumed
    PredictionLogStats stats;
    bool unsynced = false;

    std::atomic<std::int64_t> no_spool_until_ns{std::numeric_limits<std::int64_t>::min()};

    // Dropping and failing take this short lock; logging does not.
    std::mutex missed_mutex;
    std::map<MissedKey, std::int64_t> missed;  // guarded by missed_mutex

    std::mutex wait_mutex;
    std::condition_variable wake;
    bool stopping = false;  // guarded by wait_mutex
    std::thread drainer;

    Impl(PredictionLogOptions opened, const Clock& time, Metrics& metrics)
        : options(std::move(opened)),
          clock(time),
          rows_total(metrics.counter("gyre_monitoring_predictions_total", "Predictions written to segments.")
                         .with({})),
          dropped_total(metrics
                            .counter("gyre_monitoring_predictions_dropped_total",
                                     "Predictions that the log could not take.")
                            .with({})),
          failures_total(metrics
                             .counter("gyre_monitoring_segment_write_failures_total",
                                      "Writes of prediction segments that failed.")
                             .with({})) {}

    Spool* spool_of_this_thread();
    Spool* take_spool();
    void count_missed(MissedKey slot);
    Result<void> drain_all();
    Result<void> drain_ring(Ring& ring);
    Result<void> write_missed();
    void consume_run(std::string_view bytes);
    std::string_view decode_batch(std::string_view bytes);
    [[nodiscard]] std::chrono::milliseconds pause_after(std::uint64_t bytes) const;
    Result<std::uint64_t> drain_and_measure();
    Result<void> rotate();
    Result<void> sync();
    void run();
};

Spool* PredictionLog::Impl::spool_of_this_thread() {
    for (const ThreadSpools::Entry& entry : thread_spools().entries) {
        if (entry.log == key) {
            return entry.spool.get();
        }
    }
    return take_spool();
}

/// A ring for a thread that has none: one that an ended thread left, or a new one. Cold, but for threads that
/// come while the disk is full: those ask again now and then only.
Spool* PredictionLog::Impl::take_spool() {
    if (clock.steady_ns() < no_spool_until_ns.load(std::memory_order_relaxed)) {
        return nullptr;
    }
    std::vector<ThreadSpools::Entry>& mine = thread_spools().entries;
    std::erase_if(mine,
                  [](const auto& entry) { return entry.spool->closed.load(std::memory_order_acquire); });
    const std::scoped_lock lock(mutex);
    for (const Ring& ring : rings) {
        if (!ring.spool->owned.exchange(true, std::memory_order_acquire)) {
            mine.push_back({key, ring.spool});
            return ring.spool.get();
        }
    }
    if (rings.size() >= kSpoolsMax) {
        return nullptr;
    }
    const std::uint64_t id = random_spool_id();
    const std::string path = options.directory + "/spool/" + std::to_string(id) + ".ring";
    auto spool = Spool::create(path, id, options.spool_bytes);
    if (!spool) {
        no_spool_until_ns.store(clock.steady_ns() + kSpoolRetryNs, std::memory_order_relaxed);
        log_warn("prediction_spool_failed", {{"reason", spool.error().message()}});
        return nullptr;
    }
    (*spool)->owned.store(true, std::memory_order_release);
    rings.push_back({.spool = *spool});
    mine.push_back({key, *spool});
    return rings.back().spool.get();
}

void PredictionLog::Impl::count_missed(MissedKey slot) {
    const std::scoped_lock lock(missed_mutex);
    if (missed.size() >= kMissedSlotsMax && !missed.contains(slot)) {
        slot = missed.begin()->first;
    }
    ++missed[slot];
}

/// Takes all rows committed before the call out of the rings. The mutex is held.
Result<void> PredictionLog::Impl::drain_all() {
    for (Ring& ring : rings) {
        if (auto drained = drain_ring(ring); !drained) {
            ++stats.write_failures;
            failures_total.add();
            return std::move(drained).error().context("write predictions");
        }
    }
    if (store->unsealed()) {
        GYRE_TRY_VOID(store->seal_waiting());
    }
    return write_missed();
}

/// Not what comes while it drains: that would be one write for every few rows.
Result<void> PredictionLog::Impl::drain_ring(Ring& ring) {
    const std::uint64_t end = ring.spool->committed();
    for (;;) {
        const Spool::Run run = ring.spool->committed_run(ring.drained, end);
        if (run.records == 0) {
            return {};
        }
        GYRE_TRY_VOID(store->write_run(ring.spool->id(), run));
        unsynced = true;
        consume_run(run.bytes);
        ring.drained = run.to;
        ring.spool->release(run.to);
        stats.consumed += run.records;
        rows_total.add(run.records);
        if (store->full()) {
            GYRE_TRY_VOID(rotate());
        }
    }
}

void PredictionLog::Impl::consume_run(std::string_view bytes) {
    while (!bytes.empty()) {
        bytes = decode_batch(bytes);
        store->count_rows(batch);
        if (on_rows) {
            on_rows(batch);
        }
    }
}

/// Fills the batch from the start of `bytes`; returns what is left of them.
std::string_view PredictionLog::Impl::decode_batch(std::string_view bytes) {
    batch.clear();
    for (RecordDecoder& decoder : decoders) {
        if (bytes.empty()) {
            break;
        }
        const PredictionRecord* record = decoder.decode(bytes, std::nullopt);
        GYRE_CHECK(record != nullptr, "a committed record is whole");
        bytes.remove_prefix(decoder.size());
        const EndpointSchema* schema = store->names().schema(record->endpoint);
        const VariantInfo* variant = store->names().variant(record->variant);
        GYRE_CHECK(schema != nullptr && variant != nullptr, "a row's ids come from this log");
        batch.push_back({*schema, *variant, *record});
    }
    return bytes;
}

Result<void> PredictionLog::Impl::write_missed() {
    std::map<MissedKey, std::int64_t> taken;
    {
        const std::scoped_lock lock(missed_mutex);
        taken.swap(missed);
    }
    for (auto entry = taken.begin(); entry != taken.end(); entry = taken.erase(entry)) {
        const MissedKey& slot = entry->first;
        const EndpointSchema* schema = store->names().schema(slot.endpoint);
        const VariantInfo* variant = slot.variant ? store->names().variant(*slot.variant) : nullptr;
        GYRE_CHECK(schema != nullptr && (!slot.variant || variant != nullptr), "ids come from this log");
        const MissedRows rows{.endpoint = schema->name,
                              .model = variant != nullptr ? variant->model : "",
                              .kind = slot.variant ? Missed::failed : Missed::dropped,
                              .hour_us = slot.hour_us,
                              .rows = entry->second};
        if (auto written = store->write_missed(rows); !written) {
            const std::scoped_lock lock(missed_mutex);  // they are written when the disk has room again
            for (; entry != taken.end(); ++entry) {
                missed[entry->first] += entry->second;
            }
            return written;
        }
        unsynced = true;
        stats.dropped += rows.kind == Missed::dropped ? static_cast<std::uint64_t>(rows.rows) : 0;
        if (on_missed) {
            on_missed(rows);
        }
    }
    return {};
}

Result<void> PredictionLog::Impl::rotate() {
    GYRE_TRY_VOID(store->rotate());
    if (auto removed = store->apply_retention(); !removed) {
        log_warn("prediction_retention_failed", {{"reason", removed.error().message()}});
    }
    return {};
}

/// Syncs the open segment without holding up append, flush or declare.
Result<void> PredictionLog::Impl::sync() {
    std::shared_ptr<SegmentWriter> writer;
    {
        const std::scoped_lock lock(mutex);
        if (!unsynced) {
            return {};
        }
        unsynced = false;
        writer = store->writer();
    }
    return writer->sync();
}

/// How long to wait for more after a look that found `bytes`: not at all when a ring fills faster than
/// waiting allows.
std::chrono::milliseconds PredictionLog::Impl::pause_after(std::uint64_t bytes) const {
    return std::chrono::milliseconds(bytes >= options.spool_bytes / 4 ? 0 : options.drain_every_ms);
}

/// drain_all(), and how many bytes of rows it moved.
Result<std::uint64_t> PredictionLog::Impl::drain_and_measure() {
    const auto drained = [this] {
        std::uint64_t bytes = 0;
        for (const Ring& ring : rings) {
            bytes += ring.drained;
        }
        return bytes;
    };
    const std::scoped_lock lock(mutex);
    const std::uint64_t before = drained();
    GYRE_TRY_VOID(drain_all());
    return drained() - before;
}

void PredictionLog::Impl::run() {
    // A round early: rows that come right after a sync are due when they are sync_every_ms old.
    const std::int64_t sync_ns = (options.sync_every_ms - options.drain_every_ms) * 1'000'000;
    std::int64_t synced_at = clock.steady_ns();
    bool failing = false;
    std::chrono::milliseconds pause(options.drain_every_ms);
    for (;;) {
        {
            std::unique_lock lock(wait_mutex);
            wake.wait_for(lock, pause, [&] { return stopping; });
            if (stopping) {
                return;
            }
        }
        const Result<std::uint64_t> drained = drain_and_measure();
        Result<void> done = drained ? Result<void>() : Result<void>(drained.error());
        pause = pause_after(drained ? *drained : 0);
        if (done && clock.steady_ns() - synced_at >= sync_ns) {
            done = sync();
            synced_at = clock.steady_ns();
        }
        if (!done && !failing) {
            log_error("prediction_log_failing", {{"reason", done.error().message()}});
        }
        failing = !done;
    }
}

PredictionLog::PredictionLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<PredictionLog>> PredictionLog::open(const PredictionLogOptions& options,
                                                           const Clock& clock, Metrics& metrics) {
    if (options.spool_bytes < kSpoolBytesMin || (options.spool_bytes & (options.spool_bytes - 1)) != 0) {
        return invalid_argument("spool_bytes is a power of two of at least " +
                                std::to_string(kSpoolBytesMin) + ", got " +
                                std::to_string(options.spool_bytes));
    }
    auto impl = std::make_unique<Impl>(options, clock, metrics);
    GYRE_TRY(impl->store, SegmentStore::open({.directory = options.directory,
                                              .segment_bytes = options.segment_bytes,
                                              .keep_us = options.keep_us,
                                              .keep_bytes = options.keep_bytes},
                                             impl->stats.recovered));
    return std::unique_ptr<PredictionLog>(new PredictionLog(std::move(impl)));
}

PredictionLog::~PredictionLog() {
    {
        const std::scoped_lock lock(impl_->wait_mutex);
        impl_->stopping = true;
    }
    impl_->wake.notify_all();
    if (impl_->drainer.joinable()) {
        impl_->drainer.join();
    }
    const std::scoped_lock lock(impl_->mutex);
    auto done = impl_->drain_all();
    if (done) {
        done = impl_->store->close();
    }
    if (!done) {
        log_error("prediction_log_not_sealed", {{"reason", done.error().message()}});
    }
    for (const Impl::Ring& ring : impl_->rings) {
        ring.spool->closed.store(true, std::memory_order_release);
        if (done) {
            static_cast<void>(::unlink(ring.spool->path().c_str()));
        }
    }
}

void PredictionLog::consume(RowConsumer rows, MissedConsumer missed) {
    impl_->on_rows = std::move(rows);
    impl_->on_missed = std::move(missed);
}

void PredictionLog::start() {
    impl_->drainer = std::thread([this] { impl_->run(); });
}

Result<EndpointId> PredictionLog::declare_endpoint(const EndpointSchema& schema) {
    std::set<std::string_view> names;
    for (const InputColumn& column : schema.columns) {
        if (column.name.empty() || !names.insert(column.name).second) {
            return invalid_argument("endpoint '" + schema.name + "' has an empty or repeated column name '" +
                                    column.name + "'");
        }
    }
    if (schema.name.empty() || schema.columns.size() > kColumnsMax || schema.outputs.empty() ||
        schema.outputs.size() > kOutputsMax || schema.score_output < 0 ||
        schema.score_output >= static_cast<std::int64_t>(schema.outputs.size())) {
        return invalid_argument("endpoint '" + schema.name + "' needs a name, 1 to " +
                                std::to_string(kOutputsMax) + " outputs, at most " +
                                std::to_string(kColumnsMax) +
                                " columns and a score_output among its outputs");
    }
    const std::scoped_lock lock(impl_->mutex);
    const Names& known = impl_->store->names();
    for (std::size_t id = 0; id < known.schemas(); ++id) {
        if (*known.schema(static_cast<EndpointId>(id)) == schema) {
            return static_cast<EndpointId>(id);
        }
    }
    if (known.schemas() >= kEndpointsMax) {
        return resource_exhausted("the prediction log holds " + std::to_string(kEndpointsMax) +
                                  " schemas already; restart to forget the unused ones");
    }
    const auto id = static_cast<EndpointId>(known.schemas());
    GYRE_TRY_VOID(impl_->store->declare(id, schema));
    return id;
}

Result<VariantId> PredictionLog::register_variant(const std::string& endpoint, const std::string& model,
                                                  const std::string& role) {
    if (endpoint.empty() || model.empty()) {
        return invalid_argument("a variant needs an endpoint and a model");
    }
    const VariantInfo variant{.endpoint = endpoint, .model = model, .role = role};
    const std::scoped_lock lock(impl_->mutex);
    const Names& known = impl_->store->names();
    for (std::size_t id = 0; id < known.variants(); ++id) {
        if (*known.variant(static_cast<VariantId>(id)) == variant) {
            return static_cast<VariantId>(id);
        }
    }
    if (known.variants() >= kVariantsMax) {
        return resource_exhausted("the prediction log holds " + std::to_string(kVariantsMax) +
                                  " variants already; restart to forget the unused ones");
    }
    const auto id = static_cast<VariantId>(known.variants());
    GYRE_TRY_VOID(impl_->store->declare(id, variant));
    return id;
}

AppendOutcome PredictionLog::append(const PredictionRecord& record) {
    const std::size_t bytes = encoded_bytes(record);
    Spool* spool = bytes > 0 ? impl_->spool_of_this_thread() : nullptr;
    if (spool != nullptr && spool->push(record, bytes)) [[likely]] {
        return AppendOutcome::logged;
    }
    impl_->dropped_total.add();
    impl_->count_missed({.endpoint = record.endpoint, .hour_us = hour_of(record.event_time_us)});
    return bytes > 0 ? AppendOutcome::dropped : AppendOutcome::too_large;
}

void PredictionLog::record_failure(EndpointId endpoint, VariantId variant, std::int64_t event_time_us) {
    impl_->count_missed({.endpoint = endpoint, .variant = variant, .hour_us = hour_of(event_time_us)});
}

Result<void> PredictionLog::flush() {
    const std::scoped_lock lock(impl_->mutex);
    return impl_->drain_all();
}

Result<void> PredictionLog::seal() {
    const std::scoped_lock lock(impl_->mutex);
    GYRE_TRY_VOID(impl_->drain_all());
    return impl_->store->has_rows() ? impl_->rotate() : Result<void>();
}

std::vector<SegmentInfo> PredictionLog::files() const {
    const std::scoped_lock lock(impl_->mutex);
    return impl_->store->sealed();
}

std::vector<std::string> PredictionLog::files_for(std::string_view endpoint, std::int64_t from_us,
                                                  std::int64_t to_us) const {
    std::vector<std::string> paths;
    const std::scoped_lock lock(impl_->mutex);
    for (const SegmentInfo& segment : impl_->store->sealed()) {
        for (const SegmentEndpoint& entry : segment.footer.endpoints) {
            if (entry.name == endpoint && entry.max_event_us >= from_us && entry.min_event_us < to_us) {
                paths.push_back(segment.path);
            }
        }
    }
    return paths;
}

Result<std::size_t> PredictionLog::apply_retention() {
    const std::scoped_lock lock(impl_->mutex);
    return impl_->store->apply_retention();
}

PredictionLogStats PredictionLog::stats() const {
    const std::scoped_lock lock(impl_->mutex);
    PredictionLogStats stats = impl_->stats;
    stats.spools = impl_->rings.size();
    return stats;
}

}  // namespace gyre::monitoring
