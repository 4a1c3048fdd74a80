#pragma once
// The package: MLflow's model directory. We write the flavors `gyre` (pipeline.json: raw columns, encoders,
// outputs), `xgboost` (the encoded booster, so that mlflow.xgboost.load_model works) and `python_function`
// (loader module gyre_sdk.pyfunc, which takes raw rows). We read that, and what mlflow.xgboost.log_model
// wrote.
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/fields.h"
#include "base/result.h"
#include "model/encoder.h"
#include "model/predictor.h"
#include "model/signature.h"
#include "model/xgboost.h"

namespace gyre::model {

inline constexpr std::string_view kPipelineFile = "pipeline.json";
inline constexpr std::string_view kMlmodelFile = "MLmodel";
inline constexpr std::int64_t kPipelineFormat = 1;

/// pipeline.json.
struct PipelineSpec {
    std::int64_t format = kPipelineFormat;
    std::string task;  // a name of Task
    std::vector<ColumnSpec> columns;
    std::vector<EncoderSpec> encoders;
    std::vector<OutputSpec> outputs;
    std::vector<std::string> classes;
    std::string model_file;  // "model.ubj"
    static constexpr auto fields() {
        return std::tuple{
            Field{"format", &PipelineSpec::format, "Version of this file's form."},
            Field{"task", &PipelineSpec::task, "regression, binary or multiclass."},
            Field{"columns", &PipelineSpec::columns, "Raw columns in order."},
            Field{"encoders", &PipelineSpec::encoders, "One per column, in the same order."},
            Field{"outputs", &PipelineSpec::outputs, "Outputs in order."},
            Field{"classes", &PipelineSpec::classes, "Class names by index.", optional_field},
            Field{"model_file", &PipelineSpec::model_file, "The booster's file name in this folder."},
        };
    }
};

/// What write_package needs.
struct PackageDraft {
    Encoder encoder;
    std::vector<std::string> classes;
    std::string booster;          // bytes of model.ubj or model.json, as XGBoost writes them
    std::string xgboost_version;  // of the library that trained; empty = what the booster says
    Json input_example;           // null, or {"columns":[..],"data":[[..],..]} (pandas orient split)
    std::string run_id;           // empty when no run made it
};

/// A package that was read: metadata without the trees.
struct PackageInfo {
    std::string model_path;  // the booster's file
    bool has_pipeline = false;
    PipelineSpec pipeline;              // when has_pipeline
    std::vector<ColumnSpec> signature;  // MLmodel's input columns; empty when it declares none
    std::string model_class;            // "xgboost.core.Booster", "xgboost.sklearn.XGBClassifier", ...
    std::string xgboost_version;
    std::vector<std::string> flavors;
    Json mlmodel;  // the whole file
};

/// Writes the folder (made when missing). MLmodel comes last, so a folder with it is complete. The draft is
/// checked by loading it.
Result<void> write_package(const std::string& folder, const PackageDraft& draft, const Clock& clock);
/// Reads MLmodel and pipeline.json. File names inside a package may not leave it.
Result<PackageInfo> read_package(const std::string& folder);

}  // namespace gyre::model
