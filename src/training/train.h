#pragma once
// Training: a table in, a model package out. Runs in a child process; blocks.
#include <functional>
#include <string>

#include "base/clock.h"
#include "table/session.h"
#include "training/train_spec.h"

namespace gyre::training {

/// Told after each round and phase; an error stops the training and is returned.
using OnProgress = std::function<Result<void>(const Progress&)>;

/// Trains gradient boosted trees and writes a package (model::write_package plus baseline.json) to `folder`.
/// Texts become categories with native splits; an encoder fitted on the training rows travels in the package.
/// Equal rows, spec and threads give an equal model. Errors: invalid_argument (spec, columns, labels),
/// not_found, resource_exhausted, and what on_progress returns.
Result<TrainResult> train(table::Session& session, const TrainSpec& spec, const std::string& folder,
                          const Clock& clock, const OnProgress& on_progress);

/// Bounds of the trainer's parameters. Errors: invalid_argument naming the parameter.
Result<void> check_params(const TrainParams& params);
/// Checks what needs no data: bounds of parameters, names.
Result<void> check_train_spec(const TrainSpec& spec);

}  // namespace gyre::training
