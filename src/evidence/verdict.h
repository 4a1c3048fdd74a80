#pragma once
// Verdict and Finding: what every gate says, whether CI, a rollout, an alert or an approval asks.
// No evidence is a verdict of its own: `insufficient` never counts as success.
#include <cstdint>
#include <span>
#include <string>

#include "base/fields.h"

namespace gyre::evidence {

enum class Verdict : std::uint8_t { pass, fail, insufficient };
constexpr auto enum_names(Verdict) {
    return std::array{EnumName{Verdict::pass, "pass"}, EnumName{Verdict::fail, "fail"},
                      EnumName{Verdict::insufficient, "insufficient"}};
}

/// One decided question with the numbers that decided it. Bounds that were not computed are left out.
struct Finding {
    Verdict verdict = Verdict::insufficient;
    std::string metric;
    std::optional<double> estimate;
    std::optional<double> low;
    std::optional<double> high;
    std::optional<double> threshold;
    std::optional<double> margin;
    double alpha = 0.0;
    std::int64_t n = 0;
    std::string reason;

    static constexpr auto fields() {
        return std::tuple{
            Field{"verdict", &Finding::verdict, "pass, fail or insufficient."},
            Field{"metric", &Finding::metric, "What was measured."},
            Field{"estimate", &Finding::estimate, "Point estimate.", optional_field},
            Field{"low", &Finding::low, "Lower bound.", optional_field},
            Field{"high", &Finding::high, "Upper bound.", optional_field},
            Field{"threshold", &Finding::threshold, "What it was compared with.", optional_field},
            Field{"margin", &Finding::margin, "Tolerated loss against the champion.", optional_field},
            Field{"alpha", &Finding::alpha, "Error probability of each bound; 0 when none.", optional_field},
            Field{"n", &Finding::n, "Observations (pairs for a paired comparison).", optional_field},
            Field{"reason", &Finding::reason, "The decision in a sentence."},
        };
    }
};

/// All of them: fail if any fails, else insufficient if any is (or there is none), else pass.
Verdict combine(std::span<const Finding> findings);

/// 0 pass, 1 fail, 3 insufficient: the exit codes of gates.
int exit_code_of(Verdict verdict);

/// "0.0123": up to four significant digits, for reasons.
std::string brief(double value);

}  // namespace gyre::evidence
