#pragma once
// What callers see of definitions, runs, steps and decisions, and their JSON (times as RFC 3339).
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "pipelines/state.h"

namespace gyre::pipelines {

struct PipelineRecord {
    std::string name;
    std::string text;    // the file as given
    std::string digest;  // SHA-256 of the plan's canonical JSON
    PipelineSpec spec;
    std::int64_t since_position = 0;  // triggers see events after this one
    std::int64_t created_us = 0;
    std::int64_t updated_us = 0;
};

struct StepRecord {
    std::string id;
    std::string kind;
    StepState state = StepState::pending;
    std::string reason;                  // why it failed, was skipped, waits
    std::int64_t attempt = 0;            // attempts begun
    std::int64_t retries = 0;            // of those, after failures
    std::int64_t interruptions = 0;      // of those, after restarts
    std::int64_t token = 0;              // of the current attempt
    std::optional<std::int64_t> due_us;  // retry_wait: when it goes on; running: when it times out
    std::optional<std::int64_t> started_us;
    std::optional<std::int64_t> finished_us;
    Json outputs = Json::object();
    Json wait;
    double progress = 0;  // 0..1, of the running attempt
    std::string message;
};

struct RunRecord {
    std::string id;
    std::string pipeline;
    PipelineSpec plan;  // frozen when the run was created
    Json params = Json::object();
    Json trigger =
        Json::object();  // {"type","subject","position","as_of","data"}; type "manual" for a person's
    std::string principal;
    std::int64_t as_of_us = 0;
    RunState state = RunState::queued;
    std::string reason;
    std::int64_t created_us = 0;
    std::optional<std::int64_t> started_us;
    std::optional<std::int64_t> finished_us;
    std::vector<StepRecord> steps;
    [[nodiscard]] StepStates states() const;
    [[nodiscard]] StepRecord* find_step(std::string_view step_id);
};

enum class Decision : std::uint8_t { started, skipped };
constexpr auto enum_names(Decision) {
    return std::array{EnumName{Decision::started, "started"}, EnumName{Decision::skipped, "skipped"}};
}

struct DecisionRecord {
    std::string pipeline;
    std::string source;  // "event:12" or "schedule:<which>:<tick in us>"
    std::string type;    // the event's, or "schedule"
    std::string subject;
    std::int64_t as_of_us = 0;
    std::int64_t decided_us = 0;
    Decision outcome = Decision::skipped;
    std::string reason;
    std::string run_id;  // started only
};

using gyre::to_json;  // beside the overloads below, not hidden by them
Json to_json(const PipelineRecord& record);
Json to_json(const StepRecord& record);
Json to_json(const RunRecord& record);
Json to_json(const DecisionRecord& record);

}  // namespace gyre::pipelines
