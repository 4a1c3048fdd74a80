// Searching runs: MLflow's filter as SQL conditions, one indexed lookup per clause and run.
#include <algorithm>
#include <array>
#include <set>

#include "storage/search/filter.h"
#include "tracking/rows.h"
#include "tracking/tracking.h"
#include "tracking/validate.h"

namespace gyre::tracking {

using storage::Clause;
using storage::Op;
using storage::Reader;
using storage::SqlCondition;
using storage::Statement;

namespace {

enum class Entity : std::uint8_t { metric, param, tag, attribute, dataset };

struct EntityName {
    std::string_view name;
    Entity entity;
};
constexpr std::array<EntityName, 13> kEntities{{{"metric", Entity::metric},
                                                {"metrics", Entity::metric},
                                                {"param", Entity::param},
                                                {"params", Entity::param},
                                                {"parameter", Entity::param},
                                                {"parameters", Entity::param},
                                                {"tag", Entity::tag},
                                                {"tags", Entity::tag},
                                                {"", Entity::attribute},
                                                {"attr", Entity::attribute},
                                                {"attribute", Entity::attribute},
                                                {"attributes", Entity::attribute},
                                                {"run", Entity::attribute}}};

Result<Entity> entity_of(std::string_view name) {
    for (const EntityName& known : kEntities) {
        if (known.name == name) {
            return known.entity;
        }
    }
    if (name == "dataset" || name == "datasets") {
        return Entity::dataset;
    }
    return invalid_argument("Invalid entity type '" + std::string(name) +
                            "'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']");
}

/// A run attribute under any of its spellings, and its column.
struct Attribute {
    std::string_view spelling;
    std::string_view column;
    bool numeric;
};
constexpr std::array<Attribute, 14> kAttributes{{{"run_id", "r.run_id", false},
                                                 {"run_uuid", "r.run_id", false},
                                                 {"run_name", "r.name", false},
                                                 {"run name", "r.name", false},
                                                 {"Run name", "r.name", false},
                                                 {"Run Name", "r.name", false},
                                                 {"user_id", "r.user_id", false},
                                                 {"status", "r.status", false},
                                                 {"artifact_uri", "r.artifact_uri", false},
                                                 {"experiment_id", "r.experiment", true},
                                                 {"start_time", "r.start_time_ms", true},
                                                 {"created", "r.start_time_ms", true},
                                                 {"Created", "r.start_time_ms", true},
                                                 {"end_time", "r.end_time_ms", true}}};

Result<Attribute> attribute_of(std::string_view key) {
    for (const Attribute& known : kAttributes) {
        if (known.spelling == key) {
            return known;
        }
    }
    return invalid_argument("Invalid attribute key '" + std::string(key) +
                            "' specified. Valid keys are '['artifact_uri', 'created', 'end_time', 'run_id', "
                            "'run_name', 'start_time', 'status', 'user_id']'");
}

Result<void> add_attribute(SqlCondition& where, const Clause& clause) {
    GYRE_TRY(const Attribute attribute, attribute_of(clause.key));
    where.append(" AND ");
    if (attribute.numeric) {
        GYRE_TRY_VOID(storage::check_number_clause(clause, "numeric attribute"));
        where.append_number(attribute.column, clause);
        return {};
    }
    const bool list = clause.op == Op::in || clause.op == Op::not_in;
    if (list && attribute.column != "r.run_id") {
        return invalid_argument(
            "Only the 'run_id' attribute supports comparison with a list of quoted string values.");
    }
    GYRE_TRY_VOID(storage::check_text_clause(clause, "attributes", list));
    where.append_text(attribute.column, clause);
    return {};
}

Result<void> add_metric(SqlCondition& where, const Clause& clause) {
    GYRE_TRY_VOID(storage::check_number_clause(clause, "metric"));
    where.append(" AND EXISTS (SELECT 1 FROM metric_series m WHERE m.run = r.id AND m.key = ? AND ");
    where.add(clause.key);
    // A NaN is equal to no number and different from each.
    where.append(clause.op == Op::ne ? "(m.last_is_nan OR " : "(NOT m.last_is_nan AND ");
    where.append_number("m.last_value", clause);
    where.append("))");
    return {};
}

Result<void> add_pair(SqlCondition& where, const Clause& clause, std::string_view table,
                      std::string_view what) {
    const std::string exists =
        "EXISTS (SELECT 1 FROM " + std::string(table) + " p WHERE p.run = r.id AND p.key = ?";
    if (clause.op == Op::is_null || clause.op == Op::is_not_null) {
        where.append((clause.op == Op::is_null ? " AND NOT " : " AND ") + exists + ")");
        where.add(clause.key);
        return {};
    }
    GYRE_TRY_VOID(storage::check_text_clause(clause, what, false));
    where.append(" AND " + exists + " AND ");
    where.add(clause.key);
    where.append_text("p.value", clause);
    where.append(")");
    return {};
}

Result<void> add_dataset(SqlCondition& where, const Clause& clause) {
    GYRE_TRY_VOID(storage::check_text_clause(clause, "dataset", true));
    where.append(
        " AND EXISTS (SELECT 1 FROM run_inputs i JOIN datasets d ON d.id = i.dataset WHERE i.run = r.id "
        "AND ");
    if (clause.key == "name" || clause.key == "digest") {
        where.append_text("d." + clause.key, clause);
    } else if (clause.key == "context") {
        where.append_text("json_extract(i.tags, '$.\"mlflow.data.context\"')", clause);
    } else {
        return invalid_argument("Invalid dataset key '" + clause.key +
                                "' specified. Valid keys are '['context', 'digest', 'name']'");
    }
    where.append(")");
    return {};
}

Result<void> add_clause(SqlCondition& where, const Clause& clause) {
    GYRE_TRY(const Entity entity, entity_of(clause.entity));
    switch (entity) {
        case Entity::metric:
            return add_metric(where, clause);
        case Entity::param:
            return add_pair(where, clause, "run_params", "parameter");
        case Entity::tag:
            return add_pair(where, clause, "run_tags", "tag");
        case Entity::attribute:
            return add_attribute(where, clause);
        case Entity::dataset:
            return add_dataset(where, clause);
    }
    return {};
}

/// The joins and the terms of ORDER BY, in step.
struct Ordering {
    SqlCondition joins;
    std::string terms;
};

Result<void> add_order(Ordering& out, const storage::OrderBy& order, std::size_t index) {
    GYRE_TRY(const Entity entity, entity_of(order.entity));
    const std::string alias = "o" + std::to_string(index);
    const std::string direction = order.ascending ? " ASC, " : " DESC, ";
    if (entity == Entity::dataset) {
        return invalid_argument("Invalid order_by entity 'dataset'");
    }
    if (entity == Entity::attribute) {
        GYRE_TRY(const Attribute attribute, attribute_of(order.key));
        const std::string column(attribute.column);
        out.terms += column + " IS NULL, " + column + direction;
        return {};
    }
    const std::string table = entity == Entity::metric  ? "metric_series"
                              : entity == Entity::param ? "run_params"
                                                        : "run_tags";
    out.joins.append(" LEFT JOIN " + table + " " + alias + " ON " + alias + ".run = r.id AND " + alias +
                     ".key = ?");
    out.joins.add(order.key);
    if (entity == Entity::metric) {  // numbers, then NaN, then what is missing; in both directions
        out.terms += alias + ".run IS NULL, " + alias + ".last_is_nan, " + alias + ".last_value" + direction;
    } else {
        out.terms += alias + ".run IS NULL, " + alias + ".value" + direction;
    }
    return {};
}

Result<Ordering> ordering_of(const std::vector<std::string>& order_by) {
    if (order_by.size() > storage::kOrderByMax) {
        return invalid_argument("at most " + std::to_string(storage::kOrderByMax) + " order_by clauses");
    }
    Ordering out;
    std::set<std::pair<std::string, std::string>> seen;
    bool start_time = false;
    for (const std::string& text : order_by) {
        GYRE_TRY(const storage::OrderBy order, storage::parse_order_by(text));
        if (!seen.emplace(order.entity, order.key).second) {
            return invalid_argument("`order_by` contains duplicate fields: " + python_repr(text));
        }
        start_time = start_time || order.key == "start_time";
        GYRE_TRY_VOID(add_order(out, order, seen.size()));
    }
    out.terms += start_time ? "r.run_id" : "r.start_time_ms DESC, r.run_id";
    return out;
}

void add_experiments(SqlCondition& where, const std::vector<std::int64_t>& ids) {
    where.append(" AND r.experiment IN (");
    for (std::size_t i = 0; i < ids.size(); ++i) {
        where.append(i == 0 ? "?" : ", ?");
        where.add(ids[i]);
    }
    where.append(")");
}

Result<SqlCondition> query_of(const SearchRuns& search, std::int64_t offset) {
    GYRE_TRY(const auto clauses, storage::parse_filter(search.filter));
    GYRE_TRY(const Ordering ordering, ordering_of(search.order_by));
    SqlCondition query;
    query.append("SELECT " + std::string(kRunColumns) + " FROM runs r");
    query.append(ordering.joins);
    query.append(" WHERE 1");
    add_experiments(query, search.experiment_ids);
    if (search.view != ViewType::all) {
        query.append(" AND r.lifecycle_stage = ?");
        query.add(search.view == ViewType::active_only ? "active" : "deleted");
    }
    for (const Clause& clause : clauses) {
        GYRE_TRY_VOID(add_clause(query, clause));
    }
    query.append(" ORDER BY " + ordering.terms + " LIMIT ? OFFSET ?");
    query.add(search.results_max);
    query.add(offset);
    return query;
}

}  // namespace

Result<Page<Run>> Tracking::search_runs(const SearchRuns& search) {
    GYRE_TRY_VOID(check_results_max(search.results_max, kSearchResultsMax));
    if (search.experiment_ids.size() > kSearchExperimentsMax) {
        return invalid_argument("at most " + std::to_string(kSearchExperimentsMax) +
                                " experiments in one search");
    }
    GYRE_TRY(const std::int64_t offset, storage::parse_page_token(search.page_token));
    GYRE_TRY(const SqlCondition query, query_of(search, offset));
    return database_.read([&](Reader& reader) -> Result<Page<Run>> {
        GYRE_TRY(Statement rows, reader.prepare_once(query.sql()));
        query.bind_to(rows);
        Page<Run> page;
        for (;;) {
            GYRE_TRY(const bool more, rows.step());
            if (!more) {
                break;
            }
            GYRE_TRY(Run run, load_run(reader, run_row_of(rows)));
            page.items.push_back(std::move(run));
        }
        if (static_cast<std::int64_t>(page.items.size()) == search.results_max) {
            page.next_page_token = storage::make_page_token(offset + search.results_max);
        }
        return page;
    });
}

}  // namespace gyre::tracking
