#include "training/holdout.h"

#include <algorithm>

#include "base/rng.h"

namespace gyre::training {
namespace {

Split by_chance(const std::vector<std::size_t>& rows, const HoldoutRule& rule) {
    Rng rng(static_cast<std::uint64_t>(rule.seed));
    Split out;
    for (const std::size_t row : rows) {
        (rng.uniform() < rule.fraction ? out.holdout : out.train).push_back(row);
    }
    return out;
}

Split by_time(const std::vector<std::size_t>& rows, const HoldoutRule& rule, const table::Column& time) {
    std::vector<std::int64_t> times;
    for (const std::size_t row : rows) {
        if (time.valid(row)) {
            times.push_back(time.int64s()[row]);
        }
    }
    if (times.empty()) {
        return {.train = rows, .holdout = {}};
    }
    const auto place = static_cast<std::size_t>((1.0 - rule.fraction) * static_cast<double>(times.size()));
    const auto cut = times.begin() + static_cast<std::ptrdiff_t>(std::min(place, times.size() - 1));
    std::nth_element(times.begin(), cut, times.end());
    Split out;
    for (const std::size_t row : rows) {
        const bool late = time.valid(row) && time.int64s()[row] >= *cut && rule.fraction > 0.0;
        (late ? out.holdout : out.train).push_back(row);
    }
    return out;
}

}  // namespace

Result<Split> split_rows(const std::vector<std::size_t>& rows, const HoldoutRule& rule,
                         const table::Column* time) {
    if (rule.kind == HoldoutKind::none) {
        return Split{.train = rows, .holdout = {}};
    }
    if (!(rule.fraction >= 0.0 && rule.fraction < 1.0)) {
        return invalid_argument("holdout: expected a fraction of at least 0 and under 1");
    }
    if (rule.kind == HoldoutKind::fraction) {
        return by_chance(rows, rule);
    }
    if (time == nullptr || time->type() != table::ColumnType::timestamp) {
        return invalid_argument("holdout by time needs a time_column that holds times");
    }
    return by_time(rows, rule, *time);
}

}  // namespace gyre::training
