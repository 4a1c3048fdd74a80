#include "monitoring/export.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <unordered_set>

#include "monitoring/row_table.h"

namespace gyre::monitoring {
namespace {

/// Lists in blocks that never move.
template <class T>
class Arena {
 public:
    /// A copy that lives as long as this.
    std::span<const T> keep(std::span<const T> values) {
        if (blocks_.empty() || blocks_.back().size() + values.size() > blocks_.back().capacity()) {
            blocks_.emplace_back().reserve(std::max(kBlockValues, values.size()));
        }
        std::vector<T>& block = blocks_.back();
        block.insert(block.end(), values.begin(), values.end());
        return std::span<const T>(block).last(values.size());
    }

 private:
    static constexpr std::size_t kBlockValues = 1U << 16U;
    std::deque<std::vector<T>> blocks_;
};

class TextArena {
 public:
    std::string_view keep(std::string_view text) {
        const std::span<const char> kept = arena_.keep(text);
        return {kept.data(), kept.size()};
    }
    /// One copy of equal texts.
    std::string_view intern(std::string_view text) {
        const auto found = known_.find(text);
        return found != known_.end() ? *found : *known_.insert(keep(text)).first;
    }

 private:
    Arena<char> arena_;
    std::unordered_set<std::string_view> known_;
};

struct Values {
    std::span<const double> numbers = {};
    std::span<const TextValue> texts = {};
};

/// What a request was answered from.
struct Answer {
    std::string_view request_id = {};
    std::int64_t event_time_us = 0;
    std::int64_t arrival_us = 0;
    Values values = {};
    std::uint16_t schema = 0;
    std::uint16_t model = 0;
    bool known = false;
};

/// Values of an older schema under the names of the newest; what it lacks is missing.
class ColumnMapping {
 public:
    ColumnMapping(const EndpointSchema& from, const EndpointSchema& to) {
        for (const InputColumn& column : to.columns) {
            std::vector<std::size_t>& places = column.kind == InputKind::number ? numbers_ : texts_;
            places.push_back(place_of(from, column));
        }
    }
    /// Views that live until the next call.
    Values map(const Values& values) {
        mapped_numbers_.clear();
        for (const std::size_t at : numbers_) {
            mapped_numbers_.push_back(at < values.numbers.size() ? values.numbers[at] : std::nan(""));
        }
        mapped_texts_.clear();
        for (const std::size_t at : texts_) {
            mapped_texts_.push_back(at < values.texts.size() ? values.texts[at] : TextValue{.missing = true});
        }
        return {mapped_numbers_, mapped_texts_};
    }

 private:
    /// Among the columns of its kind; beyond all of them when there is none of that name and kind.
    static std::size_t place_of(const EndpointSchema& schema, const InputColumn& column) {
        std::size_t place = 0;
        for (const InputColumn& other : schema.columns) {
            if (other == column) {
                return place;
            }
            place += other.kind == column.kind ? 1 : 0;
        }
        return std::numeric_limits<std::size_t>::max();
    }

    std::vector<std::size_t> numbers_;
    std::vector<std::size_t> texts_;
    std::vector<double> mapped_numbers_;
    std::vector<TextValue> mapped_texts_;
};

/// Small numbers for the schemas and variants of all segments. What a record's own ids stand for changes from
/// file to file, so it is looked up again whenever the reader has read a definition.
class Numbering {
 public:
    explicit Numbering(const std::string& endpoint) : endpoint_(endpoint) {}

    /// The row's schema; nothing for a row of another endpoint.
    std::optional<std::uint16_t> schema_of(const LoggedRow& row, std::uint64_t definitions) {
        forget_old(definitions);
        std::uint16_t& known = slot(schema_by_id_, row.record.endpoint);
        if (known == kUnknown) {
            known = row.schema.name == endpoint_ ? place_in(schemas_, row.schema) : kOther;
        }
        return known == kOther ? std::nullopt : std::optional(known);
    }
    /// The places of the row's model and role among names().
    std::pair<std::uint16_t, std::uint16_t> variant_of(const LoggedRow& row) {
        std::uint16_t& model = slot(model_by_id_, row.record.variant);
        std::uint16_t& role = slot(role_by_id_, row.record.variant);
        if (model == kUnknown) {
            model = place_in(names_, row.variant.model);
            role = place_in(names_, row.variant.role);
        }
        return {model, role};
    }
    [[nodiscard]] const std::deque<EndpointSchema>& schemas() const { return schemas_; }
    [[nodiscard]] const std::deque<std::string>& names() const { return names_; }

 private:
    static constexpr std::uint16_t kUnknown = 0xFFFF;
    static constexpr std::uint16_t kOther = 0xFFFE;
    static_assert(kEndpointsMax < kOther && 2 * kVariantsMax < kOther);

    void forget_old(std::uint64_t definitions) {
        if (definitions != definitions_) {
            schema_by_id_.clear();
            model_by_id_.clear();
            role_by_id_.clear();
            definitions_ = definitions;
        }
    }
    static std::uint16_t& slot(std::vector<std::uint16_t>& by_id, std::size_t id) {
        if (id >= by_id.size()) {
            by_id.resize(id + 1, kUnknown);
        }
        return by_id[id];
    }
    template <class T>
    static std::uint16_t place_in(std::deque<T>& list, const T& value) {
        const auto at = std::ranges::find(list, value);
        const auto place = static_cast<std::uint16_t>(at - list.begin());
        if (at == list.end()) {
            list.push_back(value);
        }
        return place;
    }

    const std::string& endpoint_;
    std::uint64_t definitions_ = 0;
    std::vector<std::uint16_t> schema_by_id_;
    std::vector<std::uint16_t> model_by_id_;
    std::vector<std::uint16_t> role_by_id_;
    std::deque<EndpointSchema> schemas_;
    std::deque<std::string> names_;
};

/// Gathers what the files say about each request.
class Gatherer {
 public:
    explicit Gatherer(const ExportFilter& filter) : filter_(filter), numbering_(filter.endpoint) {}

    Result<void> read_segments(const std::vector<std::string>& files) {
        GYRE_TRY(SegmentReader reader, SegmentReader::open(files));
        for (;;) {
            GYRE_TRY(const bool more, reader.next());
            if (!more) {
                return {};
            }
            const LoggedRow row = reader.row();
            if (const auto schema = numbering_.schema_of(row, reader.definitions())) {
                newest_ = *schema;
                GYRE_TRY_VOID(take(row));
            }
        }
    }

    /// After the segments: only labels of rows that they gave are kept.
    Result<void> read_labels(const std::vector<std::string>& files) {
        for (const std::string& file : files) {
            GYRE_TRY_VOID(read_label_file(file, [&](LabelBatch&& batch) -> Result<void> {
                if (batch.endpoint == filter_.endpoint) {
                    for (const Label& label : batch.labels) {
                        take(label);
                    }
                }
                return {};
            }));
        }
        return {};
    }

    Result<std::int64_t> emit(const ExportSink& sink) {
        if (numbering_.schemas().empty()) {
            return not_found("the files hold no row of endpoint '" + filter_.endpoint + "'");
        }
        const EndpointSchema& newest = numbering_.schemas()[newest_];
        std::vector<ColumnMapping> mappings;
        for (const EndpointSchema& schema : numbering_.schemas()) {
            mappings.emplace_back(schema, newest);
        }
        const std::vector<std::uint32_t> order = exported();
        for (const std::uint32_t index : order) {
            const Answer& answer = answers_[index];
            const Values values =
                answer.schema == newest_ ? answer.values : mappings[answer.schema].map(answer.values);
            const auto label = rows_.label_at(rows_[index], filter_.as_of_us);
            GYRE_TRY_VOID(sink(newest, {.request_id = answer.request_id,
                                        .event_time_us = answer.event_time_us,
                                        .numbers = values.numbers,
                                        .texts = values.texts,
                                        .scores = scores_of(rows_[index]),
                                        .label = label ? std::optional(label->value) : std::nullopt,
                                        .label_time_us = label ? label->time_us : kNoTime}));
        }
        return static_cast<std::int64_t>(order.size());
    }

 private:
    Result<void> take(const LoggedRow& row) {
        const PredictionRecord& record = row.record;
        const std::int64_t event = record.event_time_us;
        if (event < filter_.from_us || event >= std::min(filter_.to_us, filter_.as_of_us)) {
            return {};
        }
        const std::uint32_t index = rows_.index_of(request_key(record.request_id), event);
        if (rows_.size() > filter_.requests_max) {
            return resource_exhausted("endpoint '" + filter_.endpoint + "' has more than " +
                                      std::to_string(filter_.requests_max) +
                                      " requests in that time, the most that one export takes; ask for a "
                                      "shorter time");
        }
        if (index == answers_.size()) {
            answers_.push_back({});
        }
        const auto [model, role] = numbering_.variant_of(row);
        const bool answered = record.kind == RowKind::answered;
        const auto output = static_cast<std::size_t>(row.schema.score_output);
        if (output < record.outputs.size()) {
            rows_.add_score(rows_[index], {.arrival_us = record.arrival_us,
                                           .latency_ns = record.latency_ns,
                                           .value = record.outputs[output],
                                           .model = model,
                                           .role = role,
                                           .answered = answered});
        }
        if (answered) {
            keep_earliest(answers_[index], record, model);
        }
        return {};
    }

    void keep_earliest(Answer& answer, const PredictionRecord& record, std::uint16_t model) {
        const auto& names = numbering_.names();
        if (answer.known && std::pair(answer.arrival_us, std::string_view(names[answer.model])) <=
                                std::pair(record.arrival_us, std::string_view(names[model]))) {
            return;
        }
        answer = {.request_id = answer.known ? answer.request_id : texts_.keep(record.request_id),
                  .event_time_us = record.event_time_us,
                  .arrival_us = record.arrival_us,
                  .values = keep(record),
                  .schema = newest_,
                  .model = model,
                  .known = true};
    }

    Values keep(const PredictionRecord& record) {
        row_texts_.clear();
        for (const TextValue& value : record.texts) {
            row_texts_.push_back({.text = texts_.intern(value.text), .missing = value.missing});
        }
        return {numbers_.keep(record.numbers), text_values_.keep(row_texts_)};
    }

    void take(const Label& label) {
        const RequestKey key = request_key(label.request_id);
        if (rows_.find(key) != nullptr) {
            static_cast<void>(
                rows_.add_label(rows_.row_of(key, 0), {.time_us = label.time_us, .value = label.value}));
        }
    }

    /// The rows that go out, in the order in which they do.
    [[nodiscard]] std::vector<std::uint32_t> exported() const {
        std::vector<std::uint32_t> order;
        for (std::uint32_t index = 0; index < answers_.size(); ++index) {
            if (answers_[index].known && (filter_.labels == ExportLabels::optional ||
                                          rows_.label_at(rows_[index], filter_.as_of_us))) {
                order.push_back(index);
            }
        }
        std::ranges::sort(order, [&](std::uint32_t a, std::uint32_t b) {
            const Answer& one = answers_[a];
            const Answer& other = answers_[b];
            return one.event_time_us != other.event_time_us ? one.event_time_us < other.event_time_us
                                                            : one.request_id < other.request_id;
        });
        return order;
    }

    /// A view that lives until the next call.
    std::span<const ModelScore> scores_of(const Row& row) {
        const auto& names = numbering_.names();
        scores_.clear();
        rows_.visit_scores(row, [&](const Score& score) {
            scores_.push_back({.model = names[score.model],
                               .role = names[score.role],
                               .score = score.value,
                               .answered = score.answered,
                               .arrival_us = score.arrival_us,
                               .latency_ns = score.latency_ns});
        });
        std::ranges::sort(scores_, {}, &ModelScore::model);
        return scores_;
    }

    const ExportFilter& filter_;
    Numbering numbering_;
    std::uint16_t newest_ = 0;    // schema of the row read last
    RowTable rows_;               // scores and labels
    std::deque<Answer> answers_;  // by the rows' index
    Arena<double> numbers_;
    Arena<TextValue> text_values_;
    TextArena texts_;
    std::vector<TextValue> row_texts_;  // scratch, as the next
    std::vector<ModelScore> scores_;
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
