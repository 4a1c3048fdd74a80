#pragma once
// A model repository: a folder laid out as NAME/VERSION/..., VERSION a positive whole number, for example
// flights/1/model.json or flights/2/MLmodel. Read-only.
#include <string>
#include <vector>

#include "base/result.h"
#include "inference/model_key.h"

namespace gyre::inference {

inline constexpr std::size_t kRepositoryEntriesMax = 4000;  // folder entries looked at in one scan

struct RepositoryModel {
    ModelKey key;      // source = repository
    std::string path;  // the package folder or the model file; always inside the repository
};

struct RepositoryListing {
    std::vector<RepositoryModel> models;  // by name, then version
    std::vector<std::string> problems;    // entries that were left out, and why
};

/// Lists the models. An entry that is no model is a problem, not an error. Links that lead out of `root` are
/// left out. Errors: not_found when `root` is no folder, resource_exhausted above the bound.
Result<RepositoryListing> scan_repository(const std::string& root);

}  // namespace gyre::inference
