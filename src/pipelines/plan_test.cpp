#include "pipelines/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "pipelines/interpolate.h"
#include "pipelines/step_kind.h"

namespace gyre::pipelines {
namespace {

using ::testing::HasSubstr;

StepKinds kinds() {
    StepKinds kinds;
    const auto nothing = [](const StepContext&) { return StepOutcome::succeeded(Json::object()); };
    for (const char* name : {"validate", "train", "evaluate", "gate", "register", "rollout"}) {
        EXPECT_TRUE(kinds.add({.name = name, .start = nothing}));
    }
    return kinds;
}

constexpr std::string_view kGood = R"(name: retrain-flights
params:
  trees: {type: int, default: 100, min: 1, max: 5000}
  since: {type: date, required: false}
on:
  events:
    - {type: drift.detected, match: {subject: endpoint/flights}, cooldown: 7d}
  schedule:
    - {every: 4w, time: event, subject: endpoint/flights}
defaults: {timeout: 1h, retries: {max: 2, backoff: 10s}}
steps:
  - {id: validate, kind: validate, with: {until: "${{trigger.as_of}}"}}
  - {id: train, kind: train, needs: [validate], with: {trees: "${{params.trees}}"}}
  - {id: evaluate, kind: evaluate, needs: [train], with: {package: "${{steps.train.outputs.package}}"}}
  - {id: gate, kind: gate, needs: [evaluate], on_fail: skip}
  - {id: register, kind: register, needs: [gate]}
  - {id: rollout, kind: rollout, needs: [register], with: {run: "${{run.id}}"}}
)";

std::string problems_of(std::string_view yaml) {
    std::string all;
    for (const Problem& problem : lint(yaml, kinds())) {
        all += problem.text() + "\n";
    }
    return all;
}

std::string with_change(std::string_view from, std::string_view to) {
    std::string text(kGood);
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

TEST(Lint, a_good_file_has_no_problem_and_reads_back_from_its_json) {
    EXPECT_EQ(problems_of(kGood), "");
    const auto spec = parse_pipeline(kGood, kinds());
    ASSERT_TRUE(spec) << spec.error().message();
    EXPECT_EQ(spec->steps.size(), 6U);
    EXPECT_EQ(spec->steps[3].on_fail, OnFail::skip);
    const auto again = from_json<PipelineSpec>(to_json(*spec));
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(to_json(*again), to_json(*spec));
}

struct BadFile {
    const char* from;
    const char* to;
    const char* expected;
};

class LintBad : public ::testing::TestWithParam<BadFile> {};

TEST_P(LintBad, names_the_place_and_the_problem) {
    EXPECT_THAT(problems_of(with_change(GetParam().from, GetParam().to)), HasSubstr(GetParam().expected));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, LintBad,
    ::testing::Values(
        BadFile{"needs: [validate]", "neads: [validate]",
                "13:30: unknown field 'steps[1].neads'; did you mean 'needs'?"},
        BadFile{"kind: train,", "kind: trian,",
                "13:17: steps[1].kind: no step kind 'trian' (did you mean 'train'?)"},
        BadFile{"needs: [evaluate]", "needs: [evalute]",
                "15:36: steps[3].needs[0]: no step 'evalute' (did you mean 'evaluate'?)"},
        BadFile{"kind: validate,", "kind: validate, needs: [gate],",
                "a cycle of needs: validate -> gate -> evaluate -> train -> validate"},
        BadFile{"id: register", "id: gate", "a step 'gate' stands above already"},
        BadFile{"params.trees}}", "params.tree}}", "no parameter 'tree' (did you mean 'trees'?)"},
        BadFile{"steps.train.outputs", "steps.gate.outputs", "'evaluate' does not need 'gate'"},
        BadFile{"${{trigger.as_of}}", "${{trigger.as_of", "a '${{' without its '}}'"},
        BadFile{"${{run.id}}", "${{env.HOME}}", "'env.HOME': expected params.NAME"},
        BadFile{"default: 100", "default: 0", "params.trees.default"},
        BadFile{"cooldown: 7d", "cooldown: soon", "7:66: on.events[0].cooldown: expected a duration"},
        BadFile{"type: drift.detected", "type: pipeline.finished", "could start itself"},
        BadFile{"time: event, subject: endpoint/flights", "time: event", "on.schedule[0].subject"},
        BadFile{"every: 4w", "every: 1ms", "expected at least 1s"},
        BadFile{"max: 2,", "max: 21,", "defaults.retries.max: expected 0 to 20"},
        BadFile{"on_fail: skip", "on_fail: explode", "expected one of fail, warn, skip, got 'explode'"},
        BadFile{"name: retrain-flights", "name: 'a b'", "1:1: name: expected letters"}));

TEST(Lint, steps_are_bounded) {
    std::string text = "name: many\nsteps:\n";
    for (std::size_t i = 0; i <= kStepsMax; ++i) {
        text += "  - {id: s" + std::to_string(i) + ", kind: train}\n";
    }
    EXPECT_THAT(problems_of(text), HasSubstr("expected 1 to 200 steps, got 201"));
}

TEST(Lint, a_long_chain_of_needs_is_no_cycle) {
    std::string text = "name: chain\nsteps:\n  - {id: s0, kind: train}\n";
    for (std::size_t i = 1; i < kStepsMax; ++i) {
        text +=
            "  - {id: s" + std::to_string(i) + ", kind: train, needs: [s" + std::to_string(i - 1) + "]}\n";
    }
    EXPECT_EQ(problems_of(text), "");
}

TEST(Params, are_typed_bounded_and_filled_in) {
    const auto spec = parse_pipeline(kGood, kinds());
    ASSERT_TRUE(spec);
    const auto bound = bind_params(*spec, Json::object({{"trees", "250"}}));
    ASSERT_TRUE(bound) << bound.error().message();
    EXPECT_EQ((*bound)["trees"], Json(250)) << "text from a command line takes the declared type";
    EXPECT_TRUE((*bound)["since"].is_null());
    EXPECT_EQ((*bind_params(*spec, Json()))["trees"], Json(100));
    EXPECT_FALSE(bind_params(*spec, Json::object({{"trees", 5001}})));
    EXPECT_FALSE(bind_params(*spec, Json::object({{"trees", 1.5}})));
    EXPECT_FALSE(bind_params(*spec, Json::object({{"leaves", 3}})));
    EXPECT_FALSE(bind_params(*spec, Json::object({{"since", "yesterday"}})));
}

TEST(Retries, wait_longer_each_time_up_to_a_bound) {
    const RetrySpec retries{.max = 10, .backoff = "10s", .factor = 2, .max_delay = "1m"};
    EXPECT_EQ(retry_delay_us(retries, 1), 10 * kUsPerSecond);
    EXPECT_EQ(retry_delay_us(retries, 3), 40 * kUsPerSecond);
    EXPECT_EQ(retry_delay_us(retries, 4), 60 * kUsPerSecond);
    EXPECT_EQ(retry_delay_us(retries, 1'000'000), 60 * kUsPerSecond);
}

TEST(FillIn, keeps_types_and_never_reads_twice) {
    const Json scope = Json::object({{"params", Json::object({{"n", 3}, {"evil", "${{params.n}}"}})}});
    const auto fill = [&](const char* text) { return fill_in(Json(text), scope); };
    EXPECT_EQ(*fill("${{params.n}}"), Json(3));
    EXPECT_EQ(*fill("a ${{ params.n }} b"), Json("a 3 b"));
    EXPECT_EQ(*fill("${{params.evil}}!"), Json("${{params.n}}!"));
    EXPECT_FALSE(fill("${{params.m}}"));
    EXPECT_FALSE(fill("x ${{params}}"));
    const auto nested = fill_in(Json::object({{"list", Json::Array{Json("${{params.n}}"), Json(1)}}}), scope);
    EXPECT_EQ(nested->dump(), R"({"list":[3,1]})");
}

TEST(FillIn, is_bounded_in_references_and_bytes) {
    std::string many;
    for (std::size_t i = 0; i <= kReferencesMax; ++i) {
        many += "${{params.n}}";
    }
    const Json scope = Json::object({{"params", Json::object({{"n", std::string(kTextBytesMax, 'x')}})}});
    EXPECT_THAT(fill_in(Json(many), scope).error().message(), HasSubstr("more than 32 references"));
    EXPECT_EQ(fill_in(Json("${{params.n}}y"), scope).error().code(), ErrorCode::resource_exhausted);
}

}  // namespace
}  // namespace gyre::pipelines
