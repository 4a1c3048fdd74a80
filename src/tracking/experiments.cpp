#include "events/events.h"
#include "storage/search/filter.h"
#include "tracking/rows.h"
#include "tracking/tracking.h"
#include "tracking/validate.h"

namespace gyre::tracking {

using storage::Reader;
using storage::Statement;
using storage::Transaction;

namespace {

Result<void> append_event(Transaction& tx, const Principal& principal, const std::string& type,
                          std::int64_t id, Json data) {
    GYRE_TRY_VOID(events::append(tx, {.type = type,
                                      .subject = "experiment/" + std::to_string(id),
                                      .principal = principal,
                                      .data = std::move(data)}));
    return {};
}

Result<std::int64_t> insert(Transaction& tx, const Principal& principal, const NewExperiment& experiment) {
    auto inserted = tx.run(
        "INSERT INTO experiments (project, name, artifact_location, creation_time_ms, "
        "last_update_time_ms) VALUES (?, ?, ?, ?, ?)",
        principal.project.str(), experiment.name, experiment.artifact_location, tx.now_ms(), tx.now_ms());
    if (!inserted) {
        return inserted.error().code() == ErrorCode::already_exists
                   ? already_exists("Experiment(name=" + experiment.name + ") already exists.")
                   : std::move(inserted).error();
    }
    return tx.last_insert_id();
}

Result<void> put_tag(Transaction& tx, std::int64_t id, const KeyValue& tag) {
    return tx.run(
        "INSERT INTO experiment_tags (experiment, key, value) VALUES (?, ?, ?) "
        "ON CONFLICT (experiment, key) DO UPDATE SET value = excluded.value",
        id, tag.key, cut(tag.value, kTagValueMax));
}

Result<void> set_stage(Transaction& tx, const Principal& principal, std::int64_t id, LifecycleStage from,
                       LifecycleStage to) {
    GYRE_TRY(const Experiment experiment, find_experiment(tx, id));
    if (experiment.lifecycle_stage != from) {
        return not_found("No Experiment with id=" + std::to_string(id) + " exists in the '" +
                         std::string(name_of(from)) + "' state");
    }
    GYRE_TRY_VOID(tx.run("UPDATE experiments SET lifecycle_stage = ?, last_update_time_ms = ? WHERE id = ?",
                         name_of(to), tx.now_ms(), id));
    GYRE_TRY_VOID(tx.run("UPDATE runs SET lifecycle_stage = ?, deleted_time_ms = ? WHERE experiment = ?",
                         name_of(to),
                         to == LifecycleStage::deleted ? std::optional(tx.now_ms()) : std::nullopt, id));
    return append_event(tx, principal,
                        to == LifecycleStage::deleted ? "experiment.deleted" : "experiment.restored", id,
                        Json::object());
}

Result<void> add_condition(storage::SqlCondition& where, const storage::Clause& clause) {
    const std::string entity = clause.entity;
    if (entity == "tag" || entity == "tags") {
        GYRE_TRY_VOID(storage::check_text_clause(clause, "tag", false));
        where.append(
            " AND EXISTS (SELECT 1 FROM experiment_tags t WHERE t.experiment = e.id AND t.key = ? AND ");
        where.add(clause.key);
        where.append_text("t.value", clause);
        where.append(")");
        return {};
    }
    if (!entity.empty() && entity != "attribute" && entity != "attributes" && entity != "attr") {
        return invalid_argument("Invalid entity type '" + entity +
                                "'. Valid values are ['tag', 'attribute']");
    }
    where.append(" AND ");
    if (clause.key == "name") {
        GYRE_TRY_VOID(storage::check_text_clause(clause, "attribute", true));
        where.append_text("e.name", clause);
        return {};
    }
    if (clause.key == "creation_time" || clause.key == "last_update_time") {
        GYRE_TRY_VOID(storage::check_number_clause(clause, "attribute"));
        where.append_number("e." + clause.key + "_ms", clause);
        return {};
    }
    return invalid_argument("Invalid attribute key '" + clause.key +
                            "' specified. Valid keys are '['creation_time', 'last_update_time', 'name']'");
}

Result<std::string> order_sql(const std::vector<std::string>& order_by) {
    if (order_by.empty()) {
        return std::string(" ORDER BY e.creation_time_ms DESC, e.id ASC");
    }
    if (order_by.size() > storage::kOrderByMax) {
        return invalid_argument("at most " + std::to_string(storage::kOrderByMax) + " order_by clauses");
    }
    std::string out = " ORDER BY ";
    for (const std::string& text : order_by) {
        GYRE_TRY(const storage::OrderBy order, storage::parse_order_by(text));
        if (order.key != "name" && order.key != "experiment_id" && order.key != "creation_time" &&
            order.key != "last_update_time") {
            return invalid_argument("Invalid order_by key '" + order.key +
                                    "'. Valid keys are '['creation_time', "
                                    "'experiment_id', 'last_update_time', 'name']'");
        }
        out += order.key == "name"            ? "e.name"
               : order.key == "experiment_id" ? "e.id"
                                              : "e." + order.key + "_ms";
        out += order.ascending ? " ASC, " : " DESC, ";
    }
    return out + "e.id DESC";
}

}  // namespace

std::string Tracking::location_of(std::string_view child) const {
    return artifact_root_ + (artifact_root_.ends_with('/') ? "" : "/") + std::string(child);
}

Result<std::unique_ptr<Tracking>> Tracking::open(storage::Database& database, std::string artifact_root) {
    std::unique_ptr<Tracking> out(
        new Tracking(database, std::move(artifact_root)));  // NOLINT: private constructor
    GYRE_TRY_VOID(database.write([&](Transaction& tx) -> Result<void> {
        GYRE_TRY_VOID(
            tx.run("INSERT INTO experiments (id, project, name, artifact_location, creation_time_ms, "
                   "last_update_time_ms) VALUES (0, ?, 'Default', ?, ?, ?) ON CONFLICT DO NOTHING",
                   default_project().str(), out->location_of("0"), tx.now_ms(), tx.now_ms()));
        return tx.changes() == 0 ? Result<void>()
                                 : append_event(tx, system_principal(), "experiment.created", 0,
                                                Json::object({{"name", "Default"}}));
    }));
    return out;
}

Result<std::int64_t> Tracking::create_experiment(const Principal& principal,
                                                 const NewExperiment& experiment) {
    GYRE_TRY_VOID(check_experiment_name(experiment.name));
    GYRE_TRY_VOID(check_artifact_location(experiment.artifact_location));
    GYRE_TRY_VOID(check_batch({.metrics = {}, .params = {}, .tags = experiment.tags}));
    return database_.write([&](Transaction& tx) -> Result<std::int64_t> {
        GYRE_TRY(const std::int64_t id, insert(tx, principal, experiment));
        if (experiment.artifact_location.empty()) {
            GYRE_TRY_VOID(tx.run("UPDATE experiments SET artifact_location = ? WHERE id = ?",
                                 location_of(std::to_string(id)), id));
        }
        for (const KeyValue& tag : experiment.tags) {
            GYRE_TRY_VOID(put_tag(tx, id, tag));
        }
        GYRE_TRY_VOID(
            append_event(tx, principal, "experiment.created", id, Json::object({{"name", experiment.name}})));
        return id;
    });
}

Result<Experiment> Tracking::get_experiment(std::int64_t id) {
    return database_.read([&](Reader& reader) { return find_experiment(reader, id); });
}

Result<Experiment> Tracking::get_experiment_by_name(std::string_view name) {
    return database_.read([&](Reader& reader) -> Result<Experiment> {
        GYRE_TRY(Statement row, reader.query("SELECT id FROM experiments WHERE project = ? AND name = ?",
                                             default_project().str(), name));
        GYRE_TRY(const bool found, row.step());
        if (!found) {
            return not_found("Could not find experiment with name '" + std::string(name) + "'");
        }
        return find_experiment(reader, row.integer(0));
    });
}

Result<void> Tracking::rename_experiment(const Principal& principal, std::int64_t id, std::string_view name) {
    GYRE_TRY_VOID(check_experiment_name(name));
    return database_.write([&](Transaction& tx) -> Result<void> {
        GYRE_TRY(const Experiment experiment, find_experiment(tx, id));
        if (experiment.lifecycle_stage != LifecycleStage::active) {
            return conflict("Cannot rename a non-active experiment.");
        }
        auto renamed = tx.run("UPDATE experiments SET name = ?, last_update_time_ms = ? WHERE id = ?", name,
                              tx.now_ms(), id);
        if (!renamed && renamed.error().code() == ErrorCode::already_exists) {
            return already_exists("Experiment(name=" + std::string(name) + ") already exists.");
        }
        GYRE_TRY_VOID(std::move(renamed));
        return append_event(tx, principal, "experiment.renamed", id,
                            Json::object({{"before", experiment.name}, {"after", name}}));
    });
}

Result<void> Tracking::delete_experiment(const Principal& principal, std::int64_t id) {
    return database_.write([&](Transaction& tx) {
        return set_stage(tx, principal, id, LifecycleStage::active, LifecycleStage::deleted);
    });
}

Result<void> Tracking::restore_experiment(const Principal& principal, std::int64_t id) {
    return database_.write([&](Transaction& tx) {
        return set_stage(tx, principal, id, LifecycleStage::deleted, LifecycleStage::active);
    });
}

Result<void> Tracking::set_experiment_tag(std::int64_t id, const KeyValue& tag) {
    GYRE_TRY_VOID(check_key(tag.key, "key"));
    return database_.write([&](Transaction& tx) -> Result<void> {
        GYRE_TRY_VOID(find_active_experiment(tx, id));
        return put_tag(tx, id, tag);
    });
}

Result<void> Tracking::delete_experiment_tag(std::int64_t id, std::string_view key) {
    return database_.write([&](Transaction& tx) -> Result<void> {
        GYRE_TRY_VOID(find_active_experiment(tx, id));
        GYRE_TRY_VOID(tx.run("DELETE FROM experiment_tags WHERE experiment = ? AND key = ?", id, key));
        return tx.changes() > 0 ? Result<void>()
                                : Result<void>(not_found("No tag with name: " + std::string(key) +
                                                         " in experiment with id " + std::to_string(id)));
    });
}

Result<Page<Experiment>> Tracking::search_experiments(const SearchExperiments& search) {
    GYRE_TRY_VOID(check_results_max(search.results_max, kSearchResultsMax));
    GYRE_TRY(const auto clauses, storage::parse_filter(search.filter));
    GYRE_TRY(const std::string order, order_sql(search.order_by));
    GYRE_TRY(const std::int64_t offset, storage::parse_page_token(search.page_token));
    storage::SqlCondition where;
    where.append("SELECT e.id FROM experiments e WHERE 1");
    if (search.view != ViewType::all) {
        where.append(" AND e.lifecycle_stage = ?");
        where.add(search.view == ViewType::active_only ? "active" : "deleted");
    }
    for (const storage::Clause& clause : clauses) {
        GYRE_TRY_VOID(add_condition(where, clause));
    }
    where.append(order + " LIMIT ? OFFSET ?");
    where.add(search.results_max + 1);
    where.add(offset);
    return database_.read([&](Reader& reader) -> Result<Page<Experiment>> {
        GYRE_TRY(Statement rows, reader.prepare_once(where.sql()));
        where.bind_to(rows);
        Page<Experiment> page;
        for (;;) {
            GYRE_TRY(const bool more, rows.step());
            if (!more) {
                return page;
            }
            if (static_cast<std::int64_t>(page.items.size()) == search.results_max) {
                page.next_page_token = storage::make_page_token(offset + search.results_max);
                return page;
            }
            GYRE_TRY(Experiment experiment, find_experiment(reader, rows.integer(0)));
            page.items.push_back(std::move(experiment));
        }
    });
}

}  // namespace gyre::tracking
