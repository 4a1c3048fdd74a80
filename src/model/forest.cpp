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

/// The node after `node` for this row. Without branches: a mispredicted branch costs more than the
/// arithmetic.
template <Forest::Walk kWalk>
std::uint32_t Forest::step(std::uint32_t node, const float* row) const {
    const Node& at = nodes_.data()[node];
    const float x = row[at.feature];
    std::uint32_t right = static_cast<std::uint32_t>(x >= at.threshold);  // 0 for a missing value
    if constexpr (kWalk == Walk::numbers) {
        return at.left + right;
    }
    // XGBoost: a code in the set goes right; any other, also a negative or too large one, goes left. A
    // numeric node looks at set 0, which is empty.
    const std::uint32_t is_category = 0U - ((at.left >> 30U) & 1U);
    const std::uint32_t* set =
        category_sets_.data() + (std::bit_cast<std::uint32_t>(at.threshold) & is_category);
    const std::uint32_t code = category_code(x);
    const auto known = static_cast<std::uint32_t>(code / 32 < set[0]);
    const std::uint32_t in_set = (set[1 + (code / 32) * known] >> (code % 32)) & known;
    right = (right & ~is_category) | (in_set & is_category);
    right |= static_cast<std::uint32_t>(x != x) & (at.left >> 31U);
    return (at.left & kIndexMask) + right;
}

template <Forest::Walk kWalk>
void Forest::row_margins(const float* row, float* out) const {
    std::copy(base_margin_.begin(), base_margin_.end(), out);
    const std::size_t trees = trees_.size();
    std::size_t tree = 0;
    for (; tree + kLanes <= trees; tree += kLanes) {
        std::uint32_t nodes[kLanes];
        std::uint32_t depth = 0;
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            nodes[lane] = trees_.data()[tree + lane].root;
            depth = std::max(depth, trees_.data()[tree + lane].depth);
        }
        for (std::uint32_t level = 0; level < depth; ++level) {
            for (std::uint32_t& node : nodes) {
                node = step<kWalk>(node, row);
            }
        }
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            out[trees_.data()[tree + lane].output] += leaf_values_.data()[nodes[lane]];
        }
    }
    for (; tree < trees; ++tree) {
        std::uint32_t node = trees_.data()[tree].root;
        for (std::uint32_t level = 0; level < trees_.data()[tree].depth; ++level) {
            node = step<kWalk>(node, row);
        }
        out[trees_.data()[tree].output] += leaf_values_.data()[node];
    }
}

template <Forest::Walk kWalk>
void Forest::margins(const float* rows, std::size_t stride, std::size_t n, float* out) const {
    const std::size_t outputs = base_margin_.size();
    std::size_t row = 0;
    for (; row + kLanes <= n; row += std::min(kBlockRows, (n - row) / kLanes * kLanes)) {
        const std::size_t block = std::min(kBlockRows, (n - row) / kLanes * kLanes);
        for (std::size_t i = 0; i < block; ++i) {
            std::copy(base_margin_.begin(), base_margin_.end(), out + (row + i) * outputs);
        }
        for (const Tree& tree : trees_) {
            for (std::size_t i = 0; i < block; i += kLanes) {
                const float* first = rows + (row + i) * stride;
                std::uint32_t nodes[kLanes];
                std::fill(std::begin(nodes), std::end(nodes), tree.root);
                for (std::uint32_t level = 0; level < tree.depth; ++level) {
                    for (std::size_t lane = 0; lane < kLanes; ++lane) {
                        nodes[lane] = step<kWalk>(nodes[lane], first + lane * stride);
                    }
                }
                for (std::size_t lane = 0; lane < kLanes; ++lane) {
                    out[(row + i + lane) * outputs + tree.output] += leaf_values_.data()[nodes[lane]];
                }
            }
        }
    }
    for (; row < n; ++row) {
        row_margins<kWalk>(rows + row * stride, out + row * outputs);
    }
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
        margins<Walk::numbers>(wide, stride, block, out + row * base_margin_.size());
    }
}

void Forest::predict_margin(std::span<const float> rows, std::size_t n, std::span<float> out) const {
    GYRE_CHECK(rows.size() == n * features_, "rows do not have the forest's feature count");
    GYRE_CHECK(out.size() == n * margin_count(), "out does not have the forest's margin count");
    if (walk_ == Walk::general) {
        margins<Walk::general>(rows.data(), features_, n, out.data());
    } else if (wide_) {
        wide_margins(rows.data(), n, out.data());
    } else {
        margins<Walk::numbers>(rows.data(), features_, n, out.data());
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
