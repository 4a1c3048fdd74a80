// Searching registered models and versions with the filter language of storage/search.
#include <algorithm>

#include "registry/registry.h"
#include "registry/rows.h"

namespace gyre::registry {

using storage::Clause;
using storage::Op;
using storage::Reader;
using storage::SqlCondition;
using storage::Statement;

namespace {

bool is_tag(const Clause& clause) {
    return clause.entity == "tag" || clause.entity == "tags";
}

Result<void> check_entity(const Clause& clause) {
    const std::string& entity = clause.entity;
    if (is_tag(clause) || entity.empty() || entity == "attribute" || entity == "attributes" ||
        entity == "attr") {
        return {};
    }
    return invalid_argument("Invalid entity type '" + entity + "'. Valid values are ['tag', 'attribute']");
}

Error bad_key(std::string_view key, std::string_view valid) {
    return invalid_argument("Invalid attribute key '" + std::string(key) + "' specified. Valid keys are '" +
                            std::string(valid) + "'");
}

Result<void> add_tag(SqlCondition& where, const Clause& clause, std::string_view table,
                     std::string_view owner, std::string_view row) {
    GYRE_TRY_VOID(storage::check_text_clause(clause, "tag", false));
    const std::string from = "EXISTS (SELECT 1 FROM " + std::string(table) + " t WHERE t." +
                             std::string(owner) + " = " + std::string(row) + " AND t.key = ?";
    // Clients ask for "is_prompt != 'true'" and mean models without the tag, too.
    if (clause.key == kPromptTag && clause.op == Op::ne) {
        where.append(" AND NOT " + from + " AND t.value = ?)");
        where.add(clause.key);
        where.add(clause.value);
        return {};
    }
    where.append(" AND " + from + " AND ");
    where.add(clause.key);
    where.append_text("t.value", clause);
    where.append(")");
    return {};
}

void hide_prompts(SqlCondition& where, const std::vector<Clause>& clauses) {
    const bool named = std::any_of(clauses.begin(), clauses.end(),
                                   [](const Clause& clause) { return clause.key == kPromptTag; });
    if (!named) {
        where.append(
            " AND NOT EXISTS (SELECT 1 FROM registered_model_tags p WHERE p.model = m.id AND p.key = ? AND "
            "p.value = 'true')");
        where.add(std::string(kPromptTag));
    }
}

Result<SqlCondition> models_where(const std::string& filter) {
    GYRE_TRY(const auto clauses, storage::parse_filter(filter));
    SqlCondition where;
    where.append("SELECT m.id FROM registered_models m WHERE 1");
    for (const Clause& clause : clauses) {
        GYRE_TRY_VOID(check_entity(clause));
        if (is_tag(clause)) {
            GYRE_TRY_VOID(add_tag(where, clause, "registered_model_tags", "model", "m.id"));
        } else if (clause.key == "name") {
            GYRE_TRY_VOID(storage::check_text_clause(clause, "attribute", false));
            where.append(" AND ");
            where.append_text("m.name", clause);
        } else {
            return bad_key(clause.key, "['name']");
        }
    }
    hide_prompts(where, clauses);
    return where;
}

Result<void> add_version_clause(SqlCondition& where, const Clause& clause) {
    GYRE_TRY_VOID(check_entity(clause));
    if (is_tag(clause)) {
        return add_tag(where, clause, "model_version_tags", "model_version", "v.id");
    }
    where.append(" AND ");
    if (clause.key == "version_number" || clause.key == "version") {
        GYRE_TRY_VOID(storage::check_number_clause(clause, "attribute"));
        where.append_number("v.version", clause);
        return {};
    }
    const std::string column = clause.key == "name"          ? "m.name"
                               : clause.key == "run_id"      ? "v.run_id"
                               : clause.key == "source_path" ? "v.source"
                               : clause.key == "model_id"    ? "v.model_id"
                                                             : "";
    if (column.empty()) {
        return bad_key(clause.key, "['name', 'run_id', 'source_path', 'version_number']");
    }
    GYRE_TRY_VOID(storage::check_text_clause(clause, "attribute", true));
    where.append_text(column, clause);
    return {};
}

Result<SqlCondition> versions_where(const std::string& filter) {
    GYRE_TRY(const auto clauses, storage::parse_filter(filter));
    SqlCondition where;
    where.append(
        "SELECT v.id FROM model_versions v JOIN registered_models m ON m.id = v.model "
        "WHERE v.stage != 'Deleted_Internal'");
    for (const Clause& clause : clauses) {
        GYRE_TRY_VOID(add_version_clause(where, clause));
    }
    return where;
}

struct OrderKey {
    std::string_view key;
    std::string_view column;
};

/// ORDER BY with `rest` as the last terms.
Result<std::string> order_sql(const std::vector<std::string>& order_by, std::span<const OrderKey> keys,
                              std::string_view rest) {
    if (order_by.size() > storage::kOrderByMax) {
        return invalid_argument("at most " + std::to_string(storage::kOrderByMax) + " order_by clauses");
    }
    std::string out = " ORDER BY ";
    for (const std::string& text : order_by) {
        GYRE_TRY(const storage::OrderBy order, storage::parse_order_by(text));
        const auto known =
            std::find_if(keys.begin(), keys.end(), [&](const OrderKey& k) { return k.key == order.key; });
        if (known == keys.end()) {
            return invalid_argument("Invalid order by key '" + order.key + "' specified.");
        }
        out.append(known->column).append(order.ascending ? " ASC, " : " DESC, ");
    }
    return out.append(rest);
}

constexpr OrderKey kModelOrder[] = {{"name", "m.name"},
                                    {"timestamp", "m.last_update_time_ms"},
                                    {"creation_timestamp", "m.creation_time_ms"},
                                    {"last_updated_timestamp", "m.last_update_time_ms"}};
constexpr OrderKey kVersionOrder[] = {{"name", "m.name"},
                                      {"version_number", "v.version"},
                                      {"creation_timestamp", "v.creation_time_ms"},
                                      {"last_updated_timestamp", "v.last_update_time_ms"}};

/// Runs the query for one page; `load` turns a row's id into an item.
template <class T, class Load>
Result<Page<T>> read_page(storage::Database& database, SqlCondition query, const Search& search, Load load) {
    GYRE_TRY(const std::int64_t offset, storage::parse_page_token(search.page_token));
    query.append(" LIMIT ? OFFSET ?");
    query.add(search.results_max + 1);
    query.add(offset);
    return database.read([&](Reader& reader) -> Result<Page<T>> {
        GYRE_TRY(Statement rows, reader.prepare_once(query.sql()));
        query.bind_to(rows);
        Page<T> page;
        for (;;) {
            GYRE_TRY(const bool more, rows.step());
            if (!more) {
                return page;
            }
            if (static_cast<std::int64_t>(page.items.size()) == search.results_max) {
                page.next_page_token = storage::make_page_token(offset + search.results_max);
                return page;
            }
            GYRE_TRY(T item, load(reader, rows.integer(0)));
            page.items.push_back(std::move(item));
        }
    });
}

Result<void> check_results_max(std::int64_t results_max, std::int64_t most) {
    if (results_max < 1 || results_max > most) {
        return invalid_argument("Invalid value for request parameter max_results. It must be at most " +
                                std::to_string(most) + ", but got value " + std::to_string(results_max));
    }
    return {};
}

}  // namespace

Result<Page<RegisteredModel>> Registry::search_models(const Search& search) {
    GYRE_TRY_VOID(check_results_max(search.results_max, kSearchModelsMax));
    GYRE_TRY(SqlCondition query, models_where(search.filter));
    GYRE_TRY(const std::string order, order_sql(search.order_by, kModelOrder, "m.name"));
    query.append(order);
    return read_page<RegisteredModel>(database_, std::move(query), search, load_model);
}

Result<Page<ModelVersion>> Registry::search_versions(const Search& search) {
    GYRE_TRY_VOID(check_results_max(search.results_max, kSearchVersionsMax));
    GYRE_TRY(SqlCondition query, versions_where(search.filter));
    GYRE_TRY(const std::string order,
             order_sql(search.order_by, kVersionOrder,
                       search.order_by.empty() ? "v.last_update_time_ms DESC, m.name, v.version DESC"
                                               : "m.name, v.version DESC"));
    query.append(order);
    return read_page<ModelVersion>(database_, std::move(query), search,
                                   [](Reader& reader, std::int64_t row) -> Result<ModelVersion> {
                                       GYRE_TRY(VersionRow version, load_version(reader, row));
                                       return std::move(version.version);
                                   });
}

}  // namespace gyre::registry
