#include "pipelines/step_kind.h"

namespace gyre::pipelines {

StepOutcome StepOutcome::succeeded(Json outputs) {
    StepOutcome outcome;
    outcome.kind = Kind::succeeded;
    outcome.outputs = std::move(outputs);
    return outcome;
}

StepOutcome StepOutcome::failed(std::string error, Retry retry) {
    StepOutcome outcome;
    outcome.error = std::move(error);
    outcome.retry = retry;
    return outcome;
}

StepOutcome StepOutcome::failed(const Error& error) {
    const ErrorCode code = error.code();
    const bool may_pass = code == ErrorCode::unavailable || code == ErrorCode::resource_exhausted ||
                          code == ErrorCode::deadline_exceeded;
    return failed(error.message(), may_pass ? Retry::yes : Retry::no);
}

StepOutcome StepOutcome::waiting(Json wait) {
    StepOutcome outcome;
    outcome.kind = Kind::waiting;
    outcome.wait = std::move(wait);
    return outcome;
}

Result<void> StepKinds::add(const StepKind& kind) {
    if (kind.name.empty() || kind.name.size() > kNameBytesMax || !kind.start) {
        return invalid_argument("a step kind needs a name and a start function");
    }
    if (!kinds_.try_emplace(kind.name, kind).second) {
        return already_exists("step kind '" + kind.name + "' is already registered");
    }
    return {};
}

const StepKind* StepKinds::find(std::string_view name) const {
    const auto found = kinds_.find(name);
    return found == kinds_.end() ? nullptr : &found->second;
}

std::vector<std::string_view> StepKinds::kinds() const {
    std::vector<std::string_view> names;
    for (const auto& [name, kind] : kinds_) {
        names.emplace_back(name);
    }
    return names;
}

Result<void> StepKinds::validate(const std::string& kind, const Json& with) const {
    const StepKind* found = find(kind);
    if (found == nullptr) {
        return not_found("no step kind '" + kind + "'");
    }
    return found->validate ? found->validate(with) : Result<void>();
}

}  // namespace gyre::pipelines
