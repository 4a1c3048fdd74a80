#pragma once
// PipelineSpec: what a pipeline file says. Pure values and pure functions; nothing here touches a database.
//
//   name: retrain-flights
//   params:
//     trees: {type: int, default: 100, min: 1}
//   on:
//     events:   [{type: drift.detected, match: {subject: endpoint/flights}, cooldown: 7d}]
//     schedule: [{every: 4w, time: event, subject: endpoint/flights}]
//   concurrency: {overlap: skip}
//   defaults: {timeout: 1h, retries: {max: 2, backoff: 10s, factor: 2, max_delay: 5m}}
//   steps:
//     - {id: train, kind: train, with: {rows: "endpoint://flights?labelled&until=${{trigger.as_of}}"}}
//     - {id: gate, kind: gate, needs: [train], with: {model: "${{steps.train.outputs.package}}"}, on_fail:
//     skip}
//
// A step runs when everything that it needs has succeeded. References are filled in one value at a time and
// never read again, so a value cannot smuggle in another reference or split an argument.
#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fields.h"
#include "pipelines/limits.h"

namespace gyre::pipelines {

enum class ParamType : std::uint8_t { text, integer, number, boolean, date };
constexpr auto enum_names(ParamType) {
    return std::array{EnumName{ParamType::text, "string"}, EnumName{ParamType::integer, "int"},
                      EnumName{ParamType::number, "float"}, EnumName{ParamType::boolean, "bool"},
                      EnumName{ParamType::date, "date"}};
}

struct ParamSpec {
    ParamType type = ParamType::text;
    Json default_value;  // null: none
    bool required = true;
    std::optional<double> min;
    std::optional<double> max;
    std::string doc;
    static constexpr auto fields() {
        return std::tuple{
            Field{"type", &ParamSpec::type, "string, int, float, bool or date (RFC 3339).", optional_field},
            Field{"default", &ParamSpec::default_value, "Value when a run gives none.", optional_field},
            Field{"required", &ParamSpec::required, "Without a default, a run must give it.", optional_field},
            Field{"min", &ParamSpec::min, "Least value of a number.", optional_field},
            Field{"max", &ParamSpec::max, "Greatest value of a number.", optional_field},
            Field{"doc", &ParamSpec::doc, "What it is for.", optional_field},
        };
    }
};

struct RetrySpec {
    std::int64_t max = 0;
    std::string backoff = "10s";
    double factor = 2;
    std::string max_delay = "5m";
    static constexpr auto fields() {
        return std::tuple{
            Field{"max", &RetrySpec::max, "Attempts after the first.", optional_field},
            Field{"backoff", &RetrySpec::backoff, "Wait before the first retry.", optional_field},
            Field{"factor", &RetrySpec::factor, "Growth of the wait, at least 1.", optional_field},
            Field{"max_delay", &RetrySpec::max_delay, "Longest wait.", optional_field},
        };
    }
};

/// What a step's failure means. fail: what needs it cannot run and the run fails. warn: what needs it runs
/// all the same. skip: what needs it is skipped and the run does not fail (a gate that says "not better").
enum class OnFail : std::uint8_t { fail, warn, skip };
constexpr auto enum_names(OnFail) {
    return std::array{EnumName{OnFail::fail, "fail"}, EnumName{OnFail::warn, "warn"},
                      EnumName{OnFail::skip, "skip"}};
}

struct StepSpec {
    std::string id;
    std::string kind;
    std::vector<std::string> needs = {};
    Json with = Json::object();
    std::string timeout = {};  // empty: the default
    std::optional<RetrySpec> retries = std::nullopt;
    OnFail on_fail = OnFail::fail;
    static constexpr auto fields() {
        return std::tuple{
            Field{"id", &StepSpec::id, "Name within the pipeline."},
            Field{"kind", &StepSpec::kind, "What runs."},
            Field{"needs", &StepSpec::needs, "Steps that must have succeeded.", optional_field},
            Field{"with", &StepSpec::with, "Parameters of the kind; may hold references.", optional_field},
            Field{"timeout", &StepSpec::timeout, "Longest time of one attempt.", optional_field},
            Field{"retries", &StepSpec::retries, "Retries after a failure that may pass.", optional_field},
            Field{"on_fail", &StepSpec::on_fail, "fail, warn or skip.", optional_field},
        };
    }
};

struct EventTrigger {
    std::string type;
    Json match = Json::object();
    std::string cooldown = "0s";
    Json params = Json::object();
    static constexpr auto fields() {
        return std::tuple{
            Field{"type", &EventTrigger::type, "Event type, such as drift.detected."},
            Field{"match", &EventTrigger::match,
                  "subject and fields of the event's data; a list means any of.", optional_field},
            Field{"cooldown", &EventTrigger::cooldown, "Least event time between two runs.", optional_field},
            Field{"params", &EventTrigger::params, "Parameters of the run.", optional_field},
        };
    }
};

enum class ScheduleTime : std::uint8_t { event, clock };
constexpr auto enum_names(ScheduleTime) {
    return std::array{EnumName{ScheduleTime::event, "event"}, EnumName{ScheduleTime::clock, "clock"}};
}

/// Ticks at start + n * every (start: the first time seen, unless given). In event time, `subject` names
/// whose watermark counts; in clock time the server's clock does. After a pause only the latest tick runs.
struct ScheduleTrigger {
    std::string every;
    ScheduleTime time = ScheduleTime::clock;
    std::string subject;
    std::string start;
    Json params = Json::object();
    static constexpr auto fields() {
        return std::tuple{
            Field{"every", &ScheduleTrigger::every, "Distance of ticks, such as 4w."},
            Field{"time", &ScheduleTrigger::time, "event (a watermark) or clock.", optional_field},
            Field{"subject", &ScheduleTrigger::subject, "Whose watermark: endpoint/NAME.", optional_field},
            Field{"start", &ScheduleTrigger::start, "First tick, RFC 3339.", optional_field},
            Field{"params", &ScheduleTrigger::params, "Parameters of the run.", optional_field},
        };
    }
};

struct TriggerSpec {
    std::vector<EventTrigger> events;
    std::vector<ScheduleTrigger> schedule;
    static constexpr auto fields() {
        return std::tuple{
            Field{"events", &TriggerSpec::events, "Events that start a run.", optional_field},
            Field{"schedule", &TriggerSpec::schedule, "Times at which a run starts.", optional_field},
        };
    }
};

/// What a trigger does while a run of the pipeline has not ended. skip: records why nothing runs. queue: runs
/// later, one after the other. latest: as queue, but a waiting run is superseded by the newer one.
enum class Overlap : std::uint8_t { skip, queue, latest };
constexpr auto enum_names(Overlap) {
    return std::array{EnumName{Overlap::skip, "skip"}, EnumName{Overlap::queue, "queue"},
                      EnumName{Overlap::latest, "latest"}};
}

struct ConcurrencySpec {
    Overlap overlap = Overlap::skip;
    static constexpr auto fields() {
        return std::tuple{
            Field{"overlap", &ConcurrencySpec::overlap, "skip, queue or latest.", optional_field}};
    }
};

struct StepDefaults {
    std::string timeout = "1h";
    RetrySpec retries;
    static constexpr auto fields() {
        return std::tuple{
            Field{"timeout", &StepDefaults::timeout, "Longest time of one attempt.", optional_field},
            Field{"retries", &StepDefaults::retries, "Retries of steps that say nothing.", optional_field},
        };
    }
};

struct PipelineSpec {
    std::string name;
    std::string description;
    std::map<std::string, ParamSpec> params;
    TriggerSpec on;
    ConcurrencySpec concurrency;
    StepDefaults defaults;
    std::vector<StepSpec> steps;
    static constexpr auto fields() {
        return std::tuple{
            Field{"name", &PipelineSpec::name, "Lower case letters, digits, '-', '_', '.'."},
            Field{"description", &PipelineSpec::description, "What it is for.", optional_field},
            Field{"params", &PipelineSpec::params, "Typed parameters of a run.", optional_field},
            Field{"on", &PipelineSpec::on, "What starts a run by itself.", optional_field},
            Field{"concurrency", &PipelineSpec::concurrency, "Runs beside each other.", optional_field},
            Field{"defaults", &PipelineSpec::defaults, "For steps that say nothing.", optional_field},
            Field{"steps", &PipelineSpec::steps, "What runs, in the order of their needs."},
        };
    }
    [[nodiscard]] const StepSpec* find_step(std::string_view id) const;
};

struct Problem {
    std::string path;  // "steps[2].needs[0]"
    std::string message;
    int line = 0;  // from 1; 0 when unknown
    int column = 0;
    /// "3:12: steps[2].needs[0]: no step 'trian' (did you mean 'train'?)"
    [[nodiscard]] std::string text() const;
};

/// Checks a kind's parameters at lint time; the value may still hold references.
class KindCheck {
 public:
    virtual ~KindCheck() = default;
    [[nodiscard]] virtual std::vector<std::string_view> kinds() const = 0;
    [[nodiscard]] virtual Result<void> validate(const std::string& kind, const Json& with) const = 0;
};

/// Everything wrong with a file (at most kProblemsMax); empty when it is good.
std::vector<Problem> lint(std::string_view yaml, const KindCheck& kinds);
/// The pipeline of a good file. Errors: invalid_argument with every problem, one a line.
Result<PipelineSpec> parse_pipeline(std::string_view yaml, const KindCheck& kinds);
/// What lint says about a spec that is already read; no lines.
std::vector<Problem> check(const PipelineSpec& spec, const KindCheck& kinds);

/// The ids on one cycle of `needs`, first repeated at the end ("a", "b", "a"); empty without a cycle.
std::vector<std::string> find_cycle(std::span<const StepSpec> steps);

/// A run's parameters: given values checked against the declarations, defaults filled in.
/// Errors: invalid_argument for unknown, missing, mistyped or out of range.
Result<Json> bind_params(const PipelineSpec& spec, const Json& given);

/// The step's longest attempt in microseconds, and its retries, defaults filled in. The spec must be a good
/// one.
std::int64_t timeout_us(const PipelineSpec& spec, const StepSpec& step);
const RetrySpec& retries_of(const PipelineSpec& spec, const StepSpec& step);
/// min(max_delay, backoff * factor^(retry - 1)); `retry` counts from 1.
std::int64_t retry_delay_us(const RetrySpec& retries, std::int64_t retry);

}  // namespace gyre::pipelines
