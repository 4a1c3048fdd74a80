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

/// Back from 2 loss - 1.
double loss_of(double scaled) {
    return 0.5 * (scaled + 1.0);
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
    if (difference.upper(options.alpha) < 0.0) {
        return Outcome::better;
    }
    if (over_margin.upper(options.alpha) < 0.0) {
        return Outcome::not_worse;
    }
    return difference.lower(options.alpha) > 0.0 ? Outcome::worse : Outcome::undecided;
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

Result<void> UnpairedSequence::add(Arm arm, double loss) {
    if (!is_loss(loss)) {
        return not_a_loss();
    }
    return (arm == Arm::candidate ? candidate : champion).add(2.0 * loss - 1.0);
}

Outcome UnpairedSequence::outcome() const {
    const double alpha = options.alpha / 2.0;
    const double high = loss_of(candidate.upper(alpha));
    if (high < loss_of(champion.lower(alpha))) {
        return Outcome::better;
    }
    if (high < (1.0 + options.margin) * loss_of(champion.lower(alpha))) {
        return Outcome::not_worse;
    }
    return loss_of(candidate.lower(alpha)) > loss_of(champion.upper(alpha)) ? Outcome::worse
                                                                            : Outcome::undecided;
}

Finding UnpairedSequence::finding() const {
    const double alpha = options.alpha / 2.0;
    Finding finding;
    finding.metric = options.metric;
    finding.n = candidate.n + champion.n;
    finding.alpha = options.alpha;
    finding.estimate = 0.5 * (candidate.mean() - champion.mean());
    finding.low = loss_of(candidate.lower(alpha)) - loss_of(champion.upper(alpha));
    finding.high = loss_of(candidate.upper(alpha)) - loss_of(champion.lower(alpha));
    finding.margin = champion.n == 0 ? 0.0 : options.margin * loss_of(champion.mean());
    const Outcome decided = outcome();
    finding.verdict = verdict_of(decided);
    finding.reason = reason_of(decided, finding);
    return finding;
}

Result<UnpairedSequence> UnpairedSequence::parse(const Json& json) {
    GYRE_TRY(UnpairedSequence out, from_json<UnpairedSequence>(json));
    GYRE_TRY_VOID(out.options.check());
    GYRE_TRY_VOID(out.candidate.check());
    GYRE_TRY_VOID(out.champion.check());
    return out;
}

}  // namespace gyre::evidence
