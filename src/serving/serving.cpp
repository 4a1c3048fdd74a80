#include "serving/serving.h"

#include <algorithm>

#include "base/log.h"

namespace gyre::serving {

Serving::Serving(storage::Database& database, inference::Manager& manager, monitoring::PredictionLog& log,
                 Metrics& metrics, const Clock& clock, ServingOptions options)
    : database_(database),
      manager_(manager),
      log_(log),
      clock_(clock),
      options_(options),
      reconciler_(manager, log, metrics),
      shadows_([this](ShadowJob& job) { score_shadow(job); }) {}

Serving::~Serving() {
    stop();
}

void Serving::stop() {
    shadows_.stop();
    reconciler_.stop();
}

Result<void> Serving::start(std::vector<EndpointSpec> repository) {
    repository_ = std::move(repository);
    return reload();
}

Result<void> Serving::reload() {
    GYRE_TRY(std::vector<StoredEndpoint> endpoints, database_.read([](storage::Reader& reader) {
        return list_endpoints(reader, default_project());
    }));
    for (const EndpointSpec& spec : repository_) {
        endpoints.push_back({spec, 1, 0, 0, 0});
    }
    reconciler_.set_desired(std::move(endpoints));
    return {};
}

Result<StoredEndpoint> Serving::create(const EndpointSpec& spec, const Change& change) {
    GYRE_TRY(StoredEndpoint stored,
             database_.write([&](storage::Transaction& tx) { return create_endpoint(tx, spec, change); }));
    GYRE_TRY_VOID(reload());
    return stored;
}

Result<StoredEndpoint> Serving::update(const EndpointSpec& spec, const Change& change) {
    GYRE_TRY(StoredEndpoint stored,
             database_.write([&](storage::Transaction& tx) { return update_endpoint(tx, spec, change); }));
    GYRE_TRY_VOID(reload());
    return stored;
}

Result<void> Serving::remove(std::string_view name, const Change& change) {
    GYRE_TRY_VOID(
        database_.write([&](storage::Transaction& tx) { return remove_endpoint(tx, name, change); }));
    return reload();
}

Result<StoredEndpoint> Serving::get(std::string_view name) {
    for (const EndpointSpec& spec : repository_) {
        if (spec.name == name) {
            return StoredEndpoint{spec, 1, 0, 0, 0};
        }
    }
    return database_.read(
        [&](storage::Reader& reader) { return get_endpoint(reader, default_project(), name); });
}

Result<std::optional<RoutingProblem>> Serving::problem_of(const std::string& name) {
    std::optional<RoutingProblem> problem = reconciler_.problem_of(name);
    if (problem) {
        GYRE_TRY(const StoredEndpoint stored, get(name));
        if (problem->generation < stored.generation) {
            problem.reset();
        }
    }
    return problem;
}

Result<std::vector<EndpointView>> Serving::list() {
    GYRE_TRY(std::vector<StoredEndpoint> endpoints, database_.read([](storage::Reader& reader) {
        return list_endpoints(reader, default_project());
    }));
    for (const EndpointSpec& spec : repository_) {
        endpoints.push_back({spec, 1, 0, 0, 0});
    }
    std::vector<EndpointView> views;
    views.reserve(endpoints.size());
    for (const StoredEndpoint& stored : endpoints) {
        views.push_back(view_of(stored));
    }
    return views;
}

Result<EndpointView> Serving::view(std::string_view name) {
    GYRE_TRY(const StoredEndpoint stored, get(name));
    return view_of(stored);
}

EndpointView Serving::view_of(const StoredEndpoint& stored) {
    EndpointView view{stored, {}, stats_of(stored.spec.name), {}};
    for (const Variant& variant : stored.spec.variants) {
        const auto source = stored.spec.source == Source::repository ? inference::ModelSource::repository
                                                                     : inference::ModelSource::registry;
        const auto status = manager_.find({source, variant.model, variant.version});
        view.variants.push_back({variant, status ? status->state : inference::ModelState::loading,
                                 status ? status->reason : std::string()});
    }
    const RoutedEndpoint* routed = table().peek(stored.spec.name);
    if (stored.spec.own_clock && routed != nullptr) {
        view.now_us = routed->clock_us->load();
    }
    return view;
}

EndpointStats Serving::stats_of(const std::string& name) {
    EndpointStats stats;
    Histogram::Totals all;
    // Each series once: a shadow may be the version that answers, and one that has left did answer.
    for (const VariantSeries& one : reconciler_.series_of(name)) {
        stats.requests += one.metrics.requests->value();
        stats.rows += one.metrics.rows->value();
        stats.errors += one.metrics.errors->value();
        stats.shadow_dropped += one.metrics.shadow_dropped->value();
        add_to(all, one.metrics.seconds->totals());
    }
    stats.p50_ms = all.quantile(0.5) * 1e3;
    stats.p99_ms = all.quantile(0.99) * 1e3;
    const std::scoped_lock lock(live_mutex_);
    const auto found = live_.find(name);
    stats.rps = found == live_.end() ? 0.0 : found->second.rps();
    return stats;
}

void Serving::sample_rates() {
    const std::int64_t now_us = clock_.now_us();
    const std::int64_t now_ns = clock_.steady_ns();
    const std::shared_ptr<const RoutingTable> current = reconciler_.table().copy();
    const std::scoped_lock lock(live_mutex_);
    std::erase_if(live_, [&](const auto& one) { return !current->endpoints.contains(one.first); });
    for (const auto& [name, routed] : current->endpoints) {
        live_[name].sample(reconciler_.series_of(name), now_us, now_ns);
    }
}

Result<std::vector<LivePoint>> Serving::live(const std::string& name) {
    GYRE_TRY(const StoredEndpoint stored, get(name));
    const std::scoped_lock lock(live_mutex_);
    const auto found = live_.find(stored.spec.name);
    if (found == live_.end()) {
        return std::vector<LivePoint>();
    }
    const std::deque<LivePoint>& points = found->second.points();
    return std::vector<LivePoint>(points.begin(), points.end());
}

bool Serving::settled() {
    const std::shared_ptr<const RoutingTable> current = reconciler_.table().copy();
    auto endpoints =
        database_.read([](storage::Reader& reader) { return list_endpoints(reader, default_project()); });
    if (!endpoints || current->endpoints.size() < endpoints->size() + repository_.size()) {
        return false;
    }
    return std::all_of(current->endpoints.begin(), current->endpoints.end(), [&](const auto& entry) {
        const RoutedEndpoint& routed = *entry.second;
        return std::all_of(routed.answering.begin(), routed.answering.end(), [&](std::size_t i) {
            const Variant& variant = routed.variants[i].spec;
            const auto source = routed.spec.source == Source::repository ? inference::ModelSource::repository
                                                                         : inference::ModelSource::registry;
            const auto status = manager_.find({source, variant.model, variant.version});
            return static_cast<bool>(routed.variants[i].model) ||
                   (status && status->state == inference::ModelState::failed);
        });
    });
}

Result<void> Serving::set_clock(std::string_view name, std::int64_t now_us) {
    const RoutedEndpoint* routed = table().peek(name);
    if (routed == nullptr) {
        return table().unknown(name);
    }
    const std::int64_t before_us = routed->clock_us->load();
    if (now_us < before_us) {
        return invalid_argument("the clock of '" + std::string(name) + "' stands at " +
                                format_rfc3339(before_us) + " and does not go back to " +
                                format_rfc3339(now_us));
    }
    if (now_us > before_us) {
        // Whatever is decided by this time is written later, and takes it along to the disk.
        const auto store = [&](storage::Transaction& tx) {
            return store_clock(tx, default_project(), name, now_us);
        };
        GYRE_TRY_VOID(database_.write(store, storage::Durability::kill));
        routed->clock_us->store(now_us);
    }
    return {};
}

Result<std::int64_t> Serving::event_time_of(const RoutedEndpoint& endpoint,
                                            std::optional<std::int64_t> stated_us,
                                            std::int64_t arrival_us) const {
    if (endpoint.spec.time == TimeMode::arrival) {
        if (stated_us) {
            return invalid_argument(
                "endpoint '" + endpoint.spec.name +
                "' counts arrival times; leave event_time out, or deploy it with time: event");
        }
        return arrival_us;
    }
    if (!stated_us) {
        return invalid_argument("endpoint '" + endpoint.spec.name +
                                "' counts event times; each row needs an event_time");
    }
    const std::int64_t now_us = endpoint.spec.own_clock ? endpoint.clock_us->load() : arrival_us;
    const bool clock_started = !endpoint.spec.own_clock || now_us != 0;
    if (clock_started && *stated_us > now_us + endpoint.spec.future_skew_max_s * kUsPerSecond) {
        return invalid_argument("event_time " + format_rfc3339(*stated_us) +
                                " is beyond the endpoint's clock, " + format_rfc3339(now_us) +
                                ", by more than " + std::to_string(endpoint.spec.future_skew_max_s) + " s");
    }
    return *stated_us;
}

Result<void> Serving::predict(const RoutedEndpoint& endpoint, const RoutedVariant& variant,
                              const RowBuffer& rows, const RequestMeta& meta, std::vector<float>& out) {
    if (!variant.model) {
        return unavailable("model '" + variant.spec.ref() + "' of endpoint '" + endpoint.spec.name +
                           "' is not ready; ask again shortly");
    }
    const model::Predictor& predictor = variant.model.predictor();
    out.resize(rows.rows() * predictor.output_count());
    if (auto done = predictor.predict(rows.batch(), out); !done) {
        variant.metrics.errors->add();
        return done;
    }
    const std::int64_t now_ns = clock_.steady_ns();
    const std::int64_t latency_ns = now_ns - meta.received_ns;
    if (meta.stages != nullptr) {
        meta.stages->end_at(Stage::predict, now_ns);
    }
    variant.metrics.requests->add();
    variant.metrics.rows->add(rows.rows());
    variant.metrics.seconds->observe_ns(latency_ns);
    log_rows(endpoint, variant, &rows, meta, out, latency_ns);
    if (!endpoint.shadowing.empty()) {
        queue_shadows(endpoint, variant, rows, meta);
    }
    if (meta.stages != nullptr) {
        meta.stages->end(Stage::log);
    }
    return {};
}

void Serving::log_rows(const RoutedEndpoint& endpoint, const RoutedVariant& variant, const RowBuffer* rows,
                       const RequestMeta& meta, std::span<const float> out, std::int64_t latency_ns) {
    if (!options_.prediction_log) {
        return;
    }
    thread_local std::vector<double> numbers;
    thread_local std::vector<monitoring::TextValue> texts;
    const std::size_t width = out.size() / std::max<std::size_t>(meta.request_ids.size(), 1);
    monitoring::PredictionRecord record;
    record.endpoint = endpoint.log_id;
    record.variant = variant.log_id;
    record.kind = rows != nullptr ? monitoring::RowKind::answered : monitoring::RowKind::shadow;
    record.arrival_us = meta.arrival_us;
    record.latency_ns = latency_ns;
    const bool only_row = rows != nullptr && rows->rows() == 1;
    for (std::size_t row = 0; row < meta.request_ids.size(); ++row) {
        numbers.clear();
        texts.clear();
        for (std::size_t column = 0; rows != nullptr && column < rows->column_count(); ++column) {
            if (rows->is_text(column)) {
                const model::TextCell& cell = rows->text(column, row);
                texts.push_back({cell.text, cell.missing});
            } else if (!only_row) {
                numbers.push_back(rows->number(column, row));
            }
        }
        record.request_id = meta.request_ids[row];
        record.event_time_us = meta.event_times_us[row];
        record.outputs = out.subspan(row * width, width);
        record.numbers = only_row ? rows->numbers() : std::span<const double>(numbers);
        record.texts = texts;
        static_cast<void>(
            log_.append(record));  // a full spool drops, counts, and shows up as missing coverage
    }
}

void Serving::queue_shadows(const RoutedEndpoint& endpoint, const RoutedVariant& answered,
                            const RowBuffer& rows, const RequestMeta& meta) {
    ShadowJob job;
    for (const std::size_t index : endpoint.shadowing) {
        // The same model behind another name has the same scores.
        if (endpoint.variants[index].spec.ref() != answered.spec.ref()) {
            job.variants.push_back(index);
        }
    }
    if (job.variants.empty()) {
        return;
    }
    // Not through table(): that may free `endpoint`, whose name and variant are still to be written.
    job.endpoint = endpoint.shared_from_this();
    job.rows = rows.owned_copy();
    job.request_ids.assign(meta.request_ids.begin(), meta.request_ids.end());
    job.event_times.assign(meta.event_times_us.begin(), meta.event_times_us.end());
    const std::size_t count = job.request_ids.size();
    const std::vector<std::size_t> variants = job.variants;
    if (!shadows_.push(std::move(job))) {
        for (const std::size_t index : variants) {
            endpoint.variants[index].metrics.shadow_dropped->add(count);
        }
    }
}

void Serving::score_shadow(ShadowJob& job) {
    std::vector<std::string_view> ids(job.request_ids.begin(), job.request_ids.end());
    const RequestMeta meta{ids, job.event_times, clock_.now_us()};
    std::vector<float> out;
    for (const std::size_t index : job.variants) {
        const RoutedVariant& variant = job.endpoint->variants[index];
        const std::int64_t from_ns = clock_.steady_ns();
        out.resize(job.rows.rows() * variant.model.predictor().output_count());
        if (auto done = variant.model.predictor().predict(job.rows.batch(), out); !done) {
            variant.metrics.errors->add();
            log_warn("shadow_failed", {{"endpoint", job.endpoint->spec.name},
                                       {"model", variant.spec.ref()},
                                       {"reason", done.error().message()}});
            continue;
        }
        log_rows(*job.endpoint, variant, nullptr, meta, out, clock_.steady_ns() - from_ns);
    }
}

}  // namespace gyre::serving
