#pragma once
// SuccessOptions: what a simple rollout counts as a success of a row. Who starts the rollout declares it, as
// how wrong an answer may be is a matter of its use. Plain values, pure functions.
//
// | signal      | a row is a success when                              | limit             | of a           |
// |-------------|------------------------------------------------------|-------------------|----------------|
// | loss_below  | its bounded loss is below it (Brier, clipped square) | (0, 1], else 0.25 | any task       |
// | correct     | the class at a probability of one half is the label  | none              | classification |
// | error_below | it is off by less, in the target's unit              | above 0, required | regression     |
#include <optional>
#include <string>

#include "base/fields.h"

namespace gyre::evidence {

enum class SuccessSignal : std::uint8_t { loss_below, correct, error_below };
constexpr auto enum_names(SuccessSignal) {
    return std::array{EnumName{SuccessSignal::loss_below, "loss_below"},
                      EnumName{SuccessSignal::correct, "correct"},
                      EnumName{SuccessSignal::error_below, "error_below"}};
}

/// Of a Brier loss this is the right side of one half.
inline constexpr double kLossLimitDefault = 0.25;

/// What one labelled row says of the model that answered it.
struct ScoredOutcome {
    double prediction = 0.0;
    double label = 0.0;
    double loss = 0.0;  // in [0, 1]
};

struct SuccessOptions {
    SuccessSignal signal = SuccessSignal::loss_below;
    std::optional<double> limit;

    /// Errors: invalid_argument (a limit that is out of its range, missing, or not wanted).
    [[nodiscard]] Result<void> check() const;
    /// A NaN is no success.
    [[nodiscard]] bool is_success(const ScoredOutcome& row) const;
    /// "loss below 0.25"
    [[nodiscard]] std::string text() const;

    static constexpr auto fields() {
        return std::tuple{
            Field{
                "signal", &SuccessOptions::signal,
                "loss_below: the bounded loss is below the limit (0.25 when left out). correct: the class at "
                "0.5 is the label. error_below: a regression is off by less than the limit.",
                optional_field},
            Field{"limit", &SuccessOptions::limit, "Of loss_below and error_below.", optional_field},
        };
    }
};

}  // namespace gyre::evidence
