#include "monitoring/label_log.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <mutex>
#include <shared_mutex>

#include "base/digest.h"
#include "base/file.h"
#include "base/log.h"
#include "monitoring/types.h"
#include "storage/log/segment_log.h"

namespace gyre::monitoring {
namespace {

constexpr std::size_t kPageRecords = 64;

template <class T>
void put(std::string& out, T value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// Takes values off the front of a record.
class Taker {
 public:
    explicit Taker(std::string_view bytes) : bytes_(bytes) {}
    template <class T>
    bool take(T& value) {
        if (bytes_.size() < sizeof value) {
            return false;
        }
        bytes_.copy(reinterpret_cast<char*>(&value), sizeof value);
        bytes_.remove_prefix(sizeof value);
        return true;
    }
    bool take_text(std::string& text, std::size_t count) {
        if (bytes_.size() < count) {
            return false;
        }
        text.assign(bytes_.substr(0, count));
        bytes_.remove_prefix(count);
        return true;
    }
    [[nodiscard]] std::size_t left() const { return bytes_.size(); }

 private:
    std::string_view bytes_;
};

constexpr std::size_t kLabelBytesMin = 8 + 8 + 1;

/// When the newest label of each endpoint became known.
using NewestLabels = std::map<std::string, std::int64_t, std::less<>>;

void raise(NewestLabels& newest, std::string_view endpoint, std::int64_t time_us) {
    const auto known = newest.find(endpoint);
    if (known == newest.end()) {
        newest.emplace(endpoint, time_us);
    } else {
        known->second = std::max(known->second, time_us);
    }
}

}  // namespace

Result<void> check_labels(std::span<const Label> labels) {
    if (labels.empty() || labels.size() > kLabelBatchMax) {
        return invalid_argument("expected 1 to " + std::to_string(kLabelBatchMax) + " labels, got " +
                                std::to_string(labels.size()));
    }
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const Label& label = labels[i];
        if (label.request_id.empty() || label.request_id.size() > kRequestIdBytesMax) {
            return invalid_argument("labels[" + std::to_string(i) + "].request_id has 1 to " +
                                    std::to_string(kRequestIdBytesMax) + " bytes, got " +
                                    std::to_string(label.request_id.size()));
        }
        if (!std::isfinite(label.value)) {
            return invalid_argument("labels[" + std::to_string(i) + "].value is not a finite number");
        }
    }
    return {};
}

std::string encode_labels(std::string_view endpoint, std::span<const Label> labels) {
    std::string out;
    out.reserve(8 + endpoint.size() + labels.size() * (kLabelBytesMin + 36));
    put(out, static_cast<std::uint16_t>(endpoint.size()));
    out.append(endpoint);
    put(out, static_cast<std::uint32_t>(labels.size()));
    for (const Label& label : labels) {
        put(out, label.time_us);
        put(out, label.value);
        put(out, static_cast<std::uint8_t>(label.request_id.size()));
        out.append(label.request_id);
    }
    return out;
}

Result<LabelBatch> decode_labels(std::string_view payload) {
    const Error damaged = data_loss("a record of the label log is damaged");
    LabelBatch batch;
    Taker taker(payload);
    std::uint16_t name_bytes = 0;
    std::uint32_t count = 0;
    if (!taker.take(name_bytes) || !taker.take_text(batch.endpoint, name_bytes) || !taker.take(count) ||
        count > taker.left() / kLabelBytesMin) {
        return damaged;
    }
    batch.labels.resize(count);
    for (Label& label : batch.labels) {
        std::uint8_t id_bytes = 0;
        if (!taker.take(label.time_us) || !taker.take(label.value) || !taker.take(id_bytes) ||
            !taker.take_text(label.request_id, id_bytes)) {
            return damaged;
        }
    }
    return batch;
}

struct LabelLog::Impl {
    LabelLogOptions options;
    std::unique_ptr<storage::SegmentLog> log;
    // Shared from before a record is written until it is noted: retention must know all of a file's labels.
    std::shared_mutex writing;
    std::mutex mutex;                                      // guards the two below
    std::map<storage::LogPosition, NewestLabels> by_file;  // by the file's first position
    NewestLabels newest;                                   // of all files ever noted

    bool note(storage::LogPosition position, std::string_view endpoint, std::span<const Label> labels);
    [[nodiscard]] bool is_old(const NewestLabels& labels) const;
};

/// Remembers a record's labels for retention. True when it is the first of its file.
bool LabelLog::Impl::note(storage::LogPosition position, std::string_view endpoint,
                          std::span<const Label> labels) {
    std::int64_t time_us = kNoTime;
    for (const Label& label : labels) {
        time_us = std::max(time_us, label.time_us);
    }
    storage::LogPosition file = position;
    for (const storage::LogSegment& segment : log->segments()) {
        file = segment.begin <= position ? segment.begin : file;
    }
    const std::scoped_lock lock(mutex);
    const auto [entry, is_new] = by_file.try_emplace(file);
    raise(entry->second, endpoint, time_us);
    raise(newest, endpoint, time_us);
    return is_new;
}

bool LabelLog::Impl::is_old(const NewestLabels& labels) const {
    return options.keep_us > 0 && std::ranges::all_of(labels, [&](const auto& entry) {
               return entry.second < newest.find(entry.first)->second - options.keep_us;
           });
}

LabelLog::LabelLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LabelLog::~LabelLog() = default;

Result<std::unique_ptr<LabelLog>> LabelLog::open(const LabelLogOptions& options) {
    GYRE_TRY_VOID(make_directories(options.directory));
    auto impl = std::make_unique<Impl>();
    impl->options = options;
    GYRE_TRY(impl->log,
             storage::SegmentLog::open(options.directory, {.segment_bytes_max = options.segment_bytes}));
    std::unique_ptr<LabelLog> log(new LabelLog(std::move(impl)));
    return log;
}

Result<void> LabelLog::append(std::string_view endpoint, std::span<const Label> labels) {
    GYRE_TRY_VOID(check_labels(labels));
    if (endpoint.empty() || endpoint.size() > 0xFFFF) {
        return invalid_argument("labels need an endpoint");
    }
    bool new_file = false;
    {
        const std::shared_lock lock(impl_->writing);
        GYRE_TRY(const storage::LogPosition position, impl_->log->append(encode_labels(endpoint, labels)));
        new_file = impl_->note(position, endpoint, labels);
    }
    if (new_file) {
        if (auto removed = apply_retention(); !removed) {
            log_warn("label_retention_failed", {{"reason", removed.error().message()}});
        }
    }
    return {};
}

Result<void> LabelLog::replay(const std::function<Result<void>(LabelBatch&&)>& sink) {
    storage::LogPosition from = impl_->log->begin();
    for (;;) {
        GYRE_TRY(storage::LogPage page, impl_->log->read(from, kPageRecords));
        if (page.records.empty()) {
            break;
        }
        for (const storage::LogRecord& record : page.records) {
            GYRE_TRY(LabelBatch batch, decode_labels(record.payload));
            static_cast<void>(impl_->note(record.position, batch.endpoint, batch.labels));
            GYRE_TRY_VOID(sink(std::move(batch)));
        }
        from = page.next;
    }
    GYRE_TRY(const std::size_t removed, apply_retention());
    static_cast<void>(removed);
    return {};
}

Result<void> LabelLog::seal() {
    return impl_->log->seal();
}

std::vector<std::string> LabelLog::files() const {
    std::vector<std::string> files;
    for (const storage::LogSegment& segment : impl_->log->segments()) {
        if (segment.sealed && segment.end > segment.begin) {
            files.push_back(segment.path);
        }
    }
    return files;
}

Result<std::size_t> LabelLog::apply_retention() {
    const std::unique_lock writing(impl_->writing);
    storage::LogPosition until = impl_->log->begin();
    {
        const std::scoped_lock lock(impl_->mutex);
        for (const storage::LogSegment& segment : impl_->log->segments()) {
            const auto known = impl_->by_file.find(segment.begin);
            const std::uint64_t left = impl_->log->end() - segment.begin;
            const bool too_much = impl_->options.keep_bytes > 0 && left > impl_->options.keep_bytes;
            if (!segment.sealed || known == impl_->by_file.end() ||
                (!too_much && !impl_->is_old(known->second))) {
                break;
            }
            until = segment.end;
            impl_->by_file.erase(known);
        }
    }
    return impl_->log->remove_before(until);
}

Result<void> read_label_file(const std::string& path, const std::function<Result<void>(LabelBatch&&)>& sink) {
    constexpr std::size_t kHeaderBytes = 8;
    GYRE_TRY(const std::string bytes, read_file(path));
    std::string_view rest = bytes;
    while (!rest.empty()) {
        std::uint32_t size = 0;
        std::uint32_t crc = 0;
        if (rest.size() >= kHeaderBytes) {
            std::memcpy(&size, rest.data(), sizeof size);
            std::memcpy(&crc, rest.data() + sizeof size, sizeof crc);
        }
        if (size == 0 || rest.size() - kHeaderBytes < size ||
            crc32c(rest.substr(kHeaderBytes, size), crc32c(rest.substr(0, sizeof size))) != crc) {
            return data_loss("label file '" + path + "' is damaged");
        }
        GYRE_TRY(LabelBatch batch, decode_labels(rest.substr(kHeaderBytes, size)));
        GYRE_TRY_VOID(sink(std::move(batch)));
        rest.remove_prefix(kHeaderBytes + size);
    }
    return {};
}

}  // namespace gyre::monitoring
