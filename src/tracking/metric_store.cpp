#include "tracking/metric_store.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <tuple>
#include <unordered_set>

#include "base/digest.h"
#include "tracking/limits.h"

namespace gyre::tracking {

using storage::Blob;
using storage::Reader;
using storage::Statement;
using storage::Transaction;

namespace {

constexpr std::size_t kPointBytes = 24;

void append_u64(std::string& out, std::uint64_t value) {
    for (unsigned shift = 0; shift < 64; shift += 8) {
        out += static_cast<char>((value >> shift) & 0xFFU);
    }
}

std::uint64_t read_u64(const char* bytes) {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < 8; ++i) {
        value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
    }
    return value;
}

void encode(std::string& out, const Point& point) {
    append_u64(out, static_cast<std::uint64_t>(point.timestamp_ms));
    append_u64(out, static_cast<std::uint64_t>(point.step));
    append_u64(out, std::bit_cast<std::uint64_t>(point.value));
}

/// Calls fn(bytes of one point) for each.
template <class Fn>
void each_point(std::string_view bytes, Fn fn) {
    for (; bytes.size() >= kPointBytes; bytes.remove_prefix(kPointBytes)) {
        fn(bytes.substr(0, kPointBytes));
    }
}

Point decode(std::string_view bytes) {
    const char* at = bytes.data();
    return {static_cast<std::int64_t>(read_u64(at)), static_cast<std::int64_t>(read_u64(at + 8)),
            std::bit_cast<double>(read_u64(at + 16))};
}

/// Infinities are kept as the largest finite numbers, every NaN as one, and -0 as 0, so that equal points
/// have equal bytes.
double canonical_value(double value) {
    if (std::isnan(value)) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    constexpr double kMost = std::numeric_limits<double>::max();
    return value == 0 ? 0 : std::clamp(value, -kMost, kMost);
}

struct Series {
    std::int64_t id = 0;  // 0: not stored yet
    Point last;
    std::int64_t points = 0;
    std::string tail;
};

bool is_later(const Point& a, const Point& b) {
    return std::tie(a.step, a.timestamp_ms) > std::tie(b.step, b.timestamp_ms);
}

bool is_latest(const Point& a, const Point& b) {
    const double x = std::isnan(a.value) ? 0 : a.value;
    const double y = std::isnan(b.value) ? 0 : b.value;
    return std::tie(a.step, a.timestamp_ms, x) > std::tie(b.step, b.timestamp_ms, y);
}

struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return hash64(text); }
};
using PointSet = std::unordered_set<std::string, TextHash, std::equal_to<>>;

Result<Series> find_series(Transaction& tx, std::int64_t run, std::string_view key) {
    GYRE_TRY(Statement row,
             tx.query("SELECT id, last_timestamp_ms, last_step, last_value, last_is_nan, points, tail "
                      "FROM metric_series WHERE run = ? AND key = ?",
                      run, key));
    GYRE_TRY(const bool found, row.step());
    if (!found) {
        return Series{};
    }
    const double value = row.integer(4) != 0 ? std::numeric_limits<double>::quiet_NaN() : row.number(3);
    return Series{
        row.integer(0), {row.integer(1), row.integer(2), value}, row.integer(5), std::string(row.blob(6))};
}

/// Takes out of `candidates` what the series holds already. One pass over the blocks that can hold any of
/// them.
Result<void> drop_stored(Transaction& tx, const Series& series, std::int64_t min_step, std::int64_t max_step,
                         PointSet& candidates) {
    const auto drop = [&](std::string_view point) {
        if (const auto found = candidates.find(point); found != candidates.end()) {
            candidates.erase(found);
        }
    };
    each_point(series.tail, drop);
    GYRE_TRY(Statement rows,
             tx.query("SELECT points FROM metric_blocks WHERE series = ? AND min_step <= ? AND "
                      "max_step >= ?",
                      series.id, max_step, min_step));
    for (;;) {
        GYRE_TRY(const bool more, rows.step());
        if (!more || candidates.empty()) {
            return {};
        }
        each_point(rows.blob(0), drop);
    }
}

/// The points that are new, as bytes. A point later than all stored ones cannot be a duplicate, so that the
/// common case looks nothing up.
Result<std::string> fresh_points(Transaction& tx, const Series& series, std::span<const Point> points) {
    const bool single_new = points.size() == 1 && (series.id == 0 || is_later(points[0], series.last));
    std::string out;
    if (single_new) {
        encode(out, points[0]);
        return out;
    }
    PointSet all;
    PointSet doubtful;
    std::int64_t min_step = std::numeric_limits<std::int64_t>::max();
    std::int64_t max_step = std::numeric_limits<std::int64_t>::min();
    std::vector<std::pair<std::string, bool>> order;
    for (const Point& point : points) {
        std::string bytes;
        encode(bytes, point);
        if (!all.insert(bytes).second) {
            continue;
        }
        const bool doubt = series.id != 0 && !is_later(point, series.last);
        if (doubt) {
            doubtful.insert(bytes);
            min_step = std::min(min_step, point.step);
            max_step = std::max(max_step, point.step);
        }
        order.emplace_back(std::move(bytes), doubt);
    }
    if (!doubtful.empty()) {
        GYRE_TRY_VOID(drop_stored(tx, series, min_step, max_step, doubtful));
    }
    for (const auto& [bytes, doubt] : order) {
        if (!doubt || doubtful.contains(bytes)) {
            out += bytes;
        }
    }
    return out;
}

Result<void> insert_block(Transaction& tx, std::int64_t series, std::string_view points) {
    std::int64_t min_step = std::numeric_limits<std::int64_t>::max();
    std::int64_t max_step = std::numeric_limits<std::int64_t>::min();
    each_point(points, [&](std::string_view bytes) {
        const std::int64_t step = decode(bytes).step;
        min_step = std::min(min_step, step);
        max_step = std::max(max_step, step);
    });
    return tx.run("INSERT INTO metric_blocks (series, min_step, max_step, points) VALUES (?, ?, ?, ?)",
                  series, min_step, max_step, Blob{points});
}

Result<void> put_series(Transaction& tx, std::int64_t run, std::string_view key, Series& series) {
    const bool nan = std::isnan(series.last.value);
    const double value = nan ? 0 : series.last.value;
    if (series.id != 0) {
        return tx.run(
            "UPDATE metric_series SET last_timestamp_ms = ?, last_step = ?, last_value = ?, last_is_nan = ?, "
            "points = ?, tail = ? WHERE id = ?",
            series.last.timestamp_ms, series.last.step, value, nan, series.points, Blob{series.tail},
            series.id);
    }
    GYRE_TRY_VOID(tx.run(
        "INSERT INTO metric_series (run, key, last_timestamp_ms, last_step, last_value, last_is_nan, "
        "points, tail) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        run, key, series.last.timestamp_ms, series.last.step, value, nan, series.points, Blob{series.tail}));
    series.id = tx.last_insert_id();
    return {};
}

Result<void> append_series(Transaction& tx, std::int64_t run, std::string_view key,
                           std::span<const Point> points) {
    GYRE_TRY(Series series, find_series(tx, run, key));
    GYRE_TRY(const std::string fresh, fresh_points(tx, series, points));
    if (fresh.empty()) {
        return {};
    }
    bool first = series.id == 0;
    each_point(fresh, [&](std::string_view bytes) {
        const Point point = decode(bytes);
        series.last = first || is_latest(point, series.last) ? point : series.last;
        first = false;
    });
    series.points += static_cast<std::int64_t>(fresh.size() / kPointBytes);
    std::string full = std::move(series.tail);
    full += fresh;
    if (full.size() <= kTailPoints * kPointBytes) {
        series.tail = std::move(full);
        return put_series(tx, run, key, series);
    }
    series.tail.clear();
    GYRE_TRY_VOID(put_series(tx, run, key, series));
    for (std::size_t at = 0; at < full.size(); at += kBlockPoints * kPointBytes) {
        GYRE_TRY_VOID(
            insert_block(tx, series.id, std::string_view(full).substr(at, kBlockPoints * kPointBytes)));
    }
    return {};
}

}  // namespace

Result<void> append_metrics(Transaction& tx, std::int64_t run, std::span<const Metric> metrics) {
    std::vector<const Metric*> order;
    order.reserve(metrics.size());
    for (const Metric& metric : metrics) {
        order.push_back(&metric);
    }
    std::sort(order.begin(), order.end(), [](const Metric* a, const Metric* b) {
        return std::tie(a->key, a) < std::tie(b->key, b);  // within a key, in the order of the batch
    });
    std::vector<Point> points;
    for (std::size_t i = 0; i < order.size();) {
        const std::string& key = order[i]->key;
        points.clear();
        for (; i < order.size() && order[i]->key == key; ++i) {
            points.push_back({order[i]->timestamp_ms, order[i]->step, canonical_value(order[i]->value)});
        }
        GYRE_TRY_VOID(append_series(tx, run, key, points));
    }
    return {};
}

Result<std::vector<Metric>> latest_metrics(Reader& reader, std::int64_t run) {
    GYRE_TRY(Statement rows, reader.query("SELECT key, last_value, last_is_nan, last_timestamp_ms, last_step "
                                          "FROM metric_series WHERE run = ? ORDER BY key",
                                          run));
    std::vector<Metric> out;
    for (;;) {
        GYRE_TRY(const bool more, rows.step());
        if (!more) {
            return out;
        }
        Metric& metric = out.emplace_back();
        metric.key = rows.string(0);
        metric.value = rows.integer(2) != 0 ? std::numeric_limits<double>::quiet_NaN() : rows.number(1);
        metric.timestamp_ms = rows.integer(3);
        metric.step = rows.integer(4);
    }
}

Result<std::vector<Point>> metric_points(Reader& reader, std::int64_t run, std::string_view key) {
    std::vector<Point> out;
    const auto add = [&](std::string_view bytes) { out.push_back(decode(bytes)); };
    GYRE_TRY(Statement series,
             reader.query("SELECT id, tail FROM metric_series WHERE run = ? AND key = ?", run, key));
    GYRE_TRY(const bool found, series.step());
    if (!found) {
        return out;
    }
    GYRE_TRY(Statement blocks, reader.query("SELECT points FROM metric_blocks WHERE series = ? ORDER BY id",
                                            series.integer(0)));
    for (;;) {
        GYRE_TRY(const bool more, blocks.step());
        if (!more) {
            break;
        }
        each_point(blocks.blob(0), add);
    }
    each_point(series.blob(1), add);
    std::sort(out.begin(), out.end(), [](const Point& a, const Point& b) {
        const double x = std::isnan(a.value) ? 0 : a.value;
        const double y = std::isnan(b.value) ? 0 : b.value;
        return std::tie(a.timestamp_ms, a.step, x) < std::tie(b.timestamp_ms, b.step, y);
    });
    return out;
}

}  // namespace gyre::tracking
