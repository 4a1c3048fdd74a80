// Adapter: CLI11. `gyre deploy` and `gyre endpoints`.
#include <cstdio>

#include <CLI/CLI.hpp>

#include "base/model_ref.h"
#include "base/text.h"
#include "cli/action.h"
#include "cli/remote.h"

namespace gyre::cli {
namespace {

struct DeployFlags {
    std::string name;
    std::string model;
    std::string task;
    std::string time;
    std::string sticky_by;
    std::vector<std::string> shadows;
    bool own_clock = false;
};

Result<Json> deploy_body(const DeployFlags& flags) {
    GYRE_TRY(const ModelRef checked, parse_model_ref(flags.model));
    Json body = Json::object({{"name", flags.name}, {"model", flags.model}});
    const std::vector<std::pair<std::string, std::string>> texts{
        {"task", flags.task}, {"time", flags.time}, {"sticky_by", flags.sticky_by}};
    for (const auto& [key, value] : texts) {
        if (!value.empty()) {
            body.set(key, value);
        }
    }
    if (flags.own_clock) {
        body.set("own_clock", true);
    }
    Json shadows = Json::array();
    for (const std::string& text : flags.shadows) {
        const std::size_t equals = text.find('=');
        if (equals == std::string::npos || equals == 0) {
            return invalid_argument("--shadow: expected NAME=MODEL such as next=flights/2, got '" + text +
                                    "'");
        }
        shadows.push_back(
            Json::object({{"name", text.substr(0, equals)}, {"model", text.substr(equals + 1)}}));
    }
    if (!shadows.items().empty()) {
        body.set("shadows", std::move(shadows));
    }
    return body;
}

Result<Json> deploy(const DeployFlags& flags, const Globals& globals) {
    GYRE_TRY(const Json body, deploy_body(flags));
    return Remote(globals).post(native("/endpoints"), body);
}

void show_endpoint(const Json& endpoint) {
    print_facts(endpoint, {{"endpoint", "name"},
                           {"task", "task"},
                           {"time", "time"},
                           {"now", "now"},
                           {"created", "created_at"},
                           {"champion", "champion"},
                           {"requests", "stats.requests"},
                           {"errors", "stats.errors"},
                           {"rps", "stats.rps"},
                           {"p50 ms", "stats.p50_ms"},
                           {"p99 ms", "stats.p99_ms"},
                           {"rollout", "rollout.id"},
                           {"rollout state", "rollout.state"}});
    std::printf("\n");
    Json::Array variants = list_in(endpoint["variants"]);
    for (Json& variant : variants) {
        variant.set("model", cell(variant["model"]) + "/" + cell(variant["version"]));
    }
    print_items(variants,
                {{"variant", "name"},
                 {"model", "model"},
                 {"role", "role"},
                 {"weight", "weight"},
                 {"state", "state"},
                 {"reason", "reason"}},
                "no variants");
}

/// "ready", with the first shadow that is not: "ready, v1 failed"; or the state of a variant that answers.
std::string state_of(const Json& endpoint) {
    std::string shadow;
    for (const Json& variant : list_in(endpoint["variants"])) {
        const std::string state = variant.string_or("state", "");
        if (state != "ready" && variant.string_or("role", "") != "shadow") {
            return state;
        }
        if (state != "ready" && shadow.empty()) {
            shadow = ", " + variant.string_or("name", "") + " " + state;
        }
    }
    return "ready" + shadow;
}

void show_endpoints(const Json& document) {
    Json::Array endpoints = list_in(document);
    for (Json& endpoint : endpoints) {
        endpoint.set("state", state_of(endpoint));
    }
    print_items(endpoints,
                {{"endpoint", "name"},
                 {"champion", "champion"},
                 {"state", "state"},
                 {"task", "task"},
                 {"time", "time"},
                 {"now", "now"},
                 {"requests", "stats.requests"},
                 {"errors", "stats.errors"},
                 {"p99 ms", "stats.p99_ms"},
                 {"rollout", "rollout.state"}},
                "no endpoints; deploy a model with 'gyre deploy NAME MODEL'");
}

}  // namespace

void add_deploy_command(CLI::App& app, Globals& globals) {
    CLI::App* command = app.add_subcommand("deploy", "Serve a model under a name.");
    const auto flags = std::make_shared<DeployFlags>();
    command->add_option("name", flags->name, "Endpoint to create.")->required();
    command->add_option("model", flags->model, "Model: flights/1, flights@champion, flights.")->required();
    command->add_option("--task", flags->task, "classification or regression; else what the model says.");
    command->add_option("--time", flags->time, "event: rows carry their time; arrival (default).");
    command->add_option("--sticky-by", flags->sticky_by, "Column whose equal values see one variant.");
    command->add_flag("--own-clock", flags->own_clock,
                      "A replay: its time moves only by POST /api/gyre/v1/endpoints/NAME/clock.");
    command->add_option("--shadow", flags->shadows, "NAME=MODEL that scores and never answers; repeatable.")
        ->allow_extra_args(false);
    on_chosen(*command, globals,
              [flags, &globals] { return finish(globals, deploy(*flags, globals), show_endpoint); });
}

void add_endpoints_command(CLI::App& app, Globals& globals) {
    CLI::App* command = app.add_subcommand("endpoints", "List endpoints, show one, remove one.");
    const auto name = std::make_shared<std::string>();
    command->add_option("name", *name, "Endpoint to show.");
    on_chosen(*command, globals, [name, &globals] {
        return name->empty()
                   ? finish(globals, Remote(globals).get(native("/endpoints")), show_endpoints)
                   : finish(globals, Remote(globals).get(native("endpoints", *name)), show_endpoint);
    });
    CLI::App* remove = command->add_subcommand("remove", "Remove an endpoint.");
    const auto removed = std::make_shared<std::string>();
    remove->add_option("name", *removed, "Endpoint.")->required();
    on_chosen(*remove, globals, [removed, &globals] {
        return finish(globals, Remote(globals).del(native("endpoints", *removed)),
                      [&](const Json&) { std::printf("removed endpoint %s\n", removed->c_str()); });
    });
}

}  // namespace gyre::cli
