#pragma once
// Labels: a target column as numbers.
#include <string>
#include <vector>

#include "table/batch.h"
#include "training/train_spec.h"

namespace gyre::training {

struct Labels {
    std::vector<double> values;          // by row; NaN = no label
    std::vector<std::string> classes{};  // of a text target: the names of 0 and 1
};

/// Classification: numbers and booleans are 0 or 1; texts have two values, of which the later in byte order
/// is 1, unless `classes` gives the order. Regression: finite numbers. Errors: invalid_argument saying what
/// came.
Result<Labels> read_labels(const table::Column& column, TrainTask task,
                           const std::vector<std::string>& classes = {});

}  // namespace gyre::training
