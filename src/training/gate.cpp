#include "training/gate.h"

#include <algorithm>

#include "training/evaluate.h"

namespace gyre::training {
namespace {

std::optional<stats::Interval> interval_of(const Evaluation& evaluation, const std::string& metric) {
    const auto found = evaluation.metrics.find(metric);
    if (found == evaluation.metrics.end()) {
        return std::nullopt;
    }
    const MetricValue& value = found->second;
    return stats::Interval{
        .estimate = value.estimate, .low = value.low, .high = value.high, .n = evaluation.n};
}

/// What a squared error is divided by, so that losses lie in [0, 1]. Of a regression the champion's errors
/// say how large errors are. The range of the labels would not do: the errors of any good model are a few
/// percent of it, and losses that are all next to 0 are never told apart.
double loss_scale(const ScoredRows& champion) {
    if (champion.task == TrainTask::classification || champion.labels.empty()) {
        return 1.0;
    }
    double sum = 0.0;
    for (std::size_t row = 0; row < champion.labels.size(); ++row) {
        const double error = champion.predictions[row] - champion.labels[row];
        sum += error * error;
    }
    const double mean_square = sum / static_cast<double>(champion.labels.size());
    return mean_square > 0.0 ? evidence::kClipAtRmses * evidence::kClipAtRmses * mean_square : 1.0;
}

double loss_of(const ScoredRows& rows, std::size_t row, double scale) {
    const double error = rows.predictions[row] - rows.labels[row];
    return std::min(1.0, error * error / scale);
}

Result<evidence::Finding> compare(const GateSpec& spec, const ScoredRows& candidate,
                                  const ScoredRows& champion) {
    if (candidate.task != champion.task || candidate.labels != champion.labels) {
        return invalid_argument("candidate and champion do not predict the same thing");
    }
    GYRE_TRY_VOID(spec.loss.check());
    evidence::PairedSequence sequence;
    sequence.options = spec.loss;
    sequence.options.name_after(champion.task == TrainTask::regression);
    const double scale = loss_scale(champion);
    for (std::size_t row = 0; row < candidate.labels.size(); ++row) {
        GYRE_TRY_VOID(sequence.add(loss_of(candidate, row, scale), loss_of(champion, row, scale)));
    }
    evidence::Finding finding = sequence.finding();
    if (sequence.n() < spec.min_rows) {
        finding.verdict = evidence::Verdict::insufficient;
        finding.reason = "expected at least " + std::to_string(spec.min_rows) + " labelled rows, got " +
                         std::to_string(sequence.n());
    }
    return finding;
}

}  // namespace

Result<GateResult> gate(table::Session& session, const GateSpec& spec) {
    const EvaluateSpec of_candidate{.package = spec.candidate, .table = spec.table, .target = spec.target};
    GYRE_TRY(const ScoredRows candidate, score(session, of_candidate));
    GateResult out;
    out.candidate = measure(candidate.task, candidate.labels, candidate.predictions);
    for (evidence::Threshold threshold : spec.thresholds) {
        threshold.min_rows = std::max(threshold.min_rows, spec.min_rows);
        out.findings.push_back(check_threshold(threshold, interval_of(out.candidate, threshold.metric)));
    }
    if (!spec.champion.empty()) {
        const EvaluateSpec of_champion{.package = spec.champion, .table = spec.table, .target = spec.target};
        GYRE_TRY(const ScoredRows champion, score(session, of_champion));
        GYRE_TRY(evidence::Finding finding, compare(spec, candidate, champion));
        out.findings.push_back(std::move(finding));
        out.champion = measure(champion.task, champion.labels, champion.predictions);
    }
    out.verdict = evidence::combine(out.findings);
    return out;
}

}  // namespace gyre::training
