#pragma once
// Candidate against champion on a bounded loss in [0, 1] (smaller is better), watched after every row.
// Verdicts may be read at every look: the probability that a wrong one is ever given is at most alpha each
// way. Plain values that serialise to JSON, so that a restart resumes; not thread-safe.
//
// Outcomes, in the order in which they are tried:
//   better     upper bound of E[candidate - champion] < 0
//   not_worse  upper bound of E[candidate - (1 + margin) champion] < 0; the champion's loss is inside the
//              bounded variable, so no estimate is plugged in
//   worse      lower bound of E[candidate - champion] > 0
//   undecided  none of these yet
// A candidate that is surely worse but surely within the margin is not_worse: that is what a margin means.
#include "evidence/mean_sequence.h"
#include "evidence/verdict.h"

namespace gyre::evidence {

enum class Outcome : std::uint8_t { better, not_worse, worse, undecided };
constexpr auto enum_names(Outcome) {
    return std::array{EnumName{Outcome::better, "better"}, EnumName{Outcome::not_worse, "not_worse"},
                      EnumName{Outcome::worse, "worse"}, EnumName{Outcome::undecided, "undecided"}};
}

inline constexpr double kDefaultMargin = 0.03;
inline constexpr double kDefaultAlpha = 0.05;

struct LossOptions {
    double margin = kDefaultMargin;  // share of the champion's loss, in [0, 1]
    double alpha = kDefaultAlpha;    // in (0, 0.5]
    std::string metric = "brier";

    static constexpr auto fields() {
        return std::tuple{
            Field{"margin", &LossOptions::margin, "Tolerated loss, share of the champion's.", optional_field},
            Field{"alpha", &LossOptions::alpha, "Error probability of each bound.", optional_field},
            Field{"metric", &LossOptions::metric, "Name of the loss.", optional_field},
        };
    }
    /// Errors: invalid_argument naming the option.
    [[nodiscard]] Result<void> check() const;
};

/// Both models scored the same rows. A shuffled-label model (Brier, 11 % positives) is told from a good one
/// within a few hundred pairs; README.md has the power table.
struct PairedSequence {
    LossOptions options;
    MeanSequence difference;     // candidate - champion
    MeanSequence over_margin;    // (candidate - (1 + margin) champion) / (1 + margin)
    double champion_loss = 0.0;  // sum

    /// Losses outside [0, 1] (or NaN) are an error and change nothing.
    Result<void> add(double candidate_loss, double champion_loss_of_row);
    [[nodiscard]] std::int64_t n() const { return difference.n; }
    [[nodiscard]] Outcome outcome() const;
    /// better and not_worse pass, worse fails, undecided is insufficient. Estimate and bounds are of
    /// candidate - champion; margin is in the same units.
    [[nodiscard]] Finding finding() const;
    /// Parses what to_json wrote.
    static Result<PairedSequence> parse(const Json& json);

    static constexpr auto fields() {
        return std::tuple{
            Field{"options", &PairedSequence::options, "Margin and error probability."},
            Field{"difference", &PairedSequence::difference, "Sequence of the loss difference."},
            Field{"over_margin", &PairedSequence::over_margin,
                  "Sequence of the difference beyond the margin."},
            Field{"champion_loss", &PairedSequence::champion_loss, "Sum of the champion's losses."},
        };
    }
};

enum class Arm : std::uint8_t { candidate, champion };
constexpr auto enum_names(Arm) {
    return std::array{EnumName{Arm::candidate, "candidate"}, EnumName{Arm::champion, "champion"}};
}

/// Each row was scored by one of them (A/B). Bounds of the two arms, alpha / 2 each, joined by the union
/// bound: exact at every look, but several times hungrier for rows than pairs.
struct UnpairedSequence {
    LossOptions options;
    MeanSequence candidate;  // 2 loss - 1
    MeanSequence champion;

    Result<void> add(Arm arm, double loss);
    [[nodiscard]] Outcome outcome() const;
    [[nodiscard]] Finding finding() const;
    static Result<UnpairedSequence> parse(const Json& json);

    static constexpr auto fields() {
        return std::tuple{
            Field{"options", &UnpairedSequence::options, "Margin and error probability."},
            Field{"candidate", &UnpairedSequence::candidate, "Sequence of the candidate's loss."},
            Field{"champion", &UnpairedSequence::champion, "Sequence of the champion's loss."},
        };
    }
};

}  // namespace gyre::evidence
