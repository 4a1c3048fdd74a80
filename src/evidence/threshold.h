#pragma once
// Gates over a measured value: an absolute floor or ceiling, and a champion's value. Pure functions.
#include "evidence/verdict.h"
#include "stats/intervals.h"

namespace gyre::evidence {

enum class Direction : std::uint8_t { at_least, at_most };
constexpr auto enum_names(Direction) {
    return std::array{EnumName{Direction::at_least, "at_least"}, EnumName{Direction::at_most, "at_most"}};
}
/// What of the interval must satisfy the threshold: its estimate, or all of it.
enum class Strictness : std::uint8_t { estimate, interval };
constexpr auto enum_names(Strictness) {
    return std::array{EnumName{Strictness::estimate, "estimate"}, EnumName{Strictness::interval, "interval"}};
}

inline constexpr std::int64_t kMinRows = 100;

struct Threshold {
    std::string metric;
    Direction direction = Direction::at_least;
    double value = 0.0;
    Strictness strictness = Strictness::estimate;
    std::int64_t min_rows = kMinRows;

    static constexpr auto fields() {
        return std::tuple{
            Field{"metric", &Threshold::metric, "Metric that is checked."},
            Field{"direction", &Threshold::direction, "at_least or at_most.", optional_field},
            Field{"value", &Threshold::value, "The floor or ceiling."},
            Field{"strictness", &Threshold::strictness, "estimate, or interval: all of it.", optional_field},
            Field{"min_rows", &Threshold::min_rows, "Fewer rows are no evidence.", optional_field},
        };
    }
};

/// `measured` is absent when the metric could not be computed. Fewer than min_rows, or a value that is not
/// finite, is insufficient. With Strictness::interval: fail when all of the interval is on the wrong side,
/// insufficient when the threshold lies inside it.
Finding check_threshold(const Threshold& threshold, const std::optional<stats::Interval>& measured);

/// Compares with a champion's value and a margin relative to it (0.02: up to 2 % worse passes; absolute
/// where the champion's value is 0). For two metrics of independent rows; rows scored by both are compared
/// by PairedSequence, which is far sharper. Bounds: the sum of both intervals' squared half-widths.
struct Comparison {
    std::string metric;
    Direction better = Direction::at_least;  // at_least: larger is better
    double relative_margin = 0.0;
    Strictness strictness = Strictness::estimate;
    std::int64_t min_rows = kMinRows;

    static constexpr auto fields() {
        return std::tuple{
            Field{"metric", &Comparison::metric, "Metric that is compared."},
            Field{"better", &Comparison::better, "at_least: larger is better; at_most: smaller is.",
                  optional_field},
            Field{"relative_margin", &Comparison::relative_margin,
                  "Tolerated loss, share of the champion's value.", optional_field},
            Field{"strictness", &Comparison::strictness, "estimate, or interval.", optional_field},
            Field{"min_rows", &Comparison::min_rows, "Fewer rows on a side are no evidence.", optional_field},
        };
    }
};
Finding compare_with_champion(const Comparison& comparison, const std::optional<stats::Interval>& candidate,
                              const std::optional<stats::Interval>& champion);

}  // namespace gyre::evidence
