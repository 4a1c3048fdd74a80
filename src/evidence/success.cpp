#include "evidence/success.h"

#include <cmath>

#include "evidence/verdict.h"

namespace gyre::evidence {
namespace {

constexpr double kClassThreshold = 0.5;

std::string given(const std::optional<double>& limit) {
    return limit ? ", got " + brief(*limit) : ", got none";
}

}  // namespace

Result<void> SuccessOptions::check() const {
    switch (signal) {
        case SuccessSignal::loss_below:
            if (limit && !(*limit > 0.0 && *limit <= 1.0)) {
                return invalid_argument(
                    "simple.success.limit: a loss is at most 1, so loss_below takes a limit in (0, 1]" +
                    given(limit) + "; left out it is " + brief(kLossLimitDefault));
            }
            return {};
        case SuccessSignal::correct:
            if (limit) {
                return invalid_argument("simple.success.limit: the signal 'correct' takes no limit" +
                                        given(limit) + "; leave it out, or choose loss_below");
            }
            return {};
        case SuccessSignal::error_below:
            if (!limit || !(*limit > 0.0 && std::isfinite(*limit))) {
                return invalid_argument(
                    "simple.success.limit: error_below needs a limit above 0 in the target's unit" +
                    given(limit) + "; say how far off a good answer may be");
            }
            return {};
    }
    return internal_error("an unknown signal of success");
}

bool SuccessOptions::is_success(const ScoredOutcome& row) const {
    switch (signal) {
        case SuccessSignal::loss_below:
            return row.loss < limit.value_or(kLossLimitDefault);
        case SuccessSignal::correct:
            return !std::isnan(row.prediction) && !std::isnan(row.label) &&
                   (row.prediction >= kClassThreshold) == (row.label >= kClassThreshold);
        case SuccessSignal::error_below:
            return std::abs(row.prediction - row.label) < limit.value_or(0.0);
    }
    return false;
}

std::string SuccessOptions::text() const {
    switch (signal) {
        case SuccessSignal::loss_below:
            return "loss below " + brief(limit.value_or(kLossLimitDefault));
        case SuccessSignal::correct:
            return "predicted class is the label";
        case SuccessSignal::error_below:
            return "error below " + brief(limit.value_or(0.0));
    }
    return {};
}

}  // namespace gyre::evidence
