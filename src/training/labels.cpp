#include "training/labels.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "base/text.h"

namespace gyre::training {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

Result<std::vector<std::string>> classes_of(const table::Column& column) {
    std::set<std::string, std::less<>> found;
    for (std::size_t row = 0; row < column.rows() && found.size() <= 2; ++row) {
        if (column.valid(row) && !found.contains(column.text(row))) {
            found.emplace(column.text(row));
        }
    }
    if (found.size() != 2) {
        return invalid_argument(
            "expected a target with two classes, got " +
            (found.size() > 2 ? std::string("more than two (") +
                                    join(std::vector<std::string>(found.begin(), found.end()), ", ") + ")"
                              : std::to_string(found.size())) +
            "; make a target of two classes with SQL, or leave out the rows of the others");
    }
    return std::vector<std::string>(found.begin(), found.end());
}

Result<Labels> text_labels(const table::Column& column, const std::vector<std::string>& classes) {
    Labels out;
    out.classes = classes;
    if (classes.empty()) {
        GYRE_TRY(out.classes, classes_of(column));
    }
    for (std::size_t row = 0; row < column.rows(); ++row) {
        if (!column.valid(row)) {
            out.values.push_back(kMissing);
            continue;
        }
        const auto place = std::find(out.classes.begin(), out.classes.end(), column.text(row));
        if (place == out.classes.end()) {
            return invalid_argument("the target has the value '" + std::string(column.text(row)) +
                                    "', expected one of " + join(out.classes, ", "));
        }
        out.values.push_back(static_cast<double>(place - out.classes.begin()));
    }
    return out;
}

}  // namespace

Result<Labels> read_labels(const table::Column& column, TrainTask task,
                           const std::vector<std::string>& classes) {
    const bool classify = task == TrainTask::classification;
    if (column.type() == table::ColumnType::timestamp ||
        (column.type() == table::ColumnType::text && !classify)) {
        return invalid_argument("expected a target of numbers, got " + std::string(name_of(column.type())));
    }
    if (column.type() == table::ColumnType::text) {
        return text_labels(column, classes);
    }
    Labels out;
    for (std::size_t row = 0; row < column.rows(); ++row) {
        const double value = column.number(row);
        const bool good =
            std::isnan(value) || (classify ? value == 0.0 || value == 1.0 : std::isfinite(value));
        if (!good) {
            return invalid_argument(std::string("expected a target of ") +
                                    (classify ? "0 and 1" : "finite numbers") + ", row " +
                                    std::to_string(row + 1) + " has " + column.display(row) +
                                    (classify ? "; other numbers are predicted by the task regression" : ""));
        }
        out.values.push_back(value);
    }
    return out;
}

}  // namespace gyre::training
