#include "server/platform.h"

#include "api/mlflow/routes.h"
#include "api/native/endpoint_routes.h"
#include "api/native/event_routes.h"
#include "api/native/loop_routes.h"
#include "api/oip/routes.h"
#include "api/ui_routes.h"
#include "base/file.h"
#include "base/log.h"
#include "events/events.h"
#include "inference/manager.h"
#include "inference/repository.h"
#include "loop/loop.h"
#include "monitoring/monitoring.h"
#include "registry/registry.h"
#include "runtime/timers.h"
#include "serving/serving.h"
#include "storage/blob/blob_store.h"
#include "storage/sql/database.h"
#include "tracking/tracking.h"

namespace gyre::server {
namespace {

constexpr std::int64_t kRatePeriodMs = 1000;
constexpr std::int64_t kLoopPeriodMs = 5000;
constexpr std::string_view kArtifactRoot = "mlflow-artifacts:/";

/// One read-only endpoint a model of the repository: its newest version answers, the others can be pinned.
std::vector<serving::EndpointSpec> repository_endpoints(const inference::RepositoryListing& listing) {
    std::map<std::string, serving::EndpointSpec> by_name;
    for (const inference::RepositoryModel& found : listing.models) {
        serving::EndpointSpec& spec = by_name[found.key.name];
        spec.name = found.key.name;
        spec.source = serving::Source::repository;
        for (serving::Variant& older : spec.variants) {
            older.role = serving::Role::shadow;
            older.weight = 0.0;
        }
        spec.variants.push_back({"v" + std::to_string(found.key.version), found.key.name, found.key.version,
                                 serving::Role::champion, 1.0});
        while (spec.variants.size() > serving::kVariantsPerEndpointMax) {
            spec.variants.erase(spec.variants.begin());  // the oldest
        }
    }
    std::vector<serving::EndpointSpec> endpoints;
    for (auto& [name, spec] : by_name) {
        endpoints.push_back(std::move(spec));
    }
    return endpoints;
}

}  // namespace

struct Platform::Impl {
    const PlatformOptions options;
    Metrics& metrics;
    Clock& clock;
    std::map<std::string, std::string> repository_paths;  // "name/version" -> path
    std::vector<serving::EndpointSpec> repository;

    std::unique_ptr<storage::Database> database;
    std::unique_ptr<events::EventStream> events;
    std::unique_ptr<storage::BlobStore> artifacts;  // what "mlflow-artifacts:/" names
    std::unique_ptr<tracking::Tracking> tracking;
    std::unique_ptr<registry::Registry> registry;
    std::unique_ptr<storage::BlobStore> datasets;
    std::unique_ptr<monitoring::Monitoring> monitoring;
    std::unique_ptr<inference::Manager> models;
    std::unique_ptr<serving::Serving> serving;
    std::unique_ptr<loop::Packages> packages;
    std::unique_ptr<loop::Loop> loop;
    std::unique_ptr<loop::PredictionExport> exports;
    std::unique_ptr<runtime::Timers> timers;

    Impl(const PlatformOptions& given, Metrics& shared_metrics, Clock& shared_clock)
        : options(given), metrics(shared_metrics), clock(shared_clock) {}

    Result<void> open_repository() {
        if (options.model_repository.empty()) {
            return {};
        }
        GYRE_TRY(const inference::RepositoryListing listing,
                 inference::scan_repository(options.model_repository));
        for (const std::string& problem : listing.problems) {
            log_warn("repository_entry_left_out", {{"reason", problem}});
        }
        for (const inference::RepositoryModel& found : listing.models) {
            repository_paths[found.key.str()] = found.path;
        }
        repository = repository_endpoints(listing);
        return {};
    }

    Result<void> open_storage() {
        storage::DatabaseOptions database_options;
        database_options.clock = &clock;
        GYRE_TRY(database,
                 storage::Database::open(options.data + "/gyre.db", storage::migrations(), database_options));
        events = std::make_unique<events::EventStream>(*database);
        GYRE_TRY(artifacts, storage::BlobStore::open(options.data + "/artifacts"));
        GYRE_TRY(tracking, tracking::Tracking::open(*database, std::string(kArtifactRoot)));
        registry = std::make_unique<registry::Registry>(*database);
        return {};
    }

    Result<void> open_monitoring() {
        monitoring::MonitoringOptions monitor;
        monitor.directory = options.data + "/monitoring";
        monitor.scores.horizon_us = options.monitoring.score_horizon_days * kUsPerDay;
        monitor.log.keep_us = options.monitoring.prediction_log_days * kUsPerDay;
        monitor.log.keep_bytes = static_cast<std::uint64_t>(options.monitoring.prediction_log_bytes);
        const MonitoringSection& section = options.monitoring;
        if (section.label_log_days > 0 && section.label_log_days < section.score_horizon_days) {
            return invalid_argument("monitoring.label_log_days is " + std::to_string(section.label_log_days) +
                                    ", but predictions are joined with labels for " +
                                    std::to_string(section.score_horizon_days) +
                                    " days (monitoring.score_horizon_days): keep labels at least as long, or "
                                    "0 for all");
        }
        monitor.label_keep_us = section.label_log_days * kUsPerDay;
        monitor.label_keep_bytes = static_cast<std::uint64_t>(section.label_log_bytes);
        GYRE_TRY(monitoring, monitoring::Monitoring::open(monitor, clock, metrics));
        return {};
    }

    Result<std::string> package_of(const inference::ModelKey& key) {
        if (key.source == inference::ModelSource::registry) {
            return packages->folder_of(key.name, key.version);
        }
        const auto found = repository_paths.find(key.str());
        if (found == repository_paths.end()) {
            return not_found("the model repository has no '" + key.str() + "'");
        }
        return found->second;
    }

    Result<void> open_serving() {
        packages = std::make_unique<loop::Packages>(*registry, *artifacts);
        inference::ManagerOptions manager;
        manager.resolve = [this](const inference::ModelKey& key) { return package_of(key); };
        manager.on_change = [this](const inference::ModelStatus&) {
            if (serving) {
                serving->poke();
            }
        };
        models = std::make_unique<inference::Manager>(std::move(manager), metrics, clock);
        serving = std::make_unique<serving::Serving>(*database, *models, monitoring->log(), metrics, clock,
                                                     serving::ServingOptions{options.serving.prediction_log});
        GYRE_TRY(datasets, storage::BlobStore::open(options.data + "/datasets"));
        loop::LoopOptions loop_options;
        loop_options.work_root = options.data + "/work";
        loop_options.data_folder = options.data;
        loop_options.effect_delay = options.loop.effect_delay;
        loop_options.workers = static_cast<std::size_t>(options.loop.workers);
        loop_options.work_runs_kept = static_cast<std::size_t>(options.loop.work_runs_kept);
        GYRE_TRY(loop, loop::Loop::create({*database, *events, *monitoring, *serving, *tracking, *registry,
                                           *datasets, *packages, clock},
                                          loop_options));
        GYRE_TRY(exports, loop::PredictionExport::open(
                              *monitoring, {.folder = options.data + "/exports",
                                            .requests_max = options.monitoring.export_requests_max}));
        return {};
    }

    Result<api::ResolvedModel> resolve(const ModelRef& ref) {
        GYRE_TRY(const registry::ModelVersion version, registry->resolve(ref));
        const std::string name = version.name + "/" + std::to_string(version.version);
        GYRE_TRY(const loop::ModelFacts facts, packages->facts_of(name));
        return api::ResolvedModel{version.name, version.version, facts.task, facts.columns};
    }

    Json rollout_of(const std::string& endpoint) {
        const auto rollout = loop->rollouts().open_on(endpoint);
        return rollout && *rollout ? loop::api_json(**rollout) : Json();
    }
};

Platform::Platform(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Platform::~Platform() {
    stop();
}

Result<std::unique_ptr<Platform>> Platform::open(const PlatformOptions& options, Metrics& metrics,
                                                 Clock& clock) {
    auto impl = std::make_unique<Impl>(options, metrics, clock);
    GYRE_TRY_VOID(impl->open_repository());
    GYRE_TRY_VOID(impl->open_storage());
    GYRE_TRY_VOID(impl->open_monitoring());
    GYRE_TRY_VOID(impl->open_serving());
    return std::unique_ptr<Platform>(new Platform(std::move(impl)));
}

void Platform::add_routes(api::RouteTable& table) {
    api::add_oip_routes(table, *impl_->serving, impl_->options.version);
    api::add_endpoint_routes(
        table, *impl_->serving, [this](const ModelRef& ref) { return impl_->resolve(ref); },
        [this](const std::string& endpoint) { return impl_->rollout_of(endpoint); });
    api::add_rollout_routes(table, *impl_->loop, *impl_->serving);
    api::add_monitoring_routes(table, *impl_->loop, *impl_->monitoring, *impl_->serving);
    api::add_pipeline_routes(table, impl_->loop->engine());
    api::add_dataset_routes(table, *impl_->datasets);
    api::add_export_routes(table, *impl_->exports, *impl_->serving);
    api::add_event_routes(table, *impl_->events);
    api::add_mlflow_routes(table, *impl_->tracking, *impl_->registry, *impl_->artifacts);
    api::add_ui_routes(table);
}

std::optional<std::string> Platform::not_ready() {
    if (impl_->serving->settled()) {
        return std::nullopt;
    }
    return "endpoints are loading";
}

Result<void> Platform::start() {
    GYRE_TRY_VOID(impl_->serving->start(impl_->repository));
    GYRE_TRY_VOID(impl_->loop->start());
    impl_->timers = std::make_unique<runtime::Timers>();
    impl_->timers->every("serving_rates", kRatePeriodMs, [this] { impl_->serving->sample_rates(); });
    impl_->timers->every("loop", kLoopPeriodMs, [this] { impl_->loop->poll(); });
    return {};
}

void Platform::stop_work() {
    if (impl_->timers) {
        impl_->timers->stop();
    }
    if (impl_->exports) {
        impl_->exports->stop();
    }
    if (impl_->loop) {
        impl_->loop->stop();
    }
}

void Platform::stop() {
    stop_work();
    if (impl_->serving) {
        impl_->serving->stop();
    }
    if (impl_->models) {
        impl_->models->stop();
    }
}

}  // namespace gyre::server
