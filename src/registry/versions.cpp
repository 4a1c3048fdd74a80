#include "base/text.h"
#include "registry/registry.h"
#include "registry/rows.h"

namespace gyre::registry {

using storage::Reader;
using storage::Statement;
using storage::Transaction;

namespace {

constexpr std::string_view kStages[] = {"None", "Staging", "Production", "Archived"};

Result<std::string> stage_of(std::string_view text) {
    for (const std::string_view stage : kStages) {
        if (to_lower(stage) == to_lower(text)) {
            return std::string(stage);
        }
    }
    return invalid_argument("Invalid Model Version stage: " + std::string(text.substr(0, 100)) +
                            ". Value must be one of None, Staging, Production, Archived.");
}

SemanticVersion next_semantic(const SemanticVersion& last, Change change) {
    switch (change) {
        case Change::architecture:
            return {last.major + 1, 0, 0};
        case Change::data:
            return {last.major, last.minor + 1, 0};
        case Change::hyperparameters:
            return {last.major, last.minor, last.patch + 1};
    }
    return last;
}

/// The greatest semantic version so far, deleted versions included; nothing for the first.
Result<std::optional<SemanticVersion>> last_semantic(Transaction& tx, std::int64_t model) {
    GYRE_TRY(Statement row,
             tx.query("SELECT semantic_major, semantic_minor, semantic_patch FROM model_versions "
                      "WHERE model = ? ORDER BY semantic_major DESC, semantic_minor DESC, "
                      "semantic_patch DESC LIMIT 1",
                      model));
    GYRE_TRY(const bool found, row.step());
    if (!found) {
        return std::optional<SemanticVersion>();
    }
    return std::optional(SemanticVersion{static_cast<std::uint32_t>(row.integer(0)),
                                         static_cast<std::uint32_t>(row.integer(1)),
                                         static_cast<std::uint32_t>(row.integer(2))});
}

Result<std::int64_t> next_number(Transaction& tx, std::int64_t model) {
    GYRE_TRY_VOID(
        tx.run("UPDATE registered_models SET last_version = last_version + 1, last_update_time_ms = ? "
               "WHERE id = ?",
               tx.now_ms(), model));
    GYRE_TRY(Statement row, tx.query("SELECT last_version FROM registered_models WHERE id = ?", model));
    GYRE_TRY_VOID(row.step());
    return row.integer(0);
}

Result<void> put_tag(Transaction& tx, std::int64_t version, const Tag& tag) {
    return tx.run(
        "INSERT INTO model_version_tags (model_version, key, value) VALUES (?, ?, ?) "
        "ON CONFLICT (model_version, key) DO UPDATE SET value = excluded.value",
        version, tag.key, tag.value);
}

Result<ModelVersion> insert_version(Transaction& tx, const Principal& principal, const NewVersion& in) {
    GYRE_TRY(const std::int64_t model, find_model(tx, in.name));
    GYRE_TRY(const auto last, last_semantic(tx, model));
    const SemanticVersion semantic = last ? next_semantic(*last, in.change) : SemanticVersion{};
    GYRE_TRY(const std::int64_t number, next_number(tx, model));
    GYRE_TRY_VOID(
        tx.run("INSERT INTO model_versions (model, version, semantic_major, semantic_minor, semantic_patch, "
               "source, storage_location, run_id, run_link, model_id, user_id, description, "
               "creation_time_ms, last_update_time_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
               model, number, semantic.major, semantic.minor, semantic.patch, in.source,
               in.storage_location.empty() ? in.source : in.storage_location, in.run_id, in.run_link,
               in.model_id, in.user_id, in.description, tx.now_ms(), tx.now_ms()));
    const std::int64_t row = tx.last_insert_id();
    for (const Tag& tag : in.tags) {
        GYRE_TRY_VOID(put_tag(tx, row, tag));
    }
    GYRE_TRY_VOID(append_event(
        tx, principal, "model_version.created", in.name,
        Json::object({{"version", number}, {"semantic_version", semantic.str()}, {"run_id", in.run_id}})));
    GYRE_TRY(VersionRow out, load_version(tx, row));
    return std::move(out.version);
}

Result<ModelVersion> resolve_inside(Reader& reader, const ModelRef& ref) {
    if (ref.version) {
        GYRE_TRY(VersionRow row, find_version(reader, ref.name, *ref.version));
        return std::move(row.version);
    }
    GYRE_TRY(const std::int64_t model, find_model(reader, ref.name));
    if (!ref.alias && !ref.semantic) {
        GYRE_TRY(auto newest, newest_version(reader, model, ""));
        return newest ? Result<ModelVersion>(*std::move(newest))
                      : Result<ModelVersion>(not_found("model '" + ref.name + "' has no versions"));
    }
    const SemanticVersion semantic = ref.semantic.value_or(SemanticVersion{});
    GYRE_TRY(
        Statement row,
        ref.alias
            ? reader.query("SELECT v.id FROM model_versions v JOIN model_aliases a ON a.model = v.model AND "
                           "a.version = v.version WHERE a.model = ? AND a.alias = ?",
                           model, *ref.alias)
            : reader.query("SELECT id FROM model_versions WHERE model = ? AND semantic_major = ? AND "
                           "semantic_minor = ? AND semantic_patch = ? AND stage != 'Deleted_Internal'",
                           model, semantic.major, semantic.minor, semantic.patch));
    GYRE_TRY(const bool found, row.step());
    if (!found) {
        return ref.alias ? not_found("model '" + ref.name + "' has no alias '" + *ref.alias + "'")
                         : not_found("model '" + ref.name + "' has no version '" + ref.str() + "'");
    }
    GYRE_TRY(VersionRow version, load_version(reader, row.integer(0)));
    return std::move(version.version);
}

Result<void> touch(Transaction& tx, std::int64_t row, std::string_view column, std::string_view value) {
    return tx.run(
        "UPDATE model_versions SET " + std::string(column) + " = ?, last_update_time_ms = ? WHERE id = ?",
        value, tx.now_ms(), row);
}

}  // namespace

Result<ModelVersion> Registry::create_version(const Principal& principal, const NewVersion& version) {
    GYRE_TRY_VOID(check_tags(version.tags));
    if (version.source.empty() || version.source.size() > kSourceMax ||
        version.description.size() > kDescriptionMax) {
        return invalid_argument("a model version's source must have 1 to " + std::to_string(kSourceMax) +
                                " bytes, its description at most " + std::to_string(kDescriptionMax));
    }
    return database_.write([&](Transaction& tx) { return insert_version(tx, principal, version); });
}

Result<ModelVersion> Registry::get_version(std::string_view name, std::int64_t version) {
    return resolve({.name = std::string(name), .version = version, .alias = {}, .semantic = {}});
}

Result<ModelVersion> Registry::resolve(const ModelRef& ref) {
    return database_.read([&](Reader& reader) { return resolve_inside(reader, ref); });
}

Result<ModelVersion> Registry::get_version_by_alias(std::string_view name, std::string_view alias) {
    ModelRef ref{.name = std::string(name), .version = {}, .alias = {}, .semantic = {}};
    if (to_lower(alias) != "latest") {
        ref.alias = std::string(alias);
    }
    return database_.read([&](Reader& reader) -> Result<ModelVersion> {
        GYRE_TRY_VOID(find_model(reader, name));
        auto found = resolve_inside(reader, ref);
        if (!found && found.error().code() == ErrorCode::not_found) {
            return invalid_argument("Registered model alias " + std::string(alias) + " not found.");
        }
        return found;
    });
}

Result<ModelVersion> Registry::describe_version(std::string_view name, std::int64_t version,
                                                std::string_view description) {
    if (description.size() > kDescriptionMax) {
        return invalid_argument("a description has at most " + std::to_string(kDescriptionMax) + " bytes");
    }
    return database_.write([&](Transaction& tx) -> Result<ModelVersion> {
        GYRE_TRY(const VersionRow row, find_version(tx, name, version));
        GYRE_TRY_VOID(touch(tx, row.row, "description", description));
        GYRE_TRY(VersionRow out, load_version(tx, row.row));
        return std::move(out.version);
    });
}

Result<ModelVersion> Registry::transition_stage(const Principal& principal, std::string_view name,
                                                std::int64_t version, std::string_view stage,
                                                ArchiveOthers archive) {
    GYRE_TRY(const std::string to, stage_of(stage));
    if (archive == ArchiveOthers::yes && to != "Staging" && to != "Production") {
        return invalid_argument("Model version transition cannot archive existing model versions because '" +
                                to + "' is not an Active stage. Valid stages are Staging, Production");
    }
    return database_.write([&](Transaction& tx) -> Result<ModelVersion> {
        GYRE_TRY(const VersionRow row, find_version(tx, name, version));
        if (archive == ArchiveOthers::yes) {
            GYRE_TRY_VOID(
                tx.run("UPDATE model_versions SET stage = 'Archived', last_update_time_ms = ? "
                       "WHERE model = ? AND stage = ? AND version != ?",
                       tx.now_ms(), row.model, to, version));
        }
        GYRE_TRY_VOID(touch(tx, row.row, "stage", to));
        GYRE_TRY_VOID(
            append_event(tx, principal, "model_version.stage_changed", name,
                         Json::object({{"version", version}, {"before", row.version.stage}, {"after", to}})));
        GYRE_TRY(VersionRow out, load_version(tx, row.row));
        return std::move(out.version);
    });
}

Result<void> Registry::delete_version(const Principal& principal, std::string_view name,
                                      std::int64_t version) {
    return database_.write([&](Transaction& tx) -> Result<void> {
        GYRE_TRY(const VersionRow row, find_version(tx, name, version));
        GYRE_TRY_VOID(
            tx.run("DELETE FROM model_aliases WHERE model = ? AND version = ?", row.model, version));
        GYRE_TRY_VOID(tx.run("DELETE FROM model_version_tags WHERE model_version = ?", row.row));
        GYRE_TRY_VOID(
            tx.run("UPDATE model_versions SET stage = ?, source = 'REDACTED-SOURCE-PATH', "
                   "storage_location = '', run_id = 'REDACTED-RUN-ID', run_link = '', description = '', "
                   "user_id = '', last_update_time_ms = ? WHERE id = ?",
                   kDeletedStage, tx.now_ms(), row.row));
        return append_event(tx, principal, "model_version.deleted", name,
                            Json::object({{"version", version}}));
    });
}

Result<void> Registry::set_version_tag(std::string_view name, std::int64_t version, const Tag& tag) {
    GYRE_TRY_VOID(check_tag(tag));
    return database_.write([&](Transaction& tx) -> Result<void> {
        GYRE_TRY(const VersionRow row, find_version(tx, name, version));
        return put_tag(tx, row.row, tag);
    });
}

Result<void> Registry::delete_version_tag(std::string_view name, std::int64_t version, std::string_view key) {
    return database_.write([&](Transaction& tx) -> Result<void> {
        GYRE_TRY(const VersionRow row, find_version(tx, name, version));
        return tx.run("DELETE FROM model_version_tags WHERE model_version = ? AND key = ?", row.row, key);
    });
}

Result<std::vector<ModelVersion>> Registry::latest_versions(std::string_view name,
                                                            const std::vector<std::string>& stages) {
    std::vector<std::string> wanted;
    for (const std::string& stage : stages) {
        GYRE_TRY(std::string known, stage_of(stage));
        wanted.push_back(std::move(known));
    }
    if (wanted.empty()) {
        wanted.assign(std::begin(kStages), std::end(kStages));
    }
    return database_.read([&](Reader& reader) -> Result<std::vector<ModelVersion>> {
        GYRE_TRY(const std::int64_t model, find_model(reader, name));
        std::vector<ModelVersion> out;
        for (const std::string& stage : wanted) {
            GYRE_TRY(auto newest, newest_version(reader, model, stage));
            if (newest) {
                out.push_back(*std::move(newest));
            }
        }
        return out;
    });
}

}  // namespace gyre::registry
