// The bit-prefix histogram: keys, resolution, JSON.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "stats/profile.h"

namespace gyre::stats {
namespace {

constexpr unsigned kKeyBits = 18;
constexpr unsigned kDropped = 64 - kKeyBits;
constexpr unsigned kShiftMax = 16;
constexpr std::uint64_t kSign = std::uint64_t{1} << 63U;

/// Bits of a double so that unsigned order is numeric order; -0 is 0.
std::uint64_t ordered_bits(double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value + 0.0);  // -0 + 0 is 0
    return (bits & kSign) != 0 ? ~bits : bits | kSign;
}

double from_ordered(std::uint64_t ordered) {
    const double value = std::bit_cast<double>((ordered & kSign) != 0 ? ordered & ~kSign : ~ordered);
    constexpr double kMax = std::numeric_limits<double>::max();
    return std::isfinite(value) ? value : std::copysign(kMax, (ordered & kSign) != 0 ? 1.0 : -1.0);
}

}  // namespace

void BitHistogram::add(double value, std::int64_t weight) {
    if (weight > 0) {
        add_searched(static_cast<std::uint32_t>(ordered_bits(value) >> (kDropped + shift_)), weight);
    }
}

void BitHistogram::add(std::span<const double> values) {
    for (const double value : values) {
        const auto key = static_cast<std::uint32_t>(ordered_bits(value) >> (kDropped + shift_));
        const std::size_t hint = places_.of(key);
        if (hint < buckets_.size() && buckets_.data()[hint].key == key) [[likely]] {
            buckets_.data()[hint].count += 1;
            total_ += 1;
        } else {
            add_searched(key, 1);
        }
    }
}

void BitHistogram::add_searched(std::uint32_t key, std::int64_t weight) {
    total_ += weight;
    buckets_[place_of(key)].count += weight;
    while (buckets_.size() > kHistogramBucketsMax) {
        halve();
    }
}

/// Of the key's bucket, which is made where there is none.
std::size_t BitHistogram::place_of(std::uint32_t key) {
    auto at = std::ranges::lower_bound(buckets_, key, {}, &Bucket::key);
    if (at == buckets_.end() || at->key != key) {
        at = buckets_.insert(at, Bucket{key, 0});
    }
    const auto place = static_cast<std::size_t>(at - buckets_.begin());
    places_.note(key, place);
    return place;
}

void BitHistogram::halve() {
    std::size_t kept = 0;
    for (const Bucket& fine : buckets_) {
        const Bucket bucket{fine.key >> 1U, fine.count};
        if (kept > 0 && buckets_[kept - 1].key == bucket.key) {
            buckets_[kept - 1].count += bucket.count;
        } else {
            buckets_[kept++] = bucket;
        }
    }
    buckets_.resize(kept);
    ++shift_;
}

BitHistogram BitHistogram::coarsened(unsigned shift) const {
    BitHistogram out = *this;
    while (out.shift_ < shift) {
        out.halve();
    }
    return out;
}

void BitHistogram::merge(const BitHistogram& other) {
    const BitHistogram right = other.coarsened(shift_);
    *this = coarsened(right.shift_);
    std::vector<Bucket> merged;
    merged.reserve(buckets_.size() + right.buckets_.size());
    auto a = buckets_.begin();
    auto b = right.buckets_.begin();
    while (a != buckets_.end() || b != right.buckets_.end()) {
        if (b == right.buckets_.end() || (a != buckets_.end() && a->key < b->key)) {
            merged.push_back(*a++);
        } else if (a == buckets_.end() || b->key < a->key) {
            merged.push_back(*b++);
        } else {
            merged.push_back({a->key, a->count + b->count});
            ++a;
            ++b;
        }
    }
    buckets_ = std::move(merged);
    total_ += right.total_;
    while (buckets_.size() > kHistogramBucketsMax) {
        halve();
    }
}

// Negative values' order is reversed inside the bits, so a bucket is [low, high) or (low, high]; the ends
// are the same numbers.
double BitHistogram::low_of(std::uint32_t key) const {
    return from_ordered(std::uint64_t{key} << (kDropped + shift_));
}

double BitHistogram::high_of(std::uint32_t key) const {
    const std::uint64_t next = (std::uint64_t{key} + 1) << (kDropped + shift_);
    return next == 0 ? std::numeric_limits<double>::max() : from_ordered(next);
}

Json BitHistogram::to_json() const {
    Json keys = Json::array();
    Json counts = Json::array();
    std::uint32_t last = 0;
    for (const Bucket& bucket : buckets_) {
        keys.push_back(bucket.key - last);  // differences are short
        counts.push_back(bucket.count);
        last = bucket.key;
    }
    return Json::object({{"shift", shift_}, {"keys", std::move(keys)}, {"counts", std::move(counts)}});
}

namespace {

struct HistogramWire {
    std::uint32_t shift = 0;
    std::vector<std::uint32_t> keys;
    std::vector<std::int64_t> counts;
    static constexpr auto fields() {
        return std::tuple{
            Field{"shift", &HistogramWire::shift, "Bits of resolution given up."},
            Field{"keys", &HistogramWire::keys, "Bucket keys, each as the difference to the one before."},
            Field{"counts", &HistogramWire::counts, "Values per bucket."},
        };
    }
};

}  // namespace

Result<BitHistogram> BitHistogram::from_json(const Json& json) {
    GYRE_TRY(const HistogramWire wire, gyre::from_json<HistogramWire>(json));
    if (wire.shift > kShiftMax || wire.keys.size() != wire.counts.size() ||
        wire.keys.size() > kHistogramBucketsMax) {
        return invalid_argument(
            "histogram: expected a shift of at most 16 and as many counts as keys, at most " +
            std::to_string(kHistogramBucketsMax));
    }
    BitHistogram out;
    out.shift_ = wire.shift;
    std::uint64_t key = 0;
    for (std::size_t i = 0; i < wire.keys.size(); ++i) {
        key += wire.keys[i];
        const bool ordered = i == 0 || wire.keys[i] > 0;
        if (!ordered || key >= (std::uint64_t{1} << (kKeyBits - wire.shift)) || wire.counts[i] < 1 ||
            wire.counts[i] > std::numeric_limits<std::int64_t>::max() / 2 - out.total_) {
            return invalid_argument("histogram: bucket " + std::to_string(i) + " is out of order or range");
        }
        out.buckets_.push_back({static_cast<std::uint32_t>(key), wire.counts[i]});
        out.total_ += wire.counts[i];
    }
    return out;
}

}  // namespace gyre::stats
