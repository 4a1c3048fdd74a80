#pragma once
// Packages: where the files of registered models are, and what is known of them.
#include <string>

#include "base/result.h"
#include "inference/model_key.h"
#include "loop/rollouts.h"
#include "monitoring/monitor.h"
#include "registry/registry.h"
#include "storage/blob/blob_store.h"

namespace gyre::loop {

/// The location "mlflow-artifacts:/0/RUN/artifacts/model" as a path below the artifact store's root. Errors:
/// invalid_argument for any other scheme: only our own artifacts are ever opened.
Result<std::string> artifact_path(std::string_view location);

class Packages {
 public:
    Packages(registry::Registry& registry, storage::BlobStore& artifacts)
        : registry_(registry), artifacts_(artifacts) {}

    /// The package's folder on this machine.
    Result<std::string> folder_of(const std::string& model, std::int64_t version);
    /// "flights/2", "flights@champion" and so on, as a folder.
    Result<std::string> folder_of(const ModelRef& ref);
    /// Copies a package folder below `location`; durable on return.
    Result<void> store(const std::string& folder, std::string_view location);
    /// Task and evaluation of a model version, from its package.
    Result<ModelFacts> facts_of(const std::string& model_ref);
    /// What monitors compare a champion with: its training data and the metrics of its evaluation. A
    /// package without a baseline gives none.
    Result<void> read_baseline(const std::string& model_ref, monitoring::EndpointContext& context);

 private:
    registry::Registry& registry_;
    storage::BlobStore& artifacts_;
};

}  // namespace gyre::loop
