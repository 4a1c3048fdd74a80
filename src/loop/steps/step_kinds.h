#pragma once
// The step kinds of pipelines, one file each:
//   validate  rows of a dataset or an endpoint, checked; its output `table` is what the others read
//   train     a model package and its tracked run
//   evaluate  a package on the newest rows
//   gate      candidate against champion on the same rows, and floors
//   register  a version in the registry
//   rollout   a change of an endpoint's champion, by policy
#include "loop/child.h"
#include "loop/packages.h"
#include "loop/rollouts.h"
#include "loop/steps/kind_catalogue.h"
#include "monitoring/monitoring.h"
#include "pipelines/step_kind.h"
#include "tracking/tracking.h"

namespace gyre::loop {

/// What the kinds work with; all of it outlives the engine.
struct StepServices {
    monitoring::Monitoring& monitoring;
    serving::Serving& serving;
    tracking::Tracking& tracking;
    registry::Registry& registry;
    storage::BlobStore& datasets;
    Packages& packages;
    Rollouts& rollouts;
    const Clock& clock;
    ChildOptions child;
    std::string data_folder;           // tables must lie below it
    std::int64_t effect_delay_us = 0;  // of what pipelines decide on endpoints with a clock of their own
};

// Each adds one kind.
Result<void> add_validate_step(pipelines::StepKinds& kinds, const StepServices& services);
Result<void> add_train_step(pipelines::StepKinds& kinds, const StepServices& services);
Result<void> add_evaluate_step(pipelines::StepKinds& kinds, const StepServices& services);
Result<void> add_gate_step(pipelines::StepKinds& kinds, const StepServices& services);
Result<void> add_register_step(pipelines::StepKinds& kinds, const StepServices& services);
Result<void> add_rollout_step(pipelines::StepKinds& kinds, const StepServices& services);

/// All of them.
Result<pipelines::StepKinds> step_kinds(const StepServices& services);

/// A described kind with its body, which gets the parameters read.
template <Described Params, class Body>
pipelines::StepKind typed_step(pipelines::StepKind kind, Body body) {
    kind.start = [body = std::move(body)](const pipelines::StepContext& context) -> pipelines::StepOutcome {
        auto params = from_json<Params>(context.with);
        if (!params) {
            return pipelines::StepOutcome::failed(params.error());
        }
        Result<Json> outputs = body(context, *params);
        return outputs ? pipelines::StepOutcome::succeeded(*std::move(outputs))
                       : pipelines::StepOutcome::failed(outputs.error());
    };
    return kind;
}

/// A table that a step wrote or somebody uploaded, as a source named "data". Errors: invalid_argument when
/// the path leaves the data folder.
Result<table::SourceSpec> source_of(const StepServices& services, const std::string& path);
/// "flights@champion" or "flights/3" or a package folder below the data folder, as a folder.
Result<std::string> package_folder(const StepServices& services, const std::string& reference);
/// `SELECT * FROM data` with the rows before or from an event time on, as a source named "rows".
table::SourceSpec rows_before(std::int64_t time_us);
table::SourceSpec rows_from(std::int64_t time_us);

}  // namespace gyre::loop
