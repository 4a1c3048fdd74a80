#pragma once
// Where artifacts are: ids of our own, resolved here and nowhere else. No path of the machine and no other
// scheme is ever opened.
#include <string>
#include <string_view>

#include "base/result.h"
#include "registry/registry.h"
#include "tracking/tracking.h"

namespace gyre::api::mlflow {

/// The blob that "mlflow-artifacts:/PATH" names, with `child` below it when that is not "".
/// Errors: invalid_argument for another scheme and for paths that BlobStore refuses.
Result<std::string> blob_path_of(std::string_view uri, std::string_view child = "");

struct ModelSource {
    std::string location;     // where the files are
    std::string run_id = {};  // the run that made them, when the source is a logged model
};

/// What a model version's `source` names. Sources are "runs:/RUN/PATH", "models:/m-ID",
/// "models:/NAME/VERSION", "models:/NAME@ALIAS" and "mlflow-artifacts:/PATH"; others are invalid_argument. A
/// run that is not here leaves its source as it is: it names nothing then.
Result<ModelSource> resolve_source(tracking::Tracking& tracking, registry::Registry& registry,
                                   std::string_view source);

}  // namespace gyre::api::mlflow
