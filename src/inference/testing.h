#pragma once
// For tests of what serves models: the smallest model there is.
#include <string>
#include <string_view>

namespace gyre::inference {

/// XGBoost's document of one leaf of value 1 over one feature, base score 0.5.
inline std::string one_leaf_model(std::string_view objective = "binary:logistic") {
    return std::string(
               R"({"learner":{"gradient_booster":{"model":{"tree_info":[0],"trees":[{"default_left":[0],)"
               R"("left_children":[-1],"right_children":[-1],"split_conditions":[1E0],"split_indices":[0],)"
               R"("tree_param":{"size_leaf_vector":"1"}}]},"name":"gbtree"},"learner_model_param":)"
               R"({"base_score":"5E-1","num_class":"0","num_feature":"1"},"objective":{"name":")")
        .append(objective)
        .append(R"("}},"version":[1,7,6]})");
}

}  // namespace gyre::inference
