#include <algorithm>

#include "evidence/drift.h"
#include "stats/distances.h"
#include "stats/hypothesis.h"

namespace gyre::evidence {

ColumnDrift classic_numeric(std::string column, std::span<const double> reference,
                            std::span<const double> current) {
    ColumnDrift out;
    out.column = std::move(column);
    out.finding.metric = "ks";
    const auto ks = stats::ks_two_sample(reference, current);
    const auto psi = stats::psi_classic(reference, current);
    if (!ks || !psi) {
        out.finding.reason = ks ? psi.error().message() : ks.error().message();
        return out;
    }
    out.p_value = ks->p_value;
    out.psi = psi->value;
    out.drifted = ks->p_value < kClassicAlpha || psi->value >= kClassicPsi;
    out.finding.verdict = out.drifted ? Verdict::fail : Verdict::pass;
    out.finding.estimate = ks->statistic;
    out.finding.alpha = kClassicAlpha;
    out.finding.n = static_cast<std::int64_t>(current.size());
    out.finding.reason = "ks p " + brief(ks->p_value) + " (drift below " + brief(kClassicAlpha) + "), psi " +
                         brief(psi->value) + " (drift from " + brief(kClassicPsi) + ")";
    return out;
}

ColumnDrift classic_categorical(std::string column, const stats::Profile& reference,
                                const stats::Profile& current) {
    ColumnDrift out;
    out.column = std::move(column);
    out.finding.metric = "chi_square";
    const stats::AlignedCounts counts = stats::align_categories(reference, current);
    const auto test = stats::chi_square_homogeneity(counts.reference, counts.current);
    if (!test) {
        out.finding.reason = test.error().message();
        return out;
    }
    out.p_value = test->p_value;
    out.psi = stats::psi(counts.reference, counts.current);
    out.drifted = test->p_value < kClassicAlpha;
    out.finding.verdict = out.drifted ? Verdict::fail : Verdict::pass;
    out.finding.estimate = test->statistic;
    out.finding.alpha = kClassicAlpha;
    out.finding.n = current.valid();
    out.finding.reason =
        "chi-square p " + brief(test->p_value) + " (drift below " + brief(kClassicAlpha) + ")";
    return out;
}

DatasetDrift summarise(std::span<const ColumnDrift> columns, double share) {
    DatasetDrift out;
    for (const ColumnDrift& column : columns) {
        if (column.drifted) {
            out.columns.push_back(column.column);
        }
    }
    const double all = static_cast<double>(columns.size());
    out.share = columns.empty() ? 0.0 : static_cast<double>(out.columns.size()) / all;
    out.drifted = static_cast<double>(out.columns.size()) > all * share;
    return out;
}

}  // namespace gyre::evidence
