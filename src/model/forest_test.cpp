#include "model/forest.h"

#include <cmath>

#include <gmock/gmock.h>

#include "base/rng.h"
#include "model/test_support.h"

namespace gyre::model {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

/// feature 0 < 0.5 ? 1 : (feature 1 < 2 ? 10 : 100); missing goes right, then left.
TreeSpec small_tree() {
    return {.left = {1, -1, 3, -1, -1},
            .right = {2, -1, 4, -1, -1},
            .feature = {0, 0, 1, 0, 0},
            .value = {0.5F, 1.0F, 2.0F, 10.0F, 100.0F},
            .default_left = {0, 0, 1, 0, 0},
            .categories = {},
            .output = 0,
            .weight = 1.0F};
}

ForestSpec small_forest(std::size_t trees = 1) {
    return {.features = 2,
            .base_margin = {0.25F},
            .link = Link::identity,
            .task = Task::regression,
            .trees = std::vector<TreeSpec>(trees, small_tree())};
}

float predict_one(const Forest& forest, std::vector<float> row) {
    float out = 0.0F;
    forest.predict(row, 1, {&out, 1});
    return out;
}

TEST(Forest, FollowsThresholdsAndDefaultDirections) {
    const auto forest = Forest::build(small_forest());
    ASSERT_TRUE(forest);
    EXPECT_EQ(predict_one(*forest, {0.4F, 9.0F}), 1.25F);
    EXPECT_EQ(predict_one(*forest, {0.5F, 1.9F}), 10.25F) << "x < threshold is strict";
    EXPECT_EQ(predict_one(*forest, {0.5F, 2.0F}), 100.25F);
    EXPECT_EQ(predict_one(*forest, {kNan, kNan}), 10.25F);
    EXPECT_EQ(predict_one(*forest, {kInf, kInf}), 100.25F);
    EXPECT_EQ(predict_one(*forest, {-kInf, kInf}), 1.25F);
}

TEST(Forest, GivesTheSameForOneRowAndForBlocksOfAnySize) {
    ForestSpec spec = small_forest(21);
    for (std::size_t i = 0; i < spec.trees.size(); ++i) {
        spec.trees[i].value[0] = 0.1F * static_cast<float>(i);
        spec.trees[i].weight = 0.7F + 0.01F * static_cast<float>(i);
    }
    const auto forest = Forest::build(spec);
    ASSERT_TRUE(forest);
    std::vector<float> rows;
    for (int i = 0; i < 150; ++i) {
        rows.push_back(i % 7 == 0 ? kNan : 0.02F * static_cast<float>(i));
        rows.push_back(i % 5 == 0 ? kNan : 0.03F * static_cast<float>(i));
    }
    for (const std::size_t n : {0U, 1U, 7U, 8U, 9U, 64U, 65U, 71U, 72U, 128U, 150U}) {
        std::vector<float> out(n);
        forest->predict({rows.data(), n * 2}, n, out);
        for (std::size_t i = 0; i < n; ++i) {
            EXPECT_EQ(out[i], predict_one(*forest, {rows[i * 2], rows[i * 2 + 1]}))
                << n << " rows, row " << i;
        }
    }
}

TEST(Forest, WalksNarrowAndWideRowsAlike) {
    ForestSpec spec = small_forest(11);
    for (const bool missing_goes_left : {true, false}) {
        for (TreeSpec& tree : spec.trees) {
            tree.default_left[0] = missing_goes_left ? 1 : 0;
        }
        spec.features = 2;
        const auto narrow = Forest::build(spec);
        spec.features = kForestWideFeaturesMax + 1;
        const auto wide = Forest::build(spec);
        ASSERT_TRUE(narrow && wide);
        for (const float x : {kNan, -kInf, 0.4F, 0.5F, kInf}) {
            for (const float y : {kNan, -kInf, 1.9F, 2.0F, kInf}) {
                std::vector<float> row(spec.features, kNan);
                row[0] = x;
                row[1] = y;
                const bool left = std::isnan(x) ? missing_goes_left : x < 0.5F;
                const float leaf = left ? 1.0F : y >= 2.0F ? 100.0F : 10.0F;
                EXPECT_EQ(predict_one(*narrow, {x, y}), 0.25F + 11.0F * leaf) << x << " " << y;
                EXPECT_EQ(predict_one(*wide, row), 0.25F + 11.0F * leaf) << x << " " << y;
            }
        }
    }
}

/// A random tree: some nodes of a level become leaves early.
TreeSpec random_tree(Rng& rng, std::uint32_t depth, std::size_t features, std::uint32_t output) {
    TreeSpec tree;
    tree.output = output;
    const auto add = [&](const auto& self, std::uint32_t level) -> std::int32_t {
        const auto at = static_cast<std::int32_t>(tree.left.size());
        const bool leaf = level == depth || (level > 0 && rng.below(8) == 0);
        tree.left.push_back(-1);
        tree.right.push_back(-1);
        tree.feature.push_back(static_cast<std::uint32_t>(rng.below(features)));
        tree.value.push_back(rng.below(20) == 0 ? kInf : static_cast<float>(rng.normal()));
        tree.default_left.push_back(rng.below(2) == 0 ? 1 : 0);
        if (leaf) {
            tree.value.back() = static_cast<float>(rng.normal());
            return at;
        }
        const std::int32_t left = self(self, level + 1);
        const std::int32_t right = self(self, level + 1);
        tree.left[static_cast<std::size_t>(at)] = left;
        tree.right[static_cast<std::size_t>(at)] = right;
        return at;
    };
    add(add, 0);
    return tree;
}

/// As XGBoost's documents say it, and nothing else: what all the layouts must give.
float leaf_of(const TreeSpec& tree, const float* row) {
    std::size_t at = 0;
    while (tree.left[at] != -1) {
        const float x = row[tree.feature[at]];
        const bool left = std::isnan(x) ? tree.default_left[at] != 0 : x < tree.value[at];
        at = static_cast<std::size_t>(left ? tree.left[at] : tree.right[at]);
    }
    return tree.value[at];
}

/// Missing, infinite, any number, or a threshold itself.
float some_value(Rng& rng, const TreeSpec& tree) {
    switch (rng.below(30)) {
        case 0:
            return -kInf;
        case 1:
            return kInf;
        case 2:
        case 3:
        case 4:
            return kNan;
        default:
            return rng.below(2) == 0 ? tree.value[rng.below(tree.value.size())]
                                     : static_cast<float>(rng.normal());
    }
}

TEST(Forest, GivesInEveryLayoutWhatFollowingTheLinksGives) {
    Rng rng(3);
    for (const std::uint32_t depth : {0U, 1U, 3U, 4U, 5U, 6U, 9U, 12U, 13U}) {
        for (const std::size_t features : {1U, 14U, 30U, 50U, 100U, 300U, 600U}) {
            const std::size_t outputs = depth % 2 == 0 ? 1 : 3;
            ForestSpec spec = small_forest(0);
            spec.features = features;
            spec.base_margin.assign(outputs, 0.5F);
            for (std::uint32_t i = 0; i < (depth > 9 ? 2U : 21U); ++i) {
                spec.trees.push_back(
                    random_tree(rng, depth, features, i % static_cast<std::uint32_t>(outputs)));
            }
            const auto forest = Forest::build(spec);
            ASSERT_TRUE(forest) << forest.error().message();
            std::vector<float> rows(75 * features);
            for (float& x : rows) {
                x = some_value(rng, spec.trees[rng.below(spec.trees.size())]);
            }
            for (const std::size_t n : {1U, 8U, 64U, 75U}) {
                std::vector<float> out(n * outputs);
                forest->predict({rows.data(), n * features}, n, out);
                for (std::size_t row = 0; row < n; ++row) {
                    std::vector<float> expected(outputs, 0.5F);
                    for (const TreeSpec& tree : spec.trees) {
                        expected[tree.output] += leaf_of(tree, rows.data() + row * features);
                    }
                    for (std::size_t k = 0; k < outputs; ++k) {
                        ASSERT_EQ(out[row * outputs + k], expected[k])
                            << "depth " << depth << ", " << features << " features, row " << row << " of "
                            << n;
                    }
                }
            }
        }
    }
}

TEST(Forest, SendsListedCategoriesRightAndAllOthersLeft) {
    ForestSpec spec = small_forest();
    spec.trees[0].categories = {{.node = 0, .right_codes = {0, 33}}};
    const auto forest = Forest::build(spec);
    ASSERT_TRUE(forest);
    EXPECT_EQ(predict_one(*forest, {0.0F, 0.0F}), 10.25F);
    EXPECT_EQ(predict_one(*forest, {33.0F, 5.0F}), 100.25F);
    for (const float code : {1.0F, 32.0F, 34.0F, 64.0F, 1e6F, 3e7F, -1.0F, kInf, -kInf}) {
        EXPECT_EQ(predict_one(*forest, {code, 5.0F}), 1.25F) << code;
    }
    EXPECT_EQ(predict_one(*forest, {kNan, 5.0F}), 100.25F) << "missing takes the default direction";
}

TEST(Forest, AppliesTheObjectivesTransform) {
    ForestSpec spec = small_forest();
    spec.link = Link::logistic;
    EXPECT_NEAR(predict_one(*Forest::build(spec), {0.0F, 0.0F}), 1.0 / (1.0 + std::exp(-1.25)), 1e-7);
    spec.base_margin = {-200.0F};
    EXPECT_GE(predict_one(*Forest::build(spec), {0.0F, 0.0F}), 0.0F);
    spec = small_forest();
    spec.link = Link::exponent;
    EXPECT_NEAR(predict_one(*Forest::build(spec), {0.0F, 0.0F}), std::exp(1.25), 1e-6);
    spec.base_margin = {0.0F, 1.0F, 3.0F};
    spec.link = Link::softmax;
    const auto softmax = Forest::build(spec);
    float out[3];
    const float row[2] = {0.0F, 0.0F};
    softmax->predict(row, 1, out);
    EXPECT_NEAR(out[0] + out[1] + out[2], 1.0, 1e-6);
    EXPECT_EQ(out[0], out[1]) << "the tree adds 1 to output 0 only";
    spec.link = Link::argmax;
    EXPECT_EQ(predict_one(*Forest::build(spec), {0.0F, 0.0F}), 2.0F);
}

TEST(Forest, RefusesCyclesSharedNodesAndIndicesOutOfRange) {
    const auto error_of = [](auto change) {
        ForestSpec spec = small_forest();
        change(spec.trees[0]);
        const auto forest = Forest::build(spec);
        return forest ? std::string("accepted") : forest.error().message();
    };
    EXPECT_THAT(error_of([](TreeSpec& t) { t.right[2] = 0; }), testing::HasSubstr("cycle"));
    EXPECT_THAT(error_of([](TreeSpec& t) { t.left[0] = 0; }), testing::HasSubstr("cycle"));
    EXPECT_THAT(error_of([](TreeSpec& t) { t.right[0] = 1; }), testing::HasSubstr("reached twice"));
    EXPECT_THAT(error_of([](TreeSpec& t) { t.right[2] = 5; }),
                testing::HasSubstr("tree 0: node 2 has child 5"));
    EXPECT_THAT(error_of([](TreeSpec& t) { t.right[2] = -1; }), testing::HasSubstr("has child -1"));
    EXPECT_THAT(error_of([](TreeSpec& t) { t.left[2] = -7; }), testing::HasSubstr("has child -7"));
    EXPECT_THAT(error_of([](TreeSpec& t) { t.feature[2] = 2; }), testing::HasSubstr("splits on feature 2"));
    EXPECT_THAT(error_of([](TreeSpec& t) { t.value[1] = kNan; }), testing::HasSubstr("not finite"));
    EXPECT_THAT(error_of([](TreeSpec& t) { t.value[0] = kNan; }), testing::HasSubstr("threshold"));
    EXPECT_THAT(error_of([](TreeSpec& t) { t.value.pop_back(); }), testing::HasSubstr("differ in length"));
    EXPECT_THAT(error_of([](TreeSpec& t) { t.output = 1; }), testing::HasSubstr("output 1"));
    EXPECT_THAT(error_of([](TreeSpec& t) { t.weight = kInf; }), testing::HasSubstr("weight"));
    EXPECT_THAT(error_of([](TreeSpec& t) { t.categories = {{9, {1}}}; }), testing::HasSubstr("node 9"));
    EXPECT_THAT(error_of([](TreeSpec& t) { t.categories = {{0, {1U << 24U}}}; }),
                testing::HasSubstr("too large"));
    EXPECT_THAT(error_of([](TreeSpec& t) { t = {}; }), testing::HasSubstr("no nodes"));
}

/// Trees of which every split has a leaf on its left: as deep as trees of so few nodes can be.
Result<Forest> build_chains(std::int32_t splits, std::size_t trees = 1) {
    TreeSpec tree;
    for (std::int32_t i = 0; i < splits; ++i) {  // node 2i splits into leaf 2i+1 and node 2i+2
        tree.left.insert(tree.left.end(), {2 * i + 1, -1});
        tree.right.insert(tree.right.end(), {2 * i + 2, -1});
    }
    tree.left.push_back(-1);
    tree.right.push_back(-1);
    tree.feature.assign(tree.left.size(), 0);
    tree.value.assign(tree.left.size(), 1.0F);
    tree.default_left.assign(tree.left.size(), 0);
    ForestSpec spec = small_forest(0);
    spec.trees.assign(trees, tree);
    return Forest::build(spec);
}

TEST(Forest, TakesNoMoreRoomThanItsNodesAskFor) {
    constexpr std::size_t kBytesPerNode = 30;
    for (const std::int32_t splits : {1, 4, 6, 12, 13}) {  // complete trees would have up to 2^13 leaves
        const auto forest = build_chains(splits, 100);
        ASSERT_TRUE(forest);
        EXPECT_EQ(forest->node_count(), 100U * (2U * static_cast<unsigned>(splits) + 1));
        EXPECT_LE(forest->byte_size(), kBytesPerNode * forest->node_count()) << splits;
    }
}

TEST(Forest, BoundsTheDepthOfATree) {
    EXPECT_TRUE(build_chains(static_cast<std::int32_t>(kForestDepthMax)));
    const auto deeper = build_chains(static_cast<std::int32_t>(kForestDepthMax) + 1);
    ASSERT_FALSE(deeper);
    EXPECT_EQ(deeper.error().code(), ErrorCode::resource_exhausted);
}

TEST(Forest, BoundsFeaturesAndOutputs) {
    ForestSpec spec = small_forest();
    spec.features = 0;
    EXPECT_FALSE(Forest::build(spec));
    spec.features = kForestFeaturesMax + 1;
    EXPECT_FALSE(Forest::build(spec));
    spec = small_forest();
    spec.base_margin.assign(kForestOutputsMax + 1, 0.0F);
    EXPECT_FALSE(Forest::build(spec));
    spec.base_margin.assign(kForestOutputsMax, 0.0F);
    EXPECT_TRUE(Forest::build(spec));
    spec.base_margin = {kInf};
    EXPECT_FALSE(Forest::build(spec));
}

}  // namespace
}  // namespace gyre::model
