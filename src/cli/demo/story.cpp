#include "cli/demo/story.h"

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <utility>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

namespace gyre::cli::demo {
namespace {

constexpr std::int64_t kRunTimeoutMs = 240'000;
constexpr std::int64_t kPollMs = 100;
constexpr std::int64_t kTickUs = 6 * kUsPerHour;
constexpr std::int64_t kSettlingDays = 59;  // the first retraining has had its say by then
constexpr std::int64_t kBadModelsFromUs = 1'380'585'600'000'000;  // 2013-10-01

void wait_ms(std::int64_t ms) {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable().wait_for(lock, std::chrono::milliseconds(ms), [] { return false; });
}

/// The steps of every training; `extra` are lines that differ.
std::string training_steps(const Dataset& dataset, const std::string& source, const std::string& window,
                           const std::string& train_extra) {
    const std::string task = dataset.classification ? "classification" : "regression";
    // What happened before the endpoint was there counts, too.
    const std::string include =
        source.starts_with("endpoint://") ? ", include: \"dataset://" + dataset.name + "-first.csv\"" : "";
    return "steps:\n"
           "  - id: validate\n"
           "    kind: validate\n"
           "    with: {source: \"" +
           source + "\", window: " + window + include +
           "}\n"
           "  - id: train\n"
           "    kind: train\n"
           "    needs: [validate]\n"
           "    with:\n"
           "      table: \"${{steps.validate.outputs.table}}\"\n"
           "      model: " +
           dataset.name +
           "\n"
           "      task: " +
           task +
           "\n"
           "      params: {trees: 100, max_depth: 6, learning_rate: 0.1, threads: 2, seed: 1}\n" +
           train_extra;
}

std::string register_step(const Dataset& dataset, const std::string& needs, const std::string& extra) {
    return "  - id: register\n"
           "    kind: register\n"
           "    needs: [" +
           needs +
           "]\n"
           "    with:\n"
           "      name: " +
           dataset.name +
           "\n"
           "      run_id: \"${{steps.train.outputs.run_id}}\"\n"
           "      location: \"${{steps.train.outputs.location}}\"\n" +
           extra;
}

std::string rollout_step(const Dataset& dataset, const std::string& policy) {
    return "  - id: rollout\n"
           "    kind: rollout\n"
           "    needs: [register]\n"
           "    with: {endpoint: " +
           dataset.name + ", model: \"${{steps.register.outputs.model}}\", policy: \"" + policy + "\"}\n";
}

std::string first_pipeline(const Dataset& dataset) {
    return "name: " + dataset.name + "-first\n" +
           training_steps(dataset, "dataset://" + dataset.name + "-first.csv", "all", "") +
           register_step(dataset, "train", "      alias: champion\n");
}

std::string retrain_pipeline(const Dataset& dataset, const StoryOptions& options, std::int64_t start_us) {
    const std::string subject = "endpoint/" + dataset.name;
    std::string yaml = "name: " + dataset.name +
                       "-retrain\n"
                       "on:\n"
                       "  events:\n"
                       "    - {type: performance.degraded, match: {subject: " +
                       subject + "}, cooldown: 21d}\n";
    if (options.schedule) {
        yaml +=
            "  schedule:\n"
            "    - {every: 4w, time: event, subject: " +
            subject + ", start: \"" + format_rfc3339(start_us) + "\"}\n";
    }
    return yaml +
           training_steps(dataset, "endpoint://" + dataset.name, options.window,
                          "      keep_back: 14d\n      holdout: {kind: none}\n") +
           "  - id: evaluate\n"
           "    kind: evaluate\n"
           "    needs: [train]\n"
           "    with: {table: \"${{steps.validate.outputs.table}}\", package: "
           "\"${{steps.train.outputs.trial}}\", window: 14d}\n"
           "  - id: gate\n"
           "    kind: gate\n"
           "    needs: [evaluate]\n"
           "    on_fail: skip\n"
           "    with: {table: \"${{steps.validate.outputs.table}}\", candidate: "
           "\"${{steps.train.outputs.trial}}\", "
           "champion: \"endpoint://" +
           dataset.name + "\", window: 14d}\n" +
           register_step(dataset, "gate",
                         "      package: \"${{steps.train.outputs.package}}\"\n"
                         "      evaluation: \"${{steps.evaluate.outputs.evaluation}}\"\n") +
           rollout_step(dataset, "sequential");
}

/// A model trained on permuted labels, forced past the gate: what must not reach users.
std::string bad_pipeline(const Dataset& dataset, const StoryOptions& options) {
    return "name: " + dataset.name +
           "-bad\n"
           "params:\n"
           "  policy: {type: string, default: sequential}\n" +
           training_steps(dataset, "endpoint://" + dataset.name, options.window,
                          "      shuffle_labels: true\n      holdout: {kind: none}\n") +
           register_step(dataset, "train", "") + rollout_step(dataset, "${{params.policy}}");
}

}  // namespace

Story::Story(const Dataset& dataset, Remote& remote, StoryOptions options)
    : dataset_(dataset), remote_(remote), options_(std::move(options)) {
    const std::int64_t first_day = dataset.start_us() / kUsPerDay * kUsPerDay;
    const std::int64_t twelfth = (dataset.end_us() - dataset.start_us()) / 12;
    from_us_ = dataset.name == "flights" ? *parse_rfc3339("2013-02-01") - dataset.utc_offset_us
                                         : (dataset.start_us() + twelfth) / kUsPerDay * kUsPerDay;
    from_us_ = std::max(from_us_, first_day + kUsPerDay);
    to_us_ = from_us_ + ((dataset.end_us() - from_us_) / kTickUs + 1) * kTickUs;
    if (options_.until_us != 0) {
        to_us_ = std::min(to_us_, options_.until_us);
    }
    if (options_.bad_models) {
        bad_due_ = {"sequential", "unpaired"};
    }
}

void Story::say(const std::string& line) const {
    if (!options_.quiet) {
        std::printf("%s\n", line.c_str());
        std::fflush(stdout);
    }
}

Result<void> Story::begin(const std::string& scratch) {
    GYRE_TRY_VOID(put_pipelines());
    GYRE_TRY_VOID(train_first(scratch));
    GYRE_TRY_VOID(deploy());
    return watch();
}

Result<void> Story::put_pipelines() {
    for (const std::string& yaml :
         {first_pipeline(dataset_), retrain_pipeline(dataset_, options_, from_us_ + 28 * kUsPerDay),
          bad_pipeline(dataset_, options_)}) {
        GYRE_TRY(const Json stored, remote_.post("/api/gyre/v1/pipelines", Json::object({{"yaml", yaml}})));
        static_cast<void>(stored);
    }
    return {};
}

Result<void> Story::train_first(const std::string& scratch) {
    const auto rows = rows_between(dataset_, dataset_.start_us(), from_us_);
    const std::string path = scratch + "/first.csv";
    GYRE_TRY_VOID(write_file_atomic(path, to_csv(dataset_, rows)));
    GYRE_TRY(const Json uploaded,
             remote_.upload("PUT", "/api/gyre/v1/datasets/" + dataset_.name + "-first.csv", path));
    static_cast<void>(uploaded);
    GYRE_TRY(const Json run, remote_.post("/api/gyre/v1/pipelines/" + dataset_.name + "-first/runs",
                                          Json::object({{"as_of", format_rfc3339(from_us_)}})));
    GYRE_TRY(const Json done, wait_for_run(run.string_or("id", "")));
    for (const Json& step : done["steps"].items()) {
        if (step.string_or("id", "") != "train") {
            continue;
        }
        const Json& outputs = step["outputs"];
        say("   trained on " + with_thousands(static_cast<std::int64_t>(outputs.number_or("rows", 0))) +
            " rows in " + short_number(outputs.number_or("duration_s", 0)) +
            " s; a trial without the last 15 % of them measured on these:");
        if (outputs["holdout"].is_object()) {
            say(format_metrics(outputs["holdout"]));
        }
    }
    return {};
}

Result<Json> Story::wait_for_run(const std::string& id) {
    for (std::int64_t waited_ms = 0; waited_ms < kRunTimeoutMs; waited_ms += kPollMs) {
        GYRE_TRY(const Json run, remote_.get("/api/gyre/v1/pipeline-runs/" + id));
        const std::string state = run.string_or("state", "");
        if (state == "succeeded") {
            return run;
        }
        if (state == "failed" || state == "cancelled") {
            std::string reason;
            for (const Json& step : run["steps"].items()) {
                reason += step.string_or("message", "").empty()
                              ? ""
                              : step.string_or("id", "") + ": " + step.string_or("message", "") + "; ";
                reason += step.string_or("reason", "").empty()
                              ? ""
                              : step.string_or("id", "") + ": " + step.string_or("reason", "") + "; ";
            }
            return internal_error("pipeline run " + id + " " + state + ": " + reason);
        }
        wait_ms(kPollMs);
    }
    return Error(ErrorCode::deadline_exceeded, "pipeline run " + id + " has not ended in time");
}

Result<void> Story::deploy() {
    Json shadows = Json::array();
    shadows.push_back(Json::object({{"name", "left-alone"}, {"model", dataset_.name + "/1"}}));
    const Json body = Json::object({{"name", dataset_.name},
                                    {"model", dataset_.name + "/1"},
                                    {"time", "event"},
                                    {"own_clock", true},
                                    {"future_skew_max_s", 86400},
                                    {"shadows", std::move(shadows)}});
    GYRE_TRY(const Json endpoint, remote_.post("/api/gyre/v1/endpoints", body));
    static_cast<void>(endpoint);
    return {};
}

Result<void> Story::watch() {
    const Json drift = Json::object({{"endpoint", dataset_.name}, {"name", "drift"}, {"kind", "drift"}});
    const Json performance = Json::object({{"endpoint", dataset_.name},
                                           {"name", "performance"},
                                           {"kind", "performance"},
                                           {"metric", dataset_.classification ? "brier" : "rmse"},
                                           {"threshold", 0.05},
                                           {"severity", "critical"},
                                           {"min_labelled", 200}});
    for (const Json& monitor : {drift, performance}) {
        GYRE_TRY(const Json created, remote_.post("/api/gyre/v1/monitors", monitor));
        static_cast<void>(created);
    }
    return {};
}

Result<void> Story::replay() {
    ReplayOptions options;
    options.url = remote_.url();
    options.endpoint = dataset_.name;
    options.from_us = from_us_;
    options.to_us = to_us_;
    options.tick_us = kTickUs;
    options.days_per_second = options_.days_per_second;
    replay_ = std::make_unique<Replay>(dataset_, options);
    GYRE_TRY_VOID(replay_->run([this](std::int64_t now_us) { return on_tick(now_us); }));
    return replay_->finish([this](std::int64_t now_us) { return on_tick(now_us); });
}

Result<void> Story::on_tick(std::int64_t now_us) {
    for (;;) {
        GYRE_TRY(const Json page, remote_.get("/api/gyre/v1/events?limit=500&after=" +
                                              std::to_string(happenings_.last_position)));
        const std::int64_t next = page.integer_or("next", happenings_.last_position);
        for (const Json& event : page["events"].items()) {
            ++happenings_.by_type[event.string_or("type", "")];
            bad_is_judged_ = bad_is_judged_ && !ends_bad_model(event);
            show(event);
            happenings_.events.push_back(event);
        }
        if (next <= happenings_.last_position) {
            break;
        }
        happenings_.last_position = next;
    }
    if (!bad_due_.empty() && now_us >= kBadModelsFromUs && now_us < to_us_ && !bad_is_judged_) {
        const std::string policy = bad_due_.front();
        bad_due_.erase(bad_due_.begin());
        bad_is_judged_ = true;
        return start_bad_model(now_us, policy);
    }
    return {};
}

/// The second bad model comes when the first one's rollout is over.
bool Story::ends_bad_model(const Json& event) const {
    const std::string type = event.string_or("type", "");
    const bool over =
        type == "rollout.rolled_back" || type == "rollout.promoted" || type == "rollout.aborted";
    return over && !bad_.empty() && event["data"].string_or("candidate", "") == bad_.back().model;
}

Result<void> Story::start_bad_model(std::int64_t now_us, const std::string& policy) {
    say(format_rfc3339(now_us).substr(0, 10) +
        "  a model trained on shuffled labels is forced past the gate, policy " + policy);
    GYRE_TRY(const Json run, remote_.post("/api/gyre/v1/pipelines/" + dataset_.name + "-bad/runs",
                                          Json::object({{"as_of", format_rfc3339(now_us)},
                                                        {"params", Json::object({{"policy", policy}})}})));
    GYRE_TRY(const Json done, wait_for_run(run.string_or("id", "")));
    for (const Json& step : done["steps"].items()) {
        if (step.string_or("id", "") == "register") {
            bad_.push_back({policy, step["outputs"].string_or("model", ""), "", 0, "", ""});
        }
    }
    return {};
}

void Story::show(const Json& event) {
    const Json& data = event["data"];
    const bool refused = event.string_or("type", "") == "pipeline.step_finished" &&
                         data.string_or("kind", "") == "gate" && data.string_or("step_state", "") == "failed";
    if (refused) {
        ++gate_refusals_;
        say(event.string_or("as_of", "").substr(0, 10) + "  " + reason_of_gate(data.string_or("run_id", "")));
        return;
    }
    const std::string line = tell(event);
    if (!line.empty()) {
        say(line);
    }
}

/// Events hold no reasons of steps; the run does.
std::string Story::reason_of_gate(const std::string& run_id) {
    const auto run = remote_.get("/api/gyre/v1/pipeline-runs/" + run_id);
    if (run) {
        for (const Json& step : (*run)["steps"].items()) {
            if (step.string_or("kind", step.string_or("id", "")) == "gate") {
                return step.string_or("reason", "the gate refuses the candidate");
            }
        }
    }
    return "the gate refuses the candidate";
}

Result<YearReport> Story::report() {
    GYRE_TRY(const Json rollouts, remote_.get("/api/gyre/v1/rollouts?endpoint=" + dataset_.name));
    for (BadModel& bad : bad_) {
        for (const Json& rollout : rollouts["rollouts"].items()) {
            if (rollout.string_or("candidate", "") == bad.model) {
                bad.state = rollout.string_or("state", "");
                bad.answered = rollout.integer_or("exposed_predictions", 0);
                bad.started = rollout.string_or("started_at", "");
                bad.ended = rollout.string_or("ended_at", "");
            }
        }
    }
    const std::int64_t compared_us = from_us_ + kSettlingDays * kUsPerDay;
    GYRE_TRY(const Json json,
             remote_.get("/api/gyre/v1/endpoints/" + dataset_.name + "/report?alone=" + dataset_.name +
                         "%2F1&compare_from=" + format_rfc3339(compared_us) +
                         "&utc_offset_minutes=" + std::to_string(dataset_.utc_offset_us / 60'000'000)));
    GYRE_TRY(YearReport report, read_report(json));
    report.compared_from = format_rfc3339(compared_us).substr(0, 10);
    return report;
}

}  // namespace gyre::cli::demo
