// Adapter: CLI11. `gyre step SPEC` (hidden): the child's side of a pipeline step; the server starts it.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "runtime/child_process.h"
#include "training/step.h"
#include "validation/validate.h"

namespace gyre::cli {
namespace {

/// Params of kind "validate"; the result is a validation::SuiteResult.
struct ValidateParams {
    std::string table{};
    validation::Suite suite{};
    static constexpr auto fields() {
        return std::tuple{Field{"table", &ValidateParams::table, "Input that is judged."},
                          Field{"suite", &ValidateParams::suite, "What must hold for it."}};
    }
};

Result<training::StepOutcome> validate_step(training::StepContext& step) {
    GYRE_TRY(const ValidateParams params, from_json<ValidateParams>(step.spec.params));
    GYRE_TRY(const validation::SuiteResult result,
             validation::validate(step.session, params.table, params.suite));
    return training::StepOutcome{.result = to_json(result),
                                 .exit_code = result.success ? 0 : kExitGateFailed};
}

/// Every kind that a child can run; one line for each that other modules bring.
training::StepHandlers all_steps() {
    training::StepHandlers out = training::training_steps();
    out.emplace("validate", validate_step);
    return out;
}

}  // namespace

void add_step_command(CLI::App& app, Globals& globals) {
    CLI::App* command = app.add_subcommand("step", "Run one pipeline step (the server starts it).");
    command->group("");  // hidden
    const auto spec = std::make_shared<std::string>();
    command->add_option("spec", *spec, "File that describes the step.")->required();
    command->callback([spec, &globals] {
        globals.action = [spec] {
            runtime::die_with_parent();
            return training::run_step(*spec, all_steps(), system_clock());
        };
    });
}

}  // namespace gyre::cli
