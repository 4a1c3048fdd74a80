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

/// Ratio of a latency quantile, from profiles of latencies; bounds by order statistics of both sides.
struct LatencyOptions {
    double quantile = 0.99;
    double ratio_max = 1.25;
    double alpha = 0.05;
    std::int64_t min_rows = 1000;
};
Finding compare_latency(const stats::Profile& candidate, const stats::Profile& champion,
                        const LatencyOptions& options = {});

/// Largest gap between the distribution functions of predictions (KS) against a tolerated one; bounds by
/// the histogram's resolution and the Dvoretzky-Kiefer-Wolfowitz inequality on both sides.
struct PredictionShiftOptions {
    double gap_max = 0.1;
    double alpha = 0.05;
    std::int64_t min_rows = 500;
};
Finding compare_predictions(const stats::Profile& candidate, const stats::Profile& champion,
                            const PredictionShiftOptions& options = {});

}  // namespace gyre::evidence
