#pragma once
// The offline gate: candidate against champion on the same labelled rows, and absolute floors. The decisions
// are `evidence`'s; too few rows are `insufficient`, which is never a pass.
#include <optional>
#include <string>
#include <vector>

#include "evidence/comparison_sequence.h"
#include "evidence/threshold.h"
#include "table/session.h"
#include "training/evaluation.h"

namespace gyre::training {

struct GateSpec {
    std::string candidate{};
    std::string champion{};
    std::string table{};
    std::string target{};
    std::vector<evidence::Threshold> thresholds{};
    evidence::LossOptions loss{};
    std::int64_t min_rows = evidence::kMinRows;
    static constexpr auto fields() {
        using S = GateSpec;
        return std::tuple{
            Field{"candidate", &S::candidate, "Folder of the candidate's package."},
            Field{"champion", &S::champion,
                  "Folder of the champion's package; none: thresholds alone decide.", optional_field},
            Field{"table", &S::table, "Source that holds the rows."},
            Field{"target", &S::target, "Column with the labels."},
            Field{"thresholds", &S::thresholds, "Floors and ceilings of the candidate's metrics.",
                  optional_field},
            Field{"loss", &S::loss, "Margin and error probability of the paired comparison.", optional_field},
            Field{"min_rows", &S::min_rows, "Fewer labelled rows are no evidence.", optional_field},
        };
    }
};

struct GateResult {
    evidence::Verdict verdict = evidence::Verdict::insufficient;
    std::vector<evidence::Finding> findings{};
    Evaluation candidate{};
    std::optional<Evaluation> champion{};
    static constexpr auto fields() {
        using R = GateResult;
        return std::tuple{Field{"verdict", &R::verdict, "All findings together."},
                          Field{"findings", &R::findings, "One per threshold and one for the comparison."},
                          Field{"candidate", &R::candidate, "Evaluation of the candidate."},
                          Field{"champion", &R::champion, "Evaluation of the champion.", optional_field}};
    }
};

/// The loss of a row is the squared error of the probability (Brier), or for regression the squared error,
/// clipped where the error is three times the champion's RMSE on these rows. Errors: what `score` gives;
/// models of different tasks.
Result<GateResult> gate(table::Session& session, const GateSpec& spec);

}  // namespace gyre::training
