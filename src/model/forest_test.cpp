#include "model/forest.h"

#include <cmath>

#include <gmock/gmock.h>

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

TEST(Forest, BoundsTheDepthOfATree) {
    const auto chain = [](std::int32_t splits) {
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
        spec.trees = {tree};
        return Forest::build(spec);
    };
    EXPECT_TRUE(chain(static_cast<std::int32_t>(kForestDepthMax)));
    const auto deeper = chain(static_cast<std::int32_t>(kForestDepthMax) + 1);
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
