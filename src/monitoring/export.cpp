#include "monitoring/export.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "monitoring/row_table.h"

namespace gyre::monitoring {
namespace {

struct KeyHash {
    std::size_t operator()(const RequestKey& key) const { return key.low; }
};

struct Pending {
    ExportedRow row;
    LabelEvents labels;
    const EndpointSchema* schema = nullptr;
    std::int64_t arrival_us = 0;
    bool answered = false;
};

/// Gathers what the files say about each request.
class Gatherer {
 public:
    explicit Gatherer(const ExportFilter& filter) : filter_(filter) {}

    /// After the segments: only labels of rows that they gave are kept.
    Result<void> read_labels(const std::vector<std::string>& files) {
        for (const std::string& file : files) {
            GYRE_TRY_VOID(read_label_file(file, [&](LabelBatch&& batch) -> Result<void> {
                if (batch.endpoint == filter_.endpoint) {
                    for (const Label& label : batch.labels) {
                        const auto row = rows_.find(request_key(label.request_id));
                        if (row != rows_.end()) {
                            static_cast<void>(add_label_event(
                                row->second.labels, {.time_us = label.time_us, .value = label.value}));
                        }
                    }
                }
                return {};
            }));
        }
        for (auto& [key, pending] : rows_) {
            if (const auto label = label_at(pending.labels, filter_.as_of_us)) {
                pending.row.label = label->value;
                pending.row.label_time_us = label->time_us;
            }
        }
        return {};
    }

    Result<void> read_segments(const std::vector<std::string>& files) {
        GYRE_TRY(SegmentReader reader, SegmentReader::open(files));
        for (;;) {
            GYRE_TRY(const bool more, reader.next());
            if (!more) {
                return {};
            }
            const LoggedRow row = reader.row();
            if (row.schema.name == filter_.endpoint) {
                GYRE_TRY_VOID(take(row));
            }
        }
    }

    Result<std::int64_t> emit(const ExportSink& sink) {
        if (schemas_.empty()) {
            return not_found("the files hold no row of endpoint '" + filter_.endpoint + "'");
        }
        std::vector<Pending*> order;
        for (auto& [key, pending] : rows_) {
            if (pending.answered && (filter_.labels == ExportLabels::optional || pending.row.label)) {
                order.push_back(&pending);
            }
        }
        std::ranges::sort(order, [](const Pending* a, const Pending* b) {
            return std::tie(a->row.event_time_us, a->row.request_id) <
                   std::tie(b->row.event_time_us, b->row.request_id);
        });
        const EndpointSchema& newest = schemas_.back();
        for (Pending* pending : order) {
            if (pending->schema != &newest) {
                map_columns(*pending, newest);
            }
            std::ranges::sort(pending->row.scores, {}, &ModelScore::model);
            GYRE_TRY_VOID(sink(newest, pending->row));
        }
        return static_cast<std::int64_t>(order.size());
    }

 private:
    Result<void> take(const LoggedRow& row) {
        const PredictionRecord& record = row.record;
        const std::int64_t event = record.event_time_us;
        if (schemas_.empty() || schemas_.back() != row.schema) {
            schemas_.push_back(row.schema);
        }
        if (event < filter_.from_us || event >= std::min(filter_.to_us, filter_.as_of_us)) {
            return {};
        }
        const RequestKey key = request_key(record.request_id);
        const auto [at, is_new] = rows_.try_emplace(key);
        if (is_new && rows_.size() > filter_.requests_max) {
            return resource_exhausted("endpoint '" + filter_.endpoint + "' has more than " +
                                      std::to_string(filter_.requests_max) +
                                      " requests in that time, the most that one export takes; ask for a "
                                      "shorter time");
        }
        Pending& pending = at->second;
        add_score(pending.row, row);
        const bool earlier = !pending.answered || std::pair(record.arrival_us, row.variant.model) <
                                                      std::pair(pending.arrival_us, pending.row.model);
        if (record.kind == RowKind::answered && earlier) {
            fill(pending, row);
        }
        return {};
    }

    /// As in ScoreStore: of one model's scores an answer counts before a shadow's, then the earliest.
    static void add_score(ExportedRow& out, const LoggedRow& row) {
        const PredictionRecord& record = row.record;
        const auto at = static_cast<std::size_t>(row.schema.score_output);
        if (at >= record.outputs.size()) {
            return;
        }
        const ModelScore score{.model = row.variant.model,
                               .score = record.outputs[at],
                               .role = row.variant.role,
                               .answered = record.kind == RowKind::answered,
                               .arrival_us = record.arrival_us,
                               .latency_ns = record.latency_ns};
        const auto known = std::ranges::find(out.scores, score.model, &ModelScore::model);
        if (known == out.scores.end()) {
            if (out.scores.size() < kScoresPerRowMax) {
                out.scores.push_back(score);
            }
            return;
        }
        const bool better =
            score.answered != known->answered
                ? score.answered
                : std::pair(score.arrival_us, score.score) < std::pair(known->arrival_us, known->score);
        if (better) {
            *known = score;
        }
    }

    void fill(Pending& pending, const LoggedRow& row) {
        const PredictionRecord& record = row.record;
        pending.answered = true;
        pending.arrival_us = record.arrival_us;
        pending.schema = &schemas_.back();
        ExportedRow& out = pending.row;
        out.request_id = record.request_id;
        out.event_time_us = record.event_time_us;
        out.model = row.variant.model;
        out.numbers.assign(record.numbers.begin(), record.numbers.end());
        out.outputs.assign(record.outputs.begin(), record.outputs.end());
        out.texts.clear();
        for (const TextValue& value : record.texts) {
            out.texts.push_back(value.missing ? std::nullopt : std::optional<std::string>(value.text));
        }
    }

    /// Values of an older schema under the names of the newest; what it lacks is missing.
    static void map_columns(Pending& pending, const EndpointSchema& newest) {
        std::map<std::string_view, double> numbers;
        std::map<std::string_view, std::optional<std::string>> texts;
        std::size_t number = 0;
        std::size_t text = 0;
        for (const InputColumn& column : pending.schema->columns) {
            if (column.kind == InputKind::number && number < pending.row.numbers.size()) {
                numbers[column.name] = pending.row.numbers[number++];
            } else if (column.kind == InputKind::text && text < pending.row.texts.size()) {
                texts[column.name] = pending.row.texts[text++];
            }
        }
        pending.row.numbers.clear();
        pending.row.texts.clear();
        for (const InputColumn& column : newest.columns) {
            if (column.kind == InputKind::number) {
                const auto at = numbers.find(column.name);
                pending.row.numbers.push_back(at == numbers.end() ? std::nan("") : at->second);
            } else {
                const auto at = texts.find(column.name);
                pending.row.texts.push_back(at == texts.end() ? std::nullopt : at->second);
            }
        }
    }

    const ExportFilter& filter_;
    std::deque<EndpointSchema> schemas_;  // in the order seen; a deque keeps references valid
    std::unordered_map<RequestKey, Pending, KeyHash> rows_;
};

}  // namespace

Result<std::int64_t> export_rows(const std::vector<std::string>& segment_files,
                                 const std::vector<std::string>& label_files, const ExportFilter& filter,
                                 const ExportSink& sink) {
    Gatherer gatherer(filter);
    GYRE_TRY_VOID(gatherer.read_segments(segment_files));
    GYRE_TRY_VOID(gatherer.read_labels(label_files));
    return gatherer.emit(sink);
}

}  // namespace gyre::monitoring
