#pragma once
// Predictor: a loaded model that takes raw rows and gives predictions. Immutable; every method is
// thread-safe.
//
// One concrete class: an encoder in front of a Forest.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/encoder.h"
#include "model/forest.h"
#include "model/row_batch.h"
#include "model/signature.h"

namespace gyre::model {

class Predictor {
 public:
    struct Parts {
        Signature signature;
        Encoder encoder;
        Forest forest;
        std::vector<std::string> classes;  // names by class index; may be empty
    };
    /// Errors: invalid_argument when signature, encoder and forest do not fit each other.
    static Result<std::shared_ptr<const Predictor>> create(Parts parts);
    /// Loads a package folder (MLflow layout, written by us or by mlflow.xgboost) or a bare XGBoost model
    /// file. Errors: not_found, invalid_argument, unimplemented (a flavor or objective that we do not run).
    static Result<std::shared_ptr<const Predictor>> open(const std::string& path);

    [[nodiscard]] const Signature& signature() const { return parts_.signature; }
    [[nodiscard]] Task task() const { return parts_.forest.task(); }
    [[nodiscard]] const std::vector<std::string>& classes() const { return parts_.classes; }
    [[nodiscard]] const Encoder& encoder() const { return parts_.encoder; }
    [[nodiscard]] const Forest& forest() const { return parts_.forest; }
    /// Features per encoded row; equals signature().columns.size().
    [[nodiscard]] std::size_t feature_count() const { return parts_.forest.feature_count(); }
    /// Values per row in `out`.
    [[nodiscard]] std::size_t output_count() const { return parts_.forest.output_count(); }
    /// Memory of the model, for accounting.
    [[nodiscard]] std::size_t byte_size() const { return parts_.forest.byte_size(); }

    /// `out` is [rows, output_count()] row-major. Errors: invalid_argument saying what was expected and what
    /// came.
    Result<void> predict(const RowBatch& batch, std::span<float> out) const;

    // The serving hot path: the caller writes features itself, without allocation.
    /// The feature of a text in `column` (in range); NaN when unseen.
    [[nodiscard]] float encode_text(std::size_t column, std::string_view text) const {
        return parts_.encoder.encode_text(column, text);
    }
    /// `rows` is [n, feature_count()], NaN = missing; `out` [n, output_count()].
    Result<void> predict_encoded(std::span<const float> rows, std::size_t n, std::span<float> out) const;

 private:
    explicit Predictor(Parts parts) : parts_(std::move(parts)) {}
    Parts parts_;
};

}  // namespace gyre::model
