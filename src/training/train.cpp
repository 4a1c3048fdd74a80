#include "training/train.h"

#include <cmath>
#include <set>
#include <sys/utsname.h>
#include <thread>

#include "base/file.h"
#include "model/encoder.h"
#include "model/package.h"
#include "training/baseline.h"
#include "training/booster.h"
#include "training/evaluate.h"
#include "training/holdout.h"
#include "training/labels.h"
#include "training/limits.h"
#include "training/model_rows.h"

namespace gyre::training {
namespace {

constexpr std::size_t kExampleRows = 5;

struct TrainingData {
    table::Batch batch;  // target, features, time
    std::vector<std::string> features;
    std::vector<model::ColumnSpec> columns;
    Labels labels;
    Split split;
    std::int64_t without_label = 0;
};

Error wrong_parameter(std::string_view name, std::string_view expected) {
    return invalid_argument("params." + std::string(name) + ": expected " + std::string(expected));
}

std::string select_of(const TrainSpec& spec) {
    std::string sql = "SELECT " + table::quote_name(spec.target);
    for (const FeatureSpec& feature : spec.features) {
        sql += ", " + table::quote_name(feature.name);
    }
    const bool listed = std::any_of(spec.features.begin(), spec.features.end(),
                                    [&](const FeatureSpec& f) { return f.name == spec.time_column; });
    if (!spec.time_column.empty() && spec.time_column != spec.target && !listed) {
        sql += ", " + table::quote_name(spec.time_column);
    }
    return sql + " FROM " + table::quote_name(spec.table);
}

Result<model::ColumnSpec> column_spec(const FeatureSpec& feature, const table::Batch& batch) {
    GYRE_TRY(const table::Column* column, batch.get(feature.name));
    model::ColumnSpec out{.name = feature.name, .type = model::ColumnType::number, .optional = false};
    if (feature.type.empty()) {
        GYRE_TRY(out.type, model_type_of({feature.name, column->type()}));
    } else {
        GYRE_TRY(out.type, parse_enum<model::ColumnType>(feature.type));
    }
    return out;
}

Result<TrainingData> read_data(table::Session& session, const TrainSpec& spec) {
    GYRE_TRY(const table::Schema schema, session.schema_of("SELECT * FROM " + table::quote_name(spec.table)));
    TrainingData out;
    const table::Batch empty = table::Batch::empty(schema);
    for (const FeatureSpec& feature : spec.features) {
        GYRE_TRY(model::ColumnSpec column, column_spec(feature, empty));
        out.features.push_back(feature.name);
        out.columns.push_back(std::move(column));
    }
    GYRE_TRY(const table::Column* target, empty.get(spec.target));
    GYRE_TRY(out.batch, session.query(select_of(spec)));
    GYRE_TRY(target, out.batch.get(spec.target));
    GYRE_TRY(out.labels, read_labels(*target, spec.task));
    std::vector<std::size_t> labelled;
    for (std::size_t row = 0; row < out.labels.values.size(); ++row) {
        if (!std::isnan(out.labels.values[row])) {
            labelled.push_back(row);
        }
    }
    out.without_label = static_cast<std::int64_t>(out.labels.values.size() - labelled.size());
    const table::Column* time = spec.time_column.empty() ? nullptr : out.batch.find(spec.time_column);
    GYRE_TRY(out.split, split_rows(labelled, spec.holdout, time));
    if (out.split.train.size() < kTrainingRowsMin) {
        return invalid_argument("training needs at least " + std::to_string(kTrainingRowsMin) +
                                " labelled rows, got " + std::to_string(out.split.train.size()));
    }
    return out;
}

/// Rows as the booster takes them.
struct EncodedRows {
    std::vector<float> values;
    std::vector<float> labels;
    [[nodiscard]] LabelledMatrix view() const { return {{values, labels.size()}, labels}; }
};

Result<EncodedRows> encode(const TrainingData& data, const std::vector<std::size_t>& rows,
                           const ModelRows& input, const model::Encoder& encoder) {
    EncodedRows out;
    out.values.resize(rows.size() * data.columns.size());
    GYRE_TRY_VOID(encoder.encode(input.rows(), out.values));
    for (const std::size_t row : rows) {
        out.labels.push_back(static_cast<float>(data.labels.values[row]));
    }
    return out;
}

Json environment_of(const TrainParams& params) {
    Json out = Json::object({{"gyre", GYRE_VERSION},
                             {"trainer", "xgboost"},
                             {"xgboost", Booster::library_version()},
                             {"compiler", __VERSION__},
                             {"threads", params.threads},
                             {"hardware_threads", std::thread::hardware_concurrency()}});
    struct utsname machine{};
    if (::uname(&machine) == 0) {
        out.set("system", std::string(machine.sysname) + " " + machine.release);
        out.set("machine", std::string(machine.machine));
    }
    return out;
}

/// The first training rows as {"columns": [...], "data": [[...]]}.
Json example_of(const TrainingData& data) {
    Json columns = Json::array();
    Json rows = Json::array();
    for (const std::string& name : data.features) {
        columns.push_back(name);
    }
    for (std::size_t i = 0; i < std::min(kExampleRows, data.split.train.size()); ++i) {
        Json row = Json::array();
        for (const std::string& name : data.features) {
            row.push_back(data.batch.find(name)->json(data.split.train[i]));
        }
        rows.push_back(std::move(row));
    }
    return Json::object({{"columns", std::move(columns)}, {"data", std::move(rows)}});
}

/// Digest of what the model saw: target and features, in order.
std::string digest_of_data(const TrainingData& data, const std::string& target) {
    table::Batch seen;
    seen.schema.columns.push_back({target, data.batch.find(target)->type()});
    seen.columns.push_back(*data.batch.find(target));
    for (const std::string& name : data.features) {
        const table::Column& column = *data.batch.find(name);
        seen.schema.columns.push_back({name, column.type()});
        seen.columns.push_back(column);
    }
    return table::digest_of(seen);
}

class Reporter {
 public:
    Reporter(const Clock& clock, const OnProgress& on_progress, std::int64_t rounds)
        : clock_(clock), on_progress_(on_progress), rounds_(rounds), start_ns_(clock.steady_ns()) {}

    Result<void> phase(double progress, std::string message) const {
        return on_progress_({.progress = progress, .message = std::move(message)});
    }
    void start_rounds() { rounds_start_ns_ = clock_.steady_ns(); }
    Result<void> round(std::int64_t round, const std::map<std::string, double>& metrics) const {
        const double spent = seconds_since(rounds_start_ns_);
        const auto done = static_cast<double>(round);
        const auto all = static_cast<double>(rounds_);
        return on_progress_({.progress = kDataShare + kRoundsShare * done / all,
                             .message = "training",
                             .iteration = round,
                             .metrics = metrics,
                             .eta_s = spent / done * (all - done)});
    }
    [[nodiscard]] double elapsed_s() const { return seconds_since(start_ns_); }

    static constexpr double kDataShare = 0.1;
    static constexpr double kRoundsShare = 0.8;

 private:
    [[nodiscard]] double seconds_since(std::int64_t start_ns) const {
        return static_cast<double>(clock_.steady_ns() - start_ns) * 1e-9;
    }
    const Clock& clock_;
    const OnProgress& on_progress_;
    std::int64_t rounds_;
    std::int64_t start_ns_;
    std::int64_t rounds_start_ns_ = 0;
};

/// Predictions of the written package for the rows kept back: what serving will do, not what the trainer
/// says.
Result<void> add_performance(const TrainingData& data, const TrainSpec& spec, const std::string& folder,
                             PackageBaseline& baseline) {
    if (data.split.holdout.empty()) {
        return {};
    }
    GYRE_TRY(const std::shared_ptr<const model::Predictor> predictor, model::Predictor::open(folder));
    GYRE_TRY(const std::vector<double> predictions,
             predict_all(*predictor, data.batch.take(data.split.holdout)));
    std::vector<double> labels;
    for (const std::size_t row : data.split.holdout) {
        labels.push_back(data.labels.values[row]);
    }
    baseline.performance = measure(spec.task, labels, predictions);
    stats::Profile profile(stats::ColumnKind::numeric);
    for (const double prediction : predictions) {
        profile.add(prediction);
    }
    baseline.data.predictions = std::move(profile);
    return {};
}

FeatureInfo features_of(const model::Encoder& encoder) {
    FeatureInfo out;
    for (std::size_t i = 0; i < encoder.column_count(); ++i) {
        out.names.push_back(encoder.columns()[i].name);
        out.category.push_back(encoder.is_category(i));
    }
    return out;
}

/// Fits encoder and trees and writes the package; returns the last round's metrics.
Result<std::map<std::string, double>> fit_and_write(const TrainingData& data, const TrainSpec& spec,
                                                    const std::string& folder, const Clock& clock,
                                                    Reporter& reporter) {
    GYRE_TRY(const auto train_input, ModelRows::create(data.batch.take(data.split.train), data.columns));
    GYRE_TRY(const auto holdout_input, ModelRows::create(data.batch.take(data.split.holdout), data.columns));
    GYRE_TRY(model::Encoder encoder, model::Encoder::fit(data.columns, train_input->rows()));
    GYRE_TRY(const EncodedRows train_rows, encode(data, data.split.train, *train_input, encoder));
    GYRE_TRY(const EncodedRows holdout_rows, encode(data, data.split.holdout, *holdout_input, encoder));
    const Booster::Job job{.task = spec.task,
                           .params = spec.params,
                           .features = features_of(encoder),
                           .train = train_rows.view(),
                           .valid = holdout_rows.view()};
    std::map<std::string, double> last;
    reporter.start_rounds();
    GYRE_TRY(const Booster booster,
             Booster::train(job, [&](std::int64_t round, const std::map<std::string, double>& metrics) {
                 last = metrics;
                 return reporter.round(round, metrics);
             }));
    GYRE_TRY(std::string bytes, booster.save());
    const model::PackageDraft draft{.encoder = std::move(encoder),
                                    .classes = data.labels.classes,
                                    .booster = std::move(bytes),
                                    .xgboost_version = Booster::library_version(),
                                    .input_example = example_of(data),
                                    .run_id = spec.run_id};
    GYRE_TRY_VOID(model::write_package(folder, draft, clock));
    return last;
}

}  // namespace

Result<void> check_params(const TrainParams& p) {
    const auto in = [](double value, double low, double high) { return value >= low && value <= high; };
    if (p.trees < 1 || p.trees > kTreesMax) {
        return wrong_parameter("trees", "1 to " + std::to_string(kTreesMax));
    }
    if (p.max_depth < 1 || p.max_depth > kDepthMax) {
        return wrong_parameter("max_depth", "1 to " + std::to_string(kDepthMax));
    }
    if (!in(p.learning_rate, 1e-6, 1.0)) {
        return wrong_parameter("learning_rate", "a number above 0 and at most 1");
    }
    if (!in(p.subsample, 1e-3, 1.0) || !in(p.colsample_bytree, 1e-3, 1.0)) {
        return wrong_parameter("subsample", "shares from 0.001 to 1 (colsample_bytree too)");
    }
    if (!in(p.min_child_weight, 0.0, 1e12) || !in(p.reg_lambda, 0.0, 1e12) || !in(p.reg_alpha, 0.0, 1e12) ||
        !in(p.gamma, 0.0, 1e12)) {
        return wrong_parameter("reg_lambda",
                               "numbers of at least 0 (min_child_weight, reg_alpha, gamma too)");
    }
    if (p.max_bin < 2 || p.max_bin > 4096) {
        return wrong_parameter("max_bin", "2 to 4096");
    }
    if (p.threads < 1 || p.threads > kThreadsMax) {
        return wrong_parameter("threads", "1 to " + std::to_string(kThreadsMax));
    }
    if (p.seed < 0 || p.seed > 2'147'483'647) {
        return wrong_parameter("seed", "0 to 2147483647");
    }
    return {};
}

Result<void> check_train_spec(const TrainSpec& spec) {
    if (spec.table.empty() || spec.target.empty() || spec.features.empty()) {
        return invalid_argument("training needs a table, a target and at least one feature");
    }
    if (spec.features.size() > kFeaturesMax) {
        return resource_exhausted("training takes at most " + std::to_string(kFeaturesMax) + " features");
    }
    std::set<std::string> seen;
    for (const FeatureSpec& feature : spec.features) {
        if (feature.name == spec.target || !seen.insert(feature.name).second) {
            return invalid_argument("feature '" + feature.name + "' is the target or is there twice");
        }
    }
    return check_params(spec.params);
}

Result<TrainResult> train(table::Session& session, const TrainSpec& spec, const std::string& folder,
                          const Clock& clock, const OnProgress& on_progress) {
    GYRE_TRY_VOID(check_train_spec(spec));
    Reporter reporter(clock, on_progress, spec.params.trees);
    GYRE_TRY_VOID(reporter.phase(0.0, "reading rows"));
    GYRE_TRY(const TrainingData data, read_data(session, spec));
    GYRE_TRY_VOID(reporter.phase(Reporter::kDataShare, "training"));
    TrainResult out;
    GYRE_TRY(out.metrics, fit_and_write(data, spec, folder, clock, reporter));
    GYRE_TRY_VOID(reporter.phase(Reporter::kDataShare + Reporter::kRoundsShare, "writing the baseline"));
    PackageBaseline baseline;
    GYRE_TRY(baseline.data, make_baseline(data.batch, data.features, spec.time_column));
    GYRE_TRY_VOID(add_performance(data, spec, folder, baseline));
    GYRE_TRY_VOID(
        write_file_atomic(folder + "/" + std::string(kBaselineFile), baseline_to_json(baseline).dump()));
    out.package = folder;
    out.rows_train = static_cast<std::int64_t>(data.split.train.size());
    out.rows_holdout = static_cast<std::int64_t>(data.split.holdout.size());
    out.rows_without_label = data.without_label;
    out.classes = data.labels.classes;
    out.dataset_digest = digest_of_data(data, spec.target);
    out.params = spec.params;
    out.holdout = std::move(baseline.performance);
    out.environment = environment_of(spec.params);
    out.duration_s = reporter.elapsed_s();
    GYRE_TRY_VOID(reporter.phase(1.0, "done"));
    return out;
}

}  // namespace gyre::training
