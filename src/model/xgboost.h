#pragma once
// Loads what XGBoost 1.7 to 3.x writes with save_model: JSON or UBJSON. Pure functions over bytes.
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/forest.h"

namespace gyre::model {

/// A loaded booster: the trees and what the file says about its columns.
struct XgboostModel {
    Forest forest;
    std::string objective;                   // "binary:logistic"
    std::string version;                     // "3.2.0"; empty when the file has none
    std::vector<std::string> feature_names;  // empty, or one per feature
    std::vector<std::string> feature_types;  // empty, or one per feature: "float", "int", "i", "q", "c"
    /// Empty, or one list per feature: the dictionary of a category column of texts (XGBoost 3.1+ keeps it).
    std::vector<std::vector<std::string>> categories;
};

/// Tells JSON from UBJSON by the first bytes. Errors: invalid_argument for a broken file (truncated, hostile
/// indices, ...), unimplemented for what we do not run (gblinear, several targets, an unknown objective),
/// resource_exhausted above a bound of limits.h.
Result<XgboostModel> load_xgboost(std::string_view bytes);

enum class XgboostFormat : std::uint8_t { json, ubj };
/// The format by the first bytes; invalid_argument when it is neither (such as XGBoost's old binary format).
Result<XgboostFormat> detect_xgboost_format(std::string_view bytes);

}  // namespace gyre::model
