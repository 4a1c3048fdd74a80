// Adapter: CLI11. `gyre runs` and `gyre models`, over the MLflow REST API.
#include <algorithm>
#include <cstdio>

#include <CLI/CLI.hpp>

#include "base/clock.h"
#include "base/text.h"
#include "cli/action.h"
#include "cli/remote.h"

namespace gyre::cli {
namespace {

constexpr std::int64_t kPage = 200;
constexpr std::size_t kMetricsShown = 4;  // of a run in a list

struct RunsFlags {
    std::string experiment;
    std::string filter;
    std::vector<std::string> order_by;
    std::int64_t limit = 50;
};

std::string mlflow(std::string_view path) {
    return "/api/2.0/mlflow" + std::string(path);
}

/// All pages of a list, at most `limit` items, under `key`. `ask` fetches the page of a token.
Result<Json> all_pages(const std::string& key, std::int64_t limit,
                       const std::function<Result<Json>(const std::string& token, std::int64_t page)>& ask) {
    Json items = Json::array();
    std::string token;
    do {
        const std::int64_t left = limit - static_cast<std::int64_t>(items.items().size());
        GYRE_TRY(const Json page, ask(token, std::min(left, kPage)));
        for (const Json& item : list_in(page[key])) {
            items.push_back(item);
        }
        token = page.string_or("next_page_token", "");
    } while (!token.empty() && static_cast<std::int64_t>(items.items().size()) < limit);
    return Json::object({{key, std::move(items)}});
}

Result<Json> experiment_ids(Remote& remote, const std::string& name) {
    Json ids = Json::array();
    if (!name.empty()) {
        const std::string query = query_of({{"experiment_name", name}});
        GYRE_TRY(const Json found, remote.get(mlflow("/experiments/get-by-name") + query));
        ids.push_back(found["experiment"]["experiment_id"]);
        return ids;
    }
    constexpr std::int64_t kExperimentsMax = 1000;
    const auto ask = [&](const std::string& token, std::int64_t page) {
        Json body = Json::object({{"max_results", page}});
        if (!token.empty()) {
            body.set("page_token", token);
        }
        return remote.post(mlflow("/experiments/search"), body);
    };
    GYRE_TRY(const Json found, all_pages("experiments", kExperimentsMax, ask));
    for (const Json& experiment : list_in(found)) {
        ids.push_back(experiment["experiment_id"]);
    }
    return ids;
}

Result<Json> search_runs(const RunsFlags& flags, const Globals& globals) {
    Remote remote(globals);
    GYRE_TRY(const Json ids, experiment_ids(remote, flags.experiment));
    if (ids.items().empty()) {
        return Json::object({{"runs", Json::array()}});
    }
    Json order = Json::array();
    for (const std::string& text : flags.order_by) {
        order.push_back(text);
    }
    return all_pages("runs", flags.limit, [&](const std::string& token, std::int64_t page) {
        Json body = Json::object({{"experiment_ids", ids}, {"max_results", page}});
        if (!flags.filter.empty()) {
            body.set("filter", flags.filter);
        }
        if (!order.items().empty()) {
            body.set("order_by", order);
        }
        if (!token.empty()) {
            body.set("page_token", token);
        }
        return remote.post(mlflow("/runs/search"), body);
    });
}

/// MLflow writes times as Unix milliseconds, in some places as text.
Json time_of_ms(const Json& ms) {
    std::int64_t value = 0;
    if (ms.is_integer()) {
        value = ms.as_integer();
    } else if (ms.is_string()) {
        value = parse_integer(ms.as_string()).value_or(0);
    }
    return value <= 0 || value > INT64_MAX / 1000 ? Json() : Json(format_rfc3339(value / 1000 * 1'000'000));
}

std::string short_metrics(const Json& metrics) {
    std::string out;
    std::size_t shown = 0;
    for (const Json& metric : list_in(metrics)) {
        if (shown++ == kMetricsShown) {
            return out + " ...";
        }
        out.append(out.empty() ? "" : " ")
            .append(cell(metric["key"]))
            .append("=")
            .append(cell(metric["value"]));
    }
    return out;
}

void show_runs(const Json& document) {
    Json::Array rows;
    for (const Json& run : list_in(document)) {
        const Json& info = run["info"];
        rows.push_back(Json::object({{"id", info["run_id"]},
                                     {"name", info["run_name"]},
                                     {"experiment", info["experiment_id"]},
                                     {"status", info["status"]},
                                     {"started", time_of_ms(info["start_time"])},
                                     {"metrics", short_metrics(run["data"]["metrics"])}}));
    }
    print_items(rows,
                {{"run", "id"},
                 {"name", "name"},
                 {"experiment", "experiment"},
                 {"status", "status"},
                 {"started", "started"},
                 {"metrics", "metrics"}},
                "no runs");
}

void show_pairs(const char* title, const Json& pairs) {
    if (!list_in(pairs).empty()) {
        std::printf("\n");
        print_items(list_in(pairs), {{title, "key"}, {"value", "value"}}, "");
    }
}

void show_run(const Json& document) {
    Json info = document["run"]["info"];
    const Json& data = document["run"]["data"];
    if (info.is_object()) {
        info.set("start_time", time_of_ms(info["start_time"]));
        info.set("end_time", time_of_ms(info["end_time"]));
    }
    print_facts(info, {{"run", "run_id"},
                       {"name", "run_name"},
                       {"experiment", "experiment_id"},
                       {"status", "status"},
                       {"started", "start_time"},
                       {"ended", "end_time"},
                       {"artifacts", "artifact_uri"}});
    show_pairs("param", data["params"]);
    show_pairs("metric", data["metrics"]);
    show_pairs("tag", data["tags"]);
}

Result<Json> list_models(const Globals& globals) {
    constexpr std::int64_t kModelsMax = 10'000;
    Remote remote(globals);
    return all_pages("registered_models", kModelsMax, [&](const std::string& token, std::int64_t page) {
        const std::string query = query_of({{"max_results", std::to_string(page)}, {"page_token", token}});
        return remote.get(mlflow("/registered-models/search") + query);
    });
}

Result<Json> list_versions(const std::string& name, const Globals& globals) {
    constexpr std::int64_t kVersionsMax = 10'000;
    if (name.find('\'') != std::string::npos) {
        return invalid_argument("model '" + name + "': a name with a quote cannot be searched for");
    }
    Remote remote(globals);
    // An unknown model is an error here; a search would only be empty.
    GYRE_TRY(const Json known, remote.get(mlflow("/registered-models/get") + query_of({{"name", name}})));
    GYRE_TRY(Json out,
             all_pages("model_versions", kVersionsMax, [&](const std::string& token, std::int64_t page) {
                 return remote.get(mlflow("/model-versions/search") +
                                   query_of({{"filter", "name='" + name + "'"},
                                             {"max_results", std::to_string(page)},
                                             {"page_token", token}}));
             }));
    out.set("aliases", known["registered_model"]["aliases"]);
    return out;
}

std::string aliases_of(const Json& aliases, const Json& version) {
    std::string out;
    for (const Json& alias : list_in(aliases)) {
        if (version.is_null() || cell(alias["version"]) == cell(version)) {
            out.append(out.empty() ? "@" : " @").append(cell(alias["alias"]));
            out.append(version.is_null() ? "=" + cell(alias["version"]) : "");
        }
    }
    return out;
}

void show_models(const Json& document) {
    Json::Array rows;
    for (const Json& model : list_in(document)) {
        std::int64_t latest = 0;
        for (const Json& version : list_in(model["latest_versions"])) {
            latest = std::max(latest, parse_integer(cell(version["version"])).value_or(0));
        }
        rows.push_back(Json::object({{"name", model["name"]},
                                     {"latest", latest == 0 ? Json() : Json(latest)},
                                     {"aliases", aliases_of(model["aliases"], Json())},
                                     {"updated", time_of_ms(model["last_updated_timestamp"])},
                                     {"description", model["description"]}}));
    }
    print_items(rows,
                {{"model", "name"},
                 {"latest", "latest"},
                 {"aliases", "aliases"},
                 {"updated", "updated"},
                 {"description", "description"}},
                "no registered models");
}

void show_versions(const Json& document) {
    Json::Array rows;
    for (const Json& version : list_in(document["model_versions"])) {
        rows.push_back(Json::object({{"version", version["version"]},
                                     {"aliases", aliases_of(document["aliases"], version["version"])},
                                     {"status", version["status"]},
                                     {"run", version["run_id"]},
                                     {"created", time_of_ms(version["creation_timestamp"])},
                                     {"description", version["description"]}}));
    }
    print_items(rows,
                {{"version", "version"},
                 {"aliases", "aliases"},
                 {"status", "status"},
                 {"run", "run"},
                 {"created", "created"},
                 {"description", "description"}},
                "no versions");
}

}  // namespace

void add_runs_command(CLI::App& app, Globals& globals) {
    CLI::App* command = app.add_subcommand("runs", "Runs of experiments; show one.");
    const auto flags = std::make_shared<RunsFlags>();
    command->add_option("--experiment", flags->experiment, "Experiment by name; else all.");
    command->add_option("--filter", flags->filter, "Such as: metrics.auc > 0.7 and params.trees = '200'");
    command->add_option("--order-by", flags->order_by, "Such as: metrics.auc DESC; repeatable.")
        ->allow_extra_args(false);
    command->add_option("--limit", flags->limit, "Runs at most.")
        ->check(CLI::Range(1, 100'000))
        ->capture_default_str();
    on_chosen(*command, globals,
              [flags, &globals] { return finish(globals, search_runs(*flags, globals), show_runs); });
    CLI::App* show = command->add_subcommand("show", "One run with parameters and metrics.");
    const auto id = std::make_shared<std::string>();
    show->add_option("id", *id, "Run.")->required();
    on_chosen(*show, globals, [id, &globals] {
        const std::string path = mlflow("/runs/get") + query_of({{"run_id", *id}});
        return finish(globals, Remote(globals).get(path), show_run);
    });
}

void add_models_command(CLI::App& app, Globals& globals) {
    CLI::App* command = app.add_subcommand("models", "Registered models, or the versions of one.");
    const auto name = std::make_shared<std::string>();
    command->add_option("name", *name, "Model.");
    on_chosen(*command, globals, [name, &globals] {
        return name->empty() ? finish(globals, list_models(globals), show_models)
                             : finish(globals, list_versions(*name, globals), show_versions);
    });
}

}  // namespace gyre::cli
