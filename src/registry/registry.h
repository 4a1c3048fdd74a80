#pragma once
// Registry: registered models, their versions, aliases, tags and stages.
//
// A version has a number (1, 2, ...; never used again, also after deletion) and a semantic version that says
// what changed. The messages of errors are those of MLflow's model registry. Thread-safe; durable on return.
// Errors: not_found, already_exists, invalid_argument.
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/model_ref.h"
#include "base/principal.h"
#include "storage/sql/database.h"

namespace gyre::registry {

inline constexpr std::size_t kModelTagValueMax = 100'000;
inline constexpr std::size_t kTagKeyMax = 250;
inline constexpr std::size_t kAliasMax = 255;
inline constexpr std::size_t kDescriptionMax = 5000;
inline constexpr std::size_t kSourceMax = 2048;
inline constexpr std::size_t kTagsPerCallMax = 100;
inline constexpr std::int64_t kSearchModelsMax = 1000;
inline constexpr std::int64_t kSearchVersionsMax = 200'000;

struct Tag {
    std::string key = {};
    std::string value = {};
    bool operator==(const Tag&) const = default;
};

struct Alias {
    std::string alias = {};
    std::int64_t version = 0;
    bool operator==(const Alias&) const = default;
};

/// What a new version changes; decides its semantic version. The first one is 1.0.0.
enum class Change : std::uint8_t {
    architecture,     // or the signature: the next major
    data,             // retrained on new data: the next minor
    hyperparameters,  // only: the next patch
};

struct ModelVersion {
    std::string name = {};
    std::int64_t version = 0;
    SemanticVersion semantic_version = {};
    std::string source = {};            // as given: "runs:/ID/model", "models:/m-ID", ...
    std::string storage_location = {};  // where the package's files are; equals source when not told
    std::string run_id = {};
    std::string run_link = {};
    std::string model_id = {};
    std::string user_id = {};
    std::string description = {};
    std::string stage = {};
    std::string status = {};
    std::string status_message = {};
    std::int64_t creation_time_ms = 0;
    std::int64_t last_update_time_ms = 0;
    std::vector<Tag> tags = {};
    std::vector<std::string> aliases = {};
};

struct RegisteredModel {
    std::string name = {};
    std::string description = {};
    std::int64_t creation_time_ms = 0;
    std::int64_t last_update_time_ms = 0;
    std::vector<Tag> tags = {};
    std::vector<Alias> aliases = {};
    std::vector<ModelVersion> latest_versions = {};  // the newest of each stage
};

struct NewVersion {
    std::string name = {};
    std::string source = {};
    std::string storage_location = {};  // "" for source
    std::string run_id = {};
    std::string run_link = {};
    std::string model_id = {};
    std::string user_id = {};
    std::string description = {};
    std::vector<Tag> tags = {};
    Change change = Change::data;
};

struct Search {
    std::string filter = {};
    std::vector<std::string> order_by = {};
    std::int64_t results_max = 100;
    std::string page_token = {};
};

template <class T>
struct Page {
    std::vector<T> items = {};
    std::string next_page_token = {};
};

enum class ArchiveOthers : std::uint8_t { no, yes };

class Registry {
 public:
    explicit Registry(storage::Database& database) : database_(database) {}

    Result<RegisteredModel> create_model(const Principal& principal, std::string_view name,
                                         std::string_view description, const std::vector<Tag>& tags);
    Result<RegisteredModel> get_model(std::string_view name);
    Result<RegisteredModel> rename_model(const Principal& principal, std::string_view name,
                                         std::string_view new_name);
    Result<RegisteredModel> describe_model(std::string_view name, std::string_view description);
    /// With all its versions.
    Result<void> delete_model(const Principal& principal, std::string_view name);
    Result<void> set_model_tag(std::string_view name, const Tag& tag);
    Result<void> delete_model_tag(std::string_view name, std::string_view key);
    /// Models that are prompts are left out unless the filter names their tag.
    Result<Page<RegisteredModel>> search_models(const Search& search);

    Result<ModelVersion> create_version(const Principal& principal, const NewVersion& version);
    Result<ModelVersion> get_version(std::string_view name, std::int64_t version);
    Result<ModelVersion> describe_version(std::string_view name, std::int64_t version,
                                          std::string_view description);
    /// `stage`: None, Staging, Production or Archived, in any case. Others of the stage may be archived.
    Result<ModelVersion> transition_stage(const Principal& principal, std::string_view name,
                                          std::int64_t version, std::string_view stage,
                                          ArchiveOthers archive);
    Result<void> delete_version(const Principal& principal, std::string_view name, std::int64_t version);
    Result<void> set_version_tag(std::string_view name, std::int64_t version, const Tag& tag);
    Result<void> delete_version_tag(std::string_view name, std::int64_t version, std::string_view key);
    /// The newest version of each of `stages` (all when empty).
    Result<std::vector<ModelVersion>> latest_versions(std::string_view name,
                                                      const std::vector<std::string>& stages);
    Result<Page<ModelVersion>> search_versions(const Search& search);

    Result<void> set_alias(const Principal& principal, std::string_view name, std::string_view alias,
                           std::int64_t version);
    Result<void> delete_alias(const Principal& principal, std::string_view name, std::string_view alias);
    /// "latest" is the newest version. A missing alias is invalid_argument, as in MLflow.
    Result<ModelVersion> get_version_by_alias(std::string_view name, std::string_view alias);

    /// The version that a reference names: number, alias, semantic version; without any, the newest.
    Result<ModelVersion> resolve(const ModelRef& ref);

 private:
    storage::Database& database_;
};

}  // namespace gyre::registry
