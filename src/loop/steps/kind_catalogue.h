#pragma once
// KindCatalogue: which step kinds there are and what parameters they take, without what it takes to run them.
// A pipeline file is judged by it where there is no server; the server's own kinds are these with a body.
#include <string>
#include <string_view>
#include <vector>

#include "base/fields.h"
#include "pipelines/step_kind.h"

namespace gyre::loop {

// Name, purpose and parameters of each kind, in the file of its body. They have no `start` yet.
pipelines::StepKind validate_kind();
pipelines::StepKind train_kind();
pipelines::StepKind evaluate_kind();
pipelines::StepKind gate_kind();
pipelines::StepKind register_kind();
pipelines::StepKind rollout_kind();

class KindCatalogue final : public pipelines::KindCheck {
 public:
    KindCatalogue();
    [[nodiscard]] std::vector<std::string_view> kinds() const override;
    [[nodiscard]] Result<void> validate(const std::string& kind, const Json& with) const override;
    /// In the order of a pipeline.
    [[nodiscard]] const std::vector<pipelines::StepKind>& all() const { return kinds_; }

 private:
    std::vector<pipelines::StepKind> kinds_;
};

/// `with`, where what refers to something that only a run knows is replaced by the fallback's value at the
/// same place, or null.
Json without_references(const Json& with, const Json& fallback);

/// A kind whose parameters are a described struct. At lint time they are checked as far as references allow:
/// names, which must be there, types, and Params::check() where there is one.
template <Described Params>
pipelines::StepKind described_kind(std::string name, std::string doc) {
    pipelines::StepKind kind;
    kind.name = std::move(name);
    kind.doc = std::move(doc);
    kind.parameters = schema_of<Params>();
    kind.validate = [](const Json& with) -> Result<void> {
        GYRE_TRY(const Params params, from_json<Params>(without_references(with, gyre::to_json(Params{}))));
        if constexpr (requires { params.check(); }) {
            return params.check();
        } else {
            return {};
        }
    };
    return kind;
}

}  // namespace gyre::loop
