#pragma once
// Forest: an ensemble of decision trees as flat arrays, made for prediction.
//
// A row is F float32 features, NaN = missing (category codes are whole numbers). Margin of output k =
// base_margin[k] + the leaf values of its trees, added in order in float32, as XGBoost does; the objective
// then turns margins into predictions. Immutable after `build`, so every method is thread-safe; predicting
// never allocates.
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/fields.h"
#include "base/result.h"
#include "model/forest_levels.h"
#include "model/forest_ranked.h"
#include "model/limits.h"

namespace gyre::model {

/// What a margin becomes. The names are XGBoost's.
enum class Link : std::uint8_t {
    identity,  // reg:squarederror, binary:logitraw, ...
    logistic,  // 1 / (1 + exp(-margin))
    exponent,  // exp(margin): count:poisson, reg:gamma, reg:tweedie
    softmax,   // probabilities over the outputs: multi:softprob
    argmax,    // the index of the largest margin: multi:softmax; one prediction per row
};

enum class Task : std::uint8_t { regression, binary, multiclass };
constexpr auto enum_names(Task) {
    return std::array{EnumName<Task>{Task::regression, "regression"}, EnumName<Task>{Task::binary, "binary"},
                      EnumName<Task>{Task::multiclass, "multiclass"}};
}

/// One tree as loaders read it; node 0 is the root.
struct TreeSpec {
    std::vector<std::int32_t> left;  // -1 = leaf
    std::vector<std::int32_t> right;
    std::vector<std::uint32_t> feature;
    std::vector<float> value;  // numeric split: goes left when x < value; leaf: its value
    std::vector<std::uint8_t> default_left;
    struct CategorySplit {
        std::uint32_t node = 0;
        std::vector<std::uint32_t> right_codes;  // these codes go right, all others left
    };
    std::vector<CategorySplit> categories;  // the nodes that split by category
    std::uint32_t output = 0;
    float weight = 1.0F;  // dart
};

struct ForestSpec {
    std::size_t features = 0;
    std::vector<float> base_margin;  // one per output
    Link link = Link::identity;
    Task task = Task::regression;
    std::vector<TreeSpec> trees;
};

class Forest {
 public:
    /// Checks every index (in range, no node reached twice, depth and counts bounded) and lays the trees out
    /// breadth first. Errors: invalid_argument naming tree and node; resource_exhausted above a bound.
    static Result<Forest> build(const ForestSpec& spec);

    [[nodiscard]] std::size_t feature_count() const { return features_; }
    /// Margins per row.
    [[nodiscard]] std::size_t margin_count() const { return base_margin_.size(); }
    /// Predictions per row: margin_count(), or 1 for argmax.
    [[nodiscard]] std::size_t output_count() const { return link_ == Link::argmax ? 1 : margin_count(); }
    [[nodiscard]] std::size_t tree_count() const { return trees_.size(); }
    [[nodiscard]] std::size_t node_count() const { return node_count_; }
    [[nodiscard]] std::size_t byte_size() const;
    [[nodiscard]] Task task() const { return task_; }
    [[nodiscard]] Link link() const { return link_; }

    /// `rows` is [n, feature_count()] row-major, `out` [n, output_count()]; sizes must match (checked).
    void predict(std::span<const float> rows, std::size_t n, std::span<float> out) const;
    /// The same before the objective's transform; `out` is [n, margin_count()].
    void predict_margin(std::span<const float> rows, std::size_t n, std::span<float> out) const;

 private:
    // 12 bytes, as LinkWalk reads it. A leaf is a node whose threshold is NaN and whose missing values
    // go left to itself, so that walking a fixed number of steps is harmless; its value is in leaf_values_.
    struct Node {
        float threshold;  // categorical: the bits of the set's place in category_sets_
        std::uint32_t feature;
        std::uint32_t left;  // index of the left child, plus the flags below; right = left + 1
    };
    struct Tree {
        std::uint32_t root = 0;
        std::uint32_t depth = 0;
        std::uint32_t output = 0;
    };
    struct Builder;
    /// How trees are read. `numbers`: no category sets, and no flags in `left`; where a missing value goes
    /// right, `feature` names a second half of the row, in which missing values are infinite (`wide_`).
    /// `levels`: the same by levels_ instead of nodes_.
    enum class Walk : std::uint8_t { general, numbers, levels };
    static constexpr std::uint32_t kMissingRight = 1U << 31U;
    static constexpr std::uint32_t kCategorical = 1U << 30U;
    static constexpr std::uint32_t kIndexMask = kCategorical - 1;
    template <bool kCategories>
    struct LinkWalk;
    struct LevelWalk;

    void choose_walk();
    [[nodiscard]] bool fit_levels(std::uint32_t depth, std::size_t leaves_per_node) const;
    bool build_ranked(std::uint32_t depth);
    void build_levels(std::uint32_t depth);
    template <class Visit>
    void with_walk(const Visit& visit) const;
    void margins(const float* rows, std::size_t stride, std::size_t n, float* out) const;
    void wide_margins(const float* rows, std::size_t n, float* out) const;
    void transform(float* out, std::size_t n) const;

    std::size_t features_ = 0;
    Link link_ = Link::identity;
    Task task_ = Task::regression;
    bool has_categories_ = false;
    Walk walk_ = Walk::general;
    bool wide_ = false;
    std::size_t node_count_ = 0;
    std::vector<float> base_margin_;
    std::vector<Tree> trees_;
    std::vector<Node> nodes_;         // empty with levels_
    std::vector<float> leaf_values_;  // by node
    LevelTrees levels_;
    std::optional<RankedTrees> ranked_;  // instead of both, and of walk_
    std::vector<std::uint32_t>
        category_sets_;  // at a set's place: its words count, then the words; set 0 is empty
};

}  // namespace gyre::model
