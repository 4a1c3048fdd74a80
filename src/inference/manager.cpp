#include "inference/manager.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <limits>
#include <map>
#include <mutex>
#include <thread>

#include "base/log.h"

namespace gyre::inference {

/// A model in memory; freed when the last handle (and the manager's own pointers) are gone.
struct LoadedModel {
    ModelKey key;
    std::shared_ptr<const model::Predictor> predictor;  // shared with nobody; Predictor::open returns it so
    double load_seconds = 0.0;
};

const ModelKey& ModelHandle::key() const {
    GYRE_CHECK(model_ != nullptr, "an empty model handle was used");
    return model_->key;
}

const model::Predictor& ModelHandle::predictor() const {
    GYRE_CHECK(model_ != nullptr, "an empty model handle was used");
    return *model_->predictor;
}

namespace {

using LoadedPtr = std::shared_ptr<const LoadedModel>;

/// What readers see: the ready models, and why the others are not.
struct View {
    std::map<ModelKey, LoadedPtr> ready;
    std::map<ModelKey, std::string> waiting;  // key -> "loading" or the reason of the failure
};

/// Runs rows of missing values and of zeros through the model, so that its memory is resident and its first
/// request is not its slowest.
Result<void> warm_up(const model::Predictor& predictor, std::int64_t rows) {
    const auto n = static_cast<std::size_t>(std::max<std::int64_t>(rows, 1));
    std::vector<float> out(n * predictor.output_count());
    for (const float value : {0.0F, std::numeric_limits<float>::quiet_NaN()}) {
        const std::vector<float> features(n * predictor.feature_count(), value);
        GYRE_TRY_VOID(predictor.predict_encoded(features, n, out));
        GYRE_TRY_VOID(predictor.predict_encoded({features.data(), predictor.feature_count()}, 1,
                                                {out.data(), predictor.output_count()}));
    }
    return {};
}

}  // namespace

struct Manager::Impl {
    struct Entry {
        ModelState state = ModelState::loading;
        std::string reason;
        LoadedPtr model;
    };

    Impl(ManagerOptions given, Metrics& metrics, const Clock& time)
        : options(std::move(given)),
          clock(time),
          loaded_gauge(metrics.gauge("gyre_inference_loaded_models", "Models ready to predict.").with({})),
          bytes_gauge(metrics.gauge("gyre_inference_model_bytes", "Memory of the ready models.").with({})),
          load_seconds(
              metrics.histogram("gyre_inference_load_seconds", "Loading and warming up a model.").with({})),
          failures(metrics.counter("gyre_inference_load_failures_total", "Models that could not be loaded.")
                       .with({})),
          view(std::make_shared<const View>()),
          loader([this] { run(); }) {}

    // mutex is held by the callers of the functions whose names end in _locked.
    void publish_locked() {
        auto next = std::make_shared<View>();
        std::size_t bytes = 0;
        for (const auto& [key, entry] : entries) {
            if (entry.state == ModelState::ready) {
                next->ready[key] = entry.model;
                bytes += entry.model->predictor->byte_size();
            } else {
                next->waiting[key] =
                    entry.state == ModelState::failed ? "failed: " + entry.reason : "loading";
            }
        }
        loaded_gauge.set(static_cast<double>(next->ready.size()));
        bytes_gauge.set(static_cast<double>(bytes));
        view.publish(std::move(next));
        changed.notify_all();
    }

    [[nodiscard]] static ModelStatus status_of(const ModelKey& key, const Entry& entry) {
        ModelStatus status{.key = key, .state = entry.state, .reason = entry.reason};
        if (entry.model != nullptr) {
            status.load_seconds = entry.model->load_seconds;
            status.bytes = entry.model->predictor->byte_size();
        }
        return status;
    }

    void notify(const ModelStatus& status) const {
        if (status.state == ModelState::failed) {
            log_error("model_load_failed", {{"model", status.key.str()}, {"reason", status.reason}});
        } else {
            log_info("model_state", {{"model", status.key.str()}, {"state", name_of(status.state)}});
        }
        if (options.on_change) {
            options.on_change(status);
        }
    }

    [[nodiscard]] Result<LoadedPtr> load(const ModelKey& key) const {
        const std::int64_t start = clock.steady_ns();
        GYRE_TRY(const std::string path, options.resolve(key));
        auto model = std::make_shared<LoadedModel>();
        model->key = key;
        GYRE_TRY(model->predictor, model::Predictor::open(path));
        GYRE_TRY_VOID(warm_up(*model->predictor, options.warm_up_rows));
        const std::int64_t spent = clock.steady_ns() - start;
        load_seconds.observe_ns(spent);
        model->load_seconds = static_cast<double>(spent) * 1e-9;
        return LoadedPtr(std::move(model));
    }

    void run() {
        std::unique_lock lock(mutex);
        while (true) {
            work.wait(lock, [this] { return stopping || !queue.empty(); });
            if (stopping) {
                return;
            }
            const ModelKey key = queue.front();
            queue.pop_front();
            const auto wanted = entries.find(key);
            if (wanted == entries.end() || wanted->second.state != ModelState::loading) {
                continue;
            }
            lock.unlock();
            auto loaded = load(key);
            lock.lock();
            finish_locked(lock, key, std::move(loaded));
        }
    }

    void finish_locked(std::unique_lock<std::mutex>& lock, const ModelKey& key, Result<LoadedPtr> loaded) {
        const auto at = entries.find(key);
        if (stopping || at == entries.end() || at->second.state != ModelState::loading) {
            lock.unlock();
            loaded = LoadedPtr();  // no longer wanted; freed outside the lock
            lock.lock();
            return;
        }
        if (loaded) {
            at->second.state = ModelState::ready;
            at->second.model = *std::move(loaded);
        } else {
            at->second.state = ModelState::failed;
            at->second.reason = loaded.error().message();
            failures.add();
        }
        const ModelStatus status = status_of(key, at->second);
        publish_locked();
        lock.unlock();
        notify(status);
        lock.lock();
    }

    void drop_locked(std::map<ModelKey, Entry>::iterator at) {
        if (at->second.model != nullptr) {
            draining.emplace_back(at->first, at->second.model);
        }
        entries.erase(at);
    }

    void forget_drained_locked() {
        std::erase_if(draining, [](const auto& old) { return old.second.expired(); });
    }

    const ManagerOptions options;
    const Clock& clock;
    Gauge& loaded_gauge;
    Gauge& bytes_gauge;
    Histogram& load_seconds;
    Counter& failures;
    Snapshot<View> view;

    mutable std::mutex mutex;
    std::condition_variable work;             // for the loader
    mutable std::condition_variable changed;  // for wait_ready
    std::map<ModelKey, Entry> entries;        // guarded by mutex, as all below
    std::deque<ModelKey> queue;               // at most kModelsMax keys
    std::vector<std::pair<ModelKey, std::weak_ptr<const LoadedModel>>> draining;
    bool stopping = false;
    std::thread loader;  // last: it uses all of the above
};

Manager::Manager(ManagerOptions options, Metrics& metrics, const Clock& clock)
    : impl_(std::make_unique<Impl>(std::move(options), metrics, clock)) {}

Manager::~Manager() {
    stop();
}

Result<void> Manager::set_desired(const std::set<ModelKey>& keys) {
    if (keys.size() > kModelsMax) {
        return resource_exhausted("at most " + std::to_string(kModelsMax) + " models may be loaded, wanted " +
                                  std::to_string(keys.size()));
    }
    std::vector<ModelStatus> news;
    {
        const std::scoped_lock lock(impl_->mutex);
        if (impl_->stopping) {
            return unavailable("the model manager is stopped");
        }
        for (auto at = impl_->entries.begin(); at != impl_->entries.end();) {
            const auto next = std::next(at);
            if (!keys.contains(at->first)) {
                ModelStatus status = Impl::status_of(at->first, at->second);
                status.state = ModelState::draining;
                news.push_back(std::move(status));
                impl_->drop_locked(at);
            }
            at = next;
        }
        std::erase_if(impl_->queue, [&](const ModelKey& key) { return !keys.contains(key); });
        for (const ModelKey& key : keys) {
            if (const auto [at, added] = impl_->entries.try_emplace(key); added) {
                impl_->queue.push_back(key);
                news.push_back(Impl::status_of(key, at->second));
            }
        }
        impl_->forget_drained_locked();
        if (news.empty()) {
            return {};
        }
        impl_->publish_locked();
        impl_->work.notify_one();
    }
    for (const ModelStatus& status : news) {
        impl_->notify(status);
    }
    return {};
}

Result<void> Manager::retry(const ModelKey& key) {
    const std::scoped_lock lock(impl_->mutex);
    const auto at = impl_->entries.find(key);
    if (at == impl_->entries.end()) {
        return not_found("model '" + key.str() + "' is not wanted, so it is not loaded");
    }
    if (at->second.state == ModelState::failed) {
        at->second = {};
        impl_->queue.push_back(key);
        impl_->publish_locked();
        impl_->work.notify_one();
    }
    return {};
}

Result<ModelHandle> Manager::acquire(const ModelKey& key) const {
    const View& view = *impl_->view.read();
    if (const auto at = view.ready.find(key); at != view.ready.end()) {
        return ModelHandle(at->second);
    }
    if (const auto at = view.waiting.find(key); at != view.waiting.end()) {
        return unavailable("model '" + key.str() + "' is not ready: " + at->second);
    }
    return not_found("model '" + key.str() + "' is not loaded");
}

Result<ModelHandle> Manager::wait_ready(const ModelKey& key, std::int64_t timeout_ms) const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    std::unique_lock lock(impl_->mutex);
    const bool settled = impl_->changed.wait_until(lock, deadline, [&] {
        const auto at = impl_->entries.find(key);
        return impl_->stopping || at == impl_->entries.end() || at->second.state != ModelState::loading;
    });
    lock.unlock();
    if (!settled) {
        return Error(ErrorCode::deadline_exceeded, "model '" + key.str() + "' is still loading after " +
                                                       std::to_string(timeout_ms) + " ms");
    }
    return acquire(key);
}

std::vector<ModelStatus> Manager::list() const {
    const std::scoped_lock lock(impl_->mutex);
    std::vector<ModelStatus> out;
    for (const auto& [key, entry] : impl_->entries) {
        out.push_back(Impl::status_of(key, entry));
    }
    for (const auto& [key, old] : impl_->draining) {
        if (const LoadedPtr model = old.lock()) {
            out.push_back({.key = key,
                           .state = ModelState::draining,
                           .reason = "",
                           .load_seconds = model->load_seconds,
                           .bytes = model->predictor->byte_size()});
        }
    }
    return out;
}

std::optional<ModelStatus> Manager::find(const ModelKey& key) const {
    const std::scoped_lock lock(impl_->mutex);
    const auto at = impl_->entries.find(key);
    if (at == impl_->entries.end()) {
        return std::nullopt;
    }
    return Impl::status_of(key, at->second);
}

void Manager::release_on_this_thread() const {
    impl_->view.release_on_this_thread();
}

void Manager::stop() {
    {
        const std::scoped_lock lock(impl_->mutex);
        if (!impl_->stopping) {
            impl_->stopping = true;
            while (!impl_->entries.empty()) {
                impl_->drop_locked(impl_->entries.begin());
            }
            impl_->queue.clear();
            impl_->publish_locked();
            impl_->work.notify_all();
        }
    }
    if (impl_->loader.joinable()) {
        impl_->loader.join();
    }
}

}  // namespace gyre::inference
