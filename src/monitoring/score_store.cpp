#include "monitoring/score_store.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <shared_mutex>

#include "base/digest.h"
#include "monitoring/row_table.h"

namespace gyre::monitoring {
namespace {

/// Outputs are summed in fixed point: the sum does not depend on the order.
constexpr double kOutputScale = 1048576.0;

struct HourCounts {
    std::int64_t predictions = 0;
    std::int64_t errors = 0;
    std::int64_t output_sum = 0;
};

std::int64_t floor_to(std::int64_t time_us, std::int64_t step_us) {
    const std::int64_t n = time_us / step_us - (time_us % step_us < 0 ? 1 : 0);
    return n * step_us;
}

struct Endpoint {
    RowTable table;
    std::vector<std::string> models;  // a score names its model by the index here
    std::map<RequestKey, LabelEvents> pending;
    std::map<std::pair<std::uint16_t, std::int64_t>, HourCounts> hours;
    std::map<std::int64_t, std::int64_t> dropped;  // by hour
    std::int64_t first_event_us = kNoTime;
    std::int64_t newest_event_us = kNoTime;
    std::int64_t newest_label_us = kNoTime;
    std::int64_t horizon_us = kNoTime;  // rows before it have gone

    [[nodiscard]] std::optional<std::uint16_t> find_model(std::string_view model) const {
        const auto at = std::ranges::find(models, model);
        return at == models.end() ? std::nullopt
                                  : std::optional(static_cast<std::uint16_t>(at - models.begin()));
    }
    std::uint16_t model_index(const std::string& model) {
        if (const auto known = find_model(model)) {
            return *known;
        }
        models.push_back(model);
        return static_cast<std::uint16_t>(models.size() - 1);
    }
};

std::int64_t minus_saturated(std::int64_t time_us, std::int64_t lateness_us) {
    return time_us == kNoTime ? kNoTime : time_us - lateness_us;
}

}  // namespace

RequestKey request_key(std::string_view request_id) {
    const auto [high, low] = hash64_twice(request_id, {0x9E3779B97F4A7C15ULL, 0});
    return {.high = high, .low = low};
}

struct ScoreStore::Impl {
    ScoreStoreOptions options;
    mutable std::shared_mutex mutex;  // guards all below
    std::map<std::string, Endpoint, std::less<>> endpoints;
    std::size_t rows = 0;
    std::size_t pending = 0;
    std::size_t traffic_buckets = 0;
    std::deque<std::pair<std::string, RequestKey>> pending_order;
    ScoreStoreStats stats;

    [[nodiscard]] const Endpoint* find(std::string_view name) const {
        const auto at = endpoints.find(name);
        return at == endpoints.end() ? nullptr : &at->second;
    }
    Endpoint& get(std::string_view name) {
        const auto at = endpoints.find(name);
        return at != endpoints.end() ? at->second : endpoints[std::string(name)];
    }
    void add_rows_of(Endpoint& endpoint, std::span<const LoggedRow> logged, std::span<const RequestKey> keys);
    void add_row(Endpoint& endpoint, std::uint16_t model, const LoggedRow& row, RequestKey key);
    HourCounts& hour(Endpoint& endpoint, std::uint16_t model, std::int64_t event_time_us);
    void join_pending(Endpoint& endpoint, Row& row);
    void expire(Endpoint& endpoint);
    void evict();
    void keep_pending(const std::string& name, Endpoint& endpoint, RequestKey key, const LabelEvent& event,
                      LabelCounts& counts);
};

ScoreStore::ScoreStore(const ScoreStoreOptions& options) : impl_(std::make_unique<Impl>()) {
    impl_->options = options;
}
ScoreStore::~ScoreStore() = default;

/// The hour's counts; over kTrafficBucketsMax the endpoint's oldest bucket goes.
HourCounts& ScoreStore::Impl::hour(Endpoint& endpoint, std::uint16_t model, std::int64_t event_time_us) {
    const auto [at, is_new] = endpoint.hours.try_emplace({model, floor_to(event_time_us, kUsPerHour)});
    if (is_new && ++traffic_buckets > kTrafficBucketsMax) {
        auto oldest = endpoint.hours.begin();
        for (auto each = endpoint.hours.begin(); each != endpoint.hours.end(); ++each) {
            if (each != at && (oldest == at || each->first.second < oldest->first.second)) {
                oldest = each;
            }
        }
        if (oldest != at) {
            endpoint.hours.erase(oldest);
            --traffic_buckets;
        }
    }
    return at->second;
}

void ScoreStore::Impl::join_pending(Endpoint& endpoint, Row& row) {
    const auto waiting = endpoint.pending.find(row.key);
    if (waiting == endpoint.pending.end()) {
        return;
    }
    for (const LabelEvent& event : waiting->second) {
        endpoint.table.add_label(row, event);
        --pending;
    }
    endpoint.pending.erase(waiting);
}

/// Drops what the horizon has passed, once it is worth a pass over the table.
void ScoreStore::Impl::expire(Endpoint& endpoint) {
    const std::int64_t horizon = endpoint.newest_event_us - options.horizon_us;
    if (horizon < endpoint.horizon_us + options.horizon_us / 16 && endpoint.horizon_us != kNoTime) {
        return;
    }
    const std::size_t removed = endpoint.table.remove_before(horizon);
    endpoint.horizon_us = horizon;
    rows -= removed;
    stats.expired_rows += removed;
}

/// Over rows_max: the oldest of the largest endpoint go, a small part of them, so that nobody waits long.
void ScoreStore::Impl::evict() {
    Endpoint* largest = nullptr;
    for (auto& [name, endpoint] : endpoints) {
        if (largest == nullptr || endpoint.table.size() > largest->table.size()) {
            largest = &endpoint;
        }
    }
    RowTable& table = largest->table;
    // At least one row goes, even when all have one time.
    const std::int64_t cut =
        std::max(table.event_time_at(table.size() / kStoreEvictedPart), table.oldest_us() + 1);
    const std::size_t removed = table.remove_before(cut);
    largest->horizon_us = std::max(largest->horizon_us, cut);
    rows -= removed;
    stats.evicted_rows += removed;
}

void ScoreStore::add_rows(std::span<const LoggedRow> rows) {
    std::vector<RequestKey> keys;
    keys.reserve(rows.size());
    for (const LoggedRow& row : rows) {
        keys.push_back(request_key(row.record.request_id));
    }
    const std::scoped_lock lock(impl_->mutex);
    for (std::size_t from = 0; from < rows.size();) {
        std::size_t to = from + 1;
        while (to < rows.size() && &rows[to].schema == &rows[from].schema) {
            ++to;
        }
        impl_->add_rows_of(impl_->get(rows[from].schema.name), rows.subspan(from, to - from),
                           std::span(keys).subspan(from, to - from));
        from = to;
    }
}

void ScoreStore::Impl::add_rows_of(Endpoint& endpoint, std::span<const LoggedRow> logged,
                                   std::span<const RequestKey> keys) {
    for (const RequestKey& key : keys) {
        endpoint.table.prefetch(key);
    }
    const VariantInfo* variant = nullptr;
    std::uint16_t model = 0;
    for (std::size_t i = 0; i < logged.size(); ++i) {
        if (&logged[i].variant != variant) {
            variant = &logged[i].variant;
            model = endpoint.model_index(variant->model);
        }
        add_row(endpoint, model, logged[i], keys[i]);
    }
}

void ScoreStore::Impl::add_row(Endpoint& endpoint, std::uint16_t model, const LoggedRow& row,
                               RequestKey key) {
    const PredictionRecord& record = row.record;
    const auto score_at = static_cast<std::size_t>(row.schema.score_output);
    const float value = score_at < record.outputs.size() ? record.outputs[score_at] : 0.0F;
    const bool answered = record.kind == RowKind::answered;
    if (endpoint.first_event_us == kNoTime || record.event_time_us < endpoint.first_event_us) {
        endpoint.first_event_us = record.event_time_us;
    }
    endpoint.newest_event_us = std::max(endpoint.newest_event_us, record.event_time_us);
    if (answered) {
        HourCounts& counts = hour(endpoint, model, record.event_time_us);
        ++counts.predictions;
        const double scaled = static_cast<double>(value) * kOutputScale;
        counts.output_sum += std::abs(scaled) < 1e15 ? std::llround(scaled) : 0;
    }
    expire(endpoint);
    if (record.event_time_us < endpoint.horizon_us) {
        ++stats.late_rows;
        return;
    }
    const std::size_t before = endpoint.table.size();
    Row& entry = endpoint.table.row_of(key, record.event_time_us);
    const bool is_new = endpoint.table.size() > before;
    endpoint.table.add_score(entry, {.arrival_us = record.arrival_us,
                                     .latency_ns = record.latency_ns,
                                     .value = value,
                                     .model = model,
                                     .answered = answered});
    if (is_new) {
        join_pending(endpoint, entry);
        if (++rows > options.rows_max) {
            evict();
        }
    }
}

void ScoreStore::add_missed(const MissedRows& missed) {
    const std::scoped_lock lock(impl_->mutex);
    Endpoint& endpoint = impl_->get(missed.endpoint);
    if (missed.kind == Missed::failed) {
        impl_->hour(endpoint, endpoint.model_index(missed.model), missed.hour_us).errors += missed.rows;
    } else {
        endpoint.dropped[missed.hour_us] += missed.rows;
        if (endpoint.dropped.size() > kTrafficBucketsMax) {
            endpoint.dropped.erase(endpoint.dropped.begin());
        }
    }
}

void ScoreStore::Impl::keep_pending(const std::string& name, Endpoint& endpoint, RequestKey key,
                                    const LabelEvent& event, LabelCounts& counts) {
    LabelEvents& events = endpoint.pending[key];
    const std::size_t before = events.size();
    const LabelChange change = add_label_event(events, event);
    pending += events.size() - before;
    if (change == LabelChange::duplicate) {
        ++counts.duplicates;
        return;
    }
    ++counts.accepted;
    ++counts.pending;
    counts.revisions += change == LabelChange::revision ? 1 : 0;
    if (before == 0) {
        pending_order.emplace_back(name, key);
    }
    while (pending > options.pending_max && !pending_order.empty()) {
        const auto [owner, oldest] = pending_order.front();
        pending_order.pop_front();
        std::map<RequestKey, LabelEvents>& waiting = endpoints.find(owner)->second.pending;
        if (const auto at = waiting.find(oldest); at != waiting.end()) {
            pending -= at->second.size();
            stats.evicted_labels += at->second.size();
            waiting.erase(at);
        }
    }
    // Entries of labels that found their prediction are dropped from the order when they are the majority.
    if (pending_order.size() > 2 * options.pending_max) {
        std::erase_if(pending_order, [&](const auto& entry) {
            return !endpoints.find(entry.first)->second.pending.contains(entry.second);
        });
    }
}

LabelCounts ScoreStore::add_labels(std::string_view endpoint, std::span<const Label> labels) {
    LabelCounts counts;
    const std::scoped_lock lock(impl_->mutex);
    Endpoint& store = impl_->get(endpoint);
    const std::string name(endpoint);
    for (const Label& label : labels) {
        const RequestKey key = request_key(label.request_id);
        const LabelEvent event{.time_us = label.time_us, .value = label.value};
        store.newest_label_us = std::max(store.newest_label_us, label.time_us);
        if (store.table.find(key) == nullptr) {
            impl_->keep_pending(name, store, key, event, counts);
            continue;
        }
        const LabelChange change = store.table.add_label(store.table.row_of(key, 0), event);
        counts.duplicates += change == LabelChange::duplicate ? 1 : 0;
        counts.accepted += change == LabelChange::duplicate ? 0 : 1;
        counts.revisions += change == LabelChange::revision ? 1 : 0;
    }
    return counts;
}

bool ScoreStore::is_duplicate(std::string_view endpoint, const Label& label) const {
    const std::shared_lock lock(impl_->mutex);
    const Endpoint* store = impl_->find(endpoint);
    if (store == nullptr) {
        return false;
    }
    const RequestKey key = request_key(label.request_id);
    const LabelEvent event{.time_us = label.time_us, .value = label.value};
    if (const Row* row = store->table.find(key); row != nullptr) {
        return is_duplicate_label(store->table.labels_of(*row), event);
    }
    const auto waiting = store->pending.find(key);
    return waiting != store->pending.end() && is_duplicate_label(waiting->second, event);
}

std::vector<ScoredRow> ScoreStore::scored_rows(const ScoreQuery& query) const {
    std::vector<ScoredRow> found;
    const std::shared_lock lock(impl_->mutex);
    const Endpoint* endpoint = impl_->find(query.endpoint);
    const auto model = endpoint != nullptr ? endpoint->find_model(query.model) : std::nullopt;
    if (!model) {
        return found;
    }
    const std::int64_t to = std::min(query.to_us, query.as_of_us);
    endpoint->table.visit_between(query.from_us, to, [&](const Row& row) {
        const Score* score = endpoint->table.score_of(row, *model);
        if (score == nullptr) {
            return;
        }
        const auto label = endpoint->table.label_at(row, query.as_of_us);
        found.push_back({.key = row.key,
                         .event_time_us = row.event_time_us,
                         .label = label ? std::optional(label->value) : std::nullopt,
                         .label_time_us = label ? label->time_us : kNoTime,
                         .score = score->value,
                         .latency_ns = score->latency_ns,
                         .answered = score->answered});
    });
    std::ranges::sort(found, {}, [](const ScoredRow& row) { return std::pair(row.event_time_us, row.key); });
    return found;
}

RowCounts ScoreStore::count_rows(const ScoreQuery& query) const {
    RowCounts counts;
    const std::shared_lock lock(impl_->mutex);
    const Endpoint* endpoint = impl_->find(query.endpoint);
    const auto model = endpoint != nullptr ? endpoint->find_model(query.model) : std::nullopt;
    if (model) {
        endpoint->table.visit_between(
            query.from_us, std::min(query.to_us, query.as_of_us), [&](const Row& row) {
                if (endpoint->table.score_of(row, *model) != nullptr) {
                    ++counts.rows;
                    counts.labelled += endpoint->table.label_at(row, query.as_of_us) ? 1 : 0;
                }
            });
    }
    return counts;
}

std::vector<PairedRow> ScoreStore::paired_rows(const PairedQuery& query) const {
    std::vector<PairedRow> found;
    const std::shared_lock lock(impl_->mutex);
    const Endpoint* endpoint = impl_->find(query.endpoint);
    const auto a = endpoint != nullptr ? endpoint->find_model(query.model_a) : std::nullopt;
    const auto b = endpoint != nullptr ? endpoint->find_model(query.model_b) : std::nullopt;
    if (!a || !b) {
        return found;
    }
    for (const Row& row : endpoint->table.rows()) {
        const auto label = endpoint->table.label_at(row, query.as_of_us);
        if (!label || label->time_us < query.since_us || row.event_time_us >= query.as_of_us) {
            continue;
        }
        const Score* score_a = endpoint->table.score_of(row, *a);
        const Score* score_b = endpoint->table.score_of(row, *b);
        if (score_a != nullptr && score_b != nullptr) {
            found.push_back({.key = row.key,
                             .event_time_us = row.event_time_us,
                             .label_time_us = label->time_us,
                             .label = label->value,
                             .score_a = score_a->value,
                             .score_b = score_b->value});
        }
    }
    std::ranges::sort(found, {}, [](const PairedRow& row) { return std::pair(row.label_time_us, row.key); });
    return found;
}

std::vector<TrafficPoint> ScoreStore::traffic(std::string_view name, std::int64_t bucket_us,
                                              std::int64_t from_us, std::int64_t to_us) const {
    bucket_us = std::max(floor_to(bucket_us, kUsPerHour), kUsPerHour);
    std::map<std::pair<std::string, std::int64_t>, HourCounts> buckets;
    {
        const std::shared_lock lock(impl_->mutex);
        if (const Endpoint* endpoint = impl_->find(name); endpoint != nullptr) {
            for (const auto& [place, counts] : endpoint->hours) {
                if (place.second >= from_us && place.second < to_us) {
                    HourCounts& bucket =
                        buckets[{endpoint->models[place.first], floor_to(place.second, bucket_us)}];
                    bucket.predictions += counts.predictions;
                    bucket.errors += counts.errors;
                    bucket.output_sum += counts.output_sum;
                }
            }
        }
    }
    std::vector<TrafficPoint> points;
    for (const auto& [place, counts] : buckets) {
        const double sum = static_cast<double>(counts.output_sum) / kOutputScale;
        const double n = static_cast<double>(std::max<std::int64_t>(counts.predictions, 1));
        points.push_back({.model = place.first,
                          .time_us = place.second,
                          .predictions = counts.predictions,
                          .errors = counts.errors,
                          .mean_output = sum / n});
    }
    return points;
}

std::int64_t ScoreStore::dropped_rows(std::string_view name, std::int64_t from_us, std::int64_t to_us) const {
    const std::shared_lock lock(impl_->mutex);
    const Endpoint* endpoint = impl_->find(name);
    std::int64_t rows = 0;
    if (endpoint != nullptr) {
        for (auto at = endpoint->dropped.lower_bound(from_us);
             at != endpoint->dropped.end() && at->first < to_us; ++at) {
            rows += at->second;
        }
    }
    return rows;
}

Watermarks ScoreStore::watermarks(std::string_view name) const {
    const std::shared_lock lock(impl_->mutex);
    const Endpoint* endpoint = impl_->find(name);
    if (endpoint == nullptr) {
        return {};
    }
    return {
        .predictions_us = minus_saturated(endpoint->newest_event_us, impl_->options.prediction_lateness_us),
        .labels_us = minus_saturated(endpoint->newest_label_us, impl_->options.label_lateness_us),
        .first_event_us = endpoint->first_event_us};
}

void ScoreStore::restore_watermarks(std::string_view name, const Watermarks& watermarks) {
    const std::scoped_lock lock(impl_->mutex);
    Endpoint& endpoint = impl_->get(name);
    if (watermarks.predictions_us != kNoTime) {
        endpoint.newest_event_us = std::max(
            endpoint.newest_event_us, watermarks.predictions_us + impl_->options.prediction_lateness_us);
    }
    if (watermarks.labels_us != kNoTime) {
        endpoint.newest_label_us =
            std::max(endpoint.newest_label_us, watermarks.labels_us + impl_->options.label_lateness_us);
    }
    if (watermarks.first_event_us != kNoTime &&
        (endpoint.first_event_us == kNoTime || watermarks.first_event_us < endpoint.first_event_us)) {
        endpoint.first_event_us = watermarks.first_event_us;
    }
}

const ScoreStoreOptions& ScoreStore::options() const {
    return impl_->options;
}

std::int64_t ScoreStore::first_event_us(std::string_view name) const {
    const std::shared_lock lock(impl_->mutex);
    const Endpoint* endpoint = impl_->find(name);
    return endpoint == nullptr ? kNoTime : endpoint->first_event_us;
}

std::int64_t ScoreStore::oldest_event_us(std::string_view name) const {
    const std::shared_lock lock(impl_->mutex);
    const Endpoint* endpoint = impl_->find(name);
    return endpoint == nullptr || endpoint->table.size() == 0 ? kNoTime : endpoint->table.oldest_us();
}

std::vector<std::string> ScoreStore::endpoints() const {
    const std::shared_lock lock(impl_->mutex);
    std::vector<std::string> names;
    for (const auto& [name, endpoint] : impl_->endpoints) {
        names.push_back(name);
    }
    return names;
}

std::vector<std::string> ScoreStore::models(std::string_view name) const {
    const std::shared_lock lock(impl_->mutex);
    const Endpoint* endpoint = impl_->find(name);
    std::vector<std::string> models = endpoint == nullptr ? std::vector<std::string>() : endpoint->models;
    std::ranges::sort(models);
    return models;
}

ScoreStoreStats ScoreStore::stats() const {
    const std::shared_lock lock(impl_->mutex);
    ScoreStoreStats stats = impl_->stats;
    stats.rows = impl_->rows;
    stats.pending = impl_->pending;
    return stats;
}

}  // namespace gyre::monitoring
