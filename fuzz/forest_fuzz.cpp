// The XGBoost loaders on hostile bytes: they may refuse, they may not crash, hang or take unbounded memory;
// what they accept must predict.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "model/xgboost.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto loaded = gyre::model::load_xgboost({reinterpret_cast<const char*>(data), size});
    if (!loaded || loaded->forest.tree_count() > 1000) {
        return 0;
    }
    const gyre::model::Forest& forest = loaded->forest;
    constexpr std::size_t kRows = 9;  // one block of eight and one single row
    if (forest.feature_count() > 10'000) {
        return 0;
    }
    std::vector<float> rows(kRows * forest.feature_count());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        rows[i] = i % 5 == 0   ? std::numeric_limits<float>::quiet_NaN()
                  : i % 7 == 0 ? std::numeric_limits<float>::infinity()
                               : static_cast<float>(i % 64) - 2.0F;
    }
    std::vector<float> out(kRows * forest.output_count());
    forest.predict(rows, kRows, out);
    return 0;
}
