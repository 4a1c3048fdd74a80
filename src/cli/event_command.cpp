// Adapter: CLI11. `gyre events`: what changed, live, and whether the chain is whole.
#include <cstdio>
#include <deque>
#include <optional>

#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/action.h"
#include "cli/interrupt.h"
#include "cli/remote.h"

namespace gyre::cli {
namespace {

constexpr std::int64_t kPage = 1000;
constexpr int kReconnectsMax = 30;  // in a row, without an event between them
constexpr std::int64_t kReconnectPauseMs = 1000;

struct TailFlags {
    std::optional<std::int64_t> after;
    std::size_t lines = 20;
    bool follow = false;
    std::string type;
    std::string subject;
};

std::string event_line(const Json& event) {
    std::string line = cell(event["position"]);
    line.insert(0, 6 - std::min<std::size_t>(6, line.size()), ' ');
    line.append("  ").append(cell(event["time"])).append("  ").append(cell(event["type"]));
    line.append("  ").append(cell(event["subject"])).append("  ").append(cell(event["principal"]));
    if (!event["as_of"].is_null()) {
        line.append("  as of ").append(cell(event["as_of"]));
    }
    if (event["data"].is_object() && !event["data"].members().empty()) {
        line.append("  ").append(event["data"].dump());
    }
    return line;
}

void print_event(const Json& event, const Globals& globals) {
    const std::string line = globals.json ? event.dump() : event_line(event);
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
}

struct Tail {
    Json events = Json::array();
    std::int64_t next = 0;
};

/// All events after a position, or the last `lines` of all.
Result<Tail> read_tail(Remote& remote, const TailFlags& flags) {
    std::deque<Json> kept;
    Tail tail{.next = flags.after.value_or(0)};
    for (;;) {
        const std::string query = query_of({{"after", std::to_string(tail.next)},
                                            {"limit", std::to_string(kPage)},
                                            {"type", flags.type},
                                            {"subject", flags.subject}});
        GYRE_TRY(const Json page, remote.get(native("/events") + query));
        for (const Json& event : list_in(page)) {
            kept.push_back(event);
            if (!flags.after && kept.size() > flags.lines) {
                kept.pop_front();
            }
        }
        const std::int64_t next = page.integer_or("next", tail.next);
        if (next <= tail.next) {
            break;
        }
        tail.next = next;
    }
    for (Json& event : kept) {
        tail.events.push_back(std::move(event));
    }
    return tail;
}

/// Prints events until the user ends it; connects again when the stream breaks.
Result<void> follow(Remote& remote, const TailFlags& flags, const Globals& globals, std::int64_t after) {
    int failures = 0;
    const auto on_event = [&](std::string_view id, std::string_view, std::string_view data) {
        const auto event = parse_json(data);
        if (event) {
            print_event(*event, globals);
        }
        after = parse_integer(id).value_or(after);
        failures = 0;
        return true;
    };
    for (;;) {
        const std::string query =
            query_of({{"after", std::to_string(after)}, {"type", flags.type}, {"subject", flags.subject}});
        const Result<void> ended = remote.events(native("/events/stream") + query, on_event);
        const bool passing = ended || ended.error().code() == ErrorCode::unavailable ||
                             ended.error().code() == ErrorCode::deadline_exceeded;
        if (!passing || ++failures > kReconnectsMax) {
            return ended ? Result<void>(unavailable("the server keeps ending the stream")) : ended;
        }
        if (InterruptWatch().wait(kReconnectPauseMs)) {
            return Error(ErrorCode::cancelled, "interrupted");
        }
    }
}

int tail(const TailFlags& flags, const Globals& globals) {
    Remote remote(globals);
    const auto read = read_tail(remote, flags);
    if (!read) {
        return report(read.error(), globals);
    }
    if (globals.json && !flags.follow) {
        print_json(Json::object({{"events", read->events}, {"next", read->next}}));
        return 0;
    }
    for (const Json& event : read->events.items()) {
        print_event(event, globals);
    }
    if (!flags.follow) {
        if (read->events.items().empty()) {
            std::printf("no events\n");
        }
        return 0;
    }
    const Result<void> ended = follow(remote, flags, globals, read->next);
    return ended ? 0 : report(ended.error(), globals);
}

int verify(const Globals& globals) {
    const auto answer = Remote(globals).get(native("/events/verify"));
    const int code = finish(globals, answer, [](const Json& document) {
        if (document.bool_or("ok", false)) {
            std::printf("the chain is whole: %s events checked\n",
                        with_thousands(document.integer_or("checked", 0)).c_str());
        } else {
            std::printf("the chain is broken at position %s: %s\n", cell(document["first_bad"]).c_str(),
                        cell(document["reason"]).c_str());
        }
    });
    return code == 0 && !answer->bool_or("ok", false) ? kExitGateFailed : code;
}

}  // namespace

void add_events_command(CLI::App& app, Globals& globals) {
    CLI::App* command = app.add_subcommand("events", "What changed: the audit log.");
    command->require_subcommand(1);
    CLI::App* tail_command = command->add_subcommand("tail", "Print events, oldest first.");
    const auto flags = std::make_shared<TailFlags>();
    tail_command->add_option("--after", flags->after, "Position to go on from; else the last ones.");
    tail_command->add_option("-n,--lines", flags->lines, "How many of the last.")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    tail_command->add_flag("-f,--follow", flags->follow, "Go on as events happen (with --json: one a line).");
    tail_command->add_option("--type", flags->type, "Exact type, or a prefix such as rollout.*");
    tail_command->add_option("--subject", flags->subject, "Exact subject, such as endpoint/flights.");
    on_chosen(*tail_command, globals, [flags, &globals] { return tail(*flags, globals); });
    CLI::App* verify_command = command->add_subcommand("verify", "Check every link of the hash chain.");
    on_chosen(*verify_command, globals, [&globals] { return verify(globals); });
}

}  // namespace gyre::cli
