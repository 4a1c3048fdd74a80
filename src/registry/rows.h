#pragma once
// Rows of the registry. Private to registry.
#include "base/json.h"
#include "registry/registry.h"
#include "storage/search/filter.h"

namespace gyre::registry {

inline constexpr std::string_view kDeletedStage = "Deleted_Internal";
inline constexpr std::string_view kPromptTag = "mlflow.prompt.is_prompt";

Result<std::int64_t> find_model(storage::Reader& reader, std::string_view name);
Result<RegisteredModel> load_model(storage::Reader& reader, std::int64_t row);

struct VersionRow {
    std::int64_t row = 0;
    std::int64_t model = 0;
    ModelVersion version = {};
};
/// Errors: not_found in MLflow's words, also when it has been deleted.
Result<VersionRow> find_version(storage::Reader& reader, std::string_view name, std::int64_t version);
/// The newest version of a model that is not deleted; of one stage unless `stage` is "".
Result<std::optional<ModelVersion>> newest_version(storage::Reader& reader, std::int64_t model,
                                                   std::string_view stage);
Result<VersionRow> load_version(storage::Reader& reader, std::int64_t row);

Result<std::vector<Tag>> load_tags(storage::Statement rows);
Result<void> check_tag(const Tag& tag);
Result<void> check_tags(const std::vector<Tag>& tags);
Result<void> append_event(storage::Transaction& tx, const Principal& principal, const std::string& type,
                          std::string_view model, Json data);

}  // namespace gyre::registry
