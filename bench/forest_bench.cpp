// Adapter: XGBoost's C API, as the peer that the forest is measured against.
//
// forest_bench [TREES] [DEPTH] [FEATURES]: trains one XGBoost model on random data, checks that both predict
// the same, and prints the time of one row and of a batch of 10,000 rows on one thread. Defaults: 100 6 14.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include <xgboost/c_api.h>

#include "base/rng.h"
#include "model/xgboost.h"

using namespace gyre;

namespace {

constexpr std::size_t kBatchRows = 10'000;
constexpr std::size_t kTrainRows = 20'000;

void check(int code) {
    if (code != 0) {
        std::fprintf(stderr, "xgboost: %s\n", XGBGetLastError());
        std::exit(1);
    }
}

std::vector<float> random_rows(Rng& rng, std::size_t rows, std::size_t features) {
    std::vector<float> out(rows * features);
    for (float& value : out) {
        value =
            rng.uniform() < 0.05 ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(rng.normal());
    }
    return out;
}

/// Every feature matters, so that trees grow to their full depth.
std::vector<float> labels_of(Rng& rng, const std::vector<float>& rows, std::size_t features) {
    std::vector<float> out;
    for (std::size_t row = 0; row < rows.size() / features; ++row) {
        double score = rng.normal();
        for (std::size_t i = 0; i < features; ++i) {
            const auto x = static_cast<double>(rows[row * features + i]);
            score += std::isnan(x) ? 0.3 : std::sin(2.0 * x + static_cast<double>(i));
        }
        out.push_back(score > 0.0 ? 1.0F : 0.0F);
    }
    return out;
}

BoosterHandle train(Rng& rng, const std::string& trees, const std::string& depth, std::size_t features) {
    const std::vector<float> rows = random_rows(rng, kTrainRows, features);
    const std::vector<float> labels = labels_of(rng, rows, features);
    DMatrixHandle data = nullptr;
    check(XGDMatrixCreateFromMat(rows.data(), kTrainRows, features, std::nanf(""), &data));
    check(XGDMatrixSetFloatInfo(data, "label", labels.data(), labels.size()));
    BoosterHandle booster = nullptr;
    check(XGBoosterCreate(&data, 1, &booster));
    const std::pair<const char*, const char*> params[] = {{"objective", "binary:logistic"},
                                                          {"max_depth", depth.c_str()},
                                                          {"tree_method", "hist"},
                                                          {"nthread", "1"}};
    for (const auto& [name, value] : params) {
        check(XGBoosterSetParam(booster, name, value));
    }
    for (int i = 0; i < std::atoi(trees.c_str()); ++i) {
        check(XGBoosterUpdateOneIter(booster, i, data));
    }
    check(XGDMatrixFree(data));
    return booster;
}

std::string array_interface(const float* rows, std::size_t n, std::size_t features) {
    return R"({"data":[)" + std::to_string(reinterpret_cast<std::uintptr_t>(rows)) + R"(,true],"shape":[)" +
           std::to_string(n) + "," + std::to_string(features) + R"(],"typestr":"<f4","version":3})";
}

/// XGBoosterPredictFromDense, its in-place prediction without a DMatrix.
void xgboost_predict(BoosterHandle booster, const std::string& rows, const float** out) {
    constexpr const char* kConfig = R"({"type":0,"training":false,"iteration_begin":0,"iteration_end":0,)"
                                    R"("strict_shape":false,"missing":NaN,"cache_id":0})";
    const bst_ulong* shape = nullptr;
    bst_ulong dims = 0;
    check(XGBoosterPredictFromDense(booster, rows.c_str(), kConfig, nullptr, &shape, &dims, out));
}

/// The best of several rounds, in microseconds a call: what the machine can do when it is left alone.
template <class Work>
double best_us(int rounds, int calls, const Work& work) {
    double best = 1e300;
    for (int round = 0; round < rounds; ++round) {
        const auto start = std::chrono::steady_clock::now();
        for (int call = 0; call < calls; ++call) {
            work(call);
        }
        const std::chrono::duration<double, std::micro> spent = std::chrono::steady_clock::now() - start;
        best = std::min(best, spent.count() / calls);
    }
    return best;
}

struct Times {
    double one_row_us = 0.0;
    double batch_us_per_row = 0.0;
};

Times measure_xgboost(BoosterHandle booster, const std::vector<float>& rows, std::size_t features) {
    std::vector<std::string> single;
    for (std::size_t i = 0; i < 1000; ++i) {
        single.push_back(array_interface(rows.data() + i * features, 1, features));
    }
    const std::string all = array_interface(rows.data(), kBatchRows, features);
    const float* out = nullptr;
    Times times;
    times.one_row_us = best_us(
        15, 1000, [&](int call) { xgboost_predict(booster, single[static_cast<std::size_t>(call)], &out); });
    times.batch_us_per_row = best_us(15, 3, [&](int) { xgboost_predict(booster, all, &out); }) / kBatchRows;
    return times;
}

Times measure_gyre(const model::Forest& forest, const std::vector<float>& rows, std::size_t features) {
    std::vector<float> out(kBatchRows);
    Times times;
    times.one_row_us = best_us(15, 10'000, [&](int call) {
        const auto row = static_cast<std::size_t>(call) % kBatchRows;
        forest.predict({rows.data() + row * features, features}, 1, {out.data() + row, 1});
    });
    times.batch_us_per_row = best_us(15, 3, [&](int) { forest.predict(rows, kBatchRows, out); }) / kBatchRows;
    return times;
}

double largest_difference(BoosterHandle booster, const model::Forest& forest, const std::vector<float>& rows,
                          std::size_t features) {
    const float* expected = nullptr;
    const std::string all = array_interface(rows.data(), kBatchRows, features);
    xgboost_predict(booster, all, &expected);
    std::vector<float> out(kBatchRows);
    forest.predict(rows, kBatchRows, out);
    double largest = 0.0;
    for (std::size_t i = 0; i < kBatchRows; ++i) {
        largest = std::max(largest, std::abs(static_cast<double>(out[i]) - static_cast<double>(expected[i])));
    }
    return largest;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string trees = argc > 1 ? argv[1] : "100";
    const std::string depth = argc > 2 ? argv[2] : "6";
    const std::size_t features = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 14;
    Rng rng(1);
    const BoosterHandle booster = train(rng, trees, depth, features);
    bst_ulong length = 0;
    const char* bytes = nullptr;
    check(XGBoosterSaveModelToBuffer(booster, R"({"format":"ubj"})", &length, &bytes));
    const auto loaded = model::load_xgboost({bytes, length});
    if (!loaded) {
        std::fprintf(stderr, "%s\n", loaded.error().message().c_str());
        return 1;
    }
    const std::vector<float> rows = random_rows(rng, kBatchRows, features);
    int major = 0;
    int minor = 0;
    int patch = 0;
    XGBoostVersion(&major, &minor, &patch);
    std::printf(
        "%s trees of depth %s on %zu features (%zu nodes); XGBoost %d.%d.%d, one thread; largest "
        "difference %.3g\n\n",
        trees.c_str(), depth.c_str(), features, loaded->forest.node_count(), major, minor, patch,
        largest_difference(booster, loaded->forest, rows, features));
    const Times peer = measure_xgboost(booster, rows, features);
    const Times ours = measure_gyre(loaded->forest, rows, features);
    std::printf("| rows | XGBoost, us a row | Gyre, us a row | ratio |\n|---|---|---|---|\n");
    std::printf("| 1 | %.2f | %.3f | %.1f |\n", peer.one_row_us, ours.one_row_us,
                peer.one_row_us / ours.one_row_us);
    std::printf("| %zu | %.3f | %.3f | %.2f |\n", kBatchRows, peer.batch_us_per_row, ours.batch_us_per_row,
                peer.batch_us_per_row / ours.batch_us_per_row);
    check(XGBoosterFree(booster));
    return 0;
}
