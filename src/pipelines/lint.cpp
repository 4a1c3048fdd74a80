#include <algorithm>
#include <set>

#include "base/clock.h"
#include "base/config.h"
#include "base/text.h"
#include "pipelines/interpolate.h"
#include "pipelines/plan.h"

namespace gyre::pipelines {
namespace {

constexpr std::int64_t kScheduleEveryMinUs = kUsPerSecond;  // a schedule cannot flood the queue

bool good_name(std::string_view name) {
    if (name.empty() || name.size() > kNameBytesMax) {
        return false;
    }
    return std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '_';
    });
}

constexpr std::string_view kNameRule = "expected letters, digits, '-' and '_', at most 128 bytes";

std::string indexed(std::string_view list, std::size_t index, std::string_view field = "") {
    std::string out = std::string(list) + "[" + std::to_string(index) + "]";
    return field.empty() ? out : out.append(".").append(field);
}

/// One pass over a spec that collects what is wrong.
class Checker {
 public:
    Checker(const PipelineSpec& spec, const KindCheck& kinds) : spec_(spec), kinds_(kinds) {}

    std::vector<Problem> run() {
        if (!good_name(spec_.name)) {
            add("name", std::string(kNameRule));
        }
        if (spec_.steps.empty() || spec_.steps.size() > kStepsMax) {
            add("steps", "expected 1 to " + std::to_string(kStepsMax) + " steps, got " +
                             std::to_string(spec_.steps.size()));
            return std::move(problems_);
        }
        check_params();
        check_retries("defaults.retries", spec_.defaults.retries);
        check_duration("defaults.timeout", spec_.defaults.timeout);
        check_ids();
        for (std::size_t i = 0; i < spec_.steps.size(); ++i) {
            check_step(i);
        }
        check_cycle();
        check_triggers();
        return std::move(problems_);
    }

 private:
    void add(std::string path, std::string message) {
        if (problems_.size() < kProblemsMax) {
            problems_.push_back({.path = std::move(path), .message = std::move(message)});
        }
    }
    void add_error(const std::string& path, const Error& error) { add(path, error.message()); }

    std::int64_t check_duration(const std::string& path, std::string_view text) {
        auto parsed = parse_duration_us(text);
        if (!parsed) {
            add_error(path, parsed.error());
            return 0;
        }
        return *parsed;
    }

    void check_params() {
        if (spec_.params.size() > kParamsMax) {
            add("params", "more than " + std::to_string(kParamsMax) + " parameters");
        }
        for (const auto& [name, param] : spec_.params) {
            if (!good_name(name)) {
                add("params." + name, std::string(kNameRule));
            }
            if (!param.default_value.is_null()) {
                PipelineSpec one;
                one.params[name] = param;
                if (auto bound = bind_params(one, Json::object()); !bound) {
                    add("params." + name + ".default", bound.error().message());
                }
            }
        }
    }

    void check_retries(const std::string& path, const RetrySpec& retries) {
        if (retries.max < 0 || retries.max > kRetriesMax) {
            add(path + ".max", "expected 0 to " + std::to_string(kRetriesMax));
        }
        if (!(retries.factor >= 1 && retries.factor <= 100)) {
            add(path + ".factor", "expected 1 to 100");
        }
        check_duration(path + ".backoff", retries.backoff);
        check_duration(path + ".max_delay", retries.max_delay);
    }

    void check_ids() {
        std::set<std::string> seen;
        for (std::size_t i = 0; i < spec_.steps.size(); ++i) {
            const std::string& id = spec_.steps[i].id;
            if (!good_name(id)) {
                add(indexed("steps", i, "id"), std::string(kNameRule));
            } else if (!seen.insert(id).second) {
                add(indexed("steps", i, "id"), "a step '" + id + "' stands above already");
            }
            ids_.emplace_back(id);
        }
    }

    void check_step(std::size_t index) {
        const StepSpec& step = spec_.steps[index];
        const std::vector<std::string_view> known = kinds_.kinds();
        if (std::ranges::find(known, step.kind) == known.end()) {
            add(indexed("steps", index, "kind"),
                "no step kind '" + step.kind + "'" + suggestion(step.kind, known));
        } else if (auto good = kinds_.validate(step.kind, step.with); !good) {
            add_error(indexed("steps", index, "with"), good.error());
        }
        for (std::size_t j = 0; j < step.needs.size(); ++j) {
            if (std::ranges::find(ids_, step.needs[j]) == ids_.end()) {
                add(indexed(indexed("steps", index, "needs"), j),
                    "no step '" + step.needs[j] + "'" + suggestion(step.needs[j], ids_));
            }
        }
        if (!step.timeout.empty() && check_duration(indexed("steps", index, "timeout"), step.timeout) == 0) {
            add(indexed("steps", index, "timeout"), "expected more than 0");
        }
        if (step.retries) {
            check_retries(indexed("steps", index, "retries"), *step.retries);
        }
        if (!step.with.is_object()) {
            add(indexed("steps", index, "with"), "expected an object");
            return;
        }
        for (const JsonMember& member : step.with.members()) {
            check_references(indexed("steps", index, "with." + member.key), member.value, &step);
        }
    }

    /// Everything that ends before `step` starts.
    [[nodiscard]] std::set<std::string> before(const StepSpec& step) const {
        std::set<std::string> out;
        std::vector<std::string> open = step.needs;
        while (!open.empty()) {
            const std::string id = std::move(open.back());
            open.pop_back();
            const StepSpec* found = spec_.find_step(id);
            if (found != nullptr && out.insert(id).second) {
                open.insert(open.end(), found->needs.begin(), found->needs.end());
            }
        }
        return out;
    }

    /// `step` is null for a trigger's parameters, which see only ${{trigger...}}.
    void check_references(const std::string& path, const Json& value, const StepSpec* step) {
        auto references = references_in(value);
        if (!references) {
            add_error(path, references.error());
            return;
        }
        for (const std::string& reference : *references) {
            if (auto why = wrong_reference(reference, step); !why.empty()) {
                add(path, std::move(why));
            }
        }
    }

    [[nodiscard]] std::string wrong_reference(const std::string& reference, const StepSpec* step) const {
        const std::vector<std::string_view> parts = split(reference, '.');
        if (parts[0] == "trigger" && parts.size() >= 2) {
            return "";
        }
        if (step == nullptr) {
            return "'" + reference + "': a trigger's parameters refer to ${{trigger...}} only";
        }
        if (parts[0] == "run" && parts.size() == 2 && (parts[1] == "id" || parts[1] == "pipeline")) {
            return "";
        }
        if (parts[0] == "params" && parts.size() == 2) {
            return wrong_param(parts[1]);
        }
        if (parts[0] == "steps" && parts.size() >= 4 && parts[2] == "outputs") {
            return wrong_step(parts[1], *step);
        }
        return "'" + reference +
               "': expected params.NAME, steps.ID.outputs.NAME, trigger.NAME, run.id or run.pipeline";
    }

    [[nodiscard]] std::string wrong_param(std::string_view name) const {
        if (spec_.params.contains(std::string(name))) {
            return "";
        }
        std::vector<std::string_view> known;
        for (const auto& [param, unused] : spec_.params) {
            known.emplace_back(param);
        }
        return "no parameter '" + std::string(name) + "'" + suggestion(name, known);
    }

    [[nodiscard]] std::string wrong_step(std::string_view id, const StepSpec& step) const {
        if (spec_.find_step(id) == nullptr) {
            return "no step '" + std::string(id) + "'" + suggestion(id, ids_);
        }
        if (!before(step).contains(std::string(id))) {
            return "step '" + step.id + "' does not need '" + std::string(id) +
                   "', so its outputs may not be there yet";
        }
        return "";
    }

    void check_cycle() {
        const std::vector<std::string> cycle = find_cycle(spec_.steps);
        if (!cycle.empty()) {
            add("steps", "a cycle of needs: " + join(cycle, " -> "));
        }
    }

    void check_triggers() {
        if (spec_.on.events.size() > kTriggersMax || spec_.on.schedule.size() > kTriggersMax) {
            add("on", "more than " + std::to_string(kTriggersMax) + " triggers");
            return;
        }
        for (std::size_t i = 0; i < spec_.on.events.size(); ++i) {
            const EventTrigger& trigger = spec_.on.events[i];
            if (trigger.type.empty() || trigger.type.starts_with("pipeline.")) {
                add(indexed("on.events", i, "type"),
                    "expected an event type other than pipeline.*, which could start itself without end");
            }
            if (!trigger.match.is_object()) {
                add(indexed("on.events", i, "match"), "expected an object");
            }
            check_duration(indexed("on.events", i, "cooldown"), trigger.cooldown);
            check_trigger_params(indexed("on.events", i, "params"), trigger.params);
        }
        for (std::size_t i = 0; i < spec_.on.schedule.size(); ++i) {
            check_schedule(i);
        }
    }

    void check_schedule(std::size_t index) {
        const ScheduleTrigger& trigger = spec_.on.schedule[index];
        if (check_duration(indexed("on.schedule", index, "every"), trigger.every) < kScheduleEveryMinUs) {
            add(indexed("on.schedule", index, "every"), "expected at least 1s");
        }
        if ((trigger.time == ScheduleTime::event) == trigger.subject.empty()) {
            add(indexed("on.schedule", index, "subject"),
                "expected with 'time: event' (endpoint/NAME), and only there");
        }
        if (!trigger.start.empty()) {
            if (auto start = parse_rfc3339(trigger.start); !start) {
                add_error(indexed("on.schedule", index, "start"), start.error());
            }
        }
        check_trigger_params(indexed("on.schedule", index, "params"), trigger.params);
    }

    void check_trigger_params(const std::string& path, const Json& params) {
        if (!params.is_object()) {
            add(path, "expected an object");
            return;
        }
        for (const JsonMember& member : params.members()) {
            if (auto why = wrong_param(member.key); !why.empty()) {
                add(path + "." + member.key, std::move(why));
            }
            check_references(path + "." + member.key, member.value, nullptr);
        }
    }

    const PipelineSpec& spec_;
    const KindCheck& kinds_;
    std::vector<std::string_view> ids_;
    std::vector<Problem> problems_;
};

/// The mark of the path, or of the nearest value around it.
void locate(Problem& problem, const YamlMarks& marks) {
    for (std::string path = problem.path; !path.empty();) {
        if (const auto found = marks.find(path); found != marks.end()) {
            problem.line = found->second.line;
            problem.column = found->second.column;
            return;
        }
        const std::size_t cut = path.find_last_of(".[");
        path.resize(cut == std::string::npos ? 0 : cut);
    }
}

/// The path that a message of fields.h names first in quotes.
std::string path_in(const std::string& message) {
    const std::size_t open = message.find('\'');
    const std::size_t close = open == std::string::npos ? open : message.find('\'', open + 1);
    return close == std::string::npos ? "" : message.substr(open + 1, close - open - 1);
}

struct Parsed {
    std::optional<PipelineSpec> spec;
    std::vector<Problem> problems;
};

Parsed parse_and_lint(std::string_view yaml, const KindCheck& kinds) {
    Parsed parsed;
    YamlMarks marks;
    auto json = parse_yaml(yaml, marks);
    if (!json) {
        parsed.problems.push_back({.path = "", .message = json.error().message()});
        return parsed;
    }
    auto spec = from_json<PipelineSpec>(*json);
    if (!spec) {
        Problem problem{.path = path_in(spec.error().message()), .message = spec.error().message()};
        locate(problem, marks);
        problem.path.clear();  // the message names it
        parsed.problems.push_back(std::move(problem));
        return parsed;
    }
    parsed.problems = check(*spec, kinds);
    for (Problem& problem : parsed.problems) {
        locate(problem, marks);
    }
    parsed.spec = *std::move(spec);
    return parsed;
}

}  // namespace

std::vector<Problem> check(const PipelineSpec& spec, const KindCheck& kinds) {
    return Checker(spec, kinds).run();
}

std::vector<Problem> lint(std::string_view yaml, const KindCheck& kinds) {
    return parse_and_lint(yaml, kinds).problems;
}

Result<PipelineSpec> parse_pipeline(std::string_view yaml, const KindCheck& kinds) {
    Parsed parsed = parse_and_lint(yaml, kinds);
    if (parsed.problems.empty()) {
        return *std::move(parsed.spec);
    }
    std::string message = "the pipeline file is not good:";
    for (const Problem& problem : parsed.problems) {
        message += "\n  " + problem.text();
    }
    return invalid_argument(std::move(message));
}

}  // namespace gyre::pipelines
