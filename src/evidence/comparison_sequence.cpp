#include "evidence/comparison_sequence.h"

#include <algorithm>
#include <cmath>

namespace gyre::evidence {
namespace {

bool is_loss(double value) {
    return value >= 0.0 && value <= 1.0;
}

Error not_a_loss() {
    return invalid_argument("expected losses in [0, 1]");
}

Verdict verdict_of(Outcome outcome) {
    switch (outcome) {
        case Outcome::better:
        case Outcome::not_worse:
            return Verdict::pass;
        case Outcome::worse:
            return Verdict::fail;
        case Outcome::undecided:
            break;
    }
    return Verdict::insufficient;
}

std::string reason_of(Outcome outcome, const Finding& finding) {
    const std::string numbers = "difference " + brief(*finding.estimate) + " [" + brief(*finding.low) + ", " +
                                brief(*finding.high) + "], margin " + brief(*finding.margin) + ", " +
                                std::to_string(finding.n) + " rows";
    switch (outcome) {
        case Outcome::better:
            return "the candidate's " + finding.metric + " loss is smaller: " + numbers;
        case Outcome::not_worse:
            return "the candidate's " + finding.metric + " loss is within the margin: " + numbers;
        case Outcome::worse:
            return "the candidate's " + finding.metric + " loss is larger: " + numbers;
        case Outcome::undecided:
            break;
    }
    return "the " + finding.metric + " losses are not told apart yet: " + numbers;
}

/// Sequences of the difference and of the difference beyond the margin, to an outcome.
Outcome outcome_of(const MeanSequence& difference, const MeanSequence& over_margin, double alpha) {
    if (difference.upper(alpha) < 0.0) {
        return Outcome::better;
    }
    if (over_margin.upper(alpha) < 0.0) {
        return Outcome::not_worse;
    }
    return difference.lower(alpha) > 0.0 ? Outcome::worse : Outcome::undecided;
}

}  // namespace

Result<void> LossOptions::check() const {
    if (!(margin >= 0.0 && margin <= 1.0)) {
        return invalid_argument("margin: expected a share in [0, 1], got " + brief(margin));
    }
    if (!(alpha > 0.0 && alpha <= 0.5)) {
        return invalid_argument("alpha: expected a probability in (0, 0.5], got " + brief(alpha));
    }
    return {};
}

Result<void> PairedSequence::add(double candidate_loss, double champion_loss_of_row) {
    if (!is_loss(candidate_loss) || !is_loss(champion_loss_of_row)) {
        return not_a_loss();
    }
    const double scale = 1.0 + options.margin;
    GYRE_TRY_VOID(difference.add(candidate_loss - champion_loss_of_row));
    GYRE_TRY_VOID(over_margin.add(std::clamp(candidate_loss / scale - champion_loss_of_row, -1.0, 1.0)));
    champion_loss += champion_loss_of_row;
    return {};
}

Outcome PairedSequence::outcome() const {
    return outcome_of(difference, over_margin, options.alpha);
}

Finding PairedSequence::finding() const {
    Finding finding;
    finding.metric = options.metric;
    finding.n = n();
    finding.alpha = options.alpha;
    finding.estimate = difference.mean();
    finding.low = difference.lower(options.alpha);
    finding.high = difference.upper(options.alpha);
    finding.margin = n() == 0 ? 0.0 : options.margin * champion_loss / static_cast<double>(n());
    const Outcome decided = outcome();
    finding.verdict = verdict_of(decided);
    finding.reason = reason_of(decided, finding);
    return finding;
}

Result<PairedSequence> PairedSequence::parse(const Json& json) {
    GYRE_TRY(PairedSequence out, from_json<PairedSequence>(json));
    GYRE_TRY_VOID(out.options.check());
    GYRE_TRY_VOID(out.difference.check());
    GYRE_TRY_VOID(out.over_margin.check());
    return out;
}

Result<void> UnpairedSequence::add(Arm arm, double loss, double exposure) {
    if (!is_loss(loss)) {
        return not_a_loss();
    }
    if (exposure <= 0.0 || exposure >= 1.0) {
        return {};
    }
    constexpr double kRounding = 1e-9;
    if (!(std::min(exposure, 1.0 - exposure) >= least_share - kRounding)) {
        return invalid_argument("expected shares of traffic of at least " + brief(least_share) +
                                " for either arm, got " + brief(exposure));
    }
    const double rows = static_cast<double>(candidate.n + champion.n);
    const double centre = (0.25 + candidate.sum + champion.sum) / (1.0 + rows);
    const bool of_candidate = arm == Arm::candidate;
    const double off_centre = loss - centre;
    const double weight = of_candidate ? 1.0 / exposure : -1.0 / (1.0 - exposure);
    const double beyond = of_candidate ? weight : weight * (1.0 + options.margin);
    const double most = (1.0 + options.margin) / least_share + options.margin;
    GYRE_TRY_VOID(difference.add(std::clamp(off_centre * weight * least_share, -1.0, 1.0)));
    GYRE_TRY_VOID(
        over_margin.add(std::clamp((off_centre * beyond - options.margin * centre) / most, -1.0, 1.0)));
    ArmLosses& own = of_candidate ? candidate : champion;
    ++own.n;
    own.sum += loss;
    return {};
}

Outcome UnpairedSequence::outcome() const {
    return outcome_of(difference, over_margin, options.alpha);
}

Finding UnpairedSequence::finding() const {
    Finding finding;
    finding.metric = options.metric;
    finding.n = n();
    finding.alpha = options.alpha;
    finding.estimate = difference.mean() / least_share;
    finding.low = difference.lower(options.alpha) / least_share;
    finding.high = difference.upper(options.alpha) / least_share;
    finding.margin = options.margin * champion.mean();
    const Outcome decided = outcome();
    finding.verdict = verdict_of(decided);
    finding.reason = reason_of(decided, finding);
    return finding;
}

Result<void> UnpairedSequence::check() const {
    GYRE_TRY_VOID(options.check());
    GYRE_TRY_VOID(difference.check());
    GYRE_TRY_VOID(over_margin.check());
    const auto sound = [](const ArmLosses& arm) {
        return arm.n >= 0 && arm.sum >= 0.0 && arm.sum <= static_cast<double>(arm.n);
    };
    if (!(least_share > 0.0 && least_share <= 0.5) || !sound(candidate) || !sound(champion)) {
        return invalid_argument("comparison of two arms: the stored state is broken");
    }
    return {};
}

Result<UnpairedSequence> UnpairedSequence::parse(const Json& json) {
    GYRE_TRY(UnpairedSequence out, from_json<UnpairedSequence>(json));
    GYRE_TRY_VOID(out.check());
    return out;
}

}  // namespace gyre::evidence
