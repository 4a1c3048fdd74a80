#include "loop/steps/step_kinds.h"
#include "training/evaluate.h"
#include "training/gate.h"

namespace gyre::loop {
namespace {

Result<void> check_window(const std::string& window) {
    if (!window.empty()) {
        GYRE_TRY_VOID(parse_duration_us(window));
    }
    return {};
}

struct EvaluateParams {
    std::string table;
    std::string package;
    std::string target = "label";
    std::string window;
    std::vector<std::string> slices;
    static constexpr auto fields() {
        using E = EvaluateParams;
        return std::tuple{
            Field{"table", &E::table, "Rows: the output `table` of a validate step."},
            Field{"package", &E::package, "A training step's package, or a model reference."},
            Field{"target", &E::target, "Column with the labels.", optional_field},
            Field{"window", &E::window, "Only the newest rows, by event time; left out: all.",
                  optional_field},
            Field{"slices", &E::slices, "Columns whose values get metrics of their own.", optional_field}};
    }
    [[nodiscard]] Result<void> check() const { return check_window(window); }
};

struct GateParams {
    std::string table;
    std::string candidate;
    std::string champion;
    std::string target = "label";
    std::string window;
    std::vector<evidence::Threshold> thresholds;
    evidence::LossOptions loss;
    std::int64_t min_rows = evidence::kMinRows;
    bool force = false;
    static constexpr auto fields() {
        using G = GateParams;
        return std::tuple{
            Field{"table", &G::table, "Rows: the output `table` of a validate step."},
            Field{"candidate", &G::candidate, "A training step's package, or a model reference."},
            Field{"champion", &G::champion,
                  "Model reference, or endpoint://NAME for what answers there; none: thresholds "
                  "alone decide.",
                  optional_field},
            Field{"target", &G::target, "Column with the labels.", optional_field},
            Field{"window", &G::window, "Only the newest rows, by event time.", optional_field},
            Field{"thresholds", &G::thresholds, "Floors and ceilings.", optional_field},
            Field{"loss", &G::loss, "Margin and error probability of the comparison.", optional_field},
            Field{"min_rows", &G::min_rows, "Fewer rows are no evidence.", optional_field},
            Field{"force", &G::force, "Record the verdict and go on whatever it is.", optional_field}};
    }
    [[nodiscard]] Result<void> check() const {
        GYRE_TRY_VOID(check_window(window));
        return loss.check();
    }
};

/// Adds the rows to a spec; returns the name of the source to read.
Result<std::string> add_rows(const StepServices& services, const pipelines::StepContext& context,
                             const std::string& table, const std::string& window, training::StepSpec& spec) {
    GYRE_TRY(table::SourceSpec source, source_of(services, table));
    spec.inputs.push_back(std::move(source));
    if (window.empty()) {
        return std::string("data");
    }
    GYRE_TRY(const std::int64_t window_us, parse_duration_us(window));
    spec.inputs.push_back(rows_from(context.as_of_us - window_us));
    return std::string("rows");
}

Result<Json> evaluate(const StepServices& services, const pipelines::StepContext& context,
                      const EvaluateParams& params) {
    training::StepSpec spec;
    spec.kind = "evaluate";
    training::EvaluateSpec evaluation;
    GYRE_TRY(evaluation.table, add_rows(services, context, params.table, params.window, spec));
    GYRE_TRY(evaluation.package, package_folder(services, params.package));
    evaluation.target = params.target;
    evaluation.slices = params.slices;
    spec.params = gyre::to_json(evaluation);
    spec.output_dir = context.work_dir + "/evaluate";
    GYRE_TRY(const Json result, run_child(services.child, context, spec));
    return Json::object({{"n", result["n"]}, {"metrics", result["metrics"]}, {"evaluation", result}});
}

constexpr std::string_view kEndpointScheme = "endpoint://";

Result<std::string> champion_folder(const StepServices& services, const std::string& champion) {
    if (champion.empty()) {
        return std::string();
    }
    if (!champion.starts_with(kEndpointScheme)) {
        return package_folder(services, champion);
    }
    GYRE_TRY(const serving::StoredEndpoint stored,
             services.serving.get(champion.substr(kEndpointScheme.size())));
    return package_folder(services, stored.spec.champion()->ref());
}

pipelines::StepOutcome gate(const StepServices& services, const pipelines::StepContext& context,
                            const GateParams& params) {
    const auto run = [&]() -> Result<Json> {
        training::StepSpec spec;
        spec.kind = "gate";
        training::GateSpec gate;
        GYRE_TRY(gate.table, add_rows(services, context, params.table, params.window, spec));
        GYRE_TRY(gate.candidate, package_folder(services, params.candidate));
        GYRE_TRY(gate.champion, champion_folder(services, params.champion));
        gate.target = params.target;
        gate.thresholds = params.thresholds;
        gate.loss = params.loss;
        gate.min_rows = params.min_rows;
        spec.params = gyre::to_json(gate);
        spec.output_dir = context.work_dir + "/gate";
        return run_child(services.child, context, spec);
    };
    const Result<Json> result = run();
    if (!result) {
        return pipelines::StepOutcome::failed(result.error());
    }
    const std::string verdict = result->string_or("verdict", "insufficient");
    Json outputs =
        Json::object({{"verdict", verdict}, {"findings", (*result)["findings"]}, {"forced", params.force}});
    if (verdict == "pass" || params.force) {
        return pipelines::StepOutcome::succeeded(std::move(outputs));
    }
    std::string reason =
        verdict == "fail" ? "the gate refuses the candidate" : "there is too little evidence to pass";
    if (const Json& findings = (*result)["findings"]; findings.is_array() && !findings.items().empty()) {
        reason += ": " + findings.items().back().string_or("reason", "");
    }
    pipelines::StepOutcome outcome = pipelines::StepOutcome::failed(reason);
    outcome.outputs = std::move(outputs);
    return outcome;
}

}  // namespace

pipelines::StepKind evaluate_kind() {
    return described_kind<EvaluateParams>("evaluate", "Measure a model on the newest rows.");
}

Result<void> add_evaluate_step(pipelines::StepKinds& kinds, const StepServices& services) {
    return kinds.add(typed_step<EvaluateParams>(
        evaluate_kind(), [services](const pipelines::StepContext& context, const EvaluateParams& params) {
            return evaluate(services, context, params);
        }));
}

pipelines::StepKind gate_kind() {
    return described_kind<GateParams>(
        "gate", "Compare candidate and champion on the same rows; no evidence is no pass.");
}

Result<void> add_gate_step(pipelines::StepKinds& kinds, const StepServices& services) {
    pipelines::StepKind kind = gate_kind();
    kind.start = [services](const pipelines::StepContext& context) {
        auto params = from_json<GateParams>(context.with);
        return params ? gate(services, context, *params) : pipelines::StepOutcome::failed(params.error());
    };
    return kinds.add(std::move(kind));
}

}  // namespace gyre::loop
