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
/// A regression's squared error is a loss in [0, 1] once errors beyond this many RMSEs count as 1.
inline constexpr double kClipAtRmses = 3.0;
inline constexpr std::string_view kBrierLoss = "brier";
inline constexpr std::string_view kSquaredErrorLoss = "squared_error";

struct LossOptions {
    double margin = kDefaultMargin;  // share of the champion's loss, in [0, 1]
    double alpha = kDefaultAlpha;    // in (0, 0.5]
    std::string metric;              // how findings call the loss; empty: as the task's loss is called

    static constexpr auto fields() {
        return std::tuple{
            Field{"margin", &LossOptions::margin, "Tolerated loss, share of the champion's.", optional_field},
            Field{"alpha", &LossOptions::alpha, "Error probability of each bound.", optional_field},
            Field{"metric", &LossOptions::metric,
                  "Name of the loss in findings; left out: brier, of a regression squared_error.",
                  optional_field},
        };
    }
    /// Errors: invalid_argument naming the option.
    [[nodiscard]] Result<void> check() const;
    /// Says of which task the losses are; a name that was given stays.
    void name_after(bool regression) {
        if (metric.empty()) {
            metric = regression ? kSquaredErrorLoss : kBrierLoss;
        }
    }
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

/// Rows and losses of one arm.
struct ArmLosses {
    std::int64_t n = 0;
    double sum = 0.0;

    [[nodiscard]] double mean() const { return n == 0 ? 0.0 : sum / static_cast<double>(n); }
    static constexpr auto fields() {
        return std::tuple{Field{"n", &ArmLosses::n, "Rows."}, Field{"sum", &ArmLosses::sum, "Their losses."}};
    }
};

/// Each row was answered by one of them (A/B), by the candidate with a known probability p that does not look
/// at the row's outcome (a sticky hash of an id). Rows count by the inverse of that probability (Horvitz,
/// Thompson 1952), about a centre c that is known before the row, the mean loss so far:
///   z = (loss - c) (A / p - (1 - A) / (1 - p)),  A = 1 when the candidate answered.
/// Given what came before, z has the mean of candidate - champion whatever c is, so one betting sequence is
/// exact at every look. p may change from step to step: arms pooled over steps would mix the candidate's
/// effect with the time of day and year. Still tens of times hungrier for rows than pairs: what a row's own
/// outcome adds to its loss does not cancel.
struct UnpairedSequence {
    LossOptions options;
    double least_share = 0.25;  // no row may have p or 1 - p below this, in (0, 0.5]
    MeanSequence difference;    // z, scaled into [-1, 1]
    MeanSequence over_margin;   // the same for candidate - (1 + margin) champion
    ArmLosses candidate;
    ArmLosses champion;

    /// `exposure` is p at the row's time. Rows of a time when one arm got everything (0 or 1) compare nothing
    /// and are left out. Errors: invalid_argument (a loss outside [0, 1], an exposure beyond least_share).
    Result<void> add(Arm arm, double loss, double exposure);
    [[nodiscard]] std::int64_t n() const { return difference.n; }
    [[nodiscard]] Outcome outcome() const;
    [[nodiscard]] Finding finding() const;
    static Result<UnpairedSequence> parse(const Json& json);
    [[nodiscard]] Result<void> check() const;

    static constexpr auto fields() {
        using U = UnpairedSequence;
        return std::tuple{
            Field{"options", &U::options, "Margin and error probability."},
            Field{"least_share", &U::least_share, "Least share of traffic of an arm."},
            Field{"difference", &U::difference, "Sequence of the loss difference."},
            Field{"over_margin", &U::over_margin, "Sequence of the difference beyond the margin."},
            Field{"candidate", &U::candidate, "Losses of the candidate's rows."},
            Field{"champion", &U::champion, "Losses of the champion's rows."},
        };
    }
};

}  // namespace gyre::evidence
