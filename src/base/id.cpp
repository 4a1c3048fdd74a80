#include "base/id.h"

#include <algorithm>
#include <array>
#include <atomic>

#include "base/rng.h"
#include "base/text.h"

namespace gyre {
namespace {

/// Milliseconds << 12 | counter, strictly increasing over the process.
std::uint64_t next_tick(const Clock& clock) {
    static std::atomic<std::uint64_t> last{0};
    const std::uint64_t now = static_cast<std::uint64_t>(clock.now_ms()) << 12U;
    std::uint64_t seen = last.load(std::memory_order_relaxed);
    std::uint64_t tick = 0;
    do {
        tick = now > seen ? now : seen + 1;
    } while (!last.compare_exchange_weak(seen, tick, std::memory_order_relaxed));
    return tick;
}

/// Random bytes fetched from the kernel in blocks, so that an id costs no system call.
/// `out` is at most 16 bytes.
void cheap_random(std::span<std::uint8_t> out) {
    struct Pool {
        std::array<std::uint8_t, 512> bytes{};
        std::size_t used = 512;
    };
    thread_local Pool pool;
    if (out.size() > pool.bytes.size() - pool.used) {
        fill_random(pool.bytes);
        pool.used = 0;
    }
    std::copy_n(pool.bytes.begin() + static_cast<std::ptrdiff_t>(pool.used), out.size(), out.begin());
    pool.used += out.size();
}

using IdBytes = std::array<std::uint8_t, 16>;

/// 8-4-4-4-12 hexadecimal digits (RFC 9562, 4).
void write_uuid(const IdBytes& bytes, std::string& out) {
    constexpr char kDigits[] = "0123456789abcdef";
    constexpr std::array<std::uint8_t, 16> kPlaces{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};
    out.assign(36, '-');
    char* const text = out.data();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        text[kPlaces[i]] = kDigits[bytes[i] >> 4U];
        text[kPlaces[i] + 1U] = kDigits[bytes[i] & 0xFU];
    }
}

}  // namespace

std::string make_uuid7(const Clock& clock) {
    std::string out;
    make_uuid7(clock, out);
    return out;
}

void make_uuid7(const Clock& clock, std::string& out) {
    const std::uint64_t tick = next_tick(clock);
    IdBytes bytes{};
    for (unsigned i = 0; i < 6; ++i) {
        bytes[i] = static_cast<std::uint8_t>(tick >> (12U + 8U * (5U - i)));
    }
    bytes[6] = static_cast<std::uint8_t>(0x70U | ((tick >> 8U) & 0x0FU));
    bytes[7] = static_cast<std::uint8_t>(tick & 0xFFU);
    cheap_random(std::span(bytes).subspan(8));
    bytes[8] = static_cast<std::uint8_t>(0x80U | (bytes[8] & 0x3FU));
    write_uuid(bytes, out);
}

std::string make_hex_id() {
    IdBytes bytes{};
    cheap_random(bytes);
    bytes[6] = static_cast<std::uint8_t>(0x40U | (bytes[6] & 0x0FU));
    bytes[8] = static_cast<std::uint8_t>(0x80U | (bytes[8] & 0x3FU));
    return to_hex(bytes);
}

bool is_uuid(std::string_view text) {
    if (text.size() != 36) {
        return false;
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        const char c = text[i];
        const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (dash ? c != '-' : !hex) {
            return false;
        }
    }
    return true;
}

}  // namespace gyre
