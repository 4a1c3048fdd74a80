#include "monitoring/label_log.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <mutex>

#include "base/digest.h"
#include "base/file.h"
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
        std::memcpy(&value, bytes_.data(), sizeof value);
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
    std::unique_ptr<storage::SegmentLog> log;
    std::mutex mutex;
    // By the end of a batch: its newest label. A sealed file goes when all of its batches are old.
    std::map<storage::LogPosition, std::int64_t> newest;  // guarded by mutex

    void note(storage::LogPosition position, std::span<const Label> labels) {
        std::int64_t time_us = kNoTime;
        for (const Label& label : labels) {
            time_us = std::max(time_us, label.time_us);
        }
        const std::scoped_lock lock(mutex);
        // One entry a file is enough.
        storage::LogPosition file = position;
        for (const storage::LogSegment& segment : log->segments()) {
            file = segment.begin <= position ? segment.begin : file;
            if (segment.begin > position) {
                break;
            }
        }
        const auto [entry, is_new] = newest.try_emplace(file, time_us);
        entry->second = std::max(entry->second, time_us);
    }
};

LabelLog::LabelLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LabelLog::~LabelLog() = default;

Result<std::unique_ptr<LabelLog>> LabelLog::open(const LabelLogOptions& options) {
    GYRE_TRY_VOID(make_directories(options.directory));
    auto impl = std::make_unique<Impl>();
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
    GYRE_TRY(const storage::LogPosition position, impl_->log->append(encode_labels(endpoint, labels)));
    impl_->note(position, labels);
    return {};
}

Result<void> LabelLog::replay(const std::function<Result<void>(LabelBatch&&)>& sink) const {
    storage::LogPosition from = impl_->log->begin();
    for (;;) {
        GYRE_TRY(storage::LogPage page, impl_->log->read(from, kPageRecords));
        if (page.records.empty()) {
            return {};
        }
        for (const storage::LogRecord& record : page.records) {
            GYRE_TRY(LabelBatch batch, decode_labels(record.payload));
            impl_->note(record.position, batch.labels);
            GYRE_TRY_VOID(sink(std::move(batch)));
        }
        from = page.next;
    }
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

Result<std::size_t> LabelLog::remove_before(std::int64_t time_us) {
    storage::LogPosition until = impl_->log->begin();
    {
        const std::scoped_lock lock(impl_->mutex);
        for (const storage::LogSegment& segment : impl_->log->segments()) {
            const auto known = impl_->newest.find(segment.begin);
            if (!segment.sealed || known == impl_->newest.end() || known->second >= time_us) {
                break;
            }
            until = segment.end;
            impl_->newest.erase(known);
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
