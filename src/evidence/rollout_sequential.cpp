#include <algorithm>

#include "evidence/rollout.h"

namespace gyre::evidence {
namespace {

bool is_over(RolloutPhase phase) {
    return phase == RolloutPhase::promoted || phase == RolloutPhase::rolled_back;
}

RolloutDecision finish(SequentialRollout& rollout, RolloutPhase phase, Finding finding) {
    rollout.phase = phase;
    const bool promoted = phase == RolloutPhase::promoted;
    return {promoted ? RolloutAction::promoted : RolloutAction::rolled_back, promoted ? 1.0 : 0.0,
            std::move(finding)};
}

void enter_step(SequentialRollout& rollout, std::int64_t step, std::int64_t now_us) {
    rollout.phase = RolloutPhase::exposing;
    rollout.step = step;
    rollout.step_started_us = now_us;
    rollout.candidate = {};
    rollout.champion = {};
}

/// To the step after `step`; the last one is promotion.
RolloutDecision advance(SequentialRollout& rollout, std::int64_t step, std::int64_t now_us, Finding finding) {
    const auto index = static_cast<std::size_t>(step);
    if (index + 1 >= rollout.options.steps.size()) {
        return finish(rollout, RolloutPhase::promoted, std::move(finding));
    }
    enter_step(rollout, step, now_us);
    return {RolloutAction::increased, rollout.options.steps[index], std::move(finding)};
}

Finding quality(const SequentialRollout& rollout) {
    Finding finding = rollout.paired.finding();
    if (rollout.paired.n() < rollout.options.min_pairs) {
        finding.verdict = Verdict::insufficient;
        finding.reason = std::to_string(rollout.paired.n()) + " pairs; " +
                         std::to_string(rollout.options.min_pairs) + " are needed before any verdict";
    }
    return finding;
}

Finding serving(const SequentialRollout& rollout) {
    ErrorRateOptions options = rollout.options.errors;
    options.alpha /= static_cast<double>(rollout.options.steps.size());
    return compare_error_rates(rollout.candidate, rollout.champion, options);
}

/// The first guardrail that surely fails, if any.
std::optional<Finding> broken_guardrail(const SequentialOptions& options, const StepProfiles& latencies,
                                        const StepProfiles& predictions) {
    const double steps = static_cast<double>(options.steps.size());
    if (options.latency.decides && latencies.candidate != nullptr && latencies.champion != nullptr) {
        LatencyOptions of_step = options.latency;
        of_step.alpha /= steps;
        Finding finding = compare_latency(*latencies.candidate, *latencies.champion, of_step);
        if (finding.verdict == Verdict::fail) {
            return finding;
        }
    }
    if (options.predictions.decides && predictions.candidate != nullptr && predictions.champion != nullptr) {
        PredictionShiftOptions of_step = options.predictions;
        of_step.alpha /= steps;
        Finding finding = compare_predictions(*predictions.candidate, *predictions.champion, of_step);
        if (finding.verdict == Verdict::fail) {
            return finding;
        }
    }
    return std::nullopt;
}

RolloutDecision at_deadline(SequentialRollout& rollout, Finding finding) {
    const OnUndecided rule = rollout.options.on_undecided;
    finding.reason = "deadline without a verdict, " + std::string(name_of(rule)) + ": " + finding.reason;
    const bool promote = rule == OnUndecided::promote;
    return finish(rollout, promote ? RolloutPhase::promoted : RolloutPhase::rolled_back, std::move(finding));
}

RolloutDecision decide_exposing(SequentialRollout& rollout, std::int64_t now_us, Finding quality_now) {
    if (quality_now.verdict == Verdict::fail) {
        return finish(rollout, RolloutPhase::rolled_back, std::move(quality_now));
    }
    Finding serving_now = serving(rollout);
    if (serving_now.verdict == Verdict::fail) {
        return finish(rollout, RolloutPhase::rolled_back, std::move(serving_now));
    }
    const SequentialOptions& options = rollout.options;
    const std::int64_t at_step_us = now_us - rollout.step_started_us;
    const bool baked = at_step_us >= options.bake.us;
    const bool few_and_well =
        options.few_requests_after.us > 0 && at_step_us >= options.few_requests_after.us &&
        rollout.candidate.requests < options.errors.min_rows && rollout.candidate.errors == 0;
    const bool serves = serving_now.verdict == Verdict::pass || few_and_well;
    // What let the candidate in must still hold: quality that fell back to "undecided" waits.
    if (baked && serves && quality_now.verdict == Verdict::pass) {
        if (few_and_well) {
            serving_now.reason = "none of the few requests failed in " +
                                 brief(static_cast<double>(at_step_us) / 86'400e6) +
                                 " days: " + serving_now.reason;
        }
        return advance(rollout, rollout.step + 1, now_us, std::move(serving_now));
    }
    const bool wait_for_quality = quality_now.verdict != Verdict::pass;
    return {RolloutAction::monitoring, rollout.exposure(),
            wait_for_quality ? std::move(quality_now) : std::move(serving_now)};
}

}  // namespace

Result<void> SequentialOptions::check() const {
    GYRE_TRY_VOID(loss.check());
    GYRE_TRY_VOID(latency.check());
    GYRE_TRY_VOID(predictions.check());
    if (!(errors.margin >= 0.0 && errors.margin <= 1.0) || !(errors.alpha > 0.0 && errors.alpha <= 0.5) ||
        !(errors.tuned_n >= 1.0) || errors.min_rows < 1 || errors.hard_errors < 1 ||
        !(errors.hard_ratio >= 1.0)) {
        return invalid_argument("sequential rollout: an option of 'errors' is out of range");
    }
    const bool ascending =
        std::adjacent_find(steps.begin(), steps.end(), std::greater_equal<>()) == steps.end();
    const bool shares = std::all_of(steps.begin(), steps.end(), [](double s) { return s > 0.0 && s <= 1.0; });
    if (steps.empty() || steps.size() > kRolloutStepsMax || !ascending || !shares || steps.back() != 1.0) {
        return invalid_argument(
            "sequential rollout: expected 1 to 20 steps, ascending, above 0, the last one 1");
    }
    if (min_pairs < 1 || std::min({bake, few_requests_after, deadline}) < Duration{}) {
        return invalid_argument("sequential rollout: expected min_pairs >= 1 and durations >= 0");
    }
    return {};
}

Result<SequentialRollout> SequentialRollout::start(const SequentialOptions& options, std::int64_t now_us) {
    GYRE_TRY_VOID(options.check());
    SequentialRollout rollout;
    rollout.options = options;
    rollout.paired.options = options.loss;
    rollout.started_us = now_us;
    rollout.step_started_us = now_us;
    return rollout;
}

Result<void> SequentialRollout::observe_pair(double candidate_loss, double champion_loss) {
    return is_over(phase) ? Result<void>() : paired.add(candidate_loss, champion_loss);
}

void SequentialRollout::observe_requests(Arm arm, const ArmCounts& counts) {
    if (phase != RolloutPhase::exposing) {
        return;
    }
    ArmCounts& side = arm == Arm::candidate ? candidate : champion;
    side.requests += std::max<std::int64_t>(counts.requests, 0);
    side.errors += std::clamp<std::int64_t>(counts.errors, 0, std::max<std::int64_t>(counts.requests, 0));
}

double SequentialRollout::exposure() const {
    if (phase == RolloutPhase::exposing) {
        return options.steps[static_cast<std::size_t>(step)];
    }
    return phase == RolloutPhase::promoted ? 1.0 : 0.0;
}

RolloutDecision SequentialRollout::decide(std::int64_t now_us, const StepProfiles& latencies,
                                          const StepProfiles& predictions) {
    Finding quality_now = quality(*this);
    if (is_over(phase)) {
        return finish(*this, phase, std::move(quality_now));
    }
    RolloutDecision decision;
    std::optional<Finding> broken;
    if (phase == RolloutPhase::exposing) {
        broken = broken_guardrail(options, latencies, predictions);
    }
    if (broken) {
        return finish(*this, RolloutPhase::rolled_back, std::move(*broken));
    }
    if (phase == RolloutPhase::exposing) {
        decision = decide_exposing(*this, now_us, std::move(quality_now));
    } else if (quality_now.verdict == Verdict::pass) {
        return advance(*this, 0, now_us, std::move(quality_now));
    } else if (quality_now.verdict == Verdict::fail) {
        return finish(*this, RolloutPhase::rolled_back, std::move(quality_now));
    } else {
        decision = {RolloutAction::collecting_data, 0.0, std::move(quality_now)};
    }
    const bool open = !is_over(phase) && decision.action != RolloutAction::increased;
    const bool late = options.deadline.us > 0 && now_us - started_us >= options.deadline.us;
    if (open && late && options.on_undecided != OnUndecided::hold) {
        return at_deadline(*this, std::move(decision.finding));
    }
    return decision;
}

Result<SequentialRollout> SequentialRollout::parse(const Json& json) {
    GYRE_TRY(SequentialRollout out, from_json<SequentialRollout>(json));
    GYRE_TRY_VOID(out.options.check());
    GYRE_TRY_VOID(out.paired.difference.check());
    GYRE_TRY_VOID(out.paired.over_margin.check());
    const bool sound = out.step >= 0 && out.step < static_cast<std::int64_t>(out.options.steps.size()) &&
                       out.candidate.errors >= 0 && out.candidate.errors <= out.candidate.requests &&
                       out.champion.errors >= 0 && out.champion.errors <= out.champion.requests;
    if (!sound) {
        return invalid_argument("sequential rollout: the stored state is broken");
    }
    return out;
}

}  // namespace gyre::evidence
