#include "loop/steps/kind_catalogue.h"

#include "pipelines/interpolate.h"

namespace gyre::loop {

KindCatalogue::KindCatalogue()
    : kinds_{validate_kind(), train_kind(), evaluate_kind(), gate_kind(), register_kind(), rollout_kind()} {}

std::vector<std::string_view> KindCatalogue::kinds() const {
    std::vector<std::string_view> names;
    for (const pipelines::StepKind& kind : kinds_) {
        names.emplace_back(kind.name);
    }
    return names;
}

Result<void> KindCatalogue::validate(const std::string& kind, const Json& with) const {
    for (const pipelines::StepKind& known : kinds_) {
        if (known.name == kind) {
            return known.validate(with);
        }
    }
    return not_found("no step kind '" + kind + "'");
}

Json without_references(const Json& with, const Json& fallback) {
    if (with.is_object()) {
        Json out = Json::object();
        for (const JsonMember& member : with.members()) {
            const Json* below = fallback.is_object() ? fallback.find(member.key) : nullptr;
            out.set(member.key, without_references(member.value, below == nullptr ? Json() : *below));
        }
        return out;
    }
    const auto references = pipelines::references_in(with);  // ill-formed ones are the linter's to report
    return references && references->empty() ? with : fallback;
}

}  // namespace gyre::loop
