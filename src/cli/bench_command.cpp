// Adapter: CLI11. `gyre bench`: how fast an endpoint answers, as its callers see it.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <thread>

#include <CLI/CLI.hpp>

#include "base/clock.h"
#include "base/text.h"
#include "cli/action.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/remote.h"

namespace gyre::cli {
namespace {

constexpr std::int64_t kLookMs = 200;
constexpr std::size_t kLatenciesMax = 20'000'000;  // of all connections; later requests are only counted
constexpr int kTooMany = 429;
constexpr int kFirstError = 400;

struct BenchFlags {
    std::string endpoint;
    std::vector<std::string> rows;
    std::string at;
    std::int64_t rows_per_request = 1;
    std::int64_t connections = 4;
    std::int64_t seconds = 10;
};

/// What one connection saw.
struct Tally {
    std::vector<std::int64_t> latencies_ns;
    std::int64_t answered = 0;
    std::int64_t busy = 0;  // 429
    std::int64_t failed = 0;
    std::string first_failure;
};

Result<std::string> body_of(const BenchFlags& flags) {
    Json::Array given;
    for (const std::string& text : flags.rows) {
        auto row = parse_json(text);
        if (!row || !row->is_object()) {
            return invalid_argument("--row: expected a JSON object, got '" + text + "'");
        }
        given.push_back(*std::move(row));
    }
    Json rows = Json::array();
    for (std::int64_t i = 0; i < flags.rows_per_request; ++i) {
        rows.push_back(given[static_cast<std::size_t>(i) % given.size()]);
    }
    Json body = Json::object({{"rows", std::move(rows)}});
    if (!flags.at.empty()) {
        body.set("event_time", flags.at);
    }
    return body.dump();
}

void send_until(std::int64_t end_ns, const runtime::HttpRequest& request, std::size_t latencies_max,
                const std::atomic<bool>& stop, Tally& tally) {
    runtime::HttpClient client;
    const Clock& clock = system_clock();
    while (!stop.load(std::memory_order_relaxed)) {
        const std::int64_t start_ns = clock.steady_ns();
        if (start_ns >= end_ns) {
            return;
        }
        const auto reply = client.send(request);
        const std::int64_t took_ns = clock.steady_ns() - start_ns;
        if (reply && reply->status < kFirstError) {
            ++tally.answered;
            if (tally.latencies_ns.size() < latencies_max) {
                tally.latencies_ns.push_back(took_ns);
            }
            continue;
        }
        const bool busy = reply && reply->status == kTooMany;
        ++(busy ? tally.busy : tally.failed);
        if (!busy && tally.first_failure.empty()) {
            tally.first_failure =
                reply ? error_of_reply(reply->status, reply->body).message() : reply.error().message();
        }
    }
}

/// The value below which a share of the sorted latencies lies, in milliseconds.
double quantile_ms(const std::vector<std::int64_t>& sorted_ns, double share) {
    if (sorted_ns.empty()) {
        return 0.0;
    }
    const auto last = static_cast<double>(sorted_ns.size() - 1);
    return static_cast<double>(sorted_ns[static_cast<std::size_t>(std::ceil(share * last))]) * 1e-6;
}

Json summary(const BenchFlags& flags, std::vector<Tally>& tallies, double seconds) {
    Tally all;
    for (Tally& tally : tallies) {
        all.latencies_ns.insert(all.latencies_ns.end(), tally.latencies_ns.begin(), tally.latencies_ns.end());
        all.answered += tally.answered;
        all.busy += tally.busy;
        all.failed += tally.failed;
        all.first_failure = all.first_failure.empty() ? tally.first_failure : all.first_failure;
    }
    std::ranges::sort(all.latencies_ns);
    const double rate = static_cast<double>(all.answered) / seconds;
    Json out = Json::object({{"endpoint", flags.endpoint},
                             {"connections", flags.connections},
                             {"rows_per_request", flags.rows_per_request},
                             {"seconds", seconds},
                             {"answered", all.answered},
                             {"busy", all.busy},
                             {"failed", all.failed},
                             {"requests_per_second", rate},
                             {"rows_per_second", rate * static_cast<double>(flags.rows_per_request)},
                             {"p50_ms", quantile_ms(all.latencies_ns, 0.5)},
                             {"p90_ms", quantile_ms(all.latencies_ns, 0.9)},
                             {"p99_ms", quantile_ms(all.latencies_ns, 0.99)},
                             {"max_ms", quantile_ms(all.latencies_ns, 1.0)}});
    if (!all.first_failure.empty()) {
        out.set("first_failure", all.first_failure);
    }
    return out;
}

Result<Json> bench(const BenchFlags& flags, const Globals& globals) {
    GYRE_TRY(std::string body, body_of(flags));
    Remote remote(globals);
    GYRE_TRY(const Json parsed, parse_json(body));
    // One request first: what is wrong with it is said once, and the model is warm.
    GYRE_TRY_VOID(remote.post(native("endpoints", flags.endpoint, "/predict"), parsed));
    runtime::HttpRequest request;
    request.method = "POST";
    request.url = remote.url() + native("endpoints", flags.endpoint, "/predict");
    request.headers.emplace_back("Content-Type", "application/json");
    if (!globals.token.empty()) {
        request.headers.emplace_back("Authorization", "Bearer " + globals.token);
    }
    request.body = std::move(body);

    const Clock& clock = system_clock();
    const InterruptWatch watch;
    Progress progress("bench " + flags.endpoint, detect_progress_style());
    std::atomic<bool> stop = false;
    std::vector<Tally> tallies(static_cast<std::size_t>(flags.connections));
    const std::int64_t start_ns = clock.steady_ns();
    const std::int64_t length_ns = flags.seconds * 1'000'000'000;
    std::vector<std::thread> threads;
    threads.reserve(tallies.size());
    for (Tally& tally : tallies) {
        threads.emplace_back(
            [&] { send_until(start_ns + length_ns, request, kLatenciesMax / tallies.size(), stop, tally); });
    }
    bool interrupted = false;
    for (std::int64_t now_ns = start_ns; !interrupted && now_ns < start_ns + length_ns;
         now_ns = clock.steady_ns()) {
        const double share = static_cast<double>(now_ns - start_ns) / static_cast<double>(length_ns);
        progress.update(share, std::to_string(flags.connections) + " connections");
        interrupted = watch.wait(kLookMs);
    }
    stop = interrupted;
    for (std::thread& thread : threads) {
        thread.join();
    }
    const double seconds = static_cast<double>(clock.steady_ns() - start_ns) * 1e-9;
    progress.finish(interrupted ? "interrupted" : "done");
    return summary(flags, tallies, seconds);
}

void show(const Json& result) {
    print_facts(result, {{"answered", "answered"},
                         {"busy (429)", "busy"},
                         {"failed", "failed"},
                         {"first failure", "first_failure"},
                         {"seconds", "seconds"},
                         {"requests/s", "requests_per_second"},
                         {"rows/s", "rows_per_second"},
                         {"p50 ms", "p50_ms"},
                         {"p90 ms", "p90_ms"},
                         {"p99 ms", "p99_ms"},
                         {"max ms", "max_ms"}});
}

}  // namespace

void add_bench_command(CLI::App& app, Globals& globals) {
    CLI::App* command =
        app.add_subcommand("bench", "How fast an endpoint answers; its rows are logged as any others.");
    const auto flags = std::make_shared<BenchFlags>();
    command->add_option("endpoint", flags->endpoint, "Endpoint.")->required();
    command->add_option("--row", flags->rows, "A row as a JSON object; repeatable, taken in turn.")
        ->required()
        ->allow_extra_args(false);
    command->add_option("--at", flags->at, "Event time of all rows (RFC 3339).");
    command->add_option("--rows", flags->rows_per_request, "Rows of one request.")
        ->check(CLI::Range(1, 100'000))
        ->capture_default_str();
    command->add_option("--connections", flags->connections, "Connections that send at the same time.")
        ->check(CLI::Range(1, 256))
        ->capture_default_str();
    command->add_option("--seconds", flags->seconds, "How long.")
        ->check(CLI::Range(1, 3600))
        ->capture_default_str();
    on_chosen(*command, globals, [flags, &globals] {
        const auto result = bench(*flags, globals);
        const int code = finish(globals, result, show);
        const bool failed = result && result->integer_or("failed", 0) > 0;
        return failed ? info_of(ErrorCode::internal).exit_code : code;
    });
}

}  // namespace gyre::cli
