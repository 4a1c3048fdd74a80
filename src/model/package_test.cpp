#include "model/package.h"

#include <cmath>

#include <gmock/gmock.h>

#include "model/test_support.h"

namespace gyre::model {
namespace {

using testing::HasSubstr;

/// f0..f8 of the fixtures, column f2 as text with the categories c0..c4.
Encoder fixture_encoder() {
    std::vector<ColumnSpec> columns;
    std::vector<EncoderSpec> specs;
    for (int i = 0; i < 9; ++i) {
        const std::string name = "f" + std::to_string(i);
        columns.push_back({name, i == 2 ? ColumnType::text : ColumnType::number, i == 8});
        specs.push_back({name, i == 2 ? EncoderKind::category : EncoderKind::number, {}});
    }
    specs[2].categories = {"c0", "c1", "c2", "it's", "c4"};
    auto encoder = Encoder::create(columns, specs);
    EXPECT_TRUE(encoder);
    return *std::move(encoder);
}

PackageDraft draft_of(const Fixture& fixture) {
    return {.encoder = fixture_encoder(),
            .classes = {"on time", "late"},
            .booster = to_ubj(fixture.model),
            .xgboost_version = "",
            .input_example = *parse_json(R"({"columns":["f0"],"data":[[1.5]]})"),
            .run_id = "0123456789abcdef0123456789abcdef"};
}

TEST(Package, LoadsWhatItWroteAndPredictsFromRawRows) {
    const Fixture fixture = load_fixture("categorical_partition_v3");
    const TempFolder folder;
    const ManualClock clock(1'700'000'000'000'000);
    ASSERT_TRUE(write_package(folder.path() + "/p", draft_of(fixture), clock));
    const auto predictor = Predictor::open(folder.path() + "/p");
    ASSERT_TRUE(predictor) << predictor.error().message();
    EXPECT_EQ((*predictor)->task(), Task::binary);
    EXPECT_THAT((*predictor)->classes(), testing::ElementsAre("on time", "late"));
    EXPECT_EQ((*predictor)->signature().columns[2].type, ColumnType::text);
    EXPECT_TRUE((*predictor)->signature().columns[8].optional);

    std::vector<std::vector<double>> numbers(9);
    std::vector<TextCell> texts;
    const auto dictionary = fixture_encoder().specs()[2].categories;
    for (std::size_t row = 0; row < fixture.n; ++row) {
        for (std::size_t column = 0; column < 9; ++column) {
            numbers[column].push_back(static_cast<double>(fixture.rows[row * 9 + column]));
        }
        const float code = fixture.rows[row * 9 + 2];
        const bool known = code >= 0.0F && code < 5.0F;
        texts.push_back(
            {known ? std::string_view(dictionary[static_cast<std::size_t>(code)]) : "?", std::isnan(code)});
    }
    RowBatch batch{.rows = fixture.n, .columns = {}};
    for (std::size_t column = 0; column < 9; ++column) {
        batch.columns.push_back({.numbers = numbers[column], .texts = {}});
    }
    batch.columns[2] = {.numbers = {}, .texts = texts};
    std::vector<float> out(fixture.n);
    const auto predicted = (*predictor)->predict(batch, out);
    ASSERT_TRUE(predicted) << predicted.error().message();
    std::size_t compared = 0;
    for (std::size_t row = 0; row < fixture.n; ++row) {
        if (!(fixture.rows[row * 9 + 2] >= 5.0F)) {  // a code beyond the dictionary is missing here
            EXPECT_NEAR(out[row], fixture.expected[row], 1e-6);
            ++compared;
        }
    }
    EXPECT_GE(compared, 5U);
    EXPECT_FALSE((*predictor)->predict(batch, {out.data(), 1}));
}

TEST(Package, DeclaresTheThreeFlavorsAndTheSignature) {
    const TempFolder folder;
    const ManualClock clock(1'700'000'000'000'000);
    ASSERT_TRUE(write_package(folder.path(), draft_of(load_fixture("categorical_partition_v3")), clock));
    const auto info = read_package(folder.path());
    ASSERT_TRUE(info) << info.error().message();
    EXPECT_THAT(info->flavors, testing::UnorderedElementsAre("gyre", "python_function", "xgboost"));
    EXPECT_EQ(info->model_class, "xgboost.core.Booster");
    EXPECT_EQ(info->xgboost_version, "3.2.0");
    EXPECT_EQ(info->signature, info->pipeline.columns);
    EXPECT_EQ(info->mlmodel["utc_time_created"].as_string(), "2023-11-14 22:13:20");
    EXPECT_EQ(info->mlmodel["flavors"]["python_function"]["loader_module"].as_string(), "gyre_sdk.pyfunc");
}

TEST(Package, RefusesFileNamesAndLinksThatLeaveIt) {
    const TempFolder folder;
    const ManualClock clock;
    const std::string inner = folder.path() + "/p";
    ASSERT_TRUE(write_package(inner, draft_of(load_fixture("categorical_partition_v3")), clock));
    const auto mlmodel = read_file(inner + "/MLmodel");
    for (const char* name : {"../secret", "/etc/hostname", "..", ".", "a/b", "gone.json"}) {
        std::string text = *mlmodel;
        text.replace(text.find("pipeline.json"), std::string("pipeline.json").size(), name);
        ASSERT_TRUE(write_file_atomic(inner + "/MLmodel", text));
        EXPECT_FALSE(Predictor::open(inner)) << name;
    }
    ASSERT_TRUE(write_file_atomic(inner + "/MLmodel", *mlmodel));
    ASSERT_TRUE(write_file_atomic(folder.path() + "/outside.ubj", "x"));
    std::filesystem::remove(inner + "/model.ubj");
    std::filesystem::create_symlink(folder.path() + "/outside.ubj", inner + "/model.ubj");
    const auto linked = Predictor::open(inner);
    ASSERT_FALSE(linked);
    EXPECT_THAT(linked.error().message(), HasSubstr("leaves the package"));
}

TEST(Package, RefusesADraftWhoseEncoderDoesNotFitTheBooster) {
    const TempFolder folder;
    const ManualClock clock;
    PackageDraft draft = draft_of(load_fixture("categorical_partition_v3"));
    draft.encoder = *Encoder::create({{"a", ColumnType::number, false}}, {{"a", EncoderKind::number, {}}});
    EXPECT_FALSE(write_package(folder.path() + "/p", draft, clock));
    EXPECT_FALSE(std::filesystem::exists(folder.path() + "/p"));
}

TEST(Package, ServesABareModelFileAsOneTensor) {
    const Fixture fixture = load_fixture("softprob_v3");
    const TempFolder folder;
    const std::string path = folder.path() + "/model.json";
    ASSERT_TRUE(write_file_atomic(path, fixture.model.dump()));
    const auto predictor = Predictor::open(path);
    ASSERT_TRUE(predictor) << predictor.error().message();
    EXPECT_EQ((*predictor)->signature().layout, InputLayout::tensor);
    EXPECT_EQ((*predictor)->signature().columns.size(), 9U);
    EXPECT_EQ((*predictor)->signature().outputs[0].width, 4);
    std::vector<float> out(fixture.n * 4);
    ASSERT_TRUE((*predictor)->predict_encoded(fixture.rows, fixture.n, out));
    EXPECT_NEAR(out[0], fixture.expected[0], 1e-6);
    EXPECT_FALSE((*predictor)->predict_encoded({fixture.rows.data(), 8}, 1, {out.data(), 4}));
}

/// The shape of MLmodel that mlflow 3.17.2 writes (mlflow.xgboost.save_model, model_format ubj).
constexpr std::string_view kMlflowWrote = R"(flavors:
  python_function:
    data: model.json
    env:
      conda: conda.yaml
      virtualenv: python_env.yaml
    loader_module: mlflow.xgboost
    python_version: 3.11.7
  xgboost:
    code: null
    data: model.json
    model_class: xgboost.core.Booster
    model_format: json
    xgb_version: 3.2.0
is_signature_from_type_hint: false
mlflow_version: 3.17.2
model_id: null
model_uuid: b20eec27a6254b4dab25354a0bcac204
signature:
  inputs: '[{"type": "double", "name": "dist", "required": true}, {"type": "string",
    "name": "carrier", "required": true}, {"type": "long", "name": "h", "required":
    true}]'
  outputs: '[{"type": "double", "required": true}]'
  params: null
utc_time_created: '2026-11-23 22:10:29.780428'
)";
/// What XGBoost 3.2.0 saves for a pandas frame with a category column: the dictionary is in "cats".
constexpr std::string_view kBoosterWithDictionary =
    R"({"learner":{"attributes":{},"feature_names":["dist","carrier","h"],"feature_types":["float","c","int"],
"gradient_booster":{"model":{"cats":{"enc":[{"offsets":[],"values":[]},{"offsets":[0,2,4],"values":[68,76,85,65]},
{"offsets":[],"values":[]}],"feature_segments":[0,0,2,2],"sorted_idx":[0,1]},
"gbtree_model_param":{"num_parallel_tree":"1","num_trees":"1"},"tree_info":[0],"trees":[{"categories":[1],
"categories_nodes":[0],"categories_segments":[0],"categories_sizes":[1],"default_left":[0,0,0],"id":0,
"left_children":[1,-1,-1],"right_children":[2,-1,-1],"split_conditions":[0E0,-1E0,1E0],"split_indices":[1,0,0],
"split_type":[1,0,0],"tree_param":{"num_nodes":"3","size_leaf_vector":"1"}}]},"name":"gbtree"},
"learner_model_param":{"base_score":"[5E-1]","num_class":"0","num_feature":"3","num_target":"1"},
"objective":{"name":"binary:logitraw"}},"version":[3,2,0]})";

TEST(Package, ServesWhatMlflowWroteWithTheBoostersOwnDictionary) {
    const TempFolder folder;
    ASSERT_TRUE(write_file_atomic(folder.path() + "/MLmodel", kMlflowWrote));
    ASSERT_TRUE(write_file_atomic(folder.path() + "/model.json", kBoosterWithDictionary));
    const auto predictor = Predictor::open(folder.path());
    ASSERT_TRUE(predictor) << predictor.error().message();
    EXPECT_THAT((*predictor)->encoder().categories(1), testing::ElementsAre("DL", "UA"));
    EXPECT_EQ((*predictor)->signature().columns[2].type, ColumnType::integer);
    const double number[] = {1.0};
    const auto predict = [&](std::string_view carrier) {
        const TextCell cell{carrier, false};
        float out = 0.0F;
        EXPECT_TRUE((*predictor)
                        ->predict({.rows = 1,
                                   .columns = {{.numbers = number, .texts = {}},
                                               {.numbers = {}, .texts = {&cell, 1}},
                                               {.numbers = number, .texts = {}}}},
                                  {&out, 1}));
        return out;
    };
    EXPECT_EQ(predict("DL"), -0.5F);
    EXPECT_EQ(predict("UA"), 1.5F);
    EXPECT_EQ(predict("new"), 1.5F) << "unseen is missing, which goes right here";
}

TEST(Package, ExplainsWhatItCannotServe) {
    const TempFolder folder;
    EXPECT_EQ(Predictor::open(folder.path() + "/none").error().code(), ErrorCode::not_found);
    EXPECT_THAT(Predictor::open(folder.path()).error().message(), HasSubstr("MLmodel"));
    ASSERT_TRUE(write_file_atomic(folder.path() + "/MLmodel", "flavors:\n  sklearn:\n    x: 1\n"));
    EXPECT_EQ(Predictor::open(folder.path()).error().code(), ErrorCode::unimplemented);
    ASSERT_TRUE(write_file_atomic(folder.path() + "/MLmodel", "a: [1"));
    EXPECT_THAT(Predictor::open(folder.path()).error().message(), HasSubstr("MLmodel"));
}

}  // namespace
}  // namespace gyre::model
