// Adapter: CLI11. `gyre rollout`: a candidate beside the champion, and who decides.
#include <cstdio>

#include <CLI/CLI.hpp>

#include "base/model_ref.h"
#include "cli/action.h"
#include "cli/remote.h"

namespace gyre::cli {
namespace {

struct StartFlags {
    std::string endpoint;
    std::string model;
    std::string policy = "sequential";
    std::vector<std::string> options;
};

/// {"sequential": {"alpha": 0.01}} of {"sequential.alpha": 0.01}.
Json nested(const Json& flat) {
    Json out = Json::object();
    for (const JsonMember& member : flat.members()) {
        Json* at = &out;
        std::string_view key = member.key;
        for (std::size_t dot = key.find('.'); dot != std::string_view::npos; dot = key.find('.')) {
            const std::string_view head = key.substr(0, dot);
            if (at->find(head) == nullptr || !at->find(head)->is_object()) {
                at->set(head, Json::object());
            }
            at = at->find(head);
            key.remove_prefix(dot + 1);
        }
        at->set(key, member.value);
    }
    return out;
}

Result<Json> start(const StartFlags& flags, const Globals& globals) {
    GYRE_TRY(const ModelRef checked, parse_model_ref(flags.model));
    GYRE_TRY(const Json options, key_values("--option", flags.options));
    return Remote(globals).post(native("/rollouts"), Json::object({{"endpoint", flags.endpoint},
                                                                   {"model", flags.model},
                                                                   {"policy", flags.policy},
                                                                   {"options", nested(options)}}));
}

void show_rollout(const Json& rollout) {
    print_facts(rollout, {{"rollout", "id"},
                          {"endpoint", "endpoint"},
                          {"champion", "champion"},
                          {"candidate", "candidate"},
                          {"policy", "policy"},
                          {"success", "success"},
                          {"state", "state"},
                          {"exposure", "exposure"},
                          {"reason", "reason"},
                          {"cause", "cause"},
                          {"started", "started_at"},
                          {"as of", "as_of"},
                          {"ended", "ended_at"},
                          {"pending", "pending.action"},
                          {"takes effect", "pending.effective_at"},
                          {"exposed predictions", "exposed_predictions"},
                          {"metric", "evidence.metric"},
                          {"pairs", "evidence.n"},
                          {"n champion", "evidence.n_champion"},
                          {"n candidate", "evidence.n_candidate"},
                          {"difference", "evidence.estimate"},
                          {"low", "evidence.low"},
                          {"high", "evidence.high"},
                          {"margin", "evidence.margin"},
                          {"alpha", "evidence.alpha"}});
    if (!list_in(rollout["history"]).empty()) {
        std::printf("\n");
        print_items(list_in(rollout["history"]),
                    {{"time", "time"},
                     {"state", "state"},
                     {"exposure", "exposure"},
                     {"n", "evidence.n"},
                     {"difference", "evidence.estimate"},
                     {"low", "evidence.low"},
                     {"high", "evidence.high"}},
                    "");
    }
}

void show_rollouts(const Json& document) {
    print_items(list_in(document),
                {{"rollout", "id"},
                 {"endpoint", "endpoint"},
                 {"champion", "champion"},
                 {"candidate", "candidate"},
                 {"policy", "policy"},
                 {"state", "state"},
                 {"exposure", "exposure"},
                 {"as of", "as_of"},
                 {"reason", "reason"}},
                "no rollouts; start one with 'gyre rollout start ENDPOINT MODEL'");
}

void add_start(CLI::App& group, Globals& globals) {
    CLI::App* command = group.add_subcommand("start", "Put a candidate beside the champion.");
    const auto flags = std::make_shared<StartFlags>();
    command->add_option("endpoint", flags->endpoint, "Endpoint.")->required();
    command->add_option("model", flags->model, "Candidate, such as flights/2.")->required();
    command->add_option("--policy", flags->policy, "sequential, unpaired, simple or simple-literal.")
        ->capture_default_str();
    command->add_option("--option", flags->options, "Such as sequential.loss.alpha=0.01; repeatable.")
        ->allow_extra_args(false);
    on_chosen(*command, globals,
              [flags, &globals] { return finish(globals, start(*flags, globals), show_rollout); });
}

void add_verb(CLI::App& group, Globals& globals, const std::string& verb, const std::string& help) {
    CLI::App* command = group.add_subcommand(verb, help);
    const auto id = std::make_shared<std::string>();
    command->add_option("id", *id, "Rollout.")->required();
    on_chosen(*command, globals, [id, verb, &globals] {
        return finish(globals, Remote(globals).post(native("rollouts", *id, "/" + verb), Json::object()),
                      show_rollout);
    });
}

}  // namespace

void add_rollout_command(CLI::App& app, Globals& globals) {
    CLI::App* group = app.add_subcommand("rollout", "Canary and promotion of a new version.");
    group->require_subcommand(1);
    add_start(*group, globals);
    CLI::App* list = group->add_subcommand("list", "Rollouts, running and ended.");
    const auto endpoint = std::make_shared<std::string>();
    list->add_option("--endpoint", *endpoint, "Of this endpoint only.");
    on_chosen(*list, globals, [endpoint, &globals] {
        const std::string query = query_of({{"endpoint", *endpoint}});
        return finish(globals, Remote(globals).get(native("/rollouts") + query), show_rollouts);
    });
    CLI::App* show = group->add_subcommand("show", "One rollout with its evidence.");
    const auto id = std::make_shared<std::string>();
    show->add_option("id", *id, "Rollout.")->required();
    on_chosen(*show, globals, [id, &globals] {
        return finish(globals, Remote(globals).get(native("rollouts", *id)), show_rollout);
    });
    add_verb(*group, globals, "promote", "Make the candidate the champion now.");
    add_verb(*group, globals, "abort", "End it; the champion stays.");
    add_verb(*group, globals, "pause", "Keep the exposure where it is.");
    add_verb(*group, globals, "resume", "Go on after a pause.");
}

}  // namespace gyre::cli
