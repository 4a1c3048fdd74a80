#include "loop/steps/kind_catalogue.h"

#include <gtest/gtest.h>

#include "pipelines/plan.h"

namespace gyre::loop {
namespace {

/// The problems of a pipeline with this one step.
std::string problems_of(const std::string& step) {
    std::string out;
    for (const pipelines::Problem& problem : pipelines::lint(
             "name: p\nparams: {trees: {type: int, default: 9}}\nsteps:\n" + step, KindCatalogue())) {
        out += problem.text() + "\n";
    }
    return out;
}

TEST(KindCatalogue, has_the_kinds_of_the_loop_with_their_parameters) {
    const KindCatalogue catalogue;
    EXPECT_EQ(catalogue.kinds(), (std::vector<std::string_view>{"validate", "train", "evaluate", "gate",
                                                                "register", "rollout"}));
    for (const pipelines::StepKind& kind : catalogue.all()) {
        EXPECT_FALSE(kind.doc.empty());
        EXPECT_TRUE(kind.parameters["properties"].is_object()) << kind.name;
    }
    EXPECT_EQ(catalogue.validate("traim", Json::object()).error().code(), ErrorCode::not_found);
}

TEST(KindCatalogue, good_steps_pass_with_values_and_with_references) {
    EXPECT_EQ(
        problems_of("  - {id: v, kind: validate, with: {source: \"dataset://flights.csv\"}}\n"
                    "  - {id: t, kind: train, needs: [v], with: {table: "
                    "\"${{steps.v.outputs.table}}\", model: m, params: {trees: \"${{params.trees}}\"}}}\n"
                    "  - {id: r, kind: rollout, needs: [t], with: {endpoint: f, model: "
                    "\"m/${{steps.t.outputs.version}}\", options: {effect_delay: 2d}}}\n"),
        "");
}

TEST(KindCatalogue, a_wrong_kind_or_parameter_is_named_with_its_place) {
    EXPECT_NE(problems_of("  - {id: t, kind: trian, with: {}}\n").find("did you mean 'train'"),
              std::string::npos);
    const std::string unknown =
        problems_of("  - {id: t, kind: train, with: {table: x, model: m, tres: 3}}\n");
    EXPECT_NE(unknown.find("4:"), std::string::npos) << unknown;
    EXPECT_NE(unknown.find("tres"), std::string::npos) << unknown;
    EXPECT_NE(problems_of("  - {id: t, kind: train, with: {model: m}}\n").find("table"), std::string::npos);
    EXPECT_NE(problems_of("  - {id: t, kind: train, with: {table: x, model: 3}}\n").find("string"),
              std::string::npos);
    // Also beside a reference, and below one.
    EXPECT_NE(problems_of("  - {id: t, kind: train, with: {table: x, model: m, params: {trees: "
                          "\"${{params.trees}}\", max_dept: 3}}}\n")
                  .find("did you mean 'max_depth'"),
              std::string::npos);
}

TEST(KindCatalogue, values_out_of_range_are_found_before_anything_runs) {
    EXPECT_NE(problems_of("  - {id: t, kind: train, with: {table: x, model: m, params: {trees: 0}}}\n")
                  .find("trees"),
              std::string::npos);
    EXPECT_NE(problems_of("  - {id: v, kind: validate, with: {source: flights}}\n").find("dataset://NAME"),
              std::string::npos);
    EXPECT_NE(problems_of("  - {id: v, kind: validate, with: {source: \"endpoint://f\", window: long}}\n"),
              "");
    EXPECT_NE(problems_of("  - {id: g, kind: gate, with: {table: t, candidate: c, loss: {alpha: 2}}}\n"), "");
    EXPECT_NE(problems_of("  - {id: r, kind: rollout, with: {endpoint: f, model: m/2, options: {sequential: "
                          "{steps: [0.5]}}}}\n")
                  .find("steps"),
              std::string::npos);
    EXPECT_NE(problems_of("  - {id: r, kind: rollout, with: {endpoint: f, model: m/2, options: "
                          "{min_span_to_refuse: soon}}}\n")
                  .find("options.min_span_to_refuse"),
              std::string::npos);
    EXPECT_NE(problems_of("  - {id: r, kind: rollout, with: {endpoint: f, model: m/2, policy: bold}}\n")
                  .find("sequential"),
              std::string::npos);
}

}  // namespace
}  // namespace gyre::loop
