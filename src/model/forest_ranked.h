#pragma once
// RankedTrees: complete trees whose splits compare a byte with a byte. A row's value is replaced by its rank,
// the number of the trees' thresholds that it reaches, once for all trees; a split then compares ranks, seven
// of them (three levels of a tree) by one vector instruction. The comparisons come out as those of the floats
// do. Internal to Forest, which builds it from checked trees; immutable then.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "model/forest_levels.h"

namespace gyre::model {

struct RankedTrees {
    /// Binary levels of a block.
    static constexpr std::uint32_t kLevels = 3;
    static constexpr std::uint32_t kWays = 1U << kLevels;
    static constexpr std::size_t kColumnsMax = 64;
    static constexpr std::size_t kGroup = 16;

    /// Up to 255 thresholds of one feature, ascending, and NaN behind them. One with more has several
    /// columns.
    struct alignas(64) Column {
        float every_16th[kGroup];  // the last of each group but the last
        float thresholds[kGroup * kGroup];
        std::uint32_t feature;
    };
    /// Splits breadth first, the last of the eight unused. Right when the row's rank in `column` is `rank` or
    /// more.
    struct Block {
        std::uint8_t rank[kWays];
        std::uint8_t column[kWays];  // and the two flags
    };
    static constexpr std::uint8_t kMissingRight = 1U << 6U;
    static constexpr std::uint8_t kAlwaysLeft = 1U << 7U;  // as where a leaf stands higher up; the rank is 1

    std::size_t trees = 0;
    std::uint32_t depth = 0;  // in blocks
    std::vector<Column> columns;
    std::vector<Block> blocks;           // level by level; number i has children 8i to 8i + 7
    std::vector<float> leaves;           // trees * 8^depth
    std::vector<std::uint32_t> outputs;  // by tree: the margin that it adds to

    [[nodiscard]] std::size_t byte_size() const {
        return columns.size() * sizeof(Column) + blocks.size() * sizeof(Block) +
               leaves.size() * sizeof(float) + outputs.size() * sizeof(std::uint32_t);
    }

    /// Whether the processor can walk them.
    static bool supported();

    /// The same trees; none if that takes more than kColumnsMax columns. The depth of `from` is a multiple of
    /// kLevels; a feature of `features` or more is where missing values go right, and stands for the one
    /// `features` below it.
    static std::optional<RankedTrees> pack(LevelTrees from, std::size_t features);

    /// Adds all trees to the margins of `n` rows: `rows` is [n, features], `out` is [n, margins]. Only where
    /// supported().
    void add_rows(const float* rows, std::size_t features, std::size_t n, std::size_t margins,
                  float* out) const;
};

}  // namespace gyre::model
