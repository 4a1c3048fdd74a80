#include <algorithm>
#include <future>

#include "base/file.h"
#include "base/text.h"
#include "loop/limits.h"
#include "loop/steps/step_kinds.h"
#include "table/session.h"
#include "training/baseline.h"
#include "training/train.h"

namespace gyre::loop {
namespace {

/// Columns that describe a row and are never features.
constexpr std::string_view kFrameColumns[] = {"request_id", "id", "event_time", "label_time", "label"};
constexpr std::size_t kBatchMetricsMax = 1000;

struct Params {
    std::string table;
    std::string model;
    std::string target = "label";
    std::vector<std::string> features;
    training::TrainTask task = training::TrainTask::classification;
    std::string time_column = "event_time";
    std::string keep_back = "0s";
    training::HoldoutRule holdout{training::HoldoutKind::time, 0.15, 0};
    training::TrainParams params;
    bool shuffle_labels = false;
    static constexpr auto fields() {
        using P = Params;
        return std::tuple{
            Field{"table", &P::table, "Rows: the output `table` of a validate step."},
            Field{"model", &P::model, "Name of the model; names the run."},
            Field{"target", &P::target, "Column to predict.", optional_field},
            Field{"features", &P::features, "Columns to predict from; none: all that are left.",
                  optional_field},
            Field{"task", &P::task, "classification or regression.", optional_field},
            Field{"time_column", &P::time_column, "Event time.", optional_field},
            Field{"keep_back", &P::keep_back, "The newest rows, by event time, are left to the gate.",
                  optional_field},
            Field{"holdout", &P::holdout, "Rows kept back for the run's own metrics.", optional_field},
            Field{"params", &P::params, "The trainer's parameters.", optional_field},
            Field{"shuffle_labels", &P::shuffle_labels,
                  "Train on permuted labels: a model that is surely bad, to try "
                  "out what stops it.",
                  optional_field}};
    }
    [[nodiscard]] Result<void> check() const {
        GYRE_TRY_VOID(parse_duration_us(keep_back));
        return training::check_params(params);
    }
};

Result<std::vector<training::FeatureSpec>> features_of(const StepServices& services, const Params& params,
                                                       const table::SourceSpec& source) {
    std::vector<training::FeatureSpec> features;
    for (const std::string& name : params.features) {
        features.push_back({name, ""});
    }
    if (!features.empty()) {
        return features;
    }
    table::SessionOptions options;
    GYRE_TRY(auto session, table::Session::open(options, services.clock));
    GYRE_TRY(const table::SourceReport report, session->add_source(source));
    static_cast<void>(report);
    GYRE_TRY(const table::Schema schema, session->schema_of("SELECT * FROM data"));
    for (const auto& column : schema.columns) {
        const bool frame = std::find(std::begin(kFrameColumns), std::end(kFrameColumns), column.name) !=
                           std::end(kFrameColumns);
        if (!frame && column.name != params.target && column.name != params.time_column) {
            features.push_back({column.name, ""});
        }
    }
    return features;
}

/// The same rows with the labels of others, by a fixed permutation. Every order is total (rows that tie are
/// equal), so that the same rows give the same table whatever threads read them.
table::SourceSpec shuffled(const std::string& from, const std::string& target) {
    const std::string numbered =
        "(SELECT rows_.*, row_number() OVER (ORDER BY event_time, hash(rows_)) AS "
        "gyre_row FROM " +
        from + " AS rows_)";
    table::SourceSpec source;
    source.name = "shuffled";
    source.sql = "SELECT r.* EXCLUDE (gyre_row) REPLACE (s.gyre_label AS " + target + ") FROM " + numbered +
                 " AS r JOIN (SELECT " + target +
                 " AS gyre_label, row_number() OVER (ORDER BY md5(event_time::VARCHAR || '-' || "
                 "gyre_row::VARCHAR)) AS gyre_row FROM " +
                 numbered + ") AS s USING (gyre_row) ORDER BY gyre_row";
    return source;
}

/// Metrics of each boosting round, from the child's progress file.
std::vector<tracking::Metric> round_metrics(const std::string& path, std::int64_t now_ms) {
    std::vector<tracking::Metric> metrics;
    const std::string text = read_file(path, kResultBytesMax).value_or("");
    for (const std::string_view line : split(text, '\n')) {
        const auto json = parse_json(line);
        const auto progress =
            json ? from_json<training::Progress>(*json) : Result<training::Progress>(json.error());
        if (!progress) {
            continue;
        }
        for (const auto& [name, value] : progress->metrics) {
            tracking::Metric metric;
            metric.key = name;
            metric.value = value;
            metric.timestamp_ms = now_ms;
            metric.step = progress->iteration;
            metrics.push_back(std::move(metric));
        }
    }
    return metrics;
}

tracking::Batch batch_of(const training::TrainResult& result, std::int64_t now_ms) {
    tracking::Batch batch;
    const Json params = gyre::to_json(result.params);
    for (const JsonMember& member : params.members()) {
        batch.params.push_back(
            {member.key, member.value.is_string() ? member.value.as_string() : member.value.dump()});
    }
    batch.params.push_back({"rows_train", std::to_string(result.rows_train)});
    batch.params.push_back({"dataset_digest", result.dataset_digest});
    const auto add = [&](const std::string& key, double value) {
        tracking::Metric metric;
        metric.key = key;
        metric.value = value;
        metric.timestamp_ms = now_ms;
        batch.metrics.push_back(std::move(metric));
    };
    add("duration_s", result.duration_s);
    if (result.holdout) {
        for (const auto& [name, value] : result.holdout->metrics) {
            add("holdout_" + name, value.estimate);
        }
    }
    batch.tags.push_back({"gyre.environment", result.environment.dump()});
    return batch;
}

/// The tracked run of a training that has ended. Returns its id and where its artifacts go.
Result<tracking::RunInfo> track(const StepServices& services, const pipelines::StepContext& context,
                                const Params& params, const training::TrainResult& result,
                                const std::string& folder) {
    const std::int64_t now_ms = services.clock.now_ms();
    tracking::NewRun run;
    run.user_id = context.principal.name;
    const std::size_t tail =
        context.run_id.size() > 8 ? context.run_id.size() - 8 : 0;  // it begins with the time
    run.run_name = params.model + "-" + context.run_id.substr(tail);
    run.start_time_ms = now_ms - static_cast<std::int64_t>(result.duration_s * 1000.0);
    run.tags = {{"gyre.pipeline", context.pipeline},
                {"gyre.pipeline_run", context.run_id},
                {"gyre.step", context.key},
                {"gyre.as_of", format_rfc3339(context.as_of_us)}};
    GYRE_TRY(const tracking::Run created, services.tracking.create_run(context.principal, run));
    const std::string& id = created.info.run_id;
    GYRE_TRY_VOID(services.tracking.log_batch(id, batch_of(result, now_ms)));
    std::vector<tracking::Metric> rounds = round_metrics(folder + "/progress.jsonl", now_ms);
    for (std::size_t at = 0; at < rounds.size(); at += kBatchMetricsMax) {
        tracking::Batch batch;
        const std::size_t end = std::min(rounds.size(), at + kBatchMetricsMax);
        batch.metrics.assign(rounds.begin() + static_cast<std::ptrdiff_t>(at),
                             rounds.begin() + static_cast<std::ptrdiff_t>(end));
        GYRE_TRY_VOID(services.tracking.log_batch(id, batch));
    }
    tracking::DatasetInput input;
    input.dataset.name = params.model + "-training-rows";
    input.dataset.digest = result.dataset_digest.substr(0, 36);
    input.dataset.source_type = "gyre";
    input.dataset.source =
        Json::object({{"as_of", format_rfc3339(context.as_of_us)}, {"rows", result.rows_train}}).dump();
    GYRE_TRY_VOID(services.tracking.log_inputs(id, {input}, {}));
    tracking::RunUpdate finished;
    finished.status = tracking::RunStatus::finished;
    finished.end_time_ms = now_ms;
    GYRE_TRY(const tracking::RunInfo info, services.tracking.update_run(context.principal, id, finished));
    return info;
}

enum class Rows : std::uint8_t { without_newest, all };

/// One training in a child. The trial leaves the newest rows to the gate and some to its own metrics.
Result<training::TrainResult> train_once(const StepServices& services, const pipelines::StepContext& context,
                                         const Params& params, Rows rows, std::int64_t threads,
                                         const std::string& folder) {
    GYRE_TRY(const std::int64_t keep_back_us, parse_duration_us(params.keep_back));
    GYRE_TRY(const table::SourceSpec source, source_of(services, params.table));
    training::TrainSpec train;
    GYRE_TRY(train.features, features_of(services, params, source));
    training::StepSpec spec;
    spec.kind = "train";
    spec.inputs.push_back(source);
    train.table = "data";
    if (keep_back_us > 0 && rows == Rows::without_newest) {
        spec.inputs.push_back(rows_before(context.as_of_us - keep_back_us));
        train.table = "rows";
    }
    if (params.shuffle_labels) {
        spec.inputs.push_back(shuffled(train.table, params.target));
        train.table = "shuffled";
    }
    train.target = params.target;
    train.task = params.task;
    train.time_column = params.time_column;
    train.holdout = params.holdout;
    if (rows == Rows::all) {
        train.holdout.kind = training::HoldoutKind::none;
    }
    train.params = params.params;
    train.params.threads = threads;
    spec.params = gyre::to_json(train);
    spec.output_dir = folder;
    GYRE_TRY(const Json output, run_child(services.child, context, spec));
    return from_json<training::TrainResult>(output);
}

/// A trial without the newest rows, which is what metrics and the gate judge, and the same on all rows, which
/// is what is registered.
struct Trainings {
    training::TrainResult trial;
    training::TrainResult result;
};

/// Both at once, each with half of the threads: a booster gains little from a second one.
Result<Trainings> train_both(const StepServices& services, const pipelines::StepContext& context,
                             const Params& params) {
    const auto run = [&](Rows rows, std::int64_t threads) {
        const std::string folder = context.work_dir + (rows == Rows::all ? "/train" : "/trial");
        return train_once(services, context, params, rows, threads, folder);
    };
    GYRE_TRY(const std::int64_t keep_back_us, parse_duration_us(params.keep_back));
    if (keep_back_us <= 0 && params.holdout.kind == training::HoldoutKind::none) {
        GYRE_TRY(training::TrainResult result, run(Rows::all, params.params.threads));
        return Trainings{result, result};
    }
    const std::int64_t threads = std::max<std::int64_t>(params.params.threads / 2, 1);
    auto trial_later = std::async(std::launch::async, run, Rows::without_newest, threads);
    Result<training::TrainResult> result = run(Rows::all, threads);
    GYRE_TRY(training::TrainResult trial, trial_later.get());
    if (!result) {
        return result.error();
    }
    return Trainings{std::move(trial), std::move(*result)};
}

Result<Json> train(const StepServices& services, const pipelines::StepContext& context,
                   const Params& params) {
    const std::string folder = context.work_dir + "/train";
    GYRE_TRY(Trainings trainings, train_both(services, context, params));
    training::TrainResult& result = trainings.result;
    const training::TrainResult& trial = trainings.trial;
    result.holdout = trial.holdout;
    if (trial.holdout) {  // what the trial was measured at is what monitors expect of the model
        GYRE_TRY_VOID(training::set_performance(result.package, gyre::to_json(*trial.holdout)));
    }
    GYRE_TRY(const tracking::RunInfo run, track(services, context, params, result, folder));
    const std::string location = run.artifact_uri + "/model";
    GYRE_TRY_VOID(services.packages.store(result.package, location));
    Json outputs = Json::object({{"package", result.package},
                                 {"trial", trial.package},
                                 {"run_id", run.run_id},
                                 {"location", location},
                                 {"rows", result.rows_train},
                                 {"dataset_digest", result.dataset_digest},
                                 {"duration_s", result.duration_s}});
    if (result.holdout) {
        outputs.set("holdout", gyre::to_json(*result.holdout)["metrics"]);
    }
    return outputs;
}

}  // namespace

pipelines::StepKind train_kind() {
    return described_kind<Params>("train", "Train a model in a child process and track the run.");
}

Result<void> add_train_step(pipelines::StepKinds& kinds, const StepServices& services) {
    return kinds.add(typed_step<Params>(
        train_kind(), [services](const pipelines::StepContext& context, const Params& params) {
            return train(services, context, params);
        }));
}

}  // namespace gyre::loop
