#pragma once
// A training that ran here, as a tracked run and a registered version on a server: MLflow's wire, as any
// client.
#include <string>

#include "cli/command.h"
#include "training/train_spec.h"

namespace gyre::cli {

struct TrackedTraining {
    std::string model;          // registered name; made when it is new
    std::string experiment;     // made when it is new
    std::string package;        // folder
    std::string progress_file;  // the rounds' metrics; may be missing
    training::TrainResult result;
};

/// {"run_id", "model": "flights/3"}. Errors: what the server says; the package stays where it is.
Result<Json> track_training(const TrackedTraining& training, const Globals& globals);

}  // namespace gyre::cli
