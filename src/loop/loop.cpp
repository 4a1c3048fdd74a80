#include "loop/loop.h"

#include <chrono>

#include "base/log.h"

namespace gyre::loop {
namespace {

constexpr std::size_t kBaselinesMax = 64;

std::string subject_of(const std::string& endpoint) {
    return "endpoint/" + endpoint;
}

}  // namespace

Loop::Loop(const LoopServices& services, const LoopOptions& options)
    : services_(services), options_(options) {}

Loop::~Loop() {
    stop();
}

Result<std::unique_ptr<Loop>> Loop::create(const LoopServices& services, const LoopOptions& options) {
    auto loop = std::unique_ptr<Loop>(new Loop(services, options));
    GYRE_TRY_VOID(loop->open());
    return loop;
}

Result<void> Loop::open() {
    GYRE_TRY(effect_delay_us_, parse_duration_us(options_.effect_delay));
    const auto facts = [this](const std::string& ref) { return services_.packages.facts_of(ref); };
    const auto promote = [](storage::Transaction& tx, const std::string& model, std::int64_t version) {
        return registry::set_alias_in(tx, system_principal(), model, "champion", version);
    };
    rollouts_ = std::make_unique<Rollouts>(services_.database, services_.serving,
                                           services_.monitoring.scores(), facts, promote, services_.clock);
    monitors_ = std::make_unique<monitoring::MonitorService>(
        services_.database, services_.monitoring.scores(), services_.monitoring.profiles(),
        &services_.monitoring.log(), [this](const std::string& endpoint) { return context_of(endpoint); },
        services_.clock);
    GYRE_TRY_VOID(monitors_->restore_watermarks());
    GYRE_TRY(pipelines::StepKinds kinds,
             step_kinds({services_.monitoring, services_.serving, services_.tracking, services_.registry,
                         services_.datasets, services_.packages, *rollouts_, services_.clock, options_.child,
                         options_.data_folder, effect_delay_us_}));
    pipelines::EngineOptions engine;
    engine.work_root = options_.work_root;
    engine.workers = options_.workers;
    engine.work_runs_kept = options_.work_runs_kept;
    GYRE_TRY(engine_, pipelines::Engine::create(services_.database, services_.events, services_.clock,
                                                std::move(kinds), std::move(engine)));
    return {};
}

Result<void> Loop::start() {
    return engine_->start();
}

void Loop::stop() {
    if (engine_) {
        engine_->stop();
    }
}

std::int64_t Loop::now_us(const serving::EndpointView& endpoint) {
    const serving::EndpointSpec& spec = endpoint.stored.spec;
    if (spec.own_clock && endpoint.now_us.value_or(0) != 0) {
        return *endpoint.now_us;
    }
    const std::int64_t seen_us = services_.monitoring.scores().watermarks(spec.name).predictions_us;
    return spec.time == serving::TimeMode::event && seen_us != monitoring::kNoTime ? seen_us
                                                                                   : services_.clock.now_us();
}

Result<monitoring::EndpointContext> Loop::context_of(const std::string& endpoint) {
    GYRE_TRY(const serving::StoredEndpoint stored, services_.serving.get(endpoint));
    const std::string champion = stored.spec.champion()->ref();
    monitoring::EndpointContext context;
    {
        const std::scoped_lock lock(baselines_mutex_);
        const auto found = baselines_.find(champion);
        if (found != baselines_.end()) {
            context = found->second;
        } else {
            if (stored.spec.source == serving::Source::registry) {
                GYRE_TRY_VOID(services_.packages.read_baseline(champion, context));
            }
            if (baselines_.size() >= kBaselinesMax) {
                baselines_.clear();
            }
            baselines_[champion] = context;
        }
    }
    context.task = stored.spec.task == serving::Task::regression ? monitoring::Task::regression
                                                                 : monitoring::Task::classification;
    context.time = stored.spec.time == serving::TimeMode::event ? monitoring::EndpointContext::Time::event
                                                                : monitoring::EndpointContext::Time::arrival;
    context.champion = champion;
    return context;
}

Result<void> Loop::move(const serving::EndpointSpec& spec, std::int64_t now_us) {
    GYRE_TRY(const auto evaluations, monitors_->evaluate_due(spec.name));
    static_cast<void>(evaluations);
    engine_->advance(subject_of(spec.name), now_us);
    if (spec.own_clock) {
        const bool idle =
            engine_->wait_idle(now_us - effect_delay_us_, std::chrono::milliseconds(kSettleTimeoutMs));
        if (!idle) {
            return Error(ErrorCode::deadline_exceeded,
                         "what pipelines work on for '" + spec.name +
                             "' has not ended in time; gyre pipeline runs shows it");
        }
    }
    return rollouts_->tick(spec.name, now_us);
}

Result<void> Loop::move_clock(const std::string& endpoint, std::int64_t now_us) {
    const std::scoped_lock lock(move_mutex_);
    GYRE_TRY(const serving::StoredEndpoint stored, services_.serving.get(endpoint));
    if (!stored.spec.own_clock) {
        return invalid_argument("endpoint '" + endpoint +
                                "' follows the machine's clock; deploy it with own_clock to move it");
    }
    services_.serving.drain_shadows();
    GYRE_TRY_VOID(services_.monitoring.log().flush());
    GYRE_TRY_VOID(services_.serving.set_clock(endpoint, now_us));
    return move(stored.spec, now_us);
}

void Loop::poll() {
    const std::scoped_lock lock(move_mutex_);
    const auto endpoints = services_.serving.list();
    if (!endpoints) {
        return;
    }
    for (const serving::EndpointView& view : *endpoints) {
        const serving::EndpointSpec& spec = view.stored.spec;
        if (spec.own_clock || spec.source != serving::Source::registry) {
            continue;
        }
        // Where event times count, nothing else may move before the first label.
        if (auto ended = rollouts_->end_unservable(spec.name); !ended) {
            log_warn("loop_not_moved", {{"endpoint", spec.name}, {"reason", ended.error().message()}});
        }
        const auto marks = services_.monitoring.scores().watermarks(spec.name);
        const std::int64_t now_us =
            spec.time == serving::TimeMode::arrival ? services_.clock.now_us() : marks.labels_us;
        if (now_us == monitoring::kNoTime) {
            continue;
        }
        if (auto moved = move(spec, now_us); !moved) {
            log_warn("loop_not_moved", {{"endpoint", spec.name}, {"reason", moved.error().message()}});
        }
    }
}

}  // namespace gyre::loop
