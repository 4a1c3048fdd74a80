#include "monitoring/drift.h"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "monitoring/limits.h"

namespace gyre::monitoring {
namespace {

std::int64_t day_of(std::int64_t time_us) {
    return window_at(0, kUsPerDay, time_us).start_us;
}

stats::Profile& column_of(ColumnProfiles& day, std::string_view name, stats::ColumnKind kind) {
    const auto at = day.find(name);
    return at != day.end() ? at->second : day.emplace(std::string(name), stats::Profile(kind)).first->second;
}

/// The profiles of one endpoint by day, and which ones the last row went to: rows of one day follow each
/// other, and to look each column up by its name costs more than to count a value.
class Days {
 public:
    Days() = default;
    Days(const Days&) = delete;
    Days& operator=(const Days&) = delete;

    [[nodiscard]] const std::map<std::int64_t, ColumnProfiles>& all() const { return days_; }
    /// The day that the next rows belong to. False: it is older than kProfileDaysMax days that are kept.
    bool start_rows(std::int64_t day) {
        next_ = 0;
        if (columns_ != nullptr && day == day_) {
            return true;
        }
        if (days_.size() >= kProfileDaysMax && !days_.contains(day)) {
            if (day < days_.begin()->first) {
                return false;
            }
            days_.erase(days_.begin());
        }
        day_ = day;
        columns_ = &days_[day];
        last_.clear();
        return true;
    }
    /// The rows' next column.
    stats::Profile& column(std::string_view name, stats::ColumnKind kind) {
        const std::size_t place = next_++;
        if (place < last_.size() && last_[place].first == name) {
            return *last_[place].second;
        }
        stats::Profile& profile = column_of(*columns_, name, kind);
        last_.resize(place);  // what came behind belongs to other columns
        last_.emplace_back(std::string(name), &profile);
        return profile;
    }

 private:
    std::map<std::int64_t, ColumnProfiles> days_;
    std::int64_t day_ = 0;
    ColumnProfiles* columns_ = nullptr;  // of day_; in days_
    std::vector<std::pair<std::string, stats::Profile*>>
        last_;  // in *columns_, whose nodes stay where they are
    std::size_t next_ = 0;
};

/// Adds what the rows hold at `place` of their values to the column; a column without any is not made.
template <class Values>
void add_numbers(Days& days, std::string_view name, std::span<const LoggedRow> rows, std::size_t place,
                 Values values) {
    constexpr std::size_t kTogether = 256;
    double known[kTogether];  // NOLINT: what is read is written before
    stats::Profile* profile = nullptr;
    while (!rows.empty()) {
        std::size_t held = 0;
        std::size_t count = 0;
        for (const LoggedRow& row : rows.first(std::min(rows.size(), kTogether))) {
            const auto numbers = values(row.record);
            if (place < numbers.size()) {
                ++held;
                known[count] = static_cast<double>(numbers[place]);
                count += std::isnan(known[count]) ? 0 : 1;
            }
        }
        if (held > 0) {
            profile = profile != nullptr ? profile : &days.column(name, stats::ColumnKind::numeric);
            profile->add(std::span<const double>(known, count));
            profile->add_null(static_cast<std::int64_t>(held - count));
        }
        rows = rows.subspan(std::min(rows.size(), kTogether));
    }
}

void add_texts(Days& days, std::string_view name, std::span<const LoggedRow> rows, std::size_t place) {
    stats::Profile* profile = nullptr;
    for (const LoggedRow& row : rows) {
        if (place < row.record.texts.size()) {
            profile = profile != nullptr ? profile : &days.column(name, stats::ColumnKind::categorical);
            const TextValue& value = row.record.texts[place];
            value.missing ? profile->add_null() : profile->add(value.text);
        }
    }
}

/// Answered rows of one schema and day.
void add_day_rows(Days& days, std::span<const LoggedRow> rows) {
    const EndpointSchema& schema = rows.front().schema;
    const auto numbers = [](const PredictionRecord& record) { return record.numbers; };
    const auto outputs = [](const PredictionRecord& record) { return record.outputs; };
    std::size_t number = 0;
    std::size_t text = 0;
    for (const InputColumn& column : schema.columns) {
        if (column.kind == InputKind::number) {
            add_numbers(days, column.name, rows, number++, numbers);
        } else {
            add_texts(days, column.name, rows, text++);
        }
    }
    add_numbers(days, kPredictionColumn, rows, static_cast<std::size_t>(schema.score_output), outputs);
}

DriftColumn judge_classic(const evidence::BaselineColumn& reference, const stats::Profile& window,
                          const ColumnValues& values, std::int64_t min_rows) {
    const std::string& name = reference.baseline.column;
    const bool numeric = reference.baseline.whole.kind() == stats::ColumnKind::numeric;
    DriftColumn out;
    out.statistic = numeric ? "ks" : "chi_square";
    out.threshold = evidence::kClassicAlpha;
    if (window.valid() < min_rows) {
        out.insufficient = true;
        out.reason = std::to_string(window.valid()) + " valid rows, needs " + std::to_string(min_rows);
        return out;
    }
    if (numeric && reference.sample.empty()) {
        out.insufficient = true;
        out.reason = "the baseline holds no sample of the column; train the model again to get one";
        return out;
    }
    evidence::ColumnDrift drift;
    if (numeric) {
        const auto current = values.find(name);
        const std::span<const double> cur =
            current == values.end() ? std::span<const double>() : std::span(current->second);
        drift = evidence::classic_numeric(name, reference.sample, cur);
        out.method = reference.baseline.whole.valid() > static_cast<std::int64_t>(reference.sample.size())
                         ? "two-sample KS and 10-bin PSI against a sample of the baseline"
                         : "two-sample KS and 10-bin PSI";
    } else {
        drift = evidence::classic_categorical(name, reference.baseline.whole, window);
        out.method = "chi-square of homogeneity";
    }
    out.value = drift.finding.estimate.value_or(0.0);
    out.p_value = drift.p_value;
    out.psi = drift.psi;
    out.drifted = drift.drifted;
    out.insufficient = drift.finding.verdict == evidence::Verdict::insufficient;
    out.reason = drift.finding.reason;
    return out;
}

DriftColumn judge_baseline(const evidence::BaselineColumn& reference, const stats::Profile& window,
                           const DriftInput& input, DriftStates& states) {
    const std::string& name = reference.baseline.column;
    const evidence::ColumnDrift drift = evidence::judge_window(
        reference.baseline, window, {input.span.start_us, input.span.end_us}, input.options, states[name]);
    DriftColumn out;
    const bool numeric = reference.baseline.whole.kind() == stats::ColumnKind::numeric;
    out.statistic = numeric ? "wasserstein_sd" : "jensen_shannon";
    out.method = numeric ? "Wasserstein-1 over the baseline's sd, against the baseline's own windows"
                         : "Jensen-Shannon distance, against the baseline's own windows";
    out.value = drift.finding.estimate.value_or(0.0);
    out.threshold = drift.finding.threshold.value_or(0.0);
    out.drifted = drift.drifted;
    out.insufficient = drift.finding.verdict == evidence::Verdict::insufficient;
    out.reason = drift.finding.reason;
    return out;
}

}  // namespace

struct ProfileStore::Impl {
    mutable std::mutex mutex;
    std::map<std::string, Days, std::less<>> endpoints;  // guarded by mutex
};

ProfileStore::ProfileStore() : impl_(std::make_unique<Impl>()) {}
ProfileStore::~ProfileStore() = default;

void ProfileStore::add_rows(std::span<const LoggedRow> rows) {
    const std::scoped_lock lock(impl_->mutex);
    while (!rows.empty()) {
        const LoggedRow& first = rows.front();
        const std::int64_t day = day_of(first.record.event_time_us);
        std::size_t alike = 1;
        while (alike < rows.size() && &rows[alike].schema == &first.schema &&
               rows[alike].record.kind == first.record.kind &&
               day_of(rows[alike].record.event_time_us) == day) {
            ++alike;
        }
        Days& days = impl_->endpoints[first.schema.name];
        if (first.record.kind == RowKind::answered && days.start_rows(day)) {
            add_day_rows(days, rows.first(alike));
        }
        rows = rows.subspan(alike);
    }
}

ColumnProfiles ProfileStore::window(std::string_view endpoint, TimeWindow span) const {
    ColumnProfiles sum;
    const std::scoped_lock lock(impl_->mutex);
    const auto found = impl_->endpoints.find(endpoint);
    if (found == impl_->endpoints.end()) {
        return sum;
    }
    const std::map<std::int64_t, ColumnProfiles>& days = found->second.all();
    for (auto day = days.lower_bound(span.start_us); day != days.end() && day->first < span.end_us; ++day) {
        for (const auto& [name, profile] : day->second) {
            // A column that changed its kind starts again: the newer kind counts.
            if (auto merged = column_of(sum, name, profile.kind()).merge(profile); !merged) {
                sum.find(name)->second = profile;
            }
        }
    }
    return sum;
}

Result<ColumnValues> read_numeric_values(const std::vector<std::string>& files, std::string_view endpoint,
                                         TimeWindow span) {
    ColumnValues values;
    GYRE_TRY(SegmentReader reader, SegmentReader::open(files));
    for (;;) {
        GYRE_TRY(const bool more, reader.next());
        if (!more) {
            break;
        }
        const LoggedRow row = reader.row();
        const PredictionRecord& record = row.record;
        if (row.schema.name != endpoint || record.kind != RowKind::answered ||
            record.event_time_us < span.start_us || record.event_time_us >= span.end_us) {
            continue;
        }
        std::size_t number = 0;
        for (const InputColumn& column : row.schema.columns) {
            if (column.kind == InputKind::number && number < record.numbers.size()) {
                const double value = record.numbers[number++];
                if (std::isfinite(value)) {
                    values[column.name].push_back(value);
                }
            }
        }
        const auto score = static_cast<std::size_t>(row.schema.score_output);
        if (score < record.outputs.size() && std::isfinite(record.outputs[score])) {
            values[std::string(kPredictionColumn)].push_back(static_cast<double>(record.outputs[score]));
        }
    }
    for (auto& [name, column] : values) {
        std::ranges::sort(column);  // whatever order they came in
    }
    return values;
}

DriftReport judge_drift(const DriftInput& input, const evidence::Baseline& baseline,
                        const ColumnProfiles& window, const ColumnValues& values, DriftStates& states) {
    DriftReport report{.endpoint = input.endpoint,
                       .preset = input.preset,
                       .start_us = input.span.start_us,
                       .end_us = input.span.end_us,
                       .columns = {}};
    std::size_t drifted = 0;
    for (const evidence::BaselineColumn& reference : baseline.columns) {
        const std::string& name = reference.baseline.column;
        const stats::Profile& whole = reference.baseline.whole;
        const auto current = window.find(name);
        DriftColumn column;
        if (current == window.end() || current->second.kind() != whole.kind()) {
            column.insufficient = true;
            column.reason = current == window.end() ? "no row of the window has this column"
                                                    : "the column's type differs from the baseline's";
        } else {
            column = input.preset == DriftPreset::classic
                         ? judge_classic(reference, current->second, values, input.options.min_rows)
                         : judge_baseline(reference, current->second, input, states);
            column.n_cur = current->second.valid();
        }
        column.column = name;
        column.type = whole.kind();
        column.n_ref = whole.valid();
        drifted += column.drifted ? 1 : 0;
        report.columns.push_back(std::move(column));
    }
    const double all = static_cast<double>(std::max<std::size_t>(report.columns.size(), 1));
    report.share = static_cast<double>(drifted) / all;
    report.drifted = input.preset == DriftPreset::classic
                         ? static_cast<double>(drifted) > all * evidence::kClassicShare
                         : drifted > 0;
    return report;
}

}  // namespace gyre::monitoring
