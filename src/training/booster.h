#pragma once
// Booster: gradient boosted trees by the XGBoost library. Internal to the module; serving uses model::Forest.
// Not thread-safe. Equal data, parameters, seed and threads give equal bytes.
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "training/train_spec.h"

namespace gyre::training {

/// [rows, columns] row-major, NaN = missing; a category column holds codes.
struct Matrix {
    std::span<const float> values;
    std::size_t rows = 0;
};

struct FeatureInfo {
    std::vector<std::string> names;
    std::vector<bool> category;  // parallel to names
};

struct LabelledMatrix {
    Matrix features;
    std::span<const float> labels;
};

class Booster {
 public:
    /// Called after each round with the metrics so far; an error stops the training.
    using OnRound =
        std::function<Result<void>(std::int64_t round, const std::map<std::string, double>& metrics)>;
    struct Job {
        TrainTask task = TrainTask::classification;
        TrainParams params{};
        FeatureInfo features{};
        LabelledMatrix train{};
        LabelledMatrix valid{};  // no rows: none
    };

    /// Errors: internal with the library's reason; what on_round returns.
    static Result<Booster> train(const Job& job, const OnRound& on_round);
    /// A model that `save` gave.
    static Result<Booster> load(std::string_view bytes);
    ~Booster();
    Booster(Booster&&) noexcept;
    Booster& operator=(Booster&&) noexcept;

    /// UBJSON, as save_model writes it.
    [[nodiscard]] Result<std::string> save() const;
    /// Predictions as XGBoost itself computes them.
    [[nodiscard]] Result<std::vector<float>> predict(const Matrix& rows, const FeatureInfo& features) const;

    /// Of the library: "1.7.4".
    static std::string library_version();

 private:
    struct Handle;
    explicit Booster(std::unique_ptr<Handle> handle);
    std::unique_ptr<Handle> handle_;
};

}  // namespace gyre::training
