#include "stats/model_metrics.h"

#include <cmath>

#include "base/rng.h"
#include "stats/oracle_test_util.h"

namespace gyre::stats {
namespace {

using Values = std::vector<double>;

TEST(ModelMetrics, agree_with_scikit_learn) {
    const Json oracle = load_oracle();
    for (const Json& item : oracle["classifiers"].items()) {
        const Values y = numbers(item["y"]);
        const Values p = numbers(item["p"]);
        const LabelledRows rows{y, p};
        EXPECT_NEAR(roc_auc(rows)->estimate, item["auc"].as_number(), 1e-12);
        EXPECT_NEAR(brier_score(rows)->estimate, item["brier"].as_number(), 1e-12);
        EXPECT_NEAR(log_loss(rows)->estimate, item["log_loss"].as_number(), 1e-9);
        const auto matrix = confusion_matrix(rows);
        EXPECT_NEAR(matrix->accuracy(), item["accuracy"].as_number(), 1e-12);
        EXPECT_NEAR(matrix->precision(), item["precision"].as_number(), 1e-12);
        EXPECT_NEAR(matrix->recall(), item["recall"].as_number(), 1e-12);
        EXPECT_NEAR(matrix->f1(), item["f1"].as_number(), 1e-12);
        const auto regression = regression_metrics(rows);
        EXPECT_NEAR(regression->mae.estimate, item["mae"].as_number(), 1e-12);
        EXPECT_NEAR(regression->rmse, item["rmse"].as_number(), 1e-12);
        EXPECT_NEAR(regression->r2, item["r2"].as_number(), 1e-9);
    }
}

TEST(RocAuc, its_interval_covers_the_truth) {
    // Two normals one sd apart: AUC = Phi(1 / sqrt 2) = 0.76025.
    Rng rng(8);
    int covered = 0;
    for (int run = 0; run < 1000; ++run) {
        Values y;
        Values s;
        for (int i = 0; i < 300; ++i) {
            y.push_back(i % 5 == 0 ? 1.0 : 0.0);
            s.push_back(rng.normal() + y.back());
        }
        const auto auc = roc_auc({y, s});
        covered += auc->low <= 0.76025 && 0.76025 <= auc->high ? 1 : 0;
    }
    EXPECT_GT(covered, 920);
    EXPECT_LT(covered, 980);
}

TEST(RocAuc, a_perfect_ranking_of_few_rows_is_not_certain) {
    const auto auc = roc_auc({Values{0, 0, 0, 1, 1}, Values{0.1, 0.2, 0.3, 0.8, 0.9}});
    EXPECT_EQ(auc->estimate, 1.0);
    EXPECT_LT(auc->low, 0.2);
    EXPECT_FALSE(roc_auc({Values{1, 1}, Values{0.1, 0.2}}));
}

TEST(RocAuc, binned_counts_are_within_half_the_tied_mass) {
    const std::vector<std::int64_t> positives = {1, 2, 7};
    const std::vector<std::int64_t> negatives = {8, 4, 1};
    EXPECT_NEAR(*roc_auc_binned(positives, negatives), (1 * 4 + 2 * 10 + 7 * 12.5) / 130.0, 1e-12);
    EXPECT_FALSE(roc_auc_binned(positives, std::vector<std::int64_t>{0, 0, 0}));
}

TEST(Calibration, a_calibrated_score_has_a_small_error) {
    Rng rng(9);
    Values y;
    Values p;
    for (int i = 0; i < 20'000; ++i) {
        p.push_back(rng.uniform());
        y.push_back(rng.uniform() < p.back() ? 1.0 : 0.0);
    }
    p.push_back(1.0);
    y.push_back(1.0);
    const auto table = calibration({y, p});
    EXPECT_EQ(table->bins.size(), kCalibrationBins);
    EXPECT_LT(table->ece, 0.02);
    for (double& value : p) {
        value = 1.0 - value;
    }
    EXPECT_GT(calibration({y, p})->ece, 0.4);
}

TEST(ModelMetrics, broken_rows_are_refused_with_the_row) {
    EXPECT_EQ(brier_score({Values{0, 2}, Values{0.5, 0.5}}).error().message(),
              "row 1: expected a label of 0 or 1");
    EXPECT_FALSE(brier_score({Values{0}, Values{1.5}}));
    EXPECT_FALSE(brier_score({Values{0}, Values{}}));
    EXPECT_FALSE(brier_score({Values{}, Values{}}));
    EXPECT_FALSE(regression_metrics({Values{std::nan("")}, Values{1.0}}));
}

TEST(RegressionMetrics, constant_labels_follow_scikit_learn) {
    EXPECT_EQ(regression_metrics({Values{2, 2}, Values{2, 2}})->r2, 1.0);
    EXPECT_EQ(regression_metrics({Values{2, 2}, Values{2, 3}})->r2, 0.0);
}

}  // namespace
}  // namespace gyre::stats
