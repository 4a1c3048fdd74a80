// Forest::build: from loaded trees to the checked, breadth-first layout.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "model/forest.h"

namespace gyre::model {
namespace {

constexpr std::uint32_t kNoSet = std::numeric_limits<std::uint32_t>::max();

Result<void> check_sizes(const TreeSpec& tree, std::size_t outputs) {
    const std::size_t nodes = tree.left.size();
    if (nodes == 0) {
        return invalid_argument("has no nodes");
    }
    if (tree.right.size() != nodes || tree.feature.size() != nodes || tree.value.size() != nodes ||
        tree.default_left.size() != nodes) {
        return invalid_argument("its lists differ in length (expected " + std::to_string(nodes) + " nodes)");
    }
    if (tree.output >= outputs) {
        return invalid_argument("belongs to output " + std::to_string(tree.output) + ", the model has " +
                                std::to_string(outputs));
    }
    if (!std::isfinite(tree.weight)) {
        return invalid_argument("its weight is not finite");
    }
    return {};
}

}  // namespace

struct Forest::Builder {
    explicit Builder(Forest& target) : forest(target) {}

    Forest& forest;
    const TreeSpec* tree = nullptr;
    std::vector<std::uint32_t> set_of;  // by source node: index into tree->categories
    std::vector<std::uint8_t> visited;  // by source node
    std::vector<std::uint32_t> source;  // by new node of this tree: source node
    std::uint32_t base = 0;             // first new node of this tree

    Result<void> add(const TreeSpec& spec) {
        GYRE_TRY_VOID(check_sizes(spec, forest.base_margin_.size()));
        if (forest.nodes_.size() + spec.left.size() > kForestNodesMax) {
            return resource_exhausted("a forest may have at most " + std::to_string(kForestNodesMax) +
                                      " nodes");
        }
        tree = &spec;
        GYRE_TRY_VOID(index_categories());
        visited.assign(spec.left.size(), 0);
        source.assign(1, 0);
        visited[0] = 1;
        base = static_cast<std::uint32_t>(forest.nodes_.size());
        std::uint32_t depth = 0;
        std::size_t level_end = 1;
        for (std::size_t i = 0; i < source.size(); ++i) {
            if (i == level_end) {
                ++depth;
                level_end = source.size();
                if (depth > kForestDepthMax) {
                    return resource_exhausted("is deeper than " + std::to_string(kForestDepthMax));
                }
            }
            GYRE_TRY_VOID(place(source[i]));
        }
        forest.trees_.push_back({.root = base, .depth = depth, .output = spec.output});
        return {};
    }

    Result<void> index_categories() {
        set_of.assign(tree->left.size(), kNoSet);
        for (std::size_t i = 0; i < tree->categories.size(); ++i) {
            const std::uint32_t node = tree->categories[i].node;
            if (node >= set_of.size()) {
                return invalid_argument("a category split names node " + std::to_string(node) +
                                        ", which does not exist");
            }
            if (set_of[node] != kNoSet) {
                return invalid_argument("node " + std::to_string(node) + " has two category splits");
            }
            set_of[node] = static_cast<std::uint32_t>(i);
        }
        return {};
    }

    Result<void> place(std::uint32_t at) {
        if (tree->left[at] == -1) {
            if (!std::isfinite(tree->value[at])) {
                return invalid_argument("leaf " + std::to_string(at) + ": its value is not finite");
            }
            const auto self = static_cast<std::uint32_t>(forest.nodes_.size());
            forest.nodes_.push_back(
                {.threshold = std::numeric_limits<float>::quiet_NaN(), .feature = 0, .left = self});
            forest.leaf_values_.push_back(tree->value[at] * tree->weight);
            return {};
        }
        if (tree->feature[at] >= forest.features_) {
            return invalid_argument("node " + std::to_string(at) + " splits on feature " +
                                    std::to_string(tree->feature[at]) + ", the model has " +
                                    std::to_string(forest.features_));
        }
        Node node{.threshold = tree->value[at],
                  .feature = tree->feature[at],
                  .left = base + static_cast<std::uint32_t>(source.size())};
        GYRE_TRY_VOID(visit(at, tree->left[at]));
        GYRE_TRY_VOID(visit(at, tree->right[at]));
        if (tree->default_left[at] == 0) {
            node.left |= kMissingRight;
        }
        if (set_of[at] != kNoSet) {
            GYRE_TRY(const std::uint32_t place, add_set(at, tree->categories[set_of[at]].right_codes));
            node.threshold = std::bit_cast<float>(place);
            node.left |= kCategorical;
        } else if (std::isnan(node.threshold)) {
            return invalid_argument("node " + std::to_string(at) + ": its threshold is not a number");
        }
        forest.nodes_.push_back(node);
        forest.leaf_values_.push_back(0.0F);
        return {};
    }

    Result<void> visit(std::uint32_t parent, std::int32_t child) {
        if (child < 0 || static_cast<std::size_t>(child) >= visited.size()) {
            return invalid_argument("node " + std::to_string(parent) + " has child " + std::to_string(child) +
                                    ", expected 0 to " + std::to_string(visited.size() - 1));
        }
        const auto node = static_cast<std::uint32_t>(child);
        if (visited[node] != 0) {
            return invalid_argument("node " + std::to_string(node) +
                                    " is reached twice: the file holds a cycle, not a tree");
        }
        visited[node] = 1;
        source.push_back(node);
        return {};
    }

    Result<std::uint32_t> add_set(std::uint32_t at, const std::vector<std::uint32_t>& codes) {
        std::uint32_t top = 0;
        for (const std::uint32_t code : codes) {
            if (code >= kForestCategoryMax) {
                return invalid_argument("node " + std::to_string(at) + ": category code " +
                                        std::to_string(code) + " is too large");
            }
            top = std::max(top, code);
        }
        const std::size_t place = forest.category_sets_.size();
        const std::uint32_t words = codes.empty() ? 0 : top / 32 + 1;
        forest.has_categories_ = true;
        if (place + words + 1 > kForestCategoryWordsMax) {
            return resource_exhausted("the category sets of the forest are too large");
        }
        forest.category_sets_.push_back(words);
        forest.category_sets_.resize(place + 1 + words, 0);
        for (const std::uint32_t code : codes) {
            forest.category_sets_[place + 1 + code / 32] |= 1U << (code % 32);
        }
        return static_cast<std::uint32_t>(place);
    }
};

Result<Forest> Forest::build(const ForestSpec& spec) {
    if (spec.features == 0 || spec.features > kForestFeaturesMax) {
        return invalid_argument("the model has " + std::to_string(spec.features) +
                                " features, expected 1 to " + std::to_string(kForestFeaturesMax));
    }
    if (spec.base_margin.empty() || spec.base_margin.size() > kForestOutputsMax) {
        return invalid_argument("the model has " + std::to_string(spec.base_margin.size()) +
                                " outputs, expected 1 to " + std::to_string(kForestOutputsMax));
    }
    if (spec.trees.size() > kForestTreesMax) {
        return resource_exhausted("a forest may have at most " + std::to_string(kForestTreesMax) + " trees");
    }
    for (const float margin : spec.base_margin) {
        if (!std::isfinite(margin)) {
            return invalid_argument("the base score gives a margin that is not finite");
        }
    }
    Forest forest;
    forest.features_ = spec.features;
    forest.link_ = spec.link;
    forest.task_ = spec.task;
    forest.base_margin_ = spec.base_margin;
    forest.category_sets_.push_back(0);  // set 0, for numeric nodes
    Builder builder(forest);
    for (std::size_t i = 0; i < spec.trees.size(); ++i) {
        if (auto added = builder.add(spec.trees[i]); !added) {
            return std::move(added).error().context("tree " + std::to_string(i));
        }
    }
    forest.category_sets_.push_back(0);  // an empty last set has a word that can be read
    forest.choose_walk();
    forest.nodes_.shrink_to_fit();
    forest.leaf_values_.shrink_to_fit();
    return forest;
}

/// Without category sets the nodes become simple enough for Walk::numbers or Walk::levels.
void Forest::choose_walk() {
    node_count_ = nodes_.size();
    if (has_categories_ || features_ > kForestWideFeaturesMax) {
        return;
    }
    walk_ = Walk::numbers;
    for (Node& node : nodes_) {
        if ((node.left & kMissingRight) != 0) {
            node.left &= kIndexMask;
            node.feature += static_cast<std::uint32_t>(features_);
            wide_ = true;
        }
    }
    std::uint32_t depth = 0;
    for (const Tree& tree : trees_) {
        depth = std::max(depth, tree.depth);
    }
    if (build_ranked(depth)) {
        wide_ = false;
    } else if (fit_levels(depth, kForestLevelsLeavesMax)) {
        build_levels(depth);
        walk_ = Walk::levels;
    } else {
        return;
    }
    nodes_.clear();
    leaf_values_.clear();
}

/// Whether complete trees of this depth take little more room than the nodes that are there.
bool Forest::fit_levels(std::uint32_t depth, std::size_t leaves_per_node) const {
    return depth <= kForestLevelsMax && (trees_.size() << depth) <= leaves_per_node * nodes_.size();
}

/// False: the trees or the processor are not made for it.
bool Forest::build_ranked(std::uint32_t depth) {
    constexpr std::uint32_t kLevels = RankedTrees::kLevels;
    const std::uint32_t whole_blocks = (depth + kLevels - 1) / kLevels * kLevels;
    if (!RankedTrees::supported() || !fit_levels(whole_blocks, kForestRankedLeavesMax)) {
        return false;
    }
    build_levels(whole_blocks);
    ranked_ = RankedTrees::pack(std::move(levels_), features_);
    levels_ = {};
    return ranked_.has_value();
}

void Forest::build_levels(std::uint32_t depth) {
    levels_.trees = trees_.size();
    levels_.depth = depth;
    for (const Tree& tree : trees_) {
        levels_.outputs.push_back(tree.output);
    }
    constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
    const std::size_t trees = trees_.size();
    levels_.splits.assign(trees * ((std::size_t{1} << levels_.depth) - 1), {.threshold = kNan, .feature = 0});
    std::vector<std::uint32_t> level;  // the node at each place, kNone below a leaf's left end
    constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
    for (const Tree& tree : trees_) {
        level.push_back(tree.root);
    }
    for (std::uint32_t at = 0; at < depth; ++at) {
        LevelTrees::Split* splits = levels_.splits.data() + trees * ((std::size_t{1} << at) - 1);
        std::vector<std::uint32_t> next(level.size() * 2, kNone);
        for (std::size_t i = 0; i < level.size(); ++i) {
            if (level[i] == kNone) {
                continue;
            }
            const Node& node = nodes_[level[i]];
            next[2 * i] = node.left;  // a leaf's is the leaf itself
            if (node.left != level[i]) {
                splits[i] = {.threshold = node.threshold, .feature = node.feature};
                next[2 * i + 1] = node.left + 1;
            }
        }
        level = std::move(next);
    }
    for (const std::uint32_t leaf : level) {
        levels_.leaves.push_back(leaf == kNone ? 0.0F : leaf_values_[leaf]);
    }
}

std::size_t Forest::byte_size() const {
    return nodes_.size() * sizeof(Node) + leaf_values_.size() * sizeof(float) + trees_.size() * sizeof(Tree) +
           levels_.splits.size() * sizeof(LevelTrees::Split) + levels_.leaves.size() * sizeof(float) +
           levels_.outputs.size() * sizeof(std::uint32_t) + (ranked_ ? ranked_->byte_size() : 0) +
           category_sets_.size() * sizeof(std::uint32_t);
}

}  // namespace gyre::model
