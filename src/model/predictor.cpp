#include "model/predictor.h"

#include <array>

namespace gyre::model {
namespace {

constexpr std::size_t kStackFeatures = 1024;  // encoded without allocation up to this many values

}  // namespace

Result<std::shared_ptr<const Predictor>> Predictor::create(Parts parts) {
    const std::size_t columns = parts.signature.columns.size();
    if (parts.encoder.columns() != parts.signature.columns) {
        return invalid_argument("the encoders' columns differ from the signature's");
    }
    if (columns != parts.forest.feature_count()) {
        return invalid_argument("the signature has " + std::to_string(columns) + " columns, the model " +
                                std::to_string(parts.forest.feature_count()) + " features");
    }
    const auto outputs = static_cast<std::int64_t>(parts.forest.output_count());
    if (parts.signature.outputs.size() != 1 || parts.signature.outputs[0].width != outputs) {
        return invalid_argument("expected one output of width " + std::to_string(outputs));
    }
    return std::shared_ptr<const Predictor>(new Predictor(std::move(parts)));
}

Result<void> Predictor::predict_encoded(std::span<const float> rows, std::size_t n,
                                        std::span<float> out) const {
    if (rows.size() != n * feature_count()) {
        return invalid_argument("expected " + std::to_string(n) + " rows of " +
                                std::to_string(feature_count()) + " features, got " +
                                std::to_string(rows.size()) + " values");
    }
    if (out.size() != n * output_count()) {
        return invalid_argument("the output buffer holds " + std::to_string(out.size()) +
                                " values, expected " + std::to_string(n * output_count()));
    }
    parts_.forest.predict(rows, n, out);
    return {};
}

Result<void> Predictor::predict(const RowBatch& batch, std::span<float> out) const {
    const std::size_t values = batch.rows * feature_count();
    if (values <= kStackFeatures) {
        std::array<float, kStackFeatures> buffer;  // NOLINT: encode fills what is used
        const std::span<float> rows(buffer.data(), values);
        GYRE_TRY_VOID(parts_.encoder.encode(batch, rows));
        return predict_encoded(rows, batch.rows, out);
    }
    std::vector<float> rows(values);
    GYRE_TRY_VOID(parts_.encoder.encode(batch, rows));
    return predict_encoded(rows, batch.rows, out);
}

}  // namespace gyre::model
