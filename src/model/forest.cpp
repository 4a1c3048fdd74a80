#include "model/forest.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/check.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace gyre::model {
namespace {

// Trees (or rows) walked side by side, so that their loads overlap: a walk is a chain of dependent loads.
constexpr std::size_t kLanes = 8;
// Rows that go through all trees together; their features stay in the first-level cache.
constexpr std::size_t kBlockRows = 64;
// Room for rows with their second half; at least kLanes of the widest fit.
constexpr std::size_t kWideFloats = 2 * kLanes * kForestWideFeaturesMax;

/// A category code as a whole number; what no set can hold (missing, negative, too large) becomes 2^31 or
/// more.
std::uint32_t category_code(float x) {
#if defined(__SSE2__)
    return static_cast<std::uint32_t>(_mm_cvttss_si32(_mm_set_ss(x)));  // out of range gives 2^31
#else
    return x >= 0.0F && x < static_cast<float>(kForestCategoryMax) ? static_cast<std::uint32_t>(x)
                                                                   : 1U << 31U;
#endif
}

/// As XGBoost's common/math.h: the bound keeps exp finite.
float logistic(float margin) {
    constexpr float kEps = 1e-16F;
    return 1.0F / (std::exp(std::min(-margin, 88.7F)) + 1.0F + kEps);
}

/// As XGBoost's Softmax: exponents in float, their sum in double.
void softmax(std::span<float> row) {
    const float top = *std::max_element(row.begin(), row.end());
    double sum = 0.0;
    for (float& value : row) {
        value = std::exp(value - top);
        sum += static_cast<double>(value);
    }
    for (float& value : row) {
        value /= static_cast<float>(sum);
    }
}

}  // namespace

/// Trees by their links. Without kCategories as Walk::numbers says.
template <bool kCategories>
struct Forest::LinkWalk {
    explicit LinkWalk(const Forest& forest)
        : trees(forest.trees_.data()),
          nodes(forest.nodes_.data()),
          leaves(forest.leaf_values_.data()),
          sets(forest.category_sets_.data()) {}

    [[nodiscard]] std::uint32_t depth(std::size_t tree) const { return trees[tree].depth; }
    [[nodiscard]] std::uint32_t start(std::size_t tree) const { return trees[tree].root; }
    [[nodiscard]] const Node* level(std::uint32_t) const { return nodes; }
    [[nodiscard]] float leaf(std::uint32_t node) const { return leaves[node]; }

    /// The node after `node` for this row. Without branches: a mispredicted branch costs more than the
    /// arithmetic.
    [[nodiscard]] std::uint32_t step(const Node* all, std::uint32_t node, const float* row) const {
        const Node& at = all[node];
        const float x = row[at.feature];
        std::uint32_t right = static_cast<std::uint32_t>(x >= at.threshold);  // 0 for a missing value
        if constexpr (!kCategories) {
            return at.left + right;
        }
        // XGBoost: a code in the set goes right; any other, also a negative or too large one, goes left. A
        // numeric node looks at set 0, which is empty.
        const std::uint32_t is_category = 0U - ((at.left >> 30U) & 1U);
        const std::uint32_t* set = sets + (std::bit_cast<std::uint32_t>(at.threshold) & is_category);
        const std::uint32_t code = category_code(x);
        const auto known = static_cast<std::uint32_t>(code / 32 < set[0]);
        const std::uint32_t in_set = (set[1 + (code / 32) * known] >> (code % 32)) & known;
        right = (right & ~is_category) | (in_set & is_category);
        right |= static_cast<std::uint32_t>(x != x) & (at.left >> 31U);
        return (at.left & kIndexMask) + right;
    }

    const Tree* trees;
    const Node* nodes;
    const float* leaves;
    const std::uint32_t* sets;
};

/// Complete trees, level by level.
struct Forest::LevelWalk {
    explicit LevelWalk(const Forest& forest) : trees(forest.levels_), leaves(trees.leaves.data()) {}

    [[nodiscard]] std::uint32_t depth(std::size_t) const { return trees.depth; }
    [[nodiscard]] std::uint32_t start(std::size_t tree) const { return static_cast<std::uint32_t>(tree); }
    [[nodiscard]] const LevelTrees::Split* level(std::uint32_t level) const { return trees.level(level); }
    [[nodiscard]] std::uint32_t step(const LevelTrees::Split* all, std::uint32_t at, const float* row) const {
        // Subtracted rather than added: one instruction then, from the comparison's carry.
        return 2 * at + 1 - static_cast<std::uint32_t>(!(row[all[at].feature] >= all[at].threshold));
    }
    [[nodiscard]] float leaf(std::uint32_t at) const { return leaves[at]; }

    const LevelTrees& trees;
    const float* leaves;
};

template <class Visit>
void Forest::with_walk(const Visit& visit) const {
    switch (walk_) {
        case Walk::general:
            return visit(LinkWalk<true>(*this));
        case Walk::numbers:
            return visit(LinkWalk<false>(*this));
        case Walk::levels:
            return visit(LevelWalk(*this));
    }
}

namespace {

/// Gives `add` the leaf of each tree for one row, in order.
template <class Walk, class Add>
void visit_leaves(const Walk& walk, std::size_t trees, const float* row, const Add& add) {
    std::size_t tree = 0;
    for (; tree + kLanes <= trees; tree += kLanes) {
        std::uint32_t at[kLanes];
        std::uint32_t depth = 0;
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            at[lane] = walk.start(tree + lane);
            depth = std::max(depth, walk.depth(tree + lane));
        }
        for (std::uint32_t level = 0; level < depth; ++level) {
            const auto* all = walk.level(level);
            for (std::uint32_t& node : at) {
                node = walk.step(all, node, row);
            }
        }
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            add(tree + lane, walk.leaf(at[lane]));
        }
    }
    for (; tree < trees; ++tree) {
        std::uint32_t node = walk.start(tree);
        for (std::uint32_t level = 0; level < walk.depth(tree); ++level) {
            node = walk.step(walk.level(level), node, row);
        }
        add(tree, walk.leaf(node));
    }
}

/// Adds the trees to the margins of one row. One output is summed in a register: through memory each of the
/// additions waits for the one before it to be stored.
template <class Walk, class OutputOf>
void add_row(const Walk& walk, std::size_t trees, const OutputOf& output_of, const float* row,
             std::size_t outputs, float* out) {
    if (outputs == 1) {
        float sum = *out;
        visit_leaves(walk, trees, row, [&sum](std::size_t, float leaf) { sum += leaf; });
        *out = sum;
        return;
    }
    visit_leaves(walk, trees, row, [&](std::size_t tree, float leaf) { out[output_of(tree)] += leaf; });
}

/// The same of `n` rows of `stride` features, a multiple of kLanes and few enough to stay in the first-level
/// cache, through one tree after the other. A row has `outputs` margins.
template <class Walk, class OutputOf>
void add_block(const Walk& walk, std::size_t trees, const OutputOf& output_of, const float* rows,
               std::size_t stride, std::size_t n, std::size_t outputs, float* out) {
    for (std::size_t tree = 0; tree < trees; ++tree) {
        const std::uint32_t depth = walk.depth(tree);
        float* to = out + output_of(tree);
        for (std::size_t i = 0; i < n; i += kLanes) {
            const float* first = rows + i * stride;
            std::uint32_t at[kLanes];
            std::fill(std::begin(at), std::end(at), walk.start(tree));
            for (std::uint32_t level = 0; level < depth; ++level) {
                const auto* all = walk.level(level);
                for (std::size_t lane = 0; lane < kLanes; ++lane) {
                    at[lane] = walk.step(all, at[lane], first + lane * stride);
                }
            }
            for (std::size_t lane = 0; lane < kLanes; ++lane) {
                to[(i + lane) * outputs] += walk.leaf(at[lane]);
            }
        }
    }
}

}  // namespace

void Forest::margins(const float* rows, std::size_t stride, std::size_t n, float* out) const {
    const std::size_t outputs = base_margin_.size();
    for (std::size_t i = 0; i < n; ++i) {
        std::copy(base_margin_.begin(), base_margin_.end(), out + i * outputs);
    }
    if (ranked_) {
        ranked_->add_rows(rows, stride, n, outputs, out);
        return;
    }
    std::size_t row = 0;
    if (walk_ == Walk::levels && n >= kColumnLanes && walks_by_columns(levels_, stride)) {
        row = n / kColumnLanes * kColumnLanes;
        add_rows_by_columns(levels_, rows, stride, row, outputs, out);
    }
    with_walk([&](const auto& walk) {
        const Tree* trees = trees_.data();
        const auto output_of = [trees](std::size_t tree) { return trees[tree].output; };
        while (row + kLanes <= n) {
            const std::size_t block = std::min(kBlockRows, (n - row) / kLanes * kLanes);
            add_block(walk, trees_.size(), output_of, rows + row * stride, stride, block, outputs,
                      out + row * outputs);
            row += block;
        }
        for (; row < n; ++row) {
            add_row(walk, trees_.size(), output_of, rows + row * stride, outputs, out + row * outputs);
        }
    });
}

/// Gives each row its second half, where missing values are infinite and so go right at every node.
void Forest::wide_margins(const float* rows, std::size_t n, float* out) const {
    constexpr float kRight = std::numeric_limits<float>::infinity();
    float wide[kWideFloats];  // NOLINT: what is read is written before
    const std::size_t stride = 2 * features_;
    const std::size_t fit = std::min(kBlockRows, kWideFloats / stride / kLanes * kLanes);
    for (std::size_t row = 0; row < n; row += fit) {
        const std::size_t block = std::min(fit, n - row);
        for (std::size_t i = 0; i < block; ++i) {
            const float* from = rows + (row + i) * features_;
            float* to = wide + i * stride;
            for (std::size_t f = 0; f < features_; ++f) {
                to[f] = from[f];
                to[features_ + f] = from[f] == from[f] ? from[f] : kRight;
            }
        }
        margins(wide, stride, block, out + row * base_margin_.size());
    }
}

void Forest::predict_margin(std::span<const float> rows, std::size_t n, std::span<float> out) const {
    GYRE_CHECK(rows.size() == n * features_, "rows do not have the forest's feature count");
    GYRE_CHECK(out.size() == n * margin_count(), "out does not have the forest's margin count");
    if (wide_) {
        wide_margins(rows.data(), n, out.data());
    } else {
        margins(rows.data(), features_, n, out.data());
    }
}

void Forest::transform(float* out, std::size_t n) const {
    const std::size_t outputs = margin_count();
    switch (link_) {
        case Link::identity:
        case Link::argmax:
            return;
        case Link::logistic:
            std::transform(out, out + n * outputs, out, logistic);
            return;
        case Link::exponent:
            std::transform(out, out + n * outputs, out, [](float margin) { return std::exp(margin); });
            return;
        case Link::softmax:
            for (std::size_t row = 0; row < n; ++row) {
                softmax({out + row * outputs, outputs});
            }
            return;
    }
}

void Forest::predict(std::span<const float> rows, std::size_t n, std::span<float> out) const {
    GYRE_CHECK(out.size() == n * output_count(), "out does not have the forest's output count");
    if (link_ != Link::argmax) {
        predict_margin(rows, n, out);
        transform(out.data(), n);
        return;
    }
    GYRE_CHECK(rows.size() == n * features_, "rows do not have the forest's feature count");
    float scratch[kForestOutputsMax];
    const std::span<float> margin(scratch, margin_count());
    for (std::size_t row = 0; row < n; ++row) {
        predict_margin(rows.subspan(row * features_, features_), 1, margin);
        out[row] = static_cast<float>(std::max_element(margin.begin(), margin.end()) - margin.begin());
    }
}

}  // namespace gyre::model
