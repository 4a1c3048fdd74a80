#include "model/forest_ranked.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace gyre::model {
namespace {

using Block = RankedTrees::Block;
using Column = RankedTrees::Column;

constexpr std::size_t kRanksMax = 255;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// A feature's thresholds, and where its columns begin.
struct Thresholds {
    std::vector<float> values;
    std::size_t first_column = 0;
};
using ThresholdsByFeature = std::map<std::size_t, Thresholds>;

ThresholdsByFeature thresholds_of(const LevelTrees& trees, std::size_t features) {
    ThresholdsByFeature found;
    for (const LevelTrees::Split& split : trees.splits) {
        if (!std::isnan(split.threshold)) {
            found[split.feature % features].values.push_back(split.threshold);
        }
    }
    std::size_t column = 0;
    for (auto& [feature, thresholds] : found) {
        std::vector<float>& values = thresholds.values;
        std::sort(values.begin(), values.end());
        values.erase(std::unique(values.begin(), values.end()), values.end());
        thresholds.first_column = column;
        column += (values.size() + kRanksMax - 1) / kRanksMax;
    }
    return found;
}

void add_columns(std::size_t feature, const std::vector<float>& values, std::vector<Column>& columns) {
    for (std::size_t first = 0; first < values.size(); first += kRanksMax) {
        Column column{};
        column.feature = static_cast<std::uint32_t>(feature);
        std::fill(std::begin(column.thresholds), std::end(column.thresholds), kNan);
        std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(first),
                    std::min(kRanksMax, values.size() - first), column.thresholds);
        for (std::size_t group = 0; group < RankedTrees::kGroup; ++group) {
            column.every_16th[group] = column.thresholds[(group + 1) * RankedTrees::kGroup - 1];
        }
        columns.push_back(column);
    }
}

/// Block number `i` of those that start at binary level `top`.
Block pack_block(const LevelTrees& from, std::uint32_t top, std::size_t i, std::size_t features,
                 const ThresholdsByFeature& thresholds) {
    Block block{};
    std::fill(std::begin(block.rank), std::end(block.rank), std::uint8_t{1});
    std::fill(std::begin(block.column), std::end(block.column), RankedTrees::kAlwaysLeft);
    std::size_t lane = 0;
    for (std::uint32_t level = 0; level < RankedTrees::kLevels; ++level) {
        const LevelTrees::Split* splits = from.level(top + level) + (i << level);
        for (std::size_t k = 0; k < (std::size_t{1} << level); ++k, ++lane) {
            const LevelTrees::Split& split = splits[k];
            if (std::isnan(split.threshold)) {
                continue;
            }
            const Thresholds& all = thresholds.at(split.feature % features);
            const auto below = static_cast<std::size_t>(
                std::lower_bound(all.values.begin(), all.values.end(), split.threshold) - all.values.begin());
            block.rank[lane] = static_cast<std::uint8_t>(below % kRanksMax + 1);
            block.column[lane] = static_cast<std::uint8_t>(
                (all.first_column + below / kRanksMax) |
                (split.feature >= features ? RankedTrees::kMissingRight : std::size_t{0}));
        }
    }
    return block;
}

}  // namespace

std::optional<RankedTrees> RankedTrees::pack(LevelTrees from, std::size_t features) {
    const ThresholdsByFeature thresholds = thresholds_of(from, features);
    RankedTrees to;
    for (const auto& [feature, all] : thresholds) {
        if (all.first_column + (all.values.size() + kRanksMax - 1) / kRanksMax > kColumnsMax) {
            return std::nullopt;
        }
        add_columns(feature, all.values, to.columns);
    }
    to.trees = from.trees;
    to.depth = from.depth / kLevels;
    to.leaves = std::move(from.leaves);
    to.outputs = std::move(from.outputs);
    for (std::uint32_t level = 0; level < to.depth; ++level) {
        const std::size_t blocks = to.trees << (kLevels * level);
        for (std::size_t i = 0; i < blocks; ++i) {
            to.blocks.push_back(pack_block(from, kLevels * level, i, features, thresholds));
        }
    }
    return to;
}

#if defined(__x86_64__)

#define GYRE_AVX2 __attribute__((target("avx2,popcnt")))

namespace {

// Trees that go through a level side by side, before any goes on to the next.
constexpr std::size_t kAbreast = 8;
// Trees that some rows go through before the next ones, so that these stay in the second-level cache.
constexpr std::size_t kTreesTogether = 512;
constexpr std::size_t kRegister = 16;  // ranks in one
constexpr std::size_t kTablesMax = RankedTrees::kColumnsMax / kRegister;

/// The way out of a block, by which of its splits (bit i: split i) send the row right.
constexpr auto kWayOut = [] {
    std::array<std::uint8_t, 128> ways{};
    for (std::uint32_t right = 0; right < ways.size(); ++right) {
        const std::uint32_t first = right & 1U;
        const std::uint32_t second = (right >> (1 + first)) & 1U;
        const std::uint32_t third = (right >> (3 + 2 * first + second)) & 1U;
        ways[right] = static_cast<std::uint8_t>(4 * first + 2 * second + third);
    }
    return ways;
}();

/// A row as ranks; a missing value has rank 0 in `ranks`, 255 in `missing_right`.
struct RankedRow {
    alignas(kRegister) std::uint8_t ranks[RankedTrees::kColumnsMax] = {};
    alignas(kRegister) std::uint8_t missing_right[RankedTrees::kColumnsMax] = {};  // set with has_missing
    bool has_missing = false;
};

/// How many of 16 ascending floats are x or less.
GYRE_AVX2 inline std::uint32_t count_reached(const float* of, __m256 x) {
    const auto low =
        static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(_mm256_load_ps(of), x, _CMP_LE_OQ)));
    const auto high =
        static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(_mm256_load_ps(of + 8), x, _CMP_LE_OQ)));
    return static_cast<std::uint32_t>(__builtin_popcount(low | high << 8U));
}

GYRE_AVX2 inline void rank(const std::vector<Column>& columns, const float* row, RankedRow& out) {
    constexpr std::size_t kGroup = RankedTrees::kGroup;
    __m256 missing = _mm256_setzero_ps();
    std::uint8_t* to = out.ranks;
    for (const Column& column : columns) {
        const __m256 x = _mm256_broadcast_ss(row + column.feature);
        const std::size_t group = count_reached(column.every_16th, x);
        *to++ =
            static_cast<std::uint8_t>(kGroup * group + count_reached(column.thresholds + kGroup * group, x));
        missing = _mm256_or_ps(missing, _mm256_cmp_ps(x, x, _CMP_UNORD_Q));
    }
    out.has_missing = _mm256_movemask_ps(missing) != 0;
    if (out.has_missing) {
        for (std::size_t i = 0; i < columns.size(); ++i) {
            out.missing_right[i] = std::isnan(row[columns[i].feature]) ? kRanksMax : out.ranks[i];
        }
    }
}

/// The ranks that eight splits look at. A shuffle reads bits 0 to 3 of a column's number, and bit 7, which
/// makes it 0; a blend the bit that is shifted to bit 7.
template <std::size_t kTables>
GYRE_AVX2 inline __m128i ranks_at(const __m128i* tables, __m128i column) {
    if constexpr (kTables == 1) {
        return _mm_shuffle_epi8(tables[0], column);
    } else {
        constexpr int kShift = kTables == 2 ? 3 : 2;
        return _mm_blendv_epi8(ranks_at<kTables / 2>(tables, column),
                               ranks_at<kTables / 2>(tables + kTables / 2, column),
                               _mm_slli_epi16(column, kShift));
    }
}

/// A row in registers, as the splits look at it.
template <std::size_t kTables, bool kMissing>
struct Registers {
    __m128i tables[kTables];
    __m128i missing_right[kMissing ? kTables : 1];

    GYRE_AVX2 explicit Registers(const RankedRow& row) {
        for (std::size_t i = 0; i < kTables; ++i) {
            tables[i] = _mm_load_si128(reinterpret_cast<const __m128i*>(row.ranks + kRegister * i));
            if constexpr (kMissing) {
                missing_right[i] =
                    _mm_load_si128(reinterpret_cast<const __m128i*>(row.missing_right + kRegister * i));
            }
        }
    }

    [[nodiscard]] GYRE_AVX2 std::uint32_t way_out(const Block& block) const {
        const __m128i column = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(block.column));
        __m128i x = ranks_at<kTables>(tables, column);
        if constexpr (kMissing) {
            x = _mm_blendv_epi8(x, ranks_at<kTables>(missing_right, column), _mm_slli_epi16(column, 1));
        }
        const __m128i rank = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(block.rank));
        const auto right =
            static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(x, rank), x)));
        return kWayOut.data()[right & 127U];
    }
};

/// Gives `add` the leaves of kTrees trees from `first` on for one row, in order.
template <std::size_t kTrees, class Row, class Add>
GYRE_AVX2 inline void visit_abreast(const RankedTrees& trees, std::size_t first, const Row& row,
                                    const Add& add) {
    std::size_t at[kTrees];
    for (std::size_t i = 0; i < kTrees; ++i) {
        at[i] = first + i;
    }
    const Block* level = trees.blocks.data();
    std::size_t blocks = trees.trees;
    for (std::uint32_t depth = 0; depth < trees.depth; ++depth) {
        for (std::size_t& node : at) {
            node = RankedTrees::kWays * node + row.way_out(level[node]);
        }
        level += blocks;
        blocks *= RankedTrees::kWays;
    }
    for (std::size_t i = 0; i < kTrees; ++i) {
        add(first + i, trees.leaves.data()[at[i]]);
    }
}

template <class Row, class Add>
GYRE_AVX2 inline void visit_leaves(const RankedTrees& trees, std::size_t first, std::size_t end,
                                   const Row& row, const Add& add) {
    for (; first + kAbreast <= end; first += kAbreast) {
        visit_abreast<kAbreast>(trees, first, row, add);
    }
    for (; first < end; ++first) {
        visit_abreast<1>(trees, first, row, add);
    }
}

/// Adds trees `first` to before `end` to the margins of one row. One output is summed in a register.
template <class Row>
GYRE_AVX2 void add_trees(const RankedTrees& trees, std::size_t first, std::size_t end,
                         const RankedRow& ranked, std::size_t margins, float* out) {
    const Row row(ranked);
    if (margins == 1) {
        float sum = *out;
        visit_leaves(trees, first, end, row, [&sum](std::size_t, float leaf) { sum += leaf; });
        *out = sum;
        return;
    }
    const std::uint32_t* outputs = trees.outputs.data();
    visit_leaves(trees, first, end, row, [&](std::size_t tree, float leaf) { out[outputs[tree]] += leaf; });
}

template <std::size_t kTables>
GYRE_AVX2 void add_all(const RankedTrees& trees, const float* rows, std::size_t features, std::size_t n,
                       std::size_t margins, float* out) {
    RankedRow ranked;
    for (std::size_t first = 0; first < trees.trees; first += kTreesTogether) {
        const std::size_t end = std::min(first + kTreesTogether, trees.trees);
        for (std::size_t i = 0; i < n; ++i) {
            rank(trees.columns, rows + i * features, ranked);
            if (ranked.has_missing) {
                add_trees<Registers<kTables, true>>(trees, first, end, ranked, margins, out + i * margins);
            } else {
                add_trees<Registers<kTables, false>>(trees, first, end, ranked, margins, out + i * margins);
            }
        }
    }
}

}  // namespace

bool RankedTrees::supported() {
    static const bool kHasAvx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("popcnt") != 0;
    return kHasAvx2;
}

void RankedTrees::add_rows(const float* rows, std::size_t features, std::size_t n, std::size_t margins,
                           float* out) const {
    if (columns.size() <= kRegister) {
        add_all<1>(*this, rows, features, n, margins, out);
    } else if (columns.size() <= 2 * kRegister) {
        add_all<2>(*this, rows, features, n, margins, out);
    } else {
        add_all<kTablesMax>(*this, rows, features, n, margins, out);
    }
}

#else

bool RankedTrees::supported() {
    return false;
}

void RankedTrees::add_rows(const float*, std::size_t, std::size_t, std::size_t, float*) const {}

#endif

}  // namespace gyre::model
