#pragma once
// LevelTrees: trees laid out as complete trees of one depth, level by level, so that a child needs no link
// and a node takes 8 bytes. Internal to Forest, which builds it from checked trees; immutable then.
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gyre::model {

struct LevelTrees {
    struct Split {
        float threshold;  // right when x >= threshold; NaN: always left, as where a leaf stands higher up
        std::uint32_t feature;
    };

    std::size_t trees = 0;
    std::uint32_t depth = 0;
    std::vector<Split> splits;           // trees * (2^depth - 1), see level()
    std::vector<float> leaves;           // trees * 2^depth
    std::vector<std::uint32_t> outputs;  // by tree: the margin that it adds to

    /// The splits of one level, tree by tree: number i has children 2i and 2i + 1 in the next level, or as
    /// leaves.
    [[nodiscard]] const Split* level(std::uint32_t level) const {
        return splits.data() + trees * ((std::size_t{1} << level) - 1);
    }
};

/// Rows that add_rows_by_columns takes together.
inline constexpr std::size_t kColumnLanes = 8;

/// Whether add_rows_by_columns may be called: the processor has AVX2, the trees are deep enough to gain by
/// it, and rows of `stride` values are not too wide.
bool walks_by_columns(const LevelTrees& trees, std::size_t stride);

/// Adds all trees to the margins of `n` rows, a multiple of kColumnLanes: `rows` is [n, stride], `out` is
/// [n, outputs]. The upper levels are done without loads that depend on each other: every split of a level is
/// evaluated for all the rows at once, and the answers of those on the way are kept.
void add_rows_by_columns(const LevelTrees& trees, const float* rows, std::size_t stride, std::size_t n,
                         std::size_t outputs, float* out);

}  // namespace gyre::model
