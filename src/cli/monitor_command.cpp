// Adapter: CLI11. `gyre monitor`: drift, performance, alerts.
#include <cstdio>

#include <CLI/CLI.hpp>

#include "base/file.h"
#include "cli/action.h"
#include "cli/remote.h"

namespace gyre::cli {
namespace {

constexpr std::uint64_t kMonitorBytesMax = 1U << 20U;

Result<Json> add_monitor(const std::string& path, const Globals& globals) {
    GYRE_TRY(const std::string text, read_file(path, kMonitorBytesMax));
    auto body = parse_json(text);
    if (!body) {
        return std::move(body).error().context(path);
    }
    return Remote(globals).post(native("/monitors"), *body);
}

void show_monitors(const Json& document) {
    print_items(list_in(document),
                {{"monitor", "name"},
                 {"endpoint", "endpoint"},
                 {"kind", "kind"},
                 {"metric", "metric"},
                 {"window", "window"},
                 {"every", "step"},
                 {"severity", "severity"},
                 {"looked up to", "position"},
                 {"id", "id"}},
                "no monitors; add one with 'gyre monitor add FILE'");
}

void show_alerts(const Json& document) {
    print_items(list_in(document),
                {{"alert", "id"},
                 {"endpoint", "endpoint"},
                 {"kind", "kind"},
                 {"metric", "metric"},
                 {"value", "value"},
                 {"threshold", "threshold"},
                 {"severity", "severity"},
                 {"state", "state"},
                 {"as of", "as_of"},
                 {"message", "message"}},
                "no alerts");
}

void show_drift(const Json& document) {
    print_facts(document, {{"monitor", "monitor"},
                           {"as of", "as_of"},
                           {"preset", "preset"},
                           {"drifted", "drifted"},
                           {"share of columns", "share"}});
    print_items(
        list_in(document["columns"]),
        {{"column", "column"},
         {"type", "type"},
         {"statistic", "statistic"},
         {"value", "value"},
         {"threshold", "threshold"},
         {"p", "p_value"},
         {"psi", "psi"},
         {"drifted", "drifted"},
         {"n reference", "n_ref"},
         {"n current", "n_cur"},
         {"method", "method"},
         {"reason", "reason"}},
        "no drift monitor has looked at a whole window yet; 'gyre monitor list' shows what is watched");
}

/// "0.712 [0.701, 0.723]" where the window has bounds.
std::string with_bounds(const Json& window, const std::string& metric) {
    std::string out = cell(window[metric]);
    const Json& low = window[metric + "_low"];
    const Json& high = window[metric + "_high"];
    if (!window[metric].is_null() && !low.is_null() && !high.is_null()) {
        out.append(" [").append(cell(low)).append(", ").append(cell(high)).append("]");
    }
    return out;
}

void show_performance(const Json& document) {
    std::vector<ShownColumn> columns{
        {"from", "start"}, {"to", "end"}, {"variant", "variant"}, {"n", "n"}, {"labelled", "labelled"}};
    Json::Array windows = list_in(document["windows"]);
    for (const Json& metric : list_in(document["metrics"])) {
        const std::string name = cell(metric);
        columns.push_back({name, name});
        for (Json& window : windows) {
            window.set(name, with_bounds(window, name));
        }
    }
    print_items(windows, columns, "no window has ended yet, or no label has come; see 'gyre labels'");
}

void add_drift_view(CLI::App& group, Globals& globals) {
    CLI::App* command = group.add_subcommand("drift", "How the columns of an endpoint have moved.");
    const auto name = std::make_shared<std::string>();
    const auto monitor = std::make_shared<std::string>();
    command->add_option("endpoint", *name, "Endpoint.")->required();
    command->add_option("--monitor", *monitor, "Of this monitor; the first with a result, unless given.");
    on_chosen(*command, globals, [name, monitor, &globals] {
        const std::string query = query_of({{"monitor", *monitor}});
        return finish(globals, Remote(globals).get(native("endpoints", *name, "/drift") + query), show_drift);
    });
}

void add_performance_view(CLI::App& group, Globals& globals) {
    CLI::App* command = group.add_subcommand("performance", "Metrics by window of event time.");
    const auto name = std::make_shared<std::string>();
    command->add_option("endpoint", *name, "Endpoint.")->required();
    on_chosen(*command, globals, [name, &globals] {
        return finish(globals, Remote(globals).get(native("endpoints", *name, "/performance")),
                      show_performance);
    });
}

}  // namespace

void add_monitor_command(CLI::App& app, Globals& globals) {
    CLI::App* group = app.add_subcommand("monitor", "Drift, performance and alerts.");
    group->require_subcommand(1);
    CLI::App* list = group->add_subcommand("list", "What is watched.");
    on_chosen(*list, globals, [&globals] {
        return finish(globals, Remote(globals).get(native("/monitors")), show_monitors);
    });
    CLI::App* add = group->add_subcommand("add", "Watch something; the file is JSON.");
    const auto file = std::make_shared<std::string>();
    add->add_option("file", *file, "Monitor file (JSON).")->required();
    on_chosen(*add, globals, [file, &globals] {
        return finish(globals, add_monitor(*file, globals), [](const Json& monitor) {
            const Json& name = monitor["name"].is_null() ? monitor["id"] : monitor["name"];
            std::printf("added monitor %s\n", cell(name).c_str());
        });
    });
    CLI::App* alerts = group->add_subcommand("alerts", "Alerts, firing and resolved.");
    const auto endpoint = std::make_shared<std::string>();
    const auto firing = std::make_shared<bool>(false);
    alerts->add_option("--endpoint", *endpoint, "Of this endpoint only.");
    alerts->add_flag("--firing", *firing, "Only those that fire now.");
    on_chosen(*alerts, globals, [endpoint, firing, &globals] {
        const std::string query = query_of({{"endpoint", *endpoint}, {"firing", *firing ? "true" : ""}});
        return finish(globals, Remote(globals).get(native("/alerts") + query), show_alerts);
    });
    CLI::App* remove = group->add_subcommand("remove", "Stop watching; its firing alerts are resolved.");
    const auto id = std::make_shared<std::string>();
    remove->add_option("id", *id, "Monitor's id, as 'gyre monitor list' shows it.")->required();
    on_chosen(*remove, globals, [id, &globals] {
        return finish(globals, Remote(globals).del(native("monitors", *id)), [](const Json& monitor) {
            std::printf("removed monitor %s of %s\n", cell(monitor["name"]).c_str(),
                        cell(monitor["endpoint"]).c_str());
        });
    });
    add_drift_view(*group, globals);
    add_performance_view(*group, globals);
}

}  // namespace gyre::cli
