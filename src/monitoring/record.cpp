#include "monitoring/record.h"

#include <cstring>

#include "base/digest.h"
#include "monitoring/limits.h"

namespace gyre::monitoring {
namespace {

constexpr std::uint16_t kMissingText = 0xFFFF;

struct Head {
    std::uint32_t bytes;
    std::uint32_t crc;
    std::uint16_t endpoint;
    std::uint16_t variant;
    std::uint8_t kind;
    std::uint8_t id_bytes;
    std::uint8_t outputs;
    std::uint8_t zero;
    std::uint16_t numbers;
    std::uint16_t texts;
    std::uint32_t zero2;
    std::int64_t event_time_us;
    std::int64_t arrival_us;
    std::int64_t latency_ns;
};
static_assert(sizeof(Head) == 48);

constexpr std::size_t kChecksumFrom = 8;  // after `bytes` and `crc`

std::uint32_t checksum(std::string_view record, std::uint64_t place) {
    const auto seed = static_cast<std::uint32_t>(place ^ (place >> 32U) ^ (record.size() << 16U));
    return crc32c(record.substr(kChecksumFrom), seed);
}

char* put(char* at, const void* bytes, std::size_t count) {
    if (count > 0) {
        std::memcpy(at, bytes, count);
    }
    return at + count;
}

}  // namespace

std::size_t encoded_bytes(const PredictionRecord& record) {
    if (record.request_id.size() > kRequestIdBytesMax || record.outputs.size() > kOutputsMax ||
        record.numbers.size() + record.texts.size() > kColumnsMax) {
        return 0;
    }
    std::size_t bytes = sizeof(Head) + record.outputs.size() * sizeof(float) +
                        record.numbers.size() * sizeof(double) + record.request_id.size();
    for (const TextValue& value : record.texts) {
        bytes += sizeof(std::uint16_t) + (value.missing ? 0 : value.text.size());
    }
    bytes = (bytes + kRecordAlign - 1) / kRecordAlign * kRecordAlign;
    return bytes > kRecordBytesMax ? 0 : bytes;
}

void encode(const PredictionRecord& record, std::uint64_t place, std::span<char> out) {
    Head head{.bytes = static_cast<std::uint32_t>(out.size()),
              .crc = 0,
              .endpoint = record.endpoint,
              .variant = record.variant,
              .kind = static_cast<std::uint8_t>(record.kind),
              .id_bytes = static_cast<std::uint8_t>(record.request_id.size()),
              .outputs = static_cast<std::uint8_t>(record.outputs.size()),
              .zero = 0,
              .numbers = static_cast<std::uint16_t>(record.numbers.size()),
              .texts = static_cast<std::uint16_t>(record.texts.size()),
              .zero2 = 0,
              .event_time_us = record.event_time_us,
              .arrival_us = record.arrival_us,
              .latency_ns = record.latency_ns};
    char* at = put(out.data(), &head, sizeof head);
    at = put(at, record.numbers.data(), record.numbers.size() * sizeof(double));
    at = put(at, record.outputs.data(), record.outputs.size() * sizeof(float));
    for (const TextValue& value : record.texts) {
        const std::uint16_t bytes =
            value.missing ? kMissingText : static_cast<std::uint16_t>(value.text.size());
        at = put(at, &bytes, sizeof bytes);
        at = put(at, value.text.data(), value.missing ? 0 : value.text.size());
    }
    at = put(at, record.request_id.data(), record.request_id.size());
    std::memset(at, 0, static_cast<std::size_t>(out.data() + out.size() - at));
    head.crc = checksum({out.data(), out.size()}, place);
    std::memcpy(out.data() + offsetof(Head, crc), &head.crc, sizeof head.crc);
}

const PredictionRecord* RecordDecoder::decode(std::string_view bytes, std::optional<std::uint64_t> place) {
    Head head{};
    if (bytes.size() < sizeof head) {
        return nullptr;
    }
    std::memcpy(&head, bytes.data(), sizeof head);
    if (head.bytes < sizeof head || head.bytes > bytes.size() || head.bytes > kRecordBytesMax ||
        head.bytes % kRecordAlign != 0) {
        return nullptr;
    }
    size_ = head.bytes;
    if (place && checksum(bytes.substr(0, size_), *place) != head.crc) {
        return nullptr;
    }
    return decode_body(bytes.substr(0, size_)) ? &record_ : nullptr;
}

bool RecordDecoder::decode_body(std::string_view bytes) {
    Head head{};
    std::memcpy(&head, bytes.data(), sizeof head);
    bytes.remove_prefix(sizeof head);
    numbers_.resize(head.numbers);
    outputs_.resize(head.outputs);
    texts_.resize(head.texts);
    const auto take = [&bytes](void* out, std::size_t count) {
        if (bytes.size() < count) {
            return false;
        }
        if (count > 0) {
            std::memcpy(out, bytes.data(), count);
            bytes.remove_prefix(count);
        }
        return true;
    };
    if (!take(numbers_.data(), numbers_.size() * sizeof(double)) ||
        !take(outputs_.data(), outputs_.size() * sizeof(float))) {
        return false;
    }
    for (TextValue& value : texts_) {
        std::uint16_t count = 0;
        if (!take(&count, sizeof count) || (count != kMissingText && bytes.size() < count)) {
            return false;
        }
        value = {.text = {}, .missing = count == kMissingText};
        if (!value.missing) {
            value.text = bytes.substr(0, count);
            bytes.remove_prefix(count);
        }
    }
    if (bytes.size() < head.id_bytes || head.id_bytes > kRequestIdBytesMax || head.kind > 1) {
        return false;
    }
    record_ = {.request_id = bytes.substr(0, head.id_bytes),
               .endpoint = head.endpoint,
               .variant = head.variant,
               .kind = static_cast<RowKind>(head.kind),
               .event_time_us = head.event_time_us,
               .arrival_us = head.arrival_us,
               .latency_ns = head.latency_ns,
               .outputs = outputs_,
               .numbers = numbers_,
               .texts = texts_};
    return true;
}

}  // namespace gyre::monitoring
