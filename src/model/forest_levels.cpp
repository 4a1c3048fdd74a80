#include "model/forest_levels.h"

#include <algorithm>

#if defined(__x86_64__)
#include <immintrin.h>

namespace gyre::model {
namespace {

#define GYRE_AVX2 __attribute__((target("avx2")))

using Split = LevelTrees::Split;

// Levels that are evaluated whole; a fifth would cost as much as walking it.
constexpr std::uint32_t kWholeLevels = 4;
// Floats of the rows that go through all trees together: half of a first-level cache.
constexpr std::size_t kBlockFloats = 4096;
constexpr std::size_t kBlockRows = 64;

/// Of the kLevel-th level: for which of eight rows the split on their way sends them right. `columns` is the
/// rows' feature 0, the next feature lies `pitch` floats behind; `right` are the answers of the levels above.
template <std::uint32_t kLevel>
GYRE_AVX2 inline __m256 goes_right(const Split* splits, const float* columns, std::size_t pitch,
                                   const __m256* right) {
    constexpr std::size_t kSplits = std::size_t{1} << kLevel;
    __m256 at[kSplits];
    for (std::size_t i = 0; i < kSplits; ++i) {
        at[i] = _mm256_cmp_ps(_mm256_loadu_ps(columns + splits[i].feature * pitch),
                              _mm256_set1_ps(splits[i].threshold), _CMP_GE_OQ);
    }
    for (std::uint32_t above = kLevel; above-- > 0;) {
        for (std::size_t i = 0; i < (std::size_t{1} << above); ++i) {
            at[i] = _mm256_blendv_ps(at[2 * i], at[2 * i + 1], right[above]);
        }
    }
    return at[0];
}

/// The numbers in level kWholeLevels that eight rows reach in a tree.
GYRE_AVX2 inline void walk_whole_levels(const LevelTrees& trees, std::size_t tree, const float* columns,
                                        std::size_t pitch, std::uint32_t* reached) {
    __m256 right[kWholeLevels];
    right[0] = goes_right<0>(trees.level(0) + tree, columns, pitch, right);
    right[1] = goes_right<1>(trees.level(1) + 2 * tree, columns, pitch, right);
    right[2] = goes_right<2>(trees.level(2) + 4 * tree, columns, pitch, right);
    right[3] = goes_right<3>(trees.level(3) + 8 * tree, columns, pitch, right);
    __m256i at = _mm256_set1_epi32(static_cast<int>(tree));
    for (const __m256& answer : right) {  // true is -1
        at = _mm256_sub_epi32(_mm256_add_epi32(at, at), _mm256_castps_si256(answer));
    }
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(reached), at);
}

GYRE_AVX2 void add_block(const LevelTrees& trees, const float* rows, std::size_t stride, std::size_t n,
                         std::size_t outputs, float* out) {
    float columns[kBlockFloats];  // NOLINT: what is read is written before
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t f = 0; f < stride; ++f) {
            columns[f * n + i] = rows[i * stride + f];
        }
    }
    for (std::size_t tree = 0; tree < trees.trees; ++tree) {
        float* to = out + trees.outputs.data()[tree];
        for (std::size_t i = 0; i < n; i += kColumnLanes) {
            std::uint32_t at[kColumnLanes];
            walk_whole_levels(trees, tree, columns + i, n, at);
            for (std::uint32_t level = kWholeLevels; level < trees.depth; ++level) {
                const Split* splits = trees.level(level);
                for (std::size_t lane = 0; lane < kColumnLanes; ++lane) {
                    const Split& split = splits[at[lane]];
                    const bool left = !(rows[(i + lane) * stride + split.feature] >= split.threshold);
                    at[lane] = 2 * at[lane] + 1 - static_cast<std::uint32_t>(left);
                }
            }
            for (std::size_t lane = 0; lane < kColumnLanes; ++lane) {
                to[(i + lane) * outputs] += trees.leaves.data()[at[lane]];
            }
        }
    }
}

}  // namespace

bool walks_by_columns(const LevelTrees& trees, std::size_t stride) {
    static const bool kHasAvx2 = __builtin_cpu_supports("avx2") != 0;
    return kHasAvx2 && trees.depth >= kWholeLevels && stride * kColumnLanes <= kBlockFloats;
}

void add_rows_by_columns(const LevelTrees& trees, const float* rows, std::size_t stride, std::size_t n,
                         std::size_t outputs, float* out) {
    const std::size_t fit = std::min(kBlockRows, kBlockFloats / stride / kColumnLanes * kColumnLanes);
    for (std::size_t row = 0; row < n; row += fit) {
        add_block(trees, rows + row * stride, stride, std::min(fit, n - row), outputs, out + row * outputs);
    }
}

}  // namespace gyre::model

#else

namespace gyre::model {

bool walks_by_columns(const LevelTrees&, std::size_t) {
    return false;
}

void add_rows_by_columns(const LevelTrees&, const float*, std::size_t, std::size_t, std::size_t, float*) {}

}  // namespace gyre::model

#endif
