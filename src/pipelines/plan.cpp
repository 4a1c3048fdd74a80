#include "pipelines/plan.h"

#include <algorithm>
#include <cmath>

#include "base/clock.h"
#include "base/config.h"

namespace gyre::pipelines {
namespace {

Result<void> check_type(const ParamSpec& spec, const Json& value) {
    const auto expected = [&](std::string_view what) {
        return invalid_argument("expected " + std::string(what) + ", got " + std::string(value.kind_name()));
    };
    switch (spec.type) {
        case ParamType::text:
            return value.is_string() ? Result<void>() : expected("a string");
        case ParamType::integer:
            return value.is_integer() ? Result<void>() : expected("an integer");
        case ParamType::number:
            return value.is_number() ? Result<void>() : expected("a number");
        case ParamType::boolean:
            return value.is_bool() ? Result<void>() : expected("true or false");
        case ParamType::date:
            break;
    }
    if (!value.is_string()) {
        return expected("a date");
    }
    if (auto parsed = parse_rfc3339(value.as_string()); !parsed) {
        return std::move(parsed).error();
    }
    return {};
}

/// Text from a command line, read as the type says.
Json from_text(const ParamSpec& spec, const Json& value) {
    if (!value.is_string() || spec.type == ParamType::text || spec.type == ParamType::date) {
        return value;
    }
    auto parsed = parse_yaml(value.as_string());
    return parsed ? *std::move(parsed) : value;
}

Result<void> check_value(const ParamSpec& spec, const Json& value) {
    GYRE_TRY_VOID(check_type(spec, value));
    if (value.is_number()) {
        const double number = value.as_number();
        if (!std::isfinite(number) || number < spec.min.value_or(number) ||
            number > spec.max.value_or(number)) {
            return invalid_argument("the value " + value.dump() + " is out of range");
        }
    }
    return {};
}

enum class Mark : std::uint8_t { fresh, open, done };

/// Depth-first; true when `path` ends in a cycle.
bool walk(std::span<const StepSpec> steps, std::size_t at, std::vector<Mark>& marks,
          std::vector<std::size_t>& path) {
    marks[at] = Mark::open;
    path.push_back(at);
    for (const std::string& need : steps[at].needs) {
        const auto found = std::ranges::find(steps, need, &StepSpec::id);
        if (found == steps.end()) {
            continue;
        }
        const auto next = static_cast<std::size_t>(found - steps.begin());
        if (marks[next] == Mark::open) {
            path.push_back(next);
            return true;
        }
        if (marks[next] == Mark::fresh && walk(steps, next, marks, path)) {
            return true;
        }
    }
    marks[at] = Mark::done;
    path.pop_back();
    return false;
}

}  // namespace

const StepSpec* PipelineSpec::find_step(std::string_view id) const {
    const auto found = std::ranges::find(steps, id, &StepSpec::id);
    return found == steps.end() ? nullptr : &*found;
}

std::string Problem::text() const {
    std::string out;
    if (line > 0) {
        out = std::to_string(line) + ":" + std::to_string(column) + ": ";
    }
    if (!path.empty()) {
        out += path + ": ";
    }
    return out + message;
}

std::vector<std::string> find_cycle(std::span<const StepSpec> steps) {
    std::vector<Mark> marks(steps.size(), Mark::fresh);
    for (std::size_t i = 0; i < steps.size(); ++i) {
        std::vector<std::size_t> path;
        if (marks[i] != Mark::fresh || !walk(steps, i, marks, path)) {
            continue;
        }
        std::vector<std::string> cycle;
        for (auto at = std::ranges::find(path, path.back()); at != path.end(); ++at) {
            cycle.push_back(steps[*at].id);
        }
        return cycle;
    }
    return {};
}

Result<Json> bind_params(const PipelineSpec& spec, const Json& given) {
    if (!given.is_object() && !given.is_null()) {
        return invalid_argument("params: expected an object, got " + std::string(given.kind_name()));
    }
    if (given.is_object()) {
        for (const JsonMember& member : given.members()) {
            if (!spec.params.contains(member.key)) {
                return invalid_argument("pipeline '" + spec.name + "' has no parameter '" + member.key + "'");
            }
        }
    }
    Json bound = Json::object();
    for (const auto& [name, param] : spec.params) {
        const Json* value = given.find(name);
        if (value == nullptr && param.default_value.is_null() && param.required) {
            return invalid_argument("parameter '" + name + "' is missing and has no default");
        }
        Json chosen = value != nullptr ? from_text(param, *value) : param.default_value;
        if (!chosen.is_null()) {
            if (auto good = check_value(param, chosen); !good) {
                return std::move(good).error().context("parameter '" + name + "'");
            }
        } else if (param.required) {
            return invalid_argument("parameter '" + name + "' is null");
        }
        bound.set(name, std::move(chosen));
    }
    if (bound.dump().size() > kParamsBytesMax) {
        return resource_exhausted("the parameters are over " + std::to_string(kParamsBytesMax) + " bytes");
    }
    return bound;
}

std::int64_t timeout_us(const PipelineSpec& spec, const StepSpec& step) {
    auto parsed = parse_duration_us(step.timeout.empty() ? spec.defaults.timeout : step.timeout);
    return std::move(parsed).value_or(kUsPerHour);
}

const RetrySpec& retries_of(const PipelineSpec& spec, const StepSpec& step) {
    return step.retries ? *step.retries : spec.defaults.retries;
}

std::int64_t retry_delay_us(const RetrySpec& retries, std::int64_t retry) {
    const auto first = static_cast<double>(parse_duration_us(retries.backoff).value_or(10 * kUsPerSecond));
    const auto most = static_cast<double>(parse_duration_us(retries.max_delay).value_or(300 * kUsPerSecond));
    const double grown =
        first * std::pow(retries.factor, static_cast<double>(std::min(retry - 1, kRetriesMax)));
    return std::llround(std::min(grown, most));
}

}  // namespace gyre::pipelines
