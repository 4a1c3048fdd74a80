#pragma once
// Which rows train and which are kept back. Pure.
#include <vector>

#include "table/batch.h"
#include "training/train_spec.h"

namespace gyre::training {

struct Split {
    std::vector<std::size_t> train;    // ascending
    std::vector<std::size_t> holdout;  // ascending
};

/// Splits `rows`, indices into the columns. Kind time keeps back the rows from the (1 - fraction) quantile of
/// `time` on, all rows of one instant on one side; rows without a time train. Errors: invalid_argument (no
/// time column for kind time, a fraction that is not in [0, 1)).
Result<Split> split_rows(const std::vector<std::size_t>& rows, const HoldoutRule& rule,
                         const table::Column* time);

}  // namespace gyre::training
