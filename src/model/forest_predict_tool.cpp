// gyre_forest_predict MODEL ROWS.csv [margin]: a test tool. Reads rows of floats (no header; an empty cell or
// "nan" is missing) and prints one line of predictions per row, with nine significant digits.
#include <cstdio>
#include <cstdlib>

#include "base/file.h"
#include "base/text.h"
#include "model/xgboost.h"

namespace gyre {
namespace {

Result<void> run(const std::string& model_path, const std::string& rows_path, bool margin) {
    GYRE_TRY(const std::string bytes, read_file(model_path, model::kModelFileBytesMax));
    GYRE_TRY(const model::XgboostModel loaded, model::load_xgboost(bytes));
    const model::Forest& forest = loaded.forest;
    GYRE_TRY(const std::string text, read_file(rows_path));
    std::vector<float> rows;
    std::size_t n = 0;
    for (const std::string_view line : split(trim(text), '\n')) {
        for (const std::string_view cell : split(line, ',')) {
            rows.push_back(cell.empty() ? std::strtof("nan", nullptr)
                                        : std::strtof(std::string(cell).c_str(), nullptr));
        }
        ++n;
    }
    if (rows.size() != n * forest.feature_count()) {
        return invalid_argument("expected rows of " + std::to_string(forest.feature_count()) + " values");
    }
    const std::size_t width = margin ? forest.margin_count() : forest.output_count();
    std::vector<float> out(n * width);
    if (margin) {
        forest.predict_margin(rows, n, out);
    } else {
        forest.predict(rows, n, out);
    }
    for (std::size_t i = 0; i < out.size(); ++i) {
        std::printf("%.9g%c", static_cast<double>(out[i]), (i + 1) % width == 0 ? '\n' : ',');
    }
    return {};
}

}  // namespace
}  // namespace gyre

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fputs("usage: gyre_forest_predict MODEL ROWS.csv [margin]\n", stderr);
        return 2;
    }
    const auto done = gyre::run(argv[1], argv[2], argc > 3);
    if (!done) {
        std::fprintf(stderr, "%s\n", done.error().message().c_str());
        return 1;
    }
    return 0;
}
