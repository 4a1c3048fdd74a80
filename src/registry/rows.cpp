#include "registry/rows.h"

#include <array>

#include "events/events.h"

namespace gyre::registry {

using storage::Reader;
using storage::Statement;

namespace {

ModelVersion version_of(const Statement& row) {
    ModelVersion out;
    out.name = row.string(2);
    out.version = row.integer(3);
    out.semantic_version = {static_cast<std::uint32_t>(row.integer(4)),
                            static_cast<std::uint32_t>(row.integer(5)),
                            static_cast<std::uint32_t>(row.integer(6))};
    out.source = row.string(7);
    out.storage_location = row.string(8);
    out.run_id = row.string(9);
    out.run_link = row.string(10);
    out.model_id = row.string(11);
    out.user_id = row.string(12);
    out.description = row.string(13);
    out.stage = row.string(14);
    out.status = row.string(15);
    out.status_message = row.string(16);
    out.creation_time_ms = row.integer(17);
    out.last_update_time_ms = row.integer(18);
    return out;
}

Result<std::vector<std::string>> load_version_aliases(Reader& reader, std::int64_t model,
                                                      std::int64_t version) {
    GYRE_TRY(Statement rows,
             reader.query("SELECT alias FROM model_aliases WHERE model = ? AND version = ?", model, version));
    std::vector<std::string> out;
    for (;;) {
        GYRE_TRY(const bool more, rows.step());
        if (!more) {
            return out;
        }
        out.push_back(rows.string(0));
    }
}

Result<std::vector<Alias>> load_aliases(Reader& reader, std::int64_t model) {
    GYRE_TRY(Statement rows, reader.query("SELECT alias, version FROM model_aliases WHERE model = ?", model));
    std::vector<Alias> out;
    for (;;) {
        GYRE_TRY(const bool more, rows.step());
        if (!more) {
            return out;
        }
        out.push_back({rows.string(0), rows.integer(1)});
    }
}

}  // namespace

Result<std::int64_t> find_model(Reader& reader, std::string_view name) {
    GYRE_TRY(Statement row, reader.query("SELECT id FROM registered_models WHERE project = ? AND name = ?",
                                         default_project().str(), name));
    GYRE_TRY(const bool found, row.step());
    if (!found) {
        return not_found("Registered Model with name=" + std::string(name) + " not found");
    }
    return row.integer(0);
}

Result<RegisteredModel> load_model(Reader& reader, std::int64_t id) {
    RegisteredModel out;
    {
        GYRE_TRY(Statement row,
                 reader.query("SELECT name, description, creation_time_ms, last_update_time_ms "
                              "FROM registered_models WHERE id = ?",
                              id));
        GYRE_TRY_VOID(row.step());
        out.name = row.string(0);
        out.description = row.string(1);
        out.creation_time_ms = row.integer(2);
        out.last_update_time_ms = row.integer(3);
    }
    GYRE_TRY(Statement tags,
             reader.query("SELECT key, value FROM registered_model_tags WHERE model = ?", id));
    GYRE_TRY(out.tags, load_tags(std::move(tags)));
    GYRE_TRY(out.aliases, load_aliases(reader, id));
    for (const std::string_view stage : {"None", "Staging", "Production", "Archived"}) {
        GYRE_TRY(auto newest, newest_version(reader, id, stage));
        if (newest) {
            out.latest_versions.push_back(*std::move(newest));
        }
    }
    return out;
}

Result<VersionRow> load_version(Reader& reader, std::int64_t id) {
    VersionRow out;
    {
        GYRE_TRY(Statement row,
                 reader.query(
                     "SELECT v.id, v.model, m.name, v.version, v.semantic_major, v.semantic_minor, "
                     "v.semantic_patch, v.source, v.storage_location, v.run_id, v.run_link, v.model_id, "
                     "v.user_id, v.description, v.stage, v.status, v.status_message, v.creation_time_ms, "
                     "v.last_update_time_ms FROM model_versions v JOIN registered_models m ON m.id = v.model "
                     "WHERE v.id = ?",
                     id));
        GYRE_TRY_VOID(row.step());
        out = {row.integer(0), row.integer(1), version_of(row)};
    }
    GYRE_TRY(Statement tags,
             reader.query("SELECT key, value FROM model_version_tags WHERE model_version = ?", id));
    GYRE_TRY(out.version.tags, load_tags(std::move(tags)));
    GYRE_TRY(out.version.aliases, load_version_aliases(reader, out.model, out.version.version));
    return out;
}

Result<VersionRow> find_version(Reader& reader, std::string_view name, std::int64_t version) {
    GYRE_TRY(Statement row,
             reader.query("SELECT v.id FROM model_versions v JOIN registered_models m ON m.id = v.model "
                          "WHERE m.project = ? AND m.name = ? AND v.version = ? AND v.stage != ?",
                          default_project().str(), name, version, kDeletedStage));
    GYRE_TRY(const bool found, row.step());
    if (!found) {
        return not_found("Model Version (name=" + std::string(name) + ", version=" + std::to_string(version) +
                         ") not found");
    }
    return load_version(reader, row.integer(0));
}

Result<std::optional<ModelVersion>> newest_version(Reader& reader, std::int64_t model,
                                                   std::string_view stage) {
    GYRE_TRY(Statement row, reader.query("SELECT id FROM model_versions WHERE model = ? AND stage != ? AND "
                                         "(? = '' OR stage = ?) ORDER BY version DESC LIMIT 1",
                                         model, kDeletedStage, stage, stage));
    GYRE_TRY(const bool found, row.step());
    if (!found) {
        return std::optional<ModelVersion>();
    }
    GYRE_TRY(VersionRow version, load_version(reader, row.integer(0)));
    return std::optional(std::move(version.version));
}

Result<std::vector<Tag>> load_tags(Statement rows) {
    std::vector<Tag> out;
    for (;;) {
        GYRE_TRY(const bool more, rows.step());
        if (!more) {
            return out;
        }
        out.push_back({rows.string(0), rows.string(1)});
    }
}

Result<void> check_tag(const Tag& tag) {
    if (tag.key.empty() || tag.key.size() > kTagKeyMax) {
        return invalid_argument("a tag's key must have 1 to " + std::to_string(kTagKeyMax) + " bytes");
    }
    if (tag.value.size() > kModelTagValueMax) {
        return invalid_argument("a tag's value has at most " + std::to_string(kModelTagValueMax) + " bytes");
    }
    return {};
}

Result<void> check_tags(const std::vector<Tag>& tags) {
    if (tags.size() > kTagsPerCallMax) {
        return invalid_argument("at most " + std::to_string(kTagsPerCallMax) + " tags in one call");
    }
    for (const Tag& tag : tags) {
        GYRE_TRY_VOID(check_tag(tag));
    }
    return {};
}

Result<void> append_event(storage::Transaction& tx, const Principal& principal, const std::string& type,
                          std::string_view model, Json data) {
    GYRE_TRY_VOID(events::append(tx, {.type = type,
                                      .subject = "model/" + std::string(model),
                                      .principal = principal,
                                      .data = std::move(data)}));
    return {};
}

}  // namespace gyre::registry
