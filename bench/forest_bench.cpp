// Adapter: XGBoost's C API, as the peer that the forest is measured against.
//
// forest_bench [TREES] [DEPTH] [FEATURES] [CATEGORIES] [SAVE]: trains one XGBoost model on random data,
// checks that both predict the same, and prints the time of one row and of a batch of 10,000 rows on one
// thread; then what encoding from raw values, kTextColumns of them texts, adds. SAVE: a file that gets the
// model as JSON. Defaults: 100 6 14 0.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <string>
#include <vector>

#include <xgboost/c_api.h>

#include "base/rng.h"
#include "model/encoder.h"
#include "model/xgboost.h"

using namespace gyre;

namespace {

constexpr std::size_t kBatchRows = 10'000;
constexpr std::size_t kTrainRows = 20'000;
constexpr std::uint64_t kCodes = 50;
constexpr std::size_t kTextColumns = 5;

struct Shape {
    std::string trees = "100";
    std::string depth = "6";
    std::size_t features = 14;
    std::size_t categories = 0;
};

void check(int code) {
    if (code != 0) {
        std::fprintf(stderr, "xgboost: %s\n", XGBGetLastError());
        std::exit(1);
    }
}

std::vector<float> random_rows(Rng& rng, std::size_t rows, const Shape& shape) {
    std::vector<float> out(rows * shape.features);
    for (std::size_t i = 0; i < out.size(); ++i) {
        const bool category = i % shape.features < shape.categories;
        const auto value =
            static_cast<float>(category ? static_cast<double>(rng.below(kCodes)) : rng.normal());
        out[i] = rng.uniform() < 0.05 ? std::numeric_limits<float>::quiet_NaN() : value;
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

BoosterHandle train(Rng& rng, const Shape& shape) {
    const std::vector<float> rows = random_rows(rng, kTrainRows, shape);
    const std::vector<float> labels = labels_of(rng, rows, shape.features);
    DMatrixHandle data = nullptr;
    check(XGDMatrixCreateFromMat(rows.data(), kTrainRows, shape.features, std::nanf(""), &data));
    check(XGDMatrixSetFloatInfo(data, "label", labels.data(), labels.size()));
    std::vector<const char*> types(shape.features, "float");
    std::fill_n(types.begin(), shape.categories, "c");
    check(XGDMatrixSetStrFeatureInfo(data, "feature_type", types.data(), types.size()));
    BoosterHandle booster = nullptr;
    check(XGBoosterCreate(&data, 1, &booster));
    const std::pair<const char*, const char*> params[] = {{"objective", "binary:logistic"},
                                                          {"max_depth", shape.depth.c_str()},
                                                          {"tree_method", "hist"},
                                                          {"nthread", "1"}};
    for (const auto& [name, value] : params) {
        check(XGBoosterSetParam(booster, name, value));
    }
    for (int i = 0; i < std::atoi(shape.trees.c_str()); ++i) {
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

double thread_cpu_us() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) * 1e-3;
}

/// The best of several rounds, in microseconds of this thread's processor time a call, so that other programs
/// on the machine disturb as little as they can. Both libraries work on the calling thread only.
template <class Work>
double best_us(int rounds, int calls, const Work& work) {
    double best = 1e300;
    for (int round = 0; round < rounds; ++round) {
        const double start = thread_cpu_us();
        for (int call = 0; call < calls; ++call) {
            work(call);
        }
        best = std::min(best, (thread_cpu_us() - start) / calls);
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
    times.batch_us_per_row = best_us(40, 1, [&](int) { xgboost_predict(booster, all, &out); }) / kBatchRows;
    return times;
}

Times measure_gyre(const model::Forest& forest, const std::vector<float>& rows, std::size_t features) {
    std::vector<float> out(kBatchRows);
    Times times;
    times.one_row_us = best_us(200, 1000, [&](int call) {
        const auto row = static_cast<std::size_t>(call) % kBatchRows;
        forest.predict({rows.data() + row * features, features}, 1, {out.data() + row, 1});
    });
    times.batch_us_per_row = best_us(40, 1, [&](int) { forest.predict(rows, kBatchRows, out); }) / kBatchRows;
    return times;
}

/// Raw rows as requests bring them: texts in the first columns, numbers in the others.
struct RawRows {
    std::vector<std::string> words;
    std::vector<std::vector<model::TextCell>> texts;
    std::vector<std::vector<double>> numbers;
    std::vector<model::ColumnSpec> columns;

    /// The rows [from, from + n).
    [[nodiscard]] model::RowBatch batch(std::size_t from, std::size_t n) const {
        model::RowBatch out{n, {}};
        for (const auto& column : texts) {
            out.columns.push_back({{}, std::span(column).subspan(from, n)});
        }
        for (const auto& column : numbers) {
            out.columns.push_back({std::span(column).subspan(from, n), {}});
        }
        return out;
    }
};

RawRows raw_rows(Rng& rng, std::size_t features) {
    RawRows out;
    for (std::uint64_t code = 0; code < kCodes; ++code) {
        out.words.push_back("carrier-" + std::to_string(code));
    }
    for (std::size_t i = 0; i < features; ++i) {
        const bool text = i < kTextColumns;
        out.columns.push_back(
            {"c" + std::to_string(i), text ? model::ColumnType::text : model::ColumnType::number});
        if (text) {
            std::vector<model::TextCell> column;
            for (std::size_t row = 0; row < kBatchRows; ++row) {
                column.push_back({out.words[rng.below(kCodes)], false});
            }
            out.texts.push_back(std::move(column));
        } else {
            std::vector<double> column;
            for (std::size_t row = 0; row < kBatchRows; ++row) {
                column.push_back(rng.normal());
            }
            out.numbers.push_back(std::move(column));
        }
    }
    return out;
}

void check(const Result<void>& done) {
    if (!done) {
        std::fprintf(stderr, "%s\n", done.error().message().c_str());
        std::exit(1);
    }
}

Times measure_encoding(Rng& rng, std::size_t features) {
    const RawRows raw = raw_rows(rng, features);
    const auto encoder = model::Encoder::fit(raw.columns, raw.batch(0, kBatchRows));
    if (!encoder) {
        check(Result<void>(encoder.error()));
    }
    std::vector<model::RowBatch> single;
    for (std::size_t row = 0; row < 1000; ++row) {
        single.push_back(raw.batch(row, 1));
    }
    const model::RowBatch all = raw.batch(0, kBatchRows);
    std::vector<float> out(kBatchRows * features);
    Times times;
    times.one_row_us = best_us(200, 1000, [&](int call) {
        check(encoder->encode(single[static_cast<std::size_t>(call)], std::span(out).first(features)));
    });
    times.batch_us_per_row = best_us(40, 1, [&](int) { check(encoder->encode(all, out)); }) / kBatchRows;
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
    Shape shape;
    shape.trees = argc > 1 ? argv[1] : shape.trees;
    shape.depth = argc > 2 ? argv[2] : shape.depth;
    shape.features = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : shape.features;
    shape.categories = argc > 4 ? std::strtoul(argv[4], nullptr, 10) : shape.categories;
    const std::size_t features = shape.features;
    Rng rng(1);
    const BoosterHandle booster = train(rng, shape);
    bst_ulong length = 0;
    const char* bytes = nullptr;
    check(XGBoosterSaveModelToBuffer(booster, R"({"format":"ubj"})", &length, &bytes));
    const auto loaded = model::load_xgboost({bytes, length});
    if (!loaded) {
        std::fprintf(stderr, "%s\n", loaded.error().message().c_str());
        return 1;
    }
    const std::vector<float> rows = random_rows(rng, kBatchRows, shape);
    int major = 0;
    int minor = 0;
    int patch = 0;
    XGBoostVersion(&major, &minor, &patch);
    std::printf(
        "%s trees of depth %s on %zu features, %zu of them categories (%zu nodes); XGBoost %d.%d.%d, one "
        "thread; largest "
        "difference %.3g\n\n",
        shape.trees.c_str(), shape.depth.c_str(), features, shape.categories, loaded->forest.node_count(),
        major, minor, patch, largest_difference(booster, loaded->forest, rows, features));
    const Times peer = measure_xgboost(booster, rows, features);
    const Times ours = measure_gyre(loaded->forest, rows, features);
    std::printf("| rows | XGBoost, us a row | Gyre, us a row | ratio |\n|---|---|---|---|\n");
    std::printf("| 1 | %.2f | %.3f | %.1f |\n", peer.one_row_us, ours.one_row_us,
                peer.one_row_us / ours.one_row_us);
    std::printf("| %zu | %.3f | %.3f | %.2f |\n", kBatchRows, peer.batch_us_per_row, ours.batch_us_per_row,
                peer.batch_us_per_row / ours.batch_us_per_row);
    const Times encoding = measure_encoding(rng, features);
    std::printf(
        "\nEncoding of raw rows (%zu texts of %llu values, the others numbers): %.3f us for one row, %.4f us "
        "a row of %zu.\n",
        std::min(kTextColumns, features), static_cast<unsigned long long>(kCodes), encoding.one_row_us,
        encoding.batch_us_per_row, kBatchRows);
    if (argc > 5) {
        check(XGBoosterSaveModel(booster, argv[5]));
    }
    check(XGBoosterFree(booster));
    return 0;
}
