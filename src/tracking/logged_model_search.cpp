// Searching logged models, and the datasets of an experiment's runs.
#include <algorithm>
#include <array>

#include "storage/search/filter.h"
#include "tracking/rows.h"
#include "tracking/tracking.h"
#include "tracking/validate.h"

namespace gyre::tracking {

using storage::Clause;
using storage::Reader;
using storage::SqlCondition;
using storage::Statement;

namespace {

struct Attribute {
    std::string_view spelling;
    std::string_view column;
    bool numeric;
};
constexpr std::array<Attribute, 9> kAttributes{{{"name", "l.name", false},
                                                {"model_id", "l.model_id", false},
                                                {"model_type", "l.model_type", false},
                                                {"status", "l.status", false},
                                                {"source_run_id", "l.source_run_id", false},
                                                {"creation_timestamp", "l.creation_time_ms", true},
                                                {"creation_time", "l.creation_time_ms", true},
                                                {"last_updated_timestamp", "l.last_update_time_ms", true},
                                                {"last_updated_time", "l.last_update_time_ms", true}}};

Result<Attribute> attribute_of(std::string_view key) {
    for (const Attribute& known : kAttributes) {
        if (known.spelling == key) {
            return known;
        }
    }
    return invalid_argument("Invalid attribute key '" + std::string(key) +
                            "' specified. Valid keys are '['creation_timestamp', 'last_updated_timestamp', "
                            "'model_id', 'model_type', 'name', 'source_run_id', 'status']'");
}

Result<void> add_attribute(SqlCondition& where, const Clause& clause) {
    GYRE_TRY(const Attribute attribute, attribute_of(clause.key));
    where.append(" AND ");
    if (attribute.numeric) {
        GYRE_TRY_VOID(storage::check_number_clause(clause, "attribute"));
        where.append_number(attribute.column, clause);
        return {};
    }
    GYRE_TRY_VOID(storage::check_text_clause(clause, "attribute", true));
    where.append_text(attribute.column, clause);
    return {};
}

Result<void> add_pair(SqlCondition& where, const Clause& clause, std::string_view table,
                      std::string_view what) {
    GYRE_TRY_VOID(storage::check_text_clause(clause, what, false));
    where.append(" AND EXISTS (SELECT 1 FROM " + std::string(table) +
                 " p WHERE p.model = l.id AND p.key = ? AND ");
    where.add(clause.key);
    where.append_text("p.value", clause);
    where.append(")");
    return {};
}

void add_datasets(SqlCondition& where, const std::vector<Dataset>& datasets) {
    if (datasets.empty()) {
        return;
    }
    where.append(" AND (");
    for (std::size_t i = 0; i < datasets.size(); ++i) {
        where.append(i == 0 ? "(m.dataset_name = ?" : " OR (m.dataset_name = ?");
        where.add(datasets[i].name);
        if (!datasets[i].digest.empty()) {
            where.append(" AND m.dataset_digest = ?");
            where.add(datasets[i].digest);
        }
        where.append(")");
    }
    where.append(")");
}

Result<void> add_metric(SqlCondition& where, const Clause& clause, const std::vector<Dataset>& datasets) {
    GYRE_TRY_VOID(storage::check_number_clause(clause, "metric"));
    where.append(
        " AND EXISTS (SELECT 1 FROM logged_model_metrics m WHERE m.model = l.id AND m.key = ? AND NOT "
        "m.is_nan "
        "AND ");
    where.add(clause.key);
    where.append_number("m.value", clause);
    add_datasets(where, datasets);
    where.append(")");
    return {};
}

Result<void> add_clause(SqlCondition& where, const Clause& clause, const std::vector<Dataset>& datasets) {
    if (clause.entity.empty() || clause.entity == "attributes") {
        return add_attribute(where, clause);
    }
    if (clause.entity == "metrics") {
        return add_metric(where, clause, datasets);
    }
    if (clause.entity == "params") {
        return add_pair(where, clause, "logged_model_params", "parameter");
    }
    if (clause.entity == "tags") {
        return add_pair(where, clause, "logged_model_tags", "tag");
    }
    return invalid_argument("Invalid entity type '" + clause.entity +
                            "'. Valid values are ['attributes', 'metrics', 'params', 'tags']");
}

/// Terms of ORDER BY, with the values of their parameters.
Result<SqlCondition> order_of(const std::vector<ModelOrder>& order_by) {
    if (order_by.size() > storage::kOrderByMax) {
        return invalid_argument("at most " + std::to_string(storage::kOrderByMax) + " order_by clauses");
    }
    SqlCondition out;
    out.append(" ORDER BY ");
    for (const ModelOrder& order : order_by) {
        const std::string direction = order.ascending ? " ASC NULLS LAST, " : " DESC NULLS LAST, ";
        if (!order.field.starts_with("metrics.")) {
            GYRE_TRY(const Attribute attribute, attribute_of(order.field));
            out.append(std::string(attribute.column) + direction);
            continue;
        }
        out.append(
            "(SELECT m.value FROM logged_model_metrics m WHERE m.model = l.id AND NOT m.is_nan AND m.key = "
            "?");
        out.add(order.field.substr(std::string_view("metrics.").size()));
        if (!order.dataset_name.empty()) {
            add_datasets(out, {Dataset{order.dataset_name, order.dataset_digest, {}, {}, {}, {}}});
        }
        out.append(" ORDER BY m.step DESC, m.timestamp_ms DESC, m.value DESC LIMIT 1)" + direction);
    }
    out.append("l.creation_time_ms DESC, l.id DESC");
    return out;
}

void add_experiments(SqlCondition& where, std::string_view column, const std::vector<std::int64_t>& ids) {
    where.append(std::string(column) + " IN (");
    for (std::size_t i = 0; i < ids.size(); ++i) {
        where.append(i == 0 ? "?" : ", ?");
        where.add(ids[i]);
    }
    where.append(")");
}

Result<SqlCondition> query_of(const SearchLoggedModels& search, std::int64_t offset) {
    GYRE_TRY(const auto clauses, storage::parse_filter(search.filter));
    GYRE_TRY(const SqlCondition order, order_of(search.order_by));
    SqlCondition query;
    query.append("SELECT l.id FROM logged_models l WHERE l.lifecycle_stage = 'active' AND ");
    add_experiments(query, "l.experiment", search.experiment_ids);
    for (const Clause& clause : clauses) {
        GYRE_TRY_VOID(add_clause(query, clause, search.datasets));
    }
    query.append(order);
    query.append(" LIMIT ? OFFSET ?");
    query.add(search.results_max + 1);
    query.add(offset);
    return query;
}

Result<void> check_search(const SearchLoggedModels& search) {
    GYRE_TRY_VOID(check_results_max(search.results_max, kSearchResultsMax));
    if (search.experiment_ids.size() > kSearchExperimentsMax || search.datasets.size() > kModelDatasetsMax) {
        return invalid_argument("at most " + std::to_string(kSearchExperimentsMax) + " experiments and " +
                                std::to_string(kModelDatasetsMax) + " datasets in one search");
    }
    return {};
}

}  // namespace

Result<Page<LoggedModel>> Tracking::search_logged_models(const SearchLoggedModels& search) {
    GYRE_TRY_VOID(check_search(search));
    GYRE_TRY(const std::int64_t offset, storage::parse_page_token(search.page_token));
    GYRE_TRY(const SqlCondition query, query_of(search, offset));
    return database_.read([&](Reader& reader) -> Result<Page<LoggedModel>> {
        GYRE_TRY(Statement rows, reader.prepare_once(query.sql()));
        query.bind_to(rows);
        Page<LoggedModel> page;
        for (;;) {
            GYRE_TRY(const bool more, rows.step());
            if (!more) {
                return page;
            }
            if (static_cast<std::int64_t>(page.items.size()) == search.results_max) {
                page.next_page_token = storage::make_page_token(offset + search.results_max);
                return page;
            }
            GYRE_TRY(LoggedModel model, load_logged_model(reader, rows.integer(0)));
            page.items.push_back(std::move(model));
        }
    });
}

Result<std::vector<DatasetSummary>> Tracking::search_datasets(
    const std::vector<std::int64_t>& experiment_ids) {
    if (experiment_ids.empty() || experiment_ids.size() > kDatasetExperimentsMax) {
        return invalid_argument("SearchDatasets request must specify 1 to " +
                                std::to_string(kDatasetExperimentsMax) + " experiment_ids. Received " +
                                std::to_string(experiment_ids.size()) + " experiment_ids.");
    }
    SqlCondition query;
    query.append(
        "SELECT DISTINCT d.experiment, d.name, d.digest, "
        "coalesce(json_extract(i.tags, '$.\"mlflow.data.context\"'), '') FROM datasets d "
        "JOIN run_inputs i ON i.dataset = d.id JOIN runs r ON r.id = i.run "
        "WHERE r.lifecycle_stage = 'active' AND ");
    add_experiments(query, "d.experiment", experiment_ids);
    query.append(" ORDER BY 1, 2, 3, 4 LIMIT ?");
    query.add(kDatasetSummariesMax);
    return database_.read([&](Reader& reader) -> Result<std::vector<DatasetSummary>> {
        GYRE_TRY(Statement rows, reader.prepare_once(query.sql()));
        query.bind_to(rows);
        std::vector<DatasetSummary> out;
        for (;;) {
            GYRE_TRY(const bool more, rows.step());
            if (!more) {
                return out;
            }
            out.push_back({rows.integer(0), rows.string(1), rows.string(2), rows.string(3)});
        }
    });
}

}  // namespace gyre::tracking
