#include "stats/model_metrics.h"

#include <algorithm>
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
        EXPECT_NEAR(regression->rmse.estimate, item["rmse"].as_number(), 1e-12);
        EXPECT_NEAR(regression->r2.estimate, item["r2"].as_number(), 1e-9);
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

/// The central 95 % of a statistic over resampled rows: what an interval should be, without its formula.
template <class Statistic>
std::pair<double, double> bootstrap(std::size_t rows, Rng& rng, const Statistic& statistic) {
    std::vector<double> values;
    std::vector<std::size_t> drawn(rows);
    for (int round = 0; round < 4000; ++round) {
        for (std::size_t& row : drawn) {
            row = static_cast<std::size_t>(rng.uniform() * static_cast<double>(rows));
        }
        values.push_back(statistic(drawn));
    }
    std::sort(values.begin(), values.end());
    return {values[100], values[3899]};
}

/// Bounds that differ by less than a tenth of the width.
void expect_like(const Interval& got, const std::pair<double, double>& wanted) {
    const double tenth = 0.1 * (wanted.second - wanted.first);
    EXPECT_NEAR(got.low, wanted.first, tenth);
    EXPECT_NEAR(got.high, wanted.second, tenth);
}

TEST(F1, its_interval_is_what_resampling_says) {
    Rng rng(21);
    Values y;
    Values p;
    for (int i = 0; i < 800; ++i) {
        y.push_back(rng.uniform() < 0.3 ? 1.0 : 0.0);
        p.push_back(rng.uniform() < 0.8 ? y.back() : 1.0 - y.back());
    }
    const Interval interval = confusion_matrix({y, p})->f1_interval();
    expect_like(interval, bootstrap(y.size(), rng, [&](const std::vector<std::size_t>& drawn) {
                    ConfusionMatrix counts;
                    for (const std::size_t row : drawn) {
                        std::int64_t& cell =
                            p[row] > 0.5 ? (y[row] > 0.5 ? counts.true_positives : counts.false_positives)
                                         : (y[row] > 0.5 ? counts.false_negatives : counts.true_negatives);
                        ++cell;
                    }
                    return counts.f1();
                }));
    EXPECT_EQ(interval.n, 800);
}

TEST(F1, its_interval_covers_the_truth_also_of_few_rows) {
    // tp 0.1, fp 0.05, fn 0.1: F1 = 0.2 / 0.35.
    Rng rng(22);
    int covered = 0;
    for (int run = 0; run < 2000; ++run) {
        ConfusionMatrix counts;
        for (int i = 0; i < 120; ++i) {
            const double u = rng.uniform();
            ++(u < 0.1    ? counts.true_positives
               : u < 0.15 ? counts.false_positives
               : u < 0.25 ? counts.false_negatives
                          : counts.true_negatives);
        }
        const Interval interval = counts.f1_interval();
        covered += interval.low <= 0.2 / 0.35 && 0.2 / 0.35 <= interval.high ? 1 : 0;
    }
    EXPECT_GT(covered, 1860);
    EXPECT_LT(covered, 1960);
}

TEST(F1, none_and_all_are_not_certain) {
    const Interval none = ConfusionMatrix{0, 3, 90, 4}.f1_interval();
    EXPECT_EQ(none.estimate, 0.0);
    EXPECT_EQ(none.low, 0.0);
    EXPECT_GT(none.high, 0.3);
    const Interval all = ConfusionMatrix{7, 0, 93, 0}.f1_interval();
    EXPECT_EQ(all.high, 1.0);
    EXPECT_LT(all.low, 0.9);
    const Interval nothing = ConfusionMatrix{0, 0, 50, 0}.f1_interval();
    EXPECT_EQ(nothing.low, 0.0);
    EXPECT_EQ(nothing.high, 1.0);
}

TEST(Rmse, its_interval_is_what_resampling_says) {
    Rng rng(23);
    Values y;
    Values p;
    for (int i = 0; i < 600; ++i) {
        y.push_back(rng.normal());
        p.push_back(y.back() + 0.5 * rng.normal() + 0.2);
    }
    const Interval interval = regression_metrics({y, p})->rmse;
    expect_like(interval, bootstrap(y.size(), rng, [&](const std::vector<std::size_t>& drawn) {
                    double squares = 0.0;
                    for (const std::size_t row : drawn) {
                        squares += (p[row] - y[row]) * (p[row] - y[row]);
                    }
                    return std::sqrt(squares / static_cast<double>(drawn.size()));
                }));
}

TEST(Rmse, its_interval_covers_the_truth) {
    Rng rng(24);
    int covered = 0;
    for (int run = 0; run < 2000; ++run) {
        Values y(150, 0.0);
        Values p;
        for (std::size_t i = 0; i < y.size(); ++i) {
            p.push_back(2.0 * rng.normal());
        }
        const Interval interval = regression_metrics({y, p})->rmse;
        covered += interval.low <= 2.0 && 2.0 <= interval.high ? 1 : 0;
    }
    EXPECT_GT(covered, 1860);
    EXPECT_LT(covered, 1960);
}

TEST(Rmse, one_row_has_no_upper_bound_and_no_error_no_width) {
    const Interval one = regression_metrics({Values{1}, Values{3}})->rmse;
    EXPECT_EQ(one.estimate, 2.0);
    EXPECT_EQ(one.low, 0.0);
    EXPECT_TRUE(std::isinf(one.high));
    const Interval none = regression_metrics({Values{1, 2}, Values{1, 2}})->rmse;
    EXPECT_EQ(none.low, 0.0);
    EXPECT_EQ(none.high, 0.0);
}

TEST(R2, its_interval_is_what_resampling_says) {
    Rng rng(25);
    Values y;
    Values p;
    for (int i = 0; i < 600; ++i) {
        y.push_back(std::exp(0.5 * rng.normal()));  // skewed, as fares and delays are
        p.push_back(1.0 + 0.7 * (y.back() - 1.0) + 0.3 * rng.normal());
    }
    const Interval interval = regression_metrics({y, p})->r2;
    expect_like(interval, bootstrap(y.size(), rng, [&](const std::vector<std::size_t>& drawn) {
                    Values labels;
                    Values predictions;
                    for (const std::size_t row : drawn) {
                        labels.push_back(y[row]);
                        predictions.push_back(p[row]);
                    }
                    return regression_metrics({labels, predictions})->r2.estimate;
                }));
    EXPECT_EQ(interval.n, 600);
}

TEST(R2, its_interval_covers_the_truth_of_good_fits_and_of_useless_ones) {
    Rng rng(26);
    for (const double error : {0.3, 1.0, 1.5}) {  // r2 of 0.91, 0 and -1.25
        int covered = 0;
        for (int run = 0; run < 2000; ++run) {
            Values y;
            Values p;
            for (int i = 0; i < 150; ++i) {
                y.push_back(3.0 + rng.normal());
                p.push_back(y.back() + error * rng.normal());
            }
            const Interval interval = regression_metrics({y, p})->r2;
            covered += interval.low <= 1.0 - error * error && 1.0 - error * error <= interval.high ? 1 : 0;
        }
        EXPECT_GT(covered, 1860) << error;
        EXPECT_LT(covered, 1960) << error;
    }
}

TEST(R2, a_perfect_fit_has_no_width_and_one_row_no_lower_bound) {
    const Interval perfect = regression_metrics({Values{1, 2}, Values{1, 2}})->r2;
    EXPECT_EQ(perfect.low, 1.0);
    EXPECT_EQ(perfect.high, 1.0);
    EXPECT_TRUE(std::isinf(regression_metrics({Values{1}, Values{3}})->r2.low));
}

TEST(RegressionMetrics, constant_labels_follow_scikit_learn) {
    const Interval perfect = regression_metrics({Values{2, 2}, Values{2, 2}})->r2;
    EXPECT_EQ(perfect.estimate, 1.0);
    EXPECT_TRUE(std::isinf(perfect.low));  // labels without spread say nothing
    const Interval none = regression_metrics({Values{2, 2}, Values{2, 3}})->r2;
    EXPECT_EQ(none.estimate, 0.0);
    EXPECT_TRUE(std::isinf(none.low));
    EXPECT_EQ(none.high, 1.0);
}

}  // namespace
}  // namespace gyre::stats
