#include <algorithm>
#include <cmath>
#include <numeric>

#include "evidence/rollout.h"

namespace gyre::evidence {
namespace {

constexpr std::size_t kLiteralWindow = 100;

bool share(double value) {
    return value >= 0.0 && value <= 1.0;
}

Finding success_finding(double candidate, double champion, std::int64_t n, const SimpleOptions& options) {
    Finding finding;
    finding.metric = "success_rate";
    finding.estimate = candidate;
    finding.threshold = options.success_threshold;
    finding.n = n;
    finding.reason = "success (" + options.success.text() + ") of the candidate " + brief(candidate) +
                     ", of the champion " + brief(champion) + "; up at " + brief(options.success_threshold) +
                     " and " + brief(options.promote_ratio) + " of the champion, back below " +
                     brief(options.rollback_ratio) + " of it";
    return finding;
}

/// The comparison that both spellings of the rule share.
Verdict compare(double candidate, double champion, const SimpleOptions& options) {
    if (candidate >= options.success_threshold && candidate >= champion * options.promote_ratio) {
        return Verdict::pass;
    }
    return candidate < champion * options.rollback_ratio ? Verdict::fail : Verdict::insufficient;
}

/// Moves phase and exposure by a verdict.
template <class Rollout>
RolloutDecision apply(Rollout& rollout, Finding finding) {
    RolloutAction action = RolloutAction::monitoring;
    if (finding.verdict == Verdict::pass) {
        rollout.exposure = std::min(1.0, rollout.exposure + rollout.options.increment);
        const bool done = rollout.exposure >= 1.0;
        rollout.phase = done ? RolloutPhase::promoted : rollout.phase;
        action = done ? RolloutAction::promoted : RolloutAction::increased;
    } else if (finding.verdict == Verdict::fail) {
        rollout.exposure = 0.0;
        rollout.phase = RolloutPhase::rolled_back;
        action = RolloutAction::rolled_back;
    }
    return {action, rollout.exposure, std::move(finding)};
}

RolloutDecision ended(RolloutPhase phase, double exposure) {
    Finding finding;
    finding.verdict = phase == RolloutPhase::promoted ? Verdict::pass : Verdict::fail;
    finding.metric = "success_rate";
    finding.reason = "the rollout is over: " + std::string(name_of(phase));
    return {phase == RolloutPhase::promoted ? RolloutAction::promoted : RolloutAction::rolled_back, exposure,
            finding};
}

bool is_over(RolloutPhase phase) {
    return phase == RolloutPhase::promoted || phase == RolloutPhase::rolled_back;
}

void push_window(std::vector<double>& window, double value) {
    window.push_back(value);
    if (window.size() > kLiteralWindow) {
        window.erase(window.begin());
    }
}

double window_mean(const std::vector<double>& window) {
    return std::accumulate(window.begin(), window.end(), 0.0) / static_cast<double>(kLiteralWindow);
}

double as_share(double success) {
    return std::isnan(success) ? 0.0 : std::clamp(success, 0.0, 1.0);
}

}  // namespace

Result<void> SimpleOptions::check() const {
    if (!share(initial_exposure) || !share(success_threshold) || !share(promote_ratio) ||
        !share(rollback_ratio)) {
        return invalid_argument("simple rollout: exposures, thresholds and ratios are shares in [0, 1]");
    }
    if (!(increment > 0.0 && increment <= 1.0) || min_rows < 1 || deadline < Duration{}) {
        return invalid_argument(
            "simple rollout: expected an increment in (0, 1], min_rows >= 1 and deadline >= 0");
    }
    return success.check();
}

Result<SimpleRollout> SimpleRollout::start(const SimpleOptions& options, std::int64_t now_us) {
    GYRE_TRY_VOID(options.check());
    SimpleRollout rollout;
    rollout.options = options;
    rollout.exposure = options.initial_exposure;
    rollout.started_us = now_us;
    return rollout;
}

void SimpleRollout::observe(Arm arm, double success) {
    if (is_over(phase)) {
        return;
    }
    if (arm == Arm::candidate) {
        ++candidate_rows;
        ++step_rows;
        candidate_successes += as_share(success);
    } else {
        ++champion_rows;
        champion_successes += as_share(success);
    }
}

RolloutDecision SimpleRollout::decide(std::int64_t now_us) {
    if (is_over(phase)) {
        return ended(phase, exposure);
    }
    Finding finding;
    finding.metric = "success_rate";
    const bool enough = std::min({candidate_rows, champion_rows, step_rows}) >= options.min_rows;
    if (enough) {
        const double c = candidate_successes / static_cast<double>(candidate_rows);
        const double s = champion_successes / static_cast<double>(champion_rows);
        finding = success_finding(c, s, std::min(candidate_rows, champion_rows), options);
        finding.verdict = compare(c, s, options);
    } else {
        finding.n = std::min(candidate_rows, champion_rows);
        finding.reason = "candidate " + std::to_string(candidate_rows) + " rows (" +
                         std::to_string(step_rows) + " in this step), champion " +
                         std::to_string(champion_rows) + "; each needs " + std::to_string(options.min_rows);
    }
    const bool late = options.deadline.us > 0 && now_us - started_us >= options.deadline.us;
    if (finding.verdict == Verdict::insufficient && late && options.on_undecided != OnUndecided::hold) {
        const bool promote = options.on_undecided == OnUndecided::promote;
        phase = promote ? RolloutPhase::promoted : RolloutPhase::rolled_back;
        exposure = promote ? 1.0 : 0.0;
        finding.reason = "deadline without a verdict, " + std::string(name_of(options.on_undecided)) + ": " +
                         finding.reason;
        return {promote ? RolloutAction::promoted : RolloutAction::rolled_back, exposure, finding};
    }
    if (!enough) {
        return {RolloutAction::collecting_data, exposure, finding};
    }
    RolloutDecision decision = apply(*this, std::move(finding));
    step_rows = decision.action == RolloutAction::increased ? 0 : step_rows;
    return decision;
}

Result<SimpleRollout> SimpleRollout::parse(const Json& json) {
    GYRE_TRY(SimpleRollout out, from_json<SimpleRollout>(json));
    GYRE_TRY_VOID(out.options.check());
    if (!share(out.exposure) || std::min({out.step_rows, out.candidate_rows, out.champion_rows}) < 0) {
        return invalid_argument("simple rollout: the stored state is broken");
    }
    return out;
}

Result<LiteralRollout> LiteralRollout::start(const SimpleOptions& options) {
    GYRE_TRY_VOID(options.check());
    LiteralRollout rollout;
    rollout.options = options;
    rollout.exposure = options.initial_exposure;
    return rollout;
}

RolloutDecision LiteralRollout::observe(Arm arm, double success) {
    if (is_over(phase)) {
        return ended(phase, exposure);
    }
    push_window(arm == Arm::candidate ? candidate : champion, as_share(success));
    candidate_rows += arm == Arm::candidate ? 1 : 0;
    if (candidate.size() < kLiteralWindow) {
        Finding finding;
        finding.metric = "success_rate";
        finding.n = candidate_rows;
        finding.reason = "candidate " + std::to_string(candidate_rows) + " of 100 rows";
        return {RolloutAction::collecting_data, exposure, finding};
    }
    const double c = window_mean(candidate);
    const double s = window_mean(champion);
    Finding finding = success_finding(c, s, candidate_rows, options);
    finding.verdict = compare(c, s, options);
    return apply(*this, std::move(finding));
}

Result<LiteralRollout> LiteralRollout::parse(const Json& json) {
    GYRE_TRY(LiteralRollout out, from_json<LiteralRollout>(json));
    GYRE_TRY_VOID(out.options.check());
    if (!share(out.exposure) || out.candidate.size() > kLiteralWindow ||
        out.champion.size() > kLiteralWindow) {
        return invalid_argument("literal rollout: the stored state is broken");
    }
    return out;
}

}  // namespace gyre::evidence
