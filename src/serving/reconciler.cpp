#include "serving/reconciler.h"

#include <algorithm>
#include <chrono>

#include "base/log.h"

namespace gyre::serving {
namespace {

inference::ModelKey key_of(const EndpointSpec& spec, const Variant& variant) {
    const auto source = spec.source == Source::repository ? inference::ModelSource::repository
                                                          : inference::ModelSource::registry;
    return {source, variant.model, variant.version};
}

monitoring::EndpointSchema schema_of(const EndpointSpec& spec, const model::Predictor& predictor) {
    monitoring::EndpointSchema schema;
    schema.name = spec.name;
    schema.task =
        spec.task == Task::regression ? monitoring::Task::regression : monitoring::Task::classification;
    for (const model::ColumnSpec& column : predictor.signature().columns) {
        const bool text = column.type == model::ColumnType::text;
        schema.columns.push_back(
            {column.name, text ? monitoring::InputKind::text : monitoring::InputKind::number});
    }
    for (std::size_t i = 0; i < predictor.output_count(); ++i) {
        schema.outputs.push_back("output" + std::to_string(i));
    }
    return schema;
}

/// Columns by name and by whether they are texts: what a request for one variant must offer another.
bool same_columns(const model::Signature& a, const model::Signature& b) {
    const auto text = [](const model::ColumnSpec& column) { return column.type == model::ColumnType::text; };
    return std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(), b.columns.end(),
                      [&](const auto& x, const auto& y) { return x.name == y.name && text(x) == text(y); });
}

/// Champion first, then candidate, then shadows: the order that keeps sticky keys in place when a share
/// grows.
std::vector<Variant> in_order(const std::vector<Variant>& variants) {
    std::vector<Variant> ordered;
    for (const Role role : {Role::champion, Role::candidate, Role::shadow}) {
        std::copy_if(variants.begin(), variants.end(), std::back_inserter(ordered),
                     [role](const Variant& variant) { return variant.role == role; });
    }
    return ordered;
}

}  // namespace

Reconciler::Reconciler(inference::Manager& manager, monitoring::PredictionLog& log, Metrics& metrics)
    : manager_(manager),
      log_(log),
      requests_(metrics.counter("gyre_serving_requests_total", "Requests answered.",
                                {"endpoint", "model", "version"})),
      rows_(metrics.counter("gyre_serving_rows_total", "Rows answered.", {"endpoint", "model", "version"})),
      errors_(metrics.counter("gyre_serving_errors_total", "Requests that a model could not answer.",
                              {"endpoint", "model", "version"})),
      dropped_(metrics.counter("gyre_serving_shadow_dropped_total", "Rows that were not scored in shadow.",
                               {"endpoint", "model", "version"})),
      seconds_(metrics.histogram("gyre_serving_predict_seconds",
                                 "From the request's arrival to its scored rows.",
                                 {"endpoint", "model", "version"})),
      stage_seconds_(
          metrics.histogram("gyre_serving_stage_seconds",
                            "Stages of a prediction: parse, predict, log, write; of one request in " +
                                std::to_string(kStageSampling) + ".",
                            {"endpoint", "model", "version", "stage"})),
      table_(std::make_shared<RoutingTable>()),
      worker_([this] { run(); }) {}

Reconciler::~Reconciler() {
    stop();
}

void Reconciler::stop() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    moved_.notify_all();
    if (worker_.joinable()) {
        worker_.join();
    }
}

void Reconciler::set_desired(std::vector<StoredEndpoint> endpoints) {
    {
        const std::scoped_lock lock(mutex_);
        desired_.clear();
        for (StoredEndpoint& endpoint : endpoints) {
            std::string name = endpoint.spec.name;
            desired_.insert_or_assign(std::move(name), std::move(endpoint));
        }
        dirty_ = true;
    }
    moved_.notify_all();
}

void Reconciler::poke() {
    {
        const std::scoped_lock lock(mutex_);
        dirty_ = true;
    }
    moved_.notify_all();
}

void Reconciler::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        moved_.wait(lock, [&] { return stopping_ || dirty_; });
        if (stopping_) {
            return;
        }
        dirty_ = false;
        const std::map<std::string, StoredEndpoint> desired = desired_;
        lock.unlock();
        reconcile(desired);
        lock.lock();
        moved_.notify_all();
    }
}

void Reconciler::reconcile(const std::map<std::string, StoredEndpoint>& desired) {
    const std::shared_ptr<const RoutingTable> before = table_.copy();
    std::set<inference::ModelKey> keys;
    for (const auto& [name, stored] : desired) {
        for (const Variant& variant : stored.spec.variants) {
            keys.insert(key_of(stored.spec, variant));
        }
    }
    // What still answers stays loaded until its successor is published.
    for (const auto& [name, routed] : before->endpoints) {
        const auto wanted = desired.find(name);
        if (wanted != desired.end() && wanted->second.generation != routed->generation) {
            for (const RoutedVariant& variant : routed->variants) {
                keys.insert(key_of(routed->spec, variant.spec));
            }
        }
    }
    if (auto told = manager_.set_desired(keys); !told) {
        log_warn("models_not_loaded", {{"reason", told.error().message()}});
    }

    auto table = std::make_shared<RoutingTable>();
    std::map<std::string, RoutingProblem> problems;
    bool superseded = false;
    for (const auto& [name, stored] : desired) {
        std::shared_ptr<RoutedEndpoint> routed = route(stored);
        const auto old = before->endpoints.find(name);
        std::optional<RoutingProblem> problem = find_problem(*routed);
        if (!problem) {
            if (auto attached = attach(*routed); !attached) {
                problem = RoutingProblem{attached.error().message(), "", stored.generation};
            }
        }
        if (problem) {
            problems[name] = *std::move(problem);
            table->endpoints[name] =
                stand_in(stored, old != before->endpoints.end() ? old->second : nullptr, std::move(routed));
            continue;
        }
        superseded =
            superseded || (old != before->endpoints.end() && old->second->generation != stored.generation);
        table->endpoints[name] = std::move(routed);
    }
    table_.publish(std::move(table));
    const std::scoped_lock lock(mutex_);
    // One that is made anew under the name starts without the former one's clock.
    std::erase_if(clocks_, [&](const auto& one) { return !desired.contains(one.first); });
    problems_ = std::move(problems);
    dirty_ = dirty_ || superseded;  // once more, to unload what has been replaced
}

/// What is published while `routed` has a problem: the former picture, if it answers. Else, as after a
/// restart, the endpoint without its broken shadows, which nobody gets an answer from. Else one that is not
/// ready, whatever of it is loaded: it is not known to the prediction log.
std::shared_ptr<const RoutedEndpoint> Reconciler::stand_in(const StoredEndpoint& stored,
                                                           std::shared_ptr<const RoutedEndpoint> former,
                                                           std::shared_ptr<RoutedEndpoint> routed) {
    if (former && former->ready()) {
        return former;
    }
    StoredEndpoint rest = stored;
    const std::size_t left_out = std::erase_if(rest.spec.variants, [&](const Variant& variant) {
        const auto status = manager_.find(key_of(stored.spec, variant));
        return variant.role != Role::champion && variant.weight == 0.0 && status &&
               status->state == inference::ModelState::failed;
    });
    if (left_out > 0) {
        std::shared_ptr<RoutedEndpoint> reduced = route(rest);
        if (!find_problem(*reduced) && attach(*reduced)) {
            return reduced;
        }
    }
    for (RoutedVariant& variant : routed->variants) {
        variant.model = {};
    }
    return routed;
}

std::shared_ptr<RoutedEndpoint> Reconciler::route(const StoredEndpoint& stored) {
    auto routed = std::make_shared<RoutedEndpoint>();
    routed->spec = stored.spec;
    routed->generation = stored.generation;
    {
        const std::scoped_lock lock(mutex_);
        auto& clock = clocks_[stored.spec.name];
        if (!clock) {
            clock = std::make_shared<std::atomic<std::int64_t>>(stored.clock_us);
        }
        routed->clock_us = clock;
    }
    for (Variant& variant : in_order(stored.spec.variants)) {
        RoutedVariant entry;
        entry.metrics = metrics_of(stored.spec.name, variant);
        entry.version_text = std::to_string(variant.version);
        entry.spec = std::move(variant);
        if (auto handle = manager_.acquire(key_of(stored.spec, entry.spec))) {
            entry.model = *std::move(handle);
        }
        routed->variants.push_back(std::move(entry));
    }
    double sum = 0.0;
    for (std::size_t i = 0; i < routed->variants.size(); ++i) {
        const Variant& variant = routed->variants[i].spec;
        if (variant.weight > 0.0) {
            sum += variant.weight;
            routed->answering.push_back(i);
            routed->cumulative.push_back(sum);
        }
        // A pinned-only variant of a repository has no weight and is a shadow by role, but is not scored.
        if (stored.spec.source == Source::registry &&
            (variant.role == Role::shadow || stored.spec.candidate())) {
            routed->shadowing.push_back(i);
        }
    }
    if (!routed->cumulative.empty()) {
        routed->cumulative.back() = 1.0;
    }
    return routed;
}

std::optional<RoutingProblem> Reconciler::find_problem(const RoutedEndpoint& endpoint) const {
    for (const RoutedVariant& variant : endpoint.variants) {
        const std::string whose = "variant '" + variant.spec.name + "' (" + variant.spec.ref() + ") ";
        const auto problem = [&](const std::string& what, bool passes) {
            return RoutingProblem{whose + what, variant.spec.ref(), endpoint.generation, passes};
        };
        const auto status = manager_.find(key_of(endpoint.spec, variant.spec));
        if (status && status->state == inference::ModelState::failed) {
            return problem("failed to load: " + status->reason, false);
        }
        if (!variant.model) {
            return problem("is loading", true);
        }
        if (!same_columns(*endpoint.signature(), variant.model.predictor().signature()) &&
            endpoint.spec.source == Source::registry) {
            return problem(
                "takes other columns than the endpoint's other variants; deploy it under another name",
                false);
        }
    }
    return std::nullopt;
}

std::optional<RoutingProblem> Reconciler::problem_of(const std::string& endpoint) const {
    const std::scoped_lock lock(mutex_);
    const auto found = problems_.find(endpoint);
    return found == problems_.end() ? std::nullopt : std::optional(found->second);
}

/// Of an endpoint whose variants are ready.
Result<void> Reconciler::attach(RoutedEndpoint& endpoint) {
    const model::Signature* signature = endpoint.signature();
    endpoint.sticky_column = SIZE_MAX;
    if (endpoint.spec.sticky_by != "request_id") {
        endpoint.sticky_column = signature->index_of(endpoint.spec.sticky_by);
        if (endpoint.sticky_column == signature->columns.size()) {
            return invalid_argument("sticky_by names the column '" + endpoint.spec.sticky_by +
                                    "', which the model lacks");
        }
    }
    GYRE_TRY(endpoint.log_id,
             log_.declare_endpoint(schema_of(endpoint.spec, endpoint.variants.front().model.predictor())));
    for (RoutedVariant& variant : endpoint.variants) {
        GYRE_TRY(variant.log_id, log_.register_variant(endpoint.spec.name, variant.spec.ref(),
                                                       std::string(name_of(variant.spec.role))));
    }
    return {};
}

VariantMetrics Reconciler::metrics_of(const std::string& endpoint, const Variant& variant) {
    const std::vector<std::string> labels{endpoint, variant.model, std::to_string(variant.version)};
    VariantMetrics metrics{&requests_.with(labels), &rows_.with(labels), &errors_.with(labels),
                           &dropped_.with(labels), &seconds_.with(labels)};
    for (const auto& stage : enum_names(Stage{})) {
        std::vector<std::string> of_stage = labels;
        of_stage.emplace_back(stage.name);
        metrics.stages.at(static_cast<std::size_t>(stage.value)) = &stage_seconds_.with(of_stage);
    }
    const std::scoped_lock lock(mutex_);
    std::vector<VariantSeries>& known = series_[endpoint];
    const auto same = [&](const VariantSeries& one) { return one.metrics.requests == metrics.requests; };
    if (std::none_of(known.begin(), known.end(), same)) {
        known.push_back({variant.ref(), metrics});
    }
    return metrics;
}

std::vector<VariantSeries> Reconciler::series_of(const std::string& endpoint) const {
    const std::scoped_lock lock(mutex_);
    const auto found = series_.find(endpoint);
    return found == series_.end() ? std::vector<VariantSeries>() : found->second;
}

Result<void> Reconciler::wait_published(std::string_view name, std::int64_t generation,
                                        std::int64_t timeout_ms) {
    const std::string key(name);
    std::unique_lock lock(mutex_);
    RoutingProblem problem;
    const bool done = moved_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] {
        const auto table = table_.copy();
        const RoutedEndpoint* routed = table->peek(name);
        const auto found = problems_.find(key);
        // What was in the way of an older definition says nothing of this one.
        const bool known = found != problems_.end() && found->second.generation >= generation;
        problem = known ? found->second : RoutingProblem();
        return stopping_ || (known && !problem.passes) ||
               (!known && routed != nullptr && routed->ready() && routed->generation >= generation);
    });
    if (!problem.reason.empty() && done) {
        return unavailable("endpoint '" + key + "': " + problem.reason);
    }
    if (!done) {
        return Error(ErrorCode::deadline_exceeded, "endpoint '" + key + "' is not served after " +
                                                       std::to_string(timeout_ms) + " ms: " + problem.reason);
    }
    return {};
}

}  // namespace gyre::serving
