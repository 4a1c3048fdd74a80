// What starts runs: events, ticks, and the decisions about them.
#include <algorithm>

#include "base/id.h"
#include "base/log.h"
#include "pipelines/engine_impl.h"
#include "pipelines/interpolate.h"

namespace gyre::pipelines {
namespace {

constexpr std::int64_t kCursorLagMax = 1000;  // events read again after a restart; deciding twice is a no-op

bool equal_or_in(const Json& wanted, const Json& got) {
    if (wanted.is_array()) {
        return std::ranges::find(wanted.items(), got) != wanted.items().end();
    }
    return wanted == got;
}

std::string schedule_key(const ScheduleTrigger& schedule) {
    return schedule.every + "|" + std::string(name_of(schedule.time)) + "|" + schedule.subject + "|" +
           schedule.start;
}

}  // namespace

bool matches(const EventTrigger& trigger, const events::Event& event) {
    if (trigger.type != event.type) {
        return false;
    }
    return std::ranges::all_of(trigger.match.members(), [&](const JsonMember& wanted) {
        if (wanted.key == "subject") {
            return equal_or_in(wanted.value, Json(event.subject));
        }
        const Json* got = find_path(event.data, wanted.key);
        return got != nullptr && equal_or_in(wanted.value, *got);
    });
}

events::NewEvent run_event(std::string type, const RunRecord& run, std::string principal, Json more) {
    Json data = Json::object({{"run_id", run.id}, {"state", name_of(run.state)}});
    for (const JsonMember& member : more.members()) {
        data.set(member.key, member.value);
    }
    return {.type = std::move(type),
            .subject = "pipeline/" + run.pipeline,
            .principal = Principal{.name = std::move(principal)},
            .as_of_us = run.as_of_us,
            .data = std::move(data)};
}

Result<void> Engine::Impl::reload_pipelines() {
    {
        const std::lock_guard lock(mutex);
        if (!pipelines_changed) {
            return {};
        }
        pipelines_changed = false;
    }
    auto loaded = database.read([](storage::Reader& reader) { return store::list_pipelines(reader); });
    if (!loaded) {
        const std::lock_guard lock(mutex);
        pipelines_changed = true;
        return std::move(loaded).error();
    }
    pipelines = *std::move(loaded);
    return {};
}

Result<RunRecord> Engine::Impl::new_run(const PipelineRecord& pipeline, Json params, Json trigger,
                                        std::string principal, std::int64_t as_of_us) const {
    RunRecord run;
    run.id = make_uuid7(clock);
    run.pipeline = pipeline.name;
    run.plan = pipeline.spec;
    run.params = std::move(params);
    run.trigger = std::move(trigger);
    run.principal = std::move(principal);
    run.as_of_us = as_of_us;
    run.created_us = clock.now_us();
    return run;
}

std::vector<Candidate> Engine::Impl::candidates_of(const std::vector<events::Event>& page) const {
    std::vector<Candidate> out;
    for (const events::Event& event : page) {
        for (const PipelineRecord& pipeline : pipelines) {
            const auto trigger = std::ranges::find_if(
                pipeline.spec.on.events, [&](const EventTrigger& one) { return matches(one, event); });
            if (trigger == pipeline.spec.on.events.end() || event.position <= pipeline.since_position) {
                continue;
            }
            const std::int64_t as_of = event.as_of_us.value_or(event.time_us);
            out.push_back({.pipeline = &pipeline,
                           .source = "event:" + std::to_string(event.position),
                           .trigger = Json::object({{"type", event.type},
                                                    {"subject", event.subject},
                                                    {"position", event.position},
                                                    {"as_of", format_rfc3339(as_of)},
                                                    {"data", event.data}}),
                           .params = trigger->params,
                           .as_of_us = as_of,
                           .cooldown_us = parse_duration_us(trigger->cooldown).value_or(0),
                           .note = ""});
        }
    }
    return out;
}

Result<bool> Engine::Impl::read_events() {
    GYRE_TRY(const events::EventPage page, stream.read(cursor, kEventsPerPass));
    if (page.events.empty()) {
        return false;
    }
    GYRE_TRY_VOID(reload_pipelines());  // a definition that came before one of these events must see it
    const std::vector<Candidate> candidates = candidates_of(page.events);
    if (!candidates.empty() || page.next - cursor_stored >= kCursorLagMax) {
        fault("trigger.before");
        GYRE_TRY_VOID(database.write([&](storage::Transaction& tx) -> Result<void> {
            std::vector<events::NewEvent> news;
            for (const Candidate& candidate : candidates) {
                GYRE_TRY_VOID(decide(tx, candidate, news));
            }
            GYRE_TRY_VOID(store::put_cursor(tx, page.next));
            for (const events::NewEvent& event : news) {
                GYRE_TRY(const events::Event appended, events::append(tx, event));
                static_cast<void>(appended);
            }
            return {};
        }));
        fault("trigger.committed");
        cursor_stored = page.next;
    }
    cursor = page.next;
    return true;
}

Result<std::string> Engine::Impl::reason_to_skip(storage::Transaction& tx, const Candidate& candidate) {
    const PipelineRecord& pipeline = *candidate.pipeline;
    if (candidate.cooldown_us > 0) {
        GYRE_TRY(const auto last, store::last_started_as_of(tx, pipeline.name));
        if (last && candidate.as_of_us < *last + candidate.cooldown_us) {
            return "cool-down until " + format_rfc3339(*last + candidate.cooldown_us) + " (event time)";
        }
    }
    GYRE_TRY(const store::LiveCounts counts, store::live_counts(tx, pipeline.name));
    const Overlap overlap = pipeline.spec.concurrency.overlap;
    if (overlap == Overlap::skip && counts.of_pipeline > 0) {
        return std::string("another run of the pipeline has not ended (overlap: skip)");
    }
    const auto replaced = overlap == Overlap::latest ? static_cast<std::int64_t>(counts.waiting.size()) : 0;
    if (counts.queued - replaced >= static_cast<std::int64_t>(options.runs_queued_max)) {
        return std::to_string(counts.queued) + " runs are queued already";
    }
    return std::string();
}

Result<void> Engine::Impl::decide(storage::Transaction& tx, const Candidate& candidate,
                                  std::vector<events::NewEvent>& out) {
    const PipelineRecord& pipeline = *candidate.pipeline;
    GYRE_TRY(const bool already, store::decided(tx, pipeline.name, candidate.source));
    if (already) {
        return {};
    }
    DecisionRecord decision{.pipeline = pipeline.name,
                            .source = candidate.source,
                            .type = candidate.trigger.string_or("type", ""),
                            .subject = candidate.trigger.string_or("subject", ""),
                            .as_of_us = candidate.as_of_us,
                            .decided_us = tx.now_us(),
                            .outcome = Decision::skipped,
                            .reason = "",
                            .run_id = ""};
    GYRE_TRY(decision.reason, reason_to_skip(tx, candidate));
    Result<Json> params = fill_in(candidate.params, Json::object({{"trigger", candidate.trigger}}));
    params = params ? bind_params(pipeline.spec, *params) : std::move(params);
    if (decision.reason.empty() && !params) {
        decision.reason = params.error().message();
    }
    if (!decision.reason.empty()) {
        log_info("pipeline_trigger_skipped", {{"pipeline", pipeline.name}, {"reason", decision.reason}});
        return store::insert_decision(tx, decision);
    }
    if (pipeline.spec.concurrency.overlap == Overlap::latest) {
        GYRE_TRY(const store::LiveCounts counts, store::live_counts(tx, pipeline.name));
        for (const std::string& id : counts.waiting) {
            GYRE_TRY(RunRecord older, store::get_run(tx, id));
            older.state = RunState::superseded;
            older.reason = "a newer trigger came before it started";
            older.finished_us = tx.now_us();
            for (StepRecord& step : older.steps) {
                step.state = StepState::cancelled;
                step.finished_us = older.finished_us;
                GYRE_TRY_VOID(store::update_step(tx, older.id, step));
            }
            GYRE_TRY_VOID(store::update_run(tx, older));
            out.push_back(run_event("pipeline.finished", older, "system", Json::object()));
        }
    }
    GYRE_TRY(const RunRecord run, new_run(pipeline, *std::move(params), candidate.trigger,
                                          system_principal().name, candidate.as_of_us));
    GYRE_TRY_VOID(store::insert_run(tx, run));
    decision.outcome = Decision::started;
    decision.reason = candidate.note;
    decision.run_id = run.id;
    GYRE_TRY_VOID(store::insert_decision(tx, decision));
    out.push_back(run_event("pipeline.triggered", run, run.principal,
                            Json::object({{"source", candidate.source}, {"type", decision.type}})));
    return {};
}

Result<bool> Engine::Impl::fire_schedules() {
    bool fired = false;
    for (const PipelineRecord& pipeline : pipelines) {
        for (const ScheduleTrigger& schedule : pipeline.spec.on.schedule) {
            GYRE_TRY(const bool did, fire_one(pipeline, schedule));
            fired = fired || did;
        }
    }
    return fired;
}

Result<bool> Engine::Impl::fire_one(const PipelineRecord& pipeline, const ScheduleTrigger& schedule) {
    std::int64_t now = clock.now_us();
    if (schedule.time == ScheduleTime::event) {
        const std::lock_guard lock(mutex);
        const auto found = watermarks.find(schedule.subject);
        if (found == watermarks.end()) {
            return false;
        }
        now = found->second;
    }
    const std::string key = schedule_key(schedule);
    const std::int64_t every =
        std::max<std::int64_t>(parse_duration_us(schedule.every).value_or(kUsPerDay), 1);
    auto next = next_ticks.find(pipeline.name + "|" + key);
    if (next == next_ticks.end()) {
        GYRE_TRY(auto stored, database.write([&](storage::Transaction& tx) -> Result<std::int64_t> {
            GYRE_TRY(const auto kept, store::find_tick(tx, pipeline.name, key));
            const std::int64_t first = kept ? *kept : parse_rfc3339(schedule.start).value_or(now + every);
            GYRE_TRY_VOID(store::put_tick(tx, pipeline.name, key, first));
            return first;
        }));
        next = next_ticks.emplace(pipeline.name + "|" + key, stored).first;
    }
    if (now < next->second) {
        return false;
    }
    const std::int64_t missed = (now - next->second) / every;
    const std::int64_t tick = next->second + missed * every;
    const Candidate candidate{
        .pipeline = &pipeline,
        .source = "schedule:" + key + ":" + std::to_string(tick),
        .trigger = Json::object({{"type", "schedule"},
                                 {"subject", schedule.subject.empty() ? "clock" : schedule.subject},
                                 {"position", 0},
                                 {"as_of", format_rfc3339(tick)},
                                 {"data", Json::object({{"every", schedule.every}, {"missed", missed}})}}),
        .params = schedule.params,
        .as_of_us = tick,
        .cooldown_us = 0,
        .note = missed > 0 ? std::to_string(missed) + " earlier ticks were missed" : ""};
    fault("trigger.before");
    GYRE_TRY_VOID(database.write([&](storage::Transaction& tx) -> Result<void> {
        std::vector<events::NewEvent> news;
        GYRE_TRY_VOID(store::put_tick(tx, pipeline.name, key, tick + every));
        GYRE_TRY_VOID(decide(tx, candidate, news));
        for (const events::NewEvent& event : news) {
            GYRE_TRY(const events::Event appended, events::append(tx, event));
            static_cast<void>(appended);
        }
        return {};
    }));
    fault("trigger.committed");
    next->second = tick + every;
    return true;
}

}  // namespace gyre::pipelines
