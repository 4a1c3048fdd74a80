#include "model/xgboost.h"

#include <gmock/gmock.h>

#include "base/rng.h"
#include "model/test_support.h"

namespace gyre::model {
namespace {

constexpr const char* kFixtures[] = {"categorical_onehot_v1",    "dart_v1",     "poisson_v1",
                                     "categorical_partition_v3", "softprob_v3", "softmax_v3",
                                     "gamma_base_score_v3"};

void expect_predictions(const Forest& forest, const Fixture& fixture) {
    std::vector<float> out(fixture.n * forest.output_count());
    ASSERT_EQ(out.size(), fixture.expected.size());
    forest.predict(fixture.rows, fixture.n, out);
    for (std::size_t i = 0; i < out.size(); ++i) {
        EXPECT_NEAR(out[i], fixture.expected[i],
                    1e-6 * std::max(1.0, std::abs(static_cast<double>(fixture.expected[i]))))
            << fixture.origin << ", value " << i;
    }
}

std::string error_of(std::string_view bytes) {
    const auto loaded = load_xgboost(bytes);
    return loaded ? "accepted" : loaded.error().message();
}

/// The fixture's model with one member of an object changed; `path` leads to it.
Json changed(const Fixture& fixture, std::initializer_list<const char*> path, Json value) {
    Json model = fixture.model;
    Json* at = &model;
    for (const char* key : path) {
        at = at->find(key);
        EXPECT_NE(at, nullptr) << key;
    }
    *at = std::move(value);
    return model;
}

TEST(XgboostLoader, PredictsWhatXgboostPredictsFromJson) {
    for (const char* name : kFixtures) {
        const Fixture fixture = load_fixture(name);
        const auto loaded = load_xgboost(fixture.text);
        ASSERT_TRUE(loaded) << name << ": " << loaded.error().message();
        expect_predictions(loaded->forest, fixture);
    }
}

TEST(XgboostLoader, PredictsWhatXgboostPredictsFromUbjson) {
    for (const char* name : kFixtures) {
        const Fixture fixture = load_fixture(name);
        const auto loaded = load_xgboost(to_ubj(fixture.model));
        ASSERT_TRUE(loaded) << name << ": " << loaded.error().message();
        expect_predictions(loaded->forest, fixture);
    }
}

TEST(XgboostLoader, ReadsVersionAndObjective) {
    const auto loaded = load_xgboost(load_fixture("softprob_v3").model.dump());
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->version, "3.2.0");
    EXPECT_EQ(loaded->objective, "multi:softprob");
    EXPECT_EQ(loaded->forest.task(), Task::multiclass);
    EXPECT_EQ(loaded->forest.output_count(), 4U);
    EXPECT_EQ(load_xgboost(load_fixture("dart_v1").model.dump())->version, "1.7.6");
}

TEST(XgboostLoader, TakesTheBaseScoreInBothForms) {
    const Fixture fixture = load_fixture("poisson_v1");
    const auto margin = [&](const char* score) {
        const auto loaded =
            load_xgboost(changed(fixture, {"learner", "learner_model_param", "base_score"}, score).dump());
        EXPECT_TRUE(loaded) << score;
        std::vector<float> out(fixture.n);
        loaded->forest.predict_margin(fixture.rows, fixture.n, out);
        return out[0];
    };
    EXPECT_EQ(margin("5E-1"), margin("[5E-1]"));
    EXPECT_NE(margin("5E-1"), margin("[6E-1]"));
    for (const char* wrong : {"", "[]", "x", "[1,2]", "NaN", "0", "-1", "[5E-1"}) {
        EXPECT_NE(error_of(changed(fixture, {"learner", "learner_model_param", "base_score"}, wrong).dump()),
                  "accepted")
            << wrong;
    }
}

TEST(XgboostLoader, RefusesWhatItDoesNotRunAndNamesIt) {
    const Fixture fixture = load_fixture("poisson_v1");
    const auto objective =
        load_xgboost(changed(fixture, {"learner", "objective", "name"}, "survival:aft").dump());
    ASSERT_FALSE(objective);
    EXPECT_EQ(objective.error().code(), ErrorCode::unimplemented);
    EXPECT_THAT(objective.error().message(), testing::HasSubstr("survival:aft"));
    EXPECT_THAT(error_of(changed(fixture, {"learner", "gradient_booster", "name"}, "gblinear").dump()),
                testing::HasSubstr("gblinear"));
    EXPECT_THAT(error_of(changed(fixture, {"learner", "learner_model_param", "num_target"}, "3").dump()),
                testing::HasSubstr("several targets"));
    EXPECT_THAT(error_of("binf\x01\x02"), testing::HasSubstr("save_model"));
    EXPECT_THAT(error_of(""), testing::HasSubstr("not an XGBoost"));
    EXPECT_THAT(error_of("{\"a\":1}"), testing::HasSubstr("'learner' is missing"));
}

TEST(XgboostLoader, RefusesHostileIndices) {
    const Fixture fixture = load_fixture("categorical_partition_v3");
    const auto with_tree = [&](const char* key, auto change) {
        Json model = fixture.model;
        Json& trees = *model.find("learner")->find("gradient_booster")->find("model")->find("trees");
        change(*trees.items()[0].find(key));
        return error_of(model.dump());
    };
    EXPECT_THAT(with_tree("left_children", [](Json& v) { v.items()[0] = 0; }), testing::HasSubstr("cycle"));
    EXPECT_THAT(with_tree("right_children", [](Json& v) { v.items()[0] = 1'000'000; }),
                testing::HasSubstr("child"));
    EXPECT_THAT(with_tree("right_children", [](Json& v) { v.items()[0] = 1e30; }),
                testing::HasSubstr("range"));
    EXPECT_THAT(with_tree("split_indices", [](Json& v) { v.items()[0] = 9; }),
                testing::HasSubstr("feature 9"));
    EXPECT_THAT(with_tree("split_indices", [](Json& v) { v.items()[0] = 0.5; }), testing::HasSubstr("range"));
    EXPECT_THAT(with_tree("split_conditions", [](Json& v) { v.items().pop_back(); }),
                testing::HasSubstr("split_conditions"));
    EXPECT_THAT(with_tree("categories_segments", [](Json& v) { v.items()[0] = 100'000; }),
                testing::HasSubstr("categories_segments"));
    EXPECT_THAT(with_tree("categories_sizes", [](Json& v) { v.items()[0] = -1; }),
                testing::HasSubstr("categories_sizes"));
    EXPECT_THAT(with_tree("categories_nodes", [](Json& v) { v.items()[0] = 5000; }),
                testing::HasSubstr("categories_nodes"));
    EXPECT_THAT(with_tree("tree_param", [](Json& v) { v.set("size_leaf_vector", "2"); }),
                testing::HasSubstr("vector leaves"));
    EXPECT_THAT(
        error_of(changed(fixture, {"learner", "learner_model_param", "num_feature"}, "4000000000").dump()),
        testing::HasSubstr("features"));
}

TEST(XgboostLoader, RefusesEveryTruncationOfAFile) {
    const Fixture fixture = load_fixture("categorical_partition_v3");
    const std::string json = fixture.model.dump();
    const std::string ubj = to_ubj(fixture.model);
    for (std::size_t size = 0; size + 1 < json.size(); size += 37) {
        ASSERT_NE(error_of(std::string_view(json).substr(0, size)), "accepted") << size;
    }
    for (std::size_t size = 0; size + 1 < ubj.size(); size += 17) {
        ASSERT_NE(error_of(std::string_view(ubj).substr(0, size)), "accepted") << size;
    }
}

TEST(XgboostLoader, SurvivesFlippedBytes) {
    const Fixture fixture = load_fixture("categorical_partition_v3");
    Rng rng(7);
    for (const std::string& good : {fixture.model.dump(), to_ubj(fixture.model)}) {
        for (int i = 0; i < 2000; ++i) {
            std::string bytes = good;
            for (int flips = 0; flips < 3; ++flips) {
                bytes[static_cast<std::size_t>(rng.below(bytes.size()))] = static_cast<char>(rng.below(256));
            }
            if (const auto loaded = load_xgboost(bytes)) {
                std::vector<float> rows(loaded->forest.feature_count(), 0.0F);
                std::vector<float> out(loaded->forest.output_count());
                loaded->forest.predict(rows, 1, out);
            }
        }
    }
}

TEST(XgboostLoader, BoundsNestingAndDeclaredLengths) {
    EXPECT_THAT(error_of("{\"a\":" + std::string(10'000, '[')), testing::HasSubstr("nested too deep"));
    std::string deep = "{L";
    put_big_endian(deep, 1, 8);
    deep += "a" + std::string(10'000, '[');
    EXPECT_THAT(error_of(deep), testing::HasSubstr("nested too deep"));
    std::string huge = "{L";
    put_big_endian(huge, 1, 8);
    huge += "a[$d#L";
    put_big_endian(huge, 1ULL << 62U, 8);
    EXPECT_THAT(error_of(huge), testing::HasSubstr("cannot hold"));
    std::string negative = "{L";
    put_big_endian(negative, ~0ULL, 8);
    EXPECT_THAT(error_of(negative), testing::HasSubstr("cannot hold"));
    std::string many = "{\"a\":[\"x\"";
    for (std::size_t i = 0; i <= kSourceValuesMax; ++i) {
        many += ",{}";
    }
    EXPECT_THAT(error_of(many), testing::HasSubstr("too many values"));
}

}  // namespace
}  // namespace gyre::model
