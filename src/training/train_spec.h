#pragma once
// What to train, on what, and what came of it. Written in step specs and results as JSON.
#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/fields.h"
#include "training/evaluation.h"

namespace gyre::training {

enum class TrainTask : std::uint8_t { classification, regression };
constexpr auto enum_names(TrainTask) {
    return std::array{EnumName{TrainTask::classification, "classification"},
                      EnumName{TrainTask::regression, "regression"}};
}

/// none: every row trains. fraction: rows chosen by `seed`. time: the last rows by the time column.
enum class HoldoutKind : std::uint8_t { none, fraction, time };
constexpr auto enum_names(HoldoutKind) {
    return std::array{EnumName{HoldoutKind::none, "none"}, EnumName{HoldoutKind::fraction, "fraction"},
                      EnumName{HoldoutKind::time, "time"}};
}

struct HoldoutRule {
    HoldoutKind kind = HoldoutKind::fraction;
    double fraction = 0.2;
    std::int64_t seed = 0;
    static constexpr auto fields() {
        return std::tuple{
            Field{"kind", &HoldoutRule::kind, "How rows are kept back.", optional_field},
            Field{"fraction", &HoldoutRule::fraction, "Share of rows kept back, under 1.", optional_field},
            Field{"seed", &HoldoutRule::seed, "Seed of kind fraction.", optional_field},
        };
    }
};

struct TrainParams {
    std::int64_t trees = 100;
    std::int64_t max_depth = 6;
    double learning_rate = 0.1;
    double min_child_weight = 1.0;
    double subsample = 1.0;
    double colsample_bytree = 1.0;
    double reg_lambda = 1.0;
    double reg_alpha = 0.0;
    double gamma = 0.0;
    std::int64_t max_bin = 256;
    std::int64_t seed = 0;
    std::int64_t threads = 2;
    static constexpr auto fields() {
        using P = TrainParams;
        return std::tuple{
            Field{"trees", &P::trees, "Boosting rounds.", optional_field},
            Field{"max_depth", &P::max_depth, "Depth of a tree.", optional_field},
            Field{"learning_rate", &P::learning_rate, "Shrinkage of each tree.", optional_field},
            Field{"min_child_weight", &P::min_child_weight, "Least hessian of a leaf.", optional_field},
            Field{"subsample", &P::subsample, "Share of rows per tree.", optional_field},
            Field{"colsample_bytree", &P::colsample_bytree, "Share of columns per tree.", optional_field},
            Field{"reg_lambda", &P::reg_lambda, "L2 penalty of leaves.", optional_field},
            Field{"reg_alpha", &P::reg_alpha, "L1 penalty of leaves.", optional_field},
            Field{"gamma", &P::gamma, "Least gain of a split.", optional_field},
            Field{"max_bin", &P::max_bin, "Histogram bins per feature.", optional_field},
            Field{"seed", &P::seed, "Seed of subsampling.", optional_field},
            Field{"threads", &P::threads, "Threads; results are equal for equal threads.", optional_field},
        };
    }
};

struct FeatureSpec {
    std::string name{};
    std::string type{};
    static constexpr auto fields() {
        return std::tuple{Field{"name", &FeatureSpec::name, "Column."},
                          Field{"type", &FeatureSpec::type,
                                "number, integer, boolean or text; left out: as the "
                                "table has it.",
                                optional_field}};
    }
};

struct TrainSpec {
    std::string table{};
    std::string target{};
    std::vector<FeatureSpec> features{};
    TrainTask task = TrainTask::classification;
    std::string time_column{};
    HoldoutRule holdout{};
    TrainParams params{};
    std::string run_id{};
    static constexpr auto fields() {
        using S = TrainSpec;
        return std::tuple{
            Field{"table", &S::table, "Source that holds the rows."},
            Field{"target", &S::target, "Column to predict. Classification: 0/1, boolean, or two texts."},
            Field{"features", &S::features, "Columns to predict from, in the model's order."},
            Field{"task", &S::task, "What kind of model.", optional_field},
            Field{"time_column", &S::time_column, "Event time; gives weekly profiles and holdout by time.",
                  optional_field},
            Field{"holdout", &S::holdout, "Rows kept back for the metrics.", optional_field},
            Field{"params", &S::params, "The trainer's parameters.", optional_field},
            Field{"run_id", &S::run_id, "Run that the package names as its origin.", optional_field},
        };
    }
};

/// One line of progress. `metrics` has names like "train-logloss", "valid-auc".
struct Progress {
    double progress = 0.0;  // 0 to 1
    std::string message{};
    std::int64_t iteration = 0;
    std::map<std::string, double> metrics{};
    double eta_s = 0.0;
    static constexpr auto fields() {
        return std::tuple{Field{"progress", &Progress::progress, "From 0 to 1."},
                          Field{"message", &Progress::message, "What is being done."},
                          Field{"iteration", &Progress::iteration, "Boosting round, from 1."},
                          Field{"metrics", &Progress::metrics, "Metrics after the round."},
                          Field{"eta_s", &Progress::eta_s, "Seconds left, about."}};
    }
};

struct TrainResult {
    std::string package{};
    std::int64_t rows_train = 0;
    std::int64_t rows_holdout = 0;
    std::int64_t rows_without_label = 0;
    std::vector<std::string> classes{};
    std::string dataset_digest{};
    TrainParams params{};
    std::map<std::string, double> metrics{};
    std::optional<Evaluation> holdout{};
    Json environment{};
    double duration_s = 0.0;
    static constexpr auto fields() {
        using R = TrainResult;
        return std::tuple{
            Field{"package", &R::package, "Folder of the model package."},
            Field{"rows_train", &R::rows_train, "Rows trained on."},
            Field{"rows_holdout", &R::rows_holdout, "Rows kept back."},
            Field{"rows_without_label", &R::rows_without_label, "Rows left out for want of a label."},
            Field{"classes", &R::classes, "Of a text target: the names of 0 and 1.", optional_field},
            Field{"dataset_digest", &R::dataset_digest,
                  "SHA-256 of target and features, in the table's order."},
            Field{"params", &R::params, "Parameters used."},
            Field{"metrics", &R::metrics, "Metrics after the last round."},
            Field{"holdout", &R::holdout, "Evaluation on the rows kept back."},
            Field{"environment", &R::environment, "Library versions, threads, machine."},
            Field{"duration_s", &R::duration_s, "Wall time."},
        };
    }
};

}  // namespace gyre::training
