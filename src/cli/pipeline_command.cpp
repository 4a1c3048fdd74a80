// Adapter: CLI11. `gyre pipeline`: definitions, runs, and why something ran or did not.
#include <algorithm>
#include <cstdio>

#include <CLI/CLI.hpp>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/action.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/remote.h"
#include "cli/table.h"
#include "loop/steps/kind_catalogue.h"
#include "pipelines/plan.h"

namespace gyre::cli {
namespace {

constexpr std::uint64_t kPipelineBytesMax = 1U << 20U;
constexpr std::int64_t kPollMs = 300;

struct RunFlags {
    std::string name;
    std::vector<std::string> params;
    std::string as_of;
    bool wait = false;
    std::string timeout;
};

int lint(const std::string& path, const Globals& globals) {
    const auto text = read_file(path, kPipelineBytesMax);
    if (!text) {
        return report(text.error(), globals);
    }
    const std::vector<pipelines::Problem> problems = pipelines::lint(*text, loop::KindCatalogue());
    if (globals.json) {
        Json list = Json::array();
        for (const pipelines::Problem& problem : problems) {
            list.push_back(Json::object({{"path", problem.path},
                                         {"message", problem.message},
                                         {"line", problem.line},
                                         {"column", problem.column}}));
        }
        print_json(Json::object({{"file", path}, {"ok", problems.empty()}, {"problems", std::move(list)}}));
    } else if (problems.empty()) {
        std::printf("%s: no problems\n", path.c_str());
    } else {
        for (const pipelines::Problem& problem : problems) {
            std::printf("%s:%s\n", path.c_str(), problem.text().c_str());
        }
    }
    return problems.empty() ? 0 : kExitGateFailed;
}

/// "string", "one of a, b", "list of string": the type that a property of a schema has.
std::string type_text(const Json& property) {
    const std::string type = property.string_or("type", "any");
    if (const Json* names = property.find("enum"); names != nullptr) {
        std::string out;
        for (const Json& name : names->items()) {
            out += (out.empty() ? "one of " : ", ") + name.as_string();
        }
        return out;
    }
    return type == "array" ? "list of " + type_text(property["items"]) : type;
}

/// One row per parameter, those of an object below it: "options.sequential.steps".
void add_parameters(TextTable& table, const Json& schema, const std::string& prefix) {
    const auto is_required = [&](const std::string& name) {
        const Json* required = schema.find("required");
        return required != nullptr &&
               std::ranges::find(required->items(), Json(name)) != required->items().end();
    };
    for (const JsonMember& member : schema["properties"].members()) {
        table.add_row({prefix + member.key, type_text(member.value), is_required(member.key) ? "yes" : "",
                       member.value.string_or("description", "")});
        if (member.value["properties"].is_object()) {
            add_parameters(table, member.value, prefix + member.key + ".");
        }
    }
}

int show_kinds(const std::string& name, const Globals& globals) {
    const loop::KindCatalogue catalogue;
    Json list = Json::array();
    TextTable kinds({"kind", "what it does"});
    for (const pipelines::StepKind& kind : catalogue.all()) {
        kinds.add_row({kind.name, kind.doc});
        if (name.empty() || name == kind.name) {
            list.push_back(
                Json::object({{"kind", kind.name}, {"description", kind.doc}, {"with", kind.parameters}}));
        }
    }
    if (list.items().empty()) {
        std::vector<std::string_view> known = catalogue.kinds();
        return report(not_found("no step kind '" + name + "'" + suggestion(name, known) +
                                "; 'gyre pipeline kinds' shows them"),
                      globals);
    }
    if (globals.json) {
        print_json(name.empty() ? list : list.items().front());
    } else if (name.empty()) {
        std::fputs(kinds.str().c_str(), stdout);
    } else {
        TextTable parameters({"parameter", "type", "required", "what it is"});
        add_parameters(parameters, list.items().front()["with"], "");
        std::printf("%s\n", list.items().front().string_or("description", "").c_str());
        std::fputs(parameters.str().c_str(), stdout);
    }
    return 0;
}

Result<Json> put(const std::string& path, const Globals& globals) {
    GYRE_TRY(std::string text, read_file(path, kPipelineBytesMax));
    return Remote(globals).post(native("/pipelines"), Json::object({{"yaml", std::move(text)}}));
}

bool has_ended(const Json& run) {
    const std::string state = run.string_or("state", "");
    return state == "succeeded" || state == "failed" || state == "cancelled";
}

/// Share of the steps done, and what runs now.
std::pair<double, std::string> progress_of(const Json& run) {
    const Json::Array& steps = list_in(run["steps"]);
    double done = 0;
    std::string note = run.string_or("state", "");
    for (const Json& step : steps) {
        const std::string state = step.string_or("state", "");
        const bool ended = state == "succeeded" || state == "failed" || state == "skipped";
        done += ended ? 1.0 : step.number_or("progress", 0.0);
        if (state == "running" || state == "waiting") {
            note = step.string_or("id", "") + " " + step.string_or("message", "");
        }
    }
    return {steps.empty() ? 0.0 : done / static_cast<double>(steps.size()), note};
}

Result<Json> wait_for_run(Remote& remote, Json run, const RunFlags& flags) {
    std::int64_t until_ns = INT64_MAX;
    if (!flags.timeout.empty()) {
        GYRE_TRY(const std::int64_t timeout_us, parse_duration_us(flags.timeout));
        until_ns = system_clock().steady_ns() + timeout_us * 1000;
    }
    const std::string id = run.string_or("id", "");
    Progress progress(flags.name, detect_progress_style());
    const InterruptWatch watch;
    while (!has_ended(run)) {
        const auto [fraction, note] = progress_of(run);
        progress.update(fraction, note);
        if (system_clock().steady_ns() > until_ns) {
            return Error(ErrorCode::deadline_exceeded,
                         "run '" + id + "' has not ended after " + flags.timeout +
                             "; it goes on, see 'gyre pipeline show " + id + "'");
        }
        if (watch.wait(kPollMs)) {
            return Error(ErrorCode::cancelled,
                         "interrupted; the run goes on, see 'gyre pipeline show " + id + "'");
        }
        GYRE_TRY(run, remote.get(native("pipeline-runs", id)));
    }
    progress.finish(run.string_or("state", ""));
    return run;
}

Result<Json> run_pipeline(const RunFlags& flags, const Globals& globals) {
    GYRE_TRY(Json params, key_values("--param", flags.params));
    Json body = Json::object({{"params", std::move(params)}});
    if (!flags.as_of.empty()) {
        GYRE_TRY(const std::int64_t as_of_us, parse_rfc3339(flags.as_of));
        body.set("as_of", format_rfc3339(as_of_us));
    }
    Remote remote(globals);
    GYRE_TRY(Json run, remote.post(native("pipelines", flags.name, "/runs"), body));
    if (flags.wait) {
        return wait_for_run(remote, std::move(run), flags);
    }
    return run;
}

int exit_code_of_run(const Result<Json>& run, int code) {
    const std::string state = run ? run->string_or("state", "") : "";
    if (state == "failed") {
        return kExitGateFailed;
    }
    return state == "cancelled" ? info_of(ErrorCode::cancelled).exit_code : code;
}

void show_run(const Json& run) {
    print_facts(run, {{"run", "id"},
                      {"pipeline", "pipeline"},
                      {"state", "state"},
                      {"reason", "reason"},
                      {"trigger", run["trigger"].is_object() ? "trigger.type" : "trigger"},
                      {"as of", "as_of"},
                      {"started", "started_at"},
                      {"finished", "finished_at"},
                      {"params", "params"}});
    std::printf("\n");
    print_items(list_in(run["steps"]),
                {{"step", "id"},
                 {"kind", "kind"},
                 {"state", "state"},
                 {"attempt", "attempt"},
                 {"progress", "progress"},
                 {"started", "started_at"},
                 {"finished", "finished_at"},
                 {"reason", "reason"},
                 {"message", "message"}},
                "no steps");
}

void show_runs(const Json& document) {
    Json::Array runs = list_in(document);
    for (Json& run : runs) {
        if (run["trigger"].is_object()) {
            run.set("trigger", run["trigger"]["type"]);
        }
    }
    print_items(runs,
                {{"run", "id"},
                 {"pipeline", "pipeline"},
                 {"state", "state"},
                 {"trigger", "trigger"},
                 {"as of", "as_of"},
                 {"started", "started_at"},
                 {"finished", "finished_at"},
                 {"reason", "reason"}},
                "no runs; start one with 'gyre pipeline run NAME'");
}

void show_decisions(const Json& document) {
    print_items(list_in(document),
                {{"decided", "decided_at"},
                 {"outcome", "outcome"},
                 {"trigger", "type"},
                 {"subject", "subject"},
                 {"as of", "as_of"},
                 {"run", "run_id"},
                 {"reason", "reason"}},
                "no trigger has fired yet");
}

void add_file_commands(CLI::App& group, Globals& globals) {
    const auto file = std::make_shared<std::string>();
    CLI::App* put_command = group.add_subcommand("put", "Create or replace a pipeline.");
    put_command->add_option("file", *file, "Pipeline file (YAML).")->required();
    on_chosen(*put_command, globals, [file, &globals] {
        return finish(globals, put(*file, globals), [&](const Json& pipeline) {
            std::printf("put pipeline %s\n", cell(pipeline["name"]).c_str());
        });
    });
    CLI::App* lint_command = group.add_subcommand("lint", "Check a file here; exit code 1 with problems.");
    lint_command->add_option("file", *file, "Pipeline file (YAML).")->required();
    on_chosen(*lint_command, globals, [file, &globals] { return lint(*file, globals); });
    const auto kind = std::make_shared<std::string>();
    CLI::App* kinds = group.add_subcommand("kinds", "What steps can do, and their parameters.");
    kinds->add_option("kind", *kind, "Parameters of this kind.");
    on_chosen(*kinds, globals, [kind, &globals] { return show_kinds(*kind, globals); });
}

void add_run_command(CLI::App& group, Globals& globals) {
    CLI::App* command = group.add_subcommand("run", "Start a run.");
    const auto flags = std::make_shared<RunFlags>();
    command->add_option("name", flags->name, "Pipeline.")->required();
    command->add_option("--param", flags->params, "Parameter, NAME=VALUE; repeatable.")
        ->allow_extra_args(false);
    command->add_option("--as-of", flags->as_of, "Event time up to which data counts (RFC 3339).");
    auto* wait = command->add_flag("--wait", flags->wait, "Stay until it ends; exit code 1 when it failed.");
    command->add_option("--timeout", flags->timeout, "Longest wait, such as 30m.")->needs(wait);
    on_chosen(*command, globals, [flags, &globals] {
        const auto run = run_pipeline(*flags, globals);
        return exit_code_of_run(run, finish(globals, run, show_run));
    });
}

void add_list_commands(CLI::App& group, Globals& globals) {
    CLI::App* list = group.add_subcommand("list", "All pipelines.");
    on_chosen(*list, globals, [&globals] {
        return finish(globals, Remote(globals).get(native("/pipelines")), [](const Json& document) {
            print_items(list_in(document),
                        {{"pipeline", "name"}, {"updated", "updated_at"}, {"description", "description"}},
                        "no pipelines; add one with 'gyre pipeline put FILE'");
        });
    });
    const auto name = std::make_shared<std::string>();
    CLI::App* remove = group.add_subcommand("remove", "Remove a pipeline; its runs go on and stay listed.");
    remove->add_option("name", *name, "Pipeline.")->required();
    on_chosen(*remove, globals, [name, &globals] {
        return finish(globals, Remote(globals).del(native("pipelines", *name)),
                      [&](const Json&) { std::printf("removed pipeline %s\n", name->c_str()); });
    });
    CLI::App* runs = group.add_subcommand("runs", "Runs, newest first.");
    runs->add_option("name", *name, "Of this pipeline only.");
    on_chosen(*runs, globals, [name, &globals] {
        const std::string query = query_of({{"pipeline", *name}});
        return finish(globals, Remote(globals).get(native("/pipeline-runs") + query), show_runs);
    });
    CLI::App* show = group.add_subcommand("show", "One run with its steps.");
    show->add_option("run", *name, "Run.")->required();
    on_chosen(*show, globals, [name, &globals] {
        return finish(globals, Remote(globals).get(native("pipeline-runs", *name)), show_run);
    });
    CLI::App* cancel = group.add_subcommand("cancel", "End a run and all its steps.");
    cancel->add_option("run", *name, "Run.")->required();
    on_chosen(*cancel, globals, [name, &globals] {
        return finish(globals,
                      Remote(globals).post(native("pipeline-runs", *name, "/cancel"), Json::object()),
                      show_run);
    });
    CLI::App* why = group.add_subcommand("why", "What triggers decided: why it ran, or did not.");
    why->add_option("name", *name, "Pipeline.")->required();
    on_chosen(*why, globals, [name, &globals] {
        return finish(globals, Remote(globals).get(native("pipelines", *name, "/decisions")), show_decisions);
    });
}

}  // namespace

void add_pipeline_command(CLI::App& app, Globals& globals) {
    CLI::App* group = app.add_subcommand("pipeline", "Pipelines and their runs.");
    group->require_subcommand(1);
    add_file_commands(*group, globals);
    add_run_command(*group, globals);
    add_list_commands(*group, globals);
}

}  // namespace gyre::cli
