#pragma once
// Drift of what production sends against the model's evidence::Baseline.
//
// ProfileStore sums the inputs (and the predicted output, as column "prediction") of answered rows per day; a
// window is a sum of days. judge_drift compares a window by a preset; the decisions themselves are
// evidence/drift.h. A result is never NaN: what cannot be judged is `insufficient`, with the reason.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "evidence/baseline.h"
#include "monitoring/segment.h"
#include "monitoring/windows.h"

namespace gyre::monitoring {

/// The name under which the predicted output is profiled beside the inputs.
inline constexpr std::string_view kPredictionColumn = "prediction";

using ColumnProfiles = std::map<std::string, stats::Profile, std::less<>>;
using ColumnValues = std::map<std::string, std::vector<double>, std::less<>>;

/// Thread-safe. Derived from segments, rebuilt at start. Keeps kProfileDaysMax days of each endpoint.
class ProfileStore {
 public:
    ProfileStore();
    ~ProfileStore();
    ProfileStore(const ProfileStore&) = delete;
    ProfileStore& operator=(const ProfileStore&) = delete;

    /// Shadow rows carry no inputs and are left out. Cheaper a row than one by one: rows of one schema and
    /// day are counted column by column.
    void add_rows(std::span<const LoggedRow> rows);
    void add_row(const LoggedRow& row) { add_rows({&row, 1}); }
    /// The columns over the whole days of the window.
    [[nodiscard]] ColumnProfiles window(std::string_view endpoint, TimeWindow span) const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// The raw values of the numeric columns of answered rows in the window, from segments: what the classic
/// tests need. Errors: those of SegmentReader.
Result<ColumnValues> read_numeric_values(const std::vector<std::string>& files, std::string_view endpoint,
                                         TimeWindow span);

enum class DriftPreset : std::uint8_t { baseline, classic };
constexpr auto enum_names(DriftPreset) {
    return std::array{EnumName{DriftPreset::baseline, "default"}, EnumName{DriftPreset::classic, "classic"}};
}

struct DriftColumn {
    std::string column;
    stats::ColumnKind type = stats::ColumnKind::numeric;
    std::string statistic;  // "wasserstein_sd", "jensen_shannon", "ks", "chi_square"
    double value = 0.0;
    double threshold = 0.0;
    std::optional<double> p_value;
    std::optional<double> psi;
    std::int64_t n_ref = 0;
    std::int64_t n_cur = 0;
    std::string method;
    bool drifted = false;
    bool insufficient = false;
    std::string reason;

    static constexpr auto fields() {
        return std::tuple{
            Field{"column", &DriftColumn::column, "Column."},
            Field{"type", &DriftColumn::type, "numeric or categorical."},
            Field{"statistic", &DriftColumn::statistic, "What was computed."},
            Field{"value", &DriftColumn::value, "Its value: the effect."},
            Field{"threshold", &DriftColumn::threshold, "Where it counts as drift."},
            Field{"p_value", &DriftColumn::p_value, "Of the test, where there is one.", optional_field},
            Field{"psi", &DriftColumn::psi, "Population stability index, where computed.", optional_field},
            Field{"n_ref", &DriftColumn::n_ref, "Valid rows of the baseline."},
            Field{"n_cur", &DriftColumn::n_cur, "Valid rows of the window."},
            Field{"method", &DriftColumn::method, "How it was computed."},
            Field{"drifted", &DriftColumn::drifted, "The decision."},
            Field{"insufficient", &DriftColumn::insufficient, "Too little to decide."},
            Field{"reason", &DriftColumn::reason, "The decision in a sentence."}};
    }
};

struct DriftReport {
    std::string endpoint;
    DriftPreset preset = DriftPreset::baseline;
    std::int64_t start_us = 0;
    std::int64_t end_us = 0;  // also its as_of
    std::vector<DriftColumn> columns;
    bool drifted = false;  // the data as a whole: more than a fifth of its columns (classic), any (default)
    double share = 0.0;    // of drifted columns

    static constexpr auto fields() {
        return std::tuple{Field{"endpoint", &DriftReport::endpoint, "The endpoint."},
                          Field{"preset", &DriftReport::preset, "default or classic."},
                          Field{"start_us", &DriftReport::start_us, "Start of the window."},
                          Field{"end_us", &DriftReport::end_us, "End of the window."},
                          Field{"columns", &DriftReport::columns, "Column by column."},
                          Field{"drifted", &DriftReport::drifted, "Whether the data drifted."},
                          Field{"share", &DriftReport::share, "Share of drifted columns."}};
    }
};

/// What is remembered between windows, by column; kept by the monitor.
using DriftStates = std::map<std::string, evidence::ColumnDriftState>;

struct DriftInput {
    std::string endpoint = {};
    DriftPreset preset = DriftPreset::baseline;
    TimeWindow span = {};
    evidence::DriftOptions options = {};
};
/// Columns of the baseline that the window lacks are insufficient. `values` is needed by the classic preset
/// only.
DriftReport judge_drift(const DriftInput& input, const evidence::Baseline& baseline,
                        const ColumnProfiles& window, const ColumnValues& values, DriftStates& states);

}  // namespace gyre::monitoring
