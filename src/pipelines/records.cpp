#include "pipelines/records.h"

#include <algorithm>

#include "base/clock.h"

namespace gyre::pipelines {
namespace {

Json time_of(const std::optional<std::int64_t>& us) {
    return us ? Json(format_rfc3339(*us)) : Json();
}

}  // namespace

StepStates RunRecord::states() const {
    StepStates out;
    for (const StepRecord& step : steps) {
        out[step.id] = step.state;
    }
    return out;
}

StepRecord* RunRecord::find_step(std::string_view step_id) {
    const auto found = std::ranges::find(steps, step_id, &StepRecord::id);
    return found == steps.end() ? nullptr : &*found;
}

Json to_json(const PipelineRecord& record) {
    return Json::object({{"name", record.name},
                         {"description", record.spec.description},
                         {"digest", record.digest},
                         {"text", record.text},
                         {"spec", to_json(record.spec)},
                         {"created_at", format_rfc3339(record.created_us)},
                         {"updated_at", format_rfc3339(record.updated_us)}});
}

Json to_json(const StepRecord& record) {
    return Json::object({{"id", record.id},
                         {"kind", record.kind},
                         {"state", name_of(record.state)},
                         {"reason", record.reason},
                         {"attempt", record.attempt},
                         {"retries", record.retries},
                         {"interruptions", record.interruptions},
                         {"started_at", time_of(record.started_us)},
                         {"finished_at", time_of(record.finished_us)},
                         {"due_at", time_of(record.due_us)},
                         {"progress", record.progress},
                         {"message", record.message},
                         {"outputs", record.outputs}});
}

Json to_json(const RunRecord& record) {
    Json steps = Json::array();
    for (const StepRecord& step : record.steps) {
        Json one = to_json(step);
        const StepSpec* spec = record.plan.find_step(step.id);
        Json needs = Json::array();
        for (const std::string& need : spec != nullptr ? spec->needs : std::vector<std::string>()) {
            needs.push_back(need);
        }
        one.set("needs", std::move(needs));
        steps.push_back(std::move(one));
    }
    return Json::object({{"id", record.id},
                         {"pipeline", record.pipeline},
                         {"state", name_of(record.state)},
                         {"reason", record.reason},
                         {"trigger", record.trigger},
                         {"params", record.params},
                         {"principal", record.principal},
                         {"as_of", format_rfc3339(record.as_of_us)},
                         {"created_at", format_rfc3339(record.created_us)},
                         {"started_at", time_of(record.started_us)},
                         {"finished_at", time_of(record.finished_us)},
                         {"steps", std::move(steps)}});
}

Json to_json(const DecisionRecord& record) {
    return Json::object({{"pipeline", record.pipeline},
                         {"source", record.source},
                         {"type", record.type},
                         {"subject", record.subject},
                         {"as_of", format_rfc3339(record.as_of_us)},
                         {"decided_at", format_rfc3339(record.decided_us)},
                         {"outcome", name_of(record.outcome)},
                         {"reason", record.reason},
                         {"run_id", record.run_id.empty() ? Json() : Json(record.run_id)}});
}

}  // namespace gyre::pipelines
