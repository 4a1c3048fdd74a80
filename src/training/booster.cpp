// Adapter: XGBoost's C API.
#include "training/booster.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include <xgboost/c_api.h>

#include "base/text.h"

namespace gyre::training {
namespace {

Error library_error(std::string_view doing) {
    // The text carries a stack trace after the first line.
    std::string reason = XGBGetLastError();
    if (const std::size_t stack = reason.find("Stack trace"); stack != std::string::npos) {
        reason.resize(stack);
    }
    return internal_error("XGBoost cannot " + std::string(doing) + ": " + std::string(trim(reason)));
}

class DataHandle {
 public:
    DataHandle() = default;
    ~DataHandle() {
        if (handle_ != nullptr) {
            XGDMatrixFree(handle_);
        }
    }
    DataHandle(const DataHandle&) = delete;
    DataHandle& operator=(const DataHandle&) = delete;
    [[nodiscard]] DMatrixHandle get() const { return handle_; }

    Result<void> fill(const Matrix& rows, const FeatureInfo& features, std::int64_t threads) {
        const float missing = std::numeric_limits<float>::quiet_NaN();
        if (XGDMatrixCreateFromMat_omp(rows.values.data(), rows.rows, features.names.size(), missing,
                                       &handle_, static_cast<int>(threads)) != 0) {
            return library_error("take the rows");
        }
        std::vector<const char*> names;
        std::vector<const char*> types;
        for (std::size_t i = 0; i < features.names.size(); ++i) {
            names.push_back(features.names[i].c_str());
            types.push_back(features.category[i] ? "c" : "float");
        }
        if (XGDMatrixSetStrFeatureInfo(handle_, "feature_name", names.data(), names.size()) != 0 ||
            XGDMatrixSetStrFeatureInfo(handle_, "feature_type", types.data(), types.size()) != 0) {
            return library_error("take the features' names");
        }
        return {};
    }

    Result<void> set_labels(std::span<const float> labels) {
        if (XGDMatrixSetFloatInfo(handle_, "label", labels.data(), labels.size()) != 0) {
            return library_error("take the labels");
        }
        return {};
    }

 private:
    DMatrixHandle handle_ = nullptr;
};

double mean_of(std::span<const float> values) {
    double sum = 0.0;
    for (const float value : values) {
        sum += static_cast<double>(value);
    }
    return values.empty() ? 0.0 : sum / static_cast<double>(values.size());
}

std::string text_of(double value) {
    std::string out;
    append_json_number(out, value);
    return out;
}

std::vector<std::pair<std::string, std::string>> settings_of(const Booster::Job& job) {
    const TrainParams& p = job.params;
    const bool classify = job.task == TrainTask::classification;
    std::vector<std::pair<std::string, std::string>> out{
        {"verbosity", "0"},
        {"booster", "gbtree"},
        {"tree_method", "hist"},
        {"objective", classify ? "binary:logistic" : "reg:squarederror"},
        {"base_score", classify ? "0.5" : text_of(mean_of(job.train.labels))},
        {"max_depth", std::to_string(p.max_depth)},
        {"learning_rate", text_of(p.learning_rate)},
        {"min_child_weight", text_of(p.min_child_weight)},
        {"subsample", text_of(p.subsample)},
        {"colsample_bytree", text_of(p.colsample_bytree)},
        {"reg_lambda", text_of(p.reg_lambda)},
        {"reg_alpha", text_of(p.reg_alpha)},
        {"gamma", text_of(p.gamma)},
        {"max_bin", std::to_string(p.max_bin)},
        {"seed", std::to_string(p.seed)},
        {"nthread", std::to_string(p.threads)},
    };
    out.emplace_back("eval_metric", classify ? "logloss" : "rmse");
    if (classify) {
        out.emplace_back("eval_metric", "auc");
    }
    return out;
}

/// "[3]\tvalid-logloss:0.41\tvalid-auc:0.70" into a map; a metric that is not a number is left out.
void parse_metrics(std::string_view line, std::map<std::string, double>& out) {
    for (const std::string_view part : split(line, '\t')) {
        const std::size_t colon = part.rfind(':');
        if (colon == std::string_view::npos) {
            continue;
        }
        const std::optional<double> value = parse_number(part.substr(colon + 1));
        if (value && std::isfinite(*value)) {
            out[std::string(part.substr(0, colon))] = *value;
        }
    }
}

/// Mean log loss of predictions before the logistic function. The logarithm of a product stands for the sum
/// of logarithms: of many rows and rounds, logarithms would be a good part of the training.
double log_loss(std::span<const float> margins, std::span<const float> labels) {
    constexpr float kMarginMax = 36.0F;  // certain and wrong costs this much, as about in XGBoost
    constexpr std::size_t kBlock = 16;   // e^36 to the power of 16 is a double still
    double sum = 0.0;
    for (std::size_t first = 0; first < margins.size(); first += kBlock) {
        const std::size_t end = std::min(first + kBlock, margins.size());
        double product = 1.0;
        for (std::size_t i = first; i < end; ++i) {
            const float against = labels[i] > 0.5F ? -margins[i] : margins[i];
            product *= 1.0 + static_cast<double>(std::exp(std::min(against, kMarginMax)));
        }
        sum += std::log(product);
    }
    return sum / static_cast<double>(margins.size());
}

double root_mean_square(std::span<const float> predictions, std::span<const float> labels) {
    double sum = 0.0;
    for (std::size_t i = 0; i < predictions.size(); ++i) {
        const double error = static_cast<double>(predictions[i]) - static_cast<double>(labels[i]);
        sum += error * error;
    }
    return std::sqrt(sum / static_cast<double>(predictions.size()));
}

}  // namespace

struct Booster::Handle {
    BoosterHandle booster = nullptr;
    Handle() = default;
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    ~Handle() {
        if (booster != nullptr) {
            XGBoosterFree(booster);
        }
    }
};

Booster::Booster(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
Booster::~Booster() = default;
Booster::Booster(Booster&&) noexcept = default;
Booster& Booster::operator=(Booster&&) noexcept = default;

namespace {

/// What a round's model is worth. XGBoost's own measuring of the training rows would take a fifth of the
/// whole training, so it measures only the rows that are kept back.
Result<std::map<std::string, double>> measure_round(BoosterHandle booster, const Booster::Job& job,
                                                    DMatrixHandle train, DMatrixHandle valid, int round) {
    // Of the rows that it trains on, the booster knows the predictions: this only copies them.
    const char* how =
        R"({"type": 1, "training": false, "iteration_begin": 0, "iteration_end": 0, "strict_shape": false})";
    const bst_ulong* shape = nullptr;
    bst_ulong dimensions = 0;
    const float* values = nullptr;
    if (XGBoosterPredictFromDMatrix(booster, train, how, &shape, &dimensions, &values) != 0) {
        return library_error("measure a tree");
    }
    const std::span<const float> margins(values, job.train.labels.size());
    std::map<std::string, double> out;
    if (job.task == TrainTask::classification) {
        out["train-logloss"] = log_loss(margins, job.train.labels);
    } else {
        out["train-rmse"] = root_mean_square(margins, job.train.labels);
    }
    if (valid != nullptr) {
        const char* name = "valid";
        const char* line = nullptr;
        if (XGBoosterEvalOneIter(booster, round, &valid, &name, 1, &line) != 0) {
            return library_error("measure a tree");
        }
        parse_metrics(line, out);
    }
    return out;
}

}  // namespace

Result<Booster> Booster::train(const Job& job, const OnRound& on_round) {
    DataHandle train;
    DataHandle valid;
    GYRE_TRY_VOID(train.fill(job.train.features, job.features, job.params.threads));
    GYRE_TRY_VOID(train.set_labels(job.train.labels));
    std::vector<DMatrixHandle> data{train.get()};
    if (job.valid.features.rows > 0) {
        GYRE_TRY_VOID(valid.fill(job.valid.features, job.features, job.params.threads));
        GYRE_TRY_VOID(valid.set_labels(job.valid.labels));
        data.push_back(valid.get());
    }
    auto handle = std::make_unique<Handle>();
    if (XGBoosterCreate(data.data(), data.size(), &handle->booster) != 0) {
        return library_error("start a model");
    }
    for (const auto& [name, value] : settings_of(job)) {
        if (XGBoosterSetParam(handle->booster, name.c_str(), value.c_str()) != 0) {
            return library_error("set " + name);
        }
    }
    for (int round = 0; round < job.params.trees; ++round) {
        if (XGBoosterUpdateOneIter(handle->booster, round, train.get()) != 0) {
            return library_error("train a tree");
        }
        GYRE_TRY(const auto metrics, measure_round(handle->booster, job, train.get(), valid.get(), round));
        GYRE_TRY_VOID(on_round(round + 1, metrics));
    }
    return Booster(std::move(handle));
}

Result<Booster> Booster::load(std::string_view bytes) {
    auto handle = std::make_unique<Handle>();
    if (XGBoosterCreate(nullptr, 0, &handle->booster) != 0 ||
        XGBoosterLoadModelFromBuffer(handle->booster, bytes.data(), bytes.size()) != 0) {
        return library_error("load the model");
    }
    return Booster(std::move(handle));
}

Result<std::string> Booster::save() const {
    bst_ulong size = 0;
    const char* bytes = nullptr;
    if (XGBoosterSaveModelToBuffer(handle_->booster, R"({"format": "ubj"})", &size, &bytes) != 0) {
        return library_error("save the model");
    }
    return std::string(bytes, size);
}

Result<std::vector<float>> Booster::predict(const Matrix& rows, const FeatureInfo& features) const {
    DataHandle data;
    GYRE_TRY_VOID(data.fill(rows, features, 1));
    const char* how =
        R"({"type": 0, "training": false, "iteration_begin": 0, "iteration_end": 0, "strict_shape": false})";
    const bst_ulong* shape = nullptr;
    bst_ulong dimensions = 0;
    const float* values = nullptr;
    if (XGBoosterPredictFromDMatrix(handle_->booster, data.get(), how, &shape, &dimensions, &values) != 0) {
        return library_error("predict");
    }
    return std::vector<float>(values, values + rows.rows);
}

std::string Booster::library_version() {
    int major = 0;
    int minor = 0;
    int patch = 0;
    XGBoostVersion(&major, &minor, &patch);
    return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

}  // namespace gyre::training
