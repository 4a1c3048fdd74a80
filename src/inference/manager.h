#pragma once
// Manager: the actual state of models in memory. It is told what should be loaded (`set_desired`) and makes
// it so: load and warm up in the background, publish, unload what is no longer wanted when its last handle
// dies. Package paths come from a resolver that the composition root injects; it knows no registry and no
// database.
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/snapshot.h"
#include "inference/model_key.h"
#include "model/predictor.h"

namespace gyre::inference {

enum class ModelState : std::uint8_t { loading, ready, draining, failed };
constexpr auto enum_names(ModelState) {
    return std::array{EnumName<ModelState>{ModelState::loading, "loading"},
                      EnumName<ModelState>{ModelState::ready, "ready"},
                      EnumName<ModelState>{ModelState::draining, "draining"},
                      EnumName<ModelState>{ModelState::failed, "failed"}};
}

struct ModelStatus {
    ModelKey key;
    ModelState state = ModelState::loading;
    std::string reason;  // why it failed
    double load_seconds = 0.0;
    std::size_t bytes = 0;
};

struct LoadedModel;  // owns the Predictor and the accounting

/// Pins a loaded model: it stays usable while a handle lives, also after it was unloaded. Copyable, cheap
/// (one shared pointer), thread-safe to use. The manager must outlive nothing: handles may outlive it.
class ModelHandle {
 public:
    ModelHandle() = default;
    [[nodiscard]] explicit operator bool() const { return model_ != nullptr; }
    [[nodiscard]] const ModelKey& key() const;
    [[nodiscard]] const model::Predictor& predictor() const;
    const model::Predictor* operator->() const { return &predictor(); }

 private:
    friend class Manager;
    explicit ModelHandle(std::shared_ptr<const LoadedModel> model) : model_(std::move(model)) {}
    std::shared_ptr<const LoadedModel> model_;  // shared by the manager's snapshot and other handles
};

/// The path of a package folder or model file. Called on the loader thread; may block.
using PackageResolver = std::function<Result<std::string>(const ModelKey&)>;

struct ManagerOptions {
    PackageResolver resolve;
    std::int64_t warm_up_rows = 64;
    /// Called after each change of state, on the loader thread or in set_desired; calls for different models
    /// may come in any order, so read list() for the truth. May be empty. It must not call the manager's
    /// stop().
    std::function<void(const ModelStatus&)> on_change;
};

class Manager {
 public:
    Manager(ManagerOptions options, Metrics& metrics, const Clock& clock);
    ~Manager();  // stop()
    Manager(const Manager&) = delete;
    Manager& operator=(const Manager&) = delete;

    /// What should be loaded; idempotent. A key that is missing from `keys` is unloaded; a new one is loaded
    /// in the background; a failed one is tried again only after retry() or after it was left out once.
    /// Errors: resource_exhausted above kModelsMax.
    Result<void> set_desired(const std::set<ModelKey>& keys);
    /// Loads a failed model again. Errors: not_found when it is not desired.
    Result<void> retry(const ModelKey& key);
    /// A handle to a ready model. Never waits for a load. Errors: not_found (not desired), unavailable
    /// (loading, failed: with the reason). No lock while nothing changes.
    [[nodiscard]] Result<ModelHandle> acquire(const ModelKey& key) const;
    /// Blocks until the model is ready or failed, or the time is over (deadline_exceeded). For tests, CLI
    /// tools and start-up.
    Result<ModelHandle> wait_ready(const ModelKey& key, std::int64_t timeout_ms) const;
    [[nodiscard]] std::vector<ModelStatus> list() const;
    [[nodiscard]] std::optional<ModelStatus> find(const ModelKey& key) const;
    /// Drops what this thread's cached view still holds; call from a timer on idle workers.
    void release_on_this_thread() const;
    /// Stops the loader and unloads everything; idempotent. acquire() then fails.
    void stop();

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace gyre::inference
