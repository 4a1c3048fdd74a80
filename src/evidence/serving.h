#pragma once
// Guardrails of serving: error rate, latency and predicted distribution of a candidate against the
// champion, from counts and profiles. Pure functions.
#include "evidence/verdict.h"
#include "stats/profile.h"

namespace gyre::evidence {

/// Half-width of the asymptotic confidence sequence of a mean with variance `v` after n observations,
/// two-sided at alpha (Waudby-Smith et al. 2021), tuned to be tightest near n = tuned_n:
/// sqrt(v) sqrt(2 (n rho^2 + 1) / (n^2 rho^2) ln(sqrt(n rho^2 + 1) / alpha)). One-sided: pass 2 alpha.
double sequence_half_width(double v, double n, double tuned_n, double alpha);
/// rho^2 = (-2 ln alpha + ln(-2 ln alpha + 1)) / tuned_n.
double sequence_rho2(double tuned_n, double alpha);

struct ArmCounts {
    std::int64_t requests = 0;
    std::int64_t errors = 0;

    static constexpr auto fields() {
        return std::tuple{
            Field{"requests", &ArmCounts::requests, "Requests answered or failed."},
            Field{"errors", &ArmCounts::errors, "Of these, failed."},
        };
    }
};

struct ErrorRateOptions {
    double margin = 0.02;           // of the success rate, absolute
    double alpha = 0.05;            // one-sided, each way
    double tuned_n = 2000.0;        // effective rows at which the bound is tightest
    std::int64_t min_rows = 100;    // per arm, before which only the hard stop acts
    std::int64_t hard_errors = 20;  // hard stop: at least this many errors ...
    double hard_ratio = 3.0;        // ... and surely more than this many times the champion's rate

    static constexpr auto fields() {
        return std::tuple{
            Field{"margin", &ErrorRateOptions::margin, "Tolerated drop of the success rate.", optional_field},
            Field{"alpha", &ErrorRateOptions::alpha, "Error probability, each way.", optional_field},
            Field{"tuned_n", &ErrorRateOptions::tuned_n, "Rows at which the bound is tightest.",
                  optional_field},
            Field{"min_rows", &ErrorRateOptions::min_rows, "Fewest rows in each arm.", optional_field},
            Field{"hard_errors", &ErrorRateOptions::hard_errors, "Errors that the hard stop needs.",
                  optional_field},
            Field{"hard_ratio", &ErrorRateOptions::hard_ratio, "Error ratio of the hard stop.",
                  optional_field},
        };
    }
};

/// Success rate of the candidate minus the champion's, d, with the half-width h of its confidence sequence;
/// may be asked at every look. fail: d + h < 0, or the hard stop. pass: d - h > -margin. Compare rows of
/// one traffic split only (Simpson's paradox): start new counts when the split changes.
Finding compare_error_rates(const ArmCounts& candidate, const ArmCounts& champion,
                            const ErrorRateOptions& options = {});

/// Ratio of a latency quantile, from profiles of latencies. The bounds of the quantiles' ranks are confidence
/// sequences, so it may be asked at every look.
struct LatencyOptions {
    bool decides = true;  // false: reported, never a reason to roll back
    double quantile = 0.99;
    double ratio_max = 1.25;
    double alpha = 0.05;
    double tuned_n = 5000.0;  // rows at which the bound is tightest
    std::int64_t min_rows = 1000;

    static constexpr auto fields() {
        using L = LatencyOptions;
        return std::tuple{
            Field{"decides", &L::decides, "Whether it may roll back.", optional_field},
            Field{"quantile", &L::quantile, "Which quantile.", optional_field},
            Field{"ratio_max", &L::ratio_max, "Most tolerated ratio to the champion's.", optional_field},
            Field{"alpha", &L::alpha, "Error probability.", optional_field},
            Field{"tuned_n", &L::tuned_n, "Rows at which the bound is tightest.", optional_field},
            Field{"min_rows", &L::min_rows, "Fewest rows in each arm.", optional_field},
        };
    }
    [[nodiscard]] Result<void> check() const;
};
Finding compare_latency(const stats::Profile& candidate, const stats::Profile& champion,
                        const LatencyOptions& options = {});

/// Largest gap between the distribution functions of predictions (KS) against a tolerated one. Bounds: the
/// histogram's resolution, and on both sides the band that holds at every look (Howard, Ramdas 2022,
/// "Sequential estimation of quantiles", corollary 2):
/// 0.85 sqrt((ln ln(e n) + 0.8 ln(1612 / alpha)) / n). A retrained model moves its predictions somewhat
/// (gaps of 0.05 to 0.25 are usual), so the default asks for half of them.
struct PredictionShiftOptions {
    bool decides = true;
    double gap_max = 0.5;
    double alpha = 0.05;
    std::int64_t min_rows = 100;

    static constexpr auto fields() {
        using P = PredictionShiftOptions;
        return std::tuple{
            Field{"decides", &P::decides, "Whether it may roll back.", optional_field},
            Field{"gap_max", &P::gap_max, "Most tolerated gap.", optional_field},
            Field{"alpha", &P::alpha, "Error probability.", optional_field},
            Field{"min_rows", &P::min_rows, "Fewest rows in each arm.", optional_field},
        };
    }
    [[nodiscard]] Result<void> check() const;
};
Finding compare_predictions(const stats::Profile& candidate, const stats::Profile& champion,
                            const PredictionShiftOptions& options = {});

}  // namespace gyre::evidence
