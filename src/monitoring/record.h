#pragma once
// The bytes of one prediction, in a spool's ring and in a segment. Little endian, 8-byte steps:
//   u32 bytes (this field included) | u32 CRC-32C of the rest, seeded by the place in the ring |
//   u16 endpoint | u16 variant | u8 kind | u8 request id bytes | u8 outputs | u8 0 |
//   u16 numbers | u16 texts | u32 0 | i64 event time | i64 arrival | i64 latency |
//   f64 numbers | f32 outputs | texts: u16 bytes (0xFFFF: missing), bytes | request id | zeros to 8
// `bytes` with the top bit set is padding: skip to the ring's start.
#include <optional>

#include "monitoring/types.h"

namespace gyre::monitoring {

inline constexpr std::uint32_t kPaddingBit = 1U << 31U;
inline constexpr std::size_t kRecordAlign = 8;

/// Bytes that encode() will write, or 0 when the record is over a bound of limits.h.
std::size_t encoded_bytes(const PredictionRecord& record);
/// Writes the record; `out` has encoded_bytes(record) bytes. `place` seeds the checksum.
void encode(const PredictionRecord& record, std::uint64_t place, std::span<char> out);

/// Reads records back. Views of the record that it returns live until the next call. Not thread-safe.
class RecordDecoder {
 public:
    /// The record at the start of `bytes` and its size. Nothing when it is not whole and sound.
    /// The checksum is looked at only when `place` is given (segments have checksums of their own).
    const PredictionRecord* decode(std::string_view bytes, std::optional<std::uint64_t> place);
    [[nodiscard]] std::size_t size() const { return size_; }

 private:
    bool decode_body(std::string_view bytes);

    PredictionRecord record_;
    std::vector<float> outputs_;
    std::vector<double> numbers_;
    std::vector<TextValue> texts_;
    std::size_t size_ = 0;
};

}  // namespace gyre::monitoring
