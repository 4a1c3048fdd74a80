#include <algorithm>

#include "base/text.h"
#include "registry/registry.h"
#include "registry/rows.h"

namespace gyre::registry {

using storage::Reader;
using storage::Transaction;

namespace {

Error model_exists(std::string_view name) {
    return already_exists("Registered Model (name=" + std::string(name) + ") already exists.");
}

Result<void> check_description(std::string_view description) {
    if (description.size() > kDescriptionMax) {
        return invalid_argument("a description has at most " + std::to_string(kDescriptionMax) + " bytes");
    }
    return {};
}

Result<void> put_tag(Transaction& tx, std::int64_t model, const Tag& tag) {
    return tx.run(
        "INSERT INTO registered_model_tags (model, key, value) VALUES (?, ?, ?) "
        "ON CONFLICT (model, key) DO UPDATE SET value = excluded.value",
        model, tag.key, tag.value);
}

Result<void> check_alias(std::string_view alias) {
    const auto good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-';
    };
    if (alias.empty() || alias.size() > kAliasMax || !std::all_of(alias.begin(), alias.end(), good)) {
        return invalid_argument("Invalid alias name: '" + std::string(alias.substr(0, 300)) +
                                "'. It must have 1 to " + std::to_string(kAliasMax) +
                                " alphanumerics, underscores (_) or dashes (-).");
    }
    if (to_lower(alias) == "latest") {
        return invalid_argument("'latest' alias name (case insensitive) is reserved.");
    }
    const bool version = (alias[0] == 'v' || alias[0] == 'V') && alias.size() > 1 &&
                         alias.find_first_not_of("0123456789", 1) == std::string_view::npos;
    if (version) {
        return invalid_argument("Version alias name '" + std::string(alias) + "' is reserved.");
    }
    return {};
}

}  // namespace

Result<RegisteredModel> Registry::create_model(const Principal& principal, std::string_view name,
                                               std::string_view description, const std::vector<Tag>& tags) {
    GYRE_TRY_VOID(check_model_name(name));
    GYRE_TRY_VOID(check_description(description));
    GYRE_TRY_VOID(check_tags(tags));
    return database_.write([&](Transaction& tx) -> Result<RegisteredModel> {
        auto inserted = tx.run(
            "INSERT INTO registered_models (project, name, description, creation_time_ms, "
            "last_update_time_ms) VALUES (?, ?, ?, ?, ?)",
            principal.project.str(), name, description, tx.now_ms(), tx.now_ms());
        if (!inserted) {
            return inserted.error().code() == ErrorCode::already_exists ? model_exists(name)
                                                                        : std::move(inserted).error();
        }
        const std::int64_t id = tx.last_insert_id();
        for (const Tag& tag : tags) {
            GYRE_TRY_VOID(put_tag(tx, id, tag));
        }
        GYRE_TRY_VOID(append_event(tx, principal, "model.registered", name, Json::object()));
        return load_model(tx, id);
    });
}

Result<RegisteredModel> Registry::get_model(std::string_view name) {
    return database_.read([&](Reader& reader) -> Result<RegisteredModel> {
        GYRE_TRY(const std::int64_t id, find_model(reader, name));
        return load_model(reader, id);
    });
}

Result<RegisteredModel> Registry::rename_model(const Principal& principal, std::string_view name,
                                               std::string_view new_name) {
    GYRE_TRY_VOID(check_model_name(new_name));
    return database_.write([&](Transaction& tx) -> Result<RegisteredModel> {
        GYRE_TRY(const std::int64_t id, find_model(tx, name));
        auto renamed = tx.run("UPDATE registered_models SET name = ?, last_update_time_ms = ? WHERE id = ?",
                              new_name, tx.now_ms(), id);
        if (!renamed) {
            return renamed.error().code() == ErrorCode::already_exists ? model_exists(new_name)
                                                                       : std::move(renamed).error();
        }
        GYRE_TRY_VOID(
            append_event(tx, principal, "model.renamed", new_name, Json::object({{"before", name}})));
        return load_model(tx, id);
    });
}

Result<RegisteredModel> Registry::describe_model(std::string_view name, std::string_view description) {
    GYRE_TRY_VOID(check_description(description));
    return database_.write([&](Transaction& tx) -> Result<RegisteredModel> {
        GYRE_TRY(const std::int64_t id, find_model(tx, name));
        GYRE_TRY_VOID(
            tx.run("UPDATE registered_models SET description = ?, last_update_time_ms = ? WHERE id = ?",
                   description, tx.now_ms(), id));
        return load_model(tx, id);
    });
}

Result<void> Registry::delete_model(const Principal& principal, std::string_view name) {
    return database_.write([&](Transaction& tx) -> Result<void> {
        GYRE_TRY(const std::int64_t id, find_model(tx, name));
        GYRE_TRY_VOID(tx.run("DELETE FROM registered_models WHERE id = ?", id));
        return append_event(tx, principal, "model.deleted", name, Json::object());
    });
}

Result<void> Registry::set_model_tag(std::string_view name, const Tag& tag) {
    GYRE_TRY_VOID(check_tag(tag));
    return database_.write([&](Transaction& tx) -> Result<void> {
        GYRE_TRY(const std::int64_t id, find_model(tx, name));
        return put_tag(tx, id, tag);
    });
}

Result<void> Registry::delete_model_tag(std::string_view name, std::string_view key) {
    return database_.write([&](Transaction& tx) -> Result<void> {
        GYRE_TRY(const std::int64_t id, find_model(tx, name));
        return tx.run("DELETE FROM registered_model_tags WHERE model = ? AND key = ?", id, key);
    });
}

Result<void> Registry::set_alias(const Principal& principal, std::string_view name, std::string_view alias,
                                 std::int64_t version) {
    GYRE_TRY_VOID(check_alias(alias));
    return database_.write([&](Transaction& tx) -> Result<void> {
        GYRE_TRY(const VersionRow row, find_version(tx, name, version));
        GYRE_TRY_VOID(
            tx.run("INSERT INTO model_aliases (model, alias, version) VALUES (?, ?, ?) "
                   "ON CONFLICT (model, alias) DO UPDATE SET version = excluded.version",
                   row.model, alias, version));
        return append_event(tx, principal, "alias.set", name,
                            Json::object({{"alias", alias}, {"version", version}}));
    });
}

Result<void> Registry::delete_alias(const Principal& principal, std::string_view name,
                                    std::string_view alias) {
    return database_.write([&](Transaction& tx) -> Result<void> {
        GYRE_TRY(const std::int64_t id, find_model(tx, name));
        GYRE_TRY_VOID(tx.run("DELETE FROM model_aliases WHERE model = ? AND alias = ?", id, alias));
        return tx.changes() == 0
                   ? Result<void>()
                   : append_event(tx, principal, "alias.deleted", name, Json::object({{"alias", alias}}));
    });
}

}  // namespace gyre::registry
