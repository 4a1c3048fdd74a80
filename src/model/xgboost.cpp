// From a model document to a Forest: what JSON and UBJSON files share.
#include "model/xgboost.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/text.h"
#include "model/source_document.h"

namespace gyre::model {
namespace {

struct ObjectiveInfo {
    std::string_view name;
    Link link;
    Task task;
    Link base_score;  // the link whose inverse turns the base score into a margin
};
constexpr ObjectiveInfo kObjectives[] = {
    {"reg:squarederror", Link::identity, Task::regression, Link::identity},
    {"reg:linear", Link::identity, Task::regression, Link::identity},
    {"reg:squaredlogerror", Link::identity, Task::regression, Link::identity},
    {"reg:pseudohubererror", Link::identity, Task::regression, Link::identity},
    {"reg:absoluteerror", Link::identity, Task::regression, Link::identity},
    {"reg:logistic", Link::logistic, Task::regression, Link::logistic},
    {"binary:logistic", Link::logistic, Task::binary, Link::logistic},
    {"binary:logitraw", Link::identity, Task::binary, Link::identity},
    {"count:poisson", Link::exponent, Task::regression, Link::exponent},
    {"reg:gamma", Link::exponent, Task::regression, Link::exponent},
    {"reg:tweedie", Link::exponent, Task::regression, Link::exponent},
    {"multi:softprob", Link::softmax, Task::multiclass, Link::identity},
    {"multi:softmax", Link::argmax, Task::multiclass, Link::identity},
};

Error missing_member(std::string_view name) {
    return invalid_argument("not an XGBoost model: '" + std::string(name) + "' is missing");
}

Error unimplemented_error(std::string message) {
    return {ErrorCode::unimplemented, std::move(message)};
}

Result<const SourceValue*> member(const SourceValue& object, std::string_view name) {
    const SourceValue* value = object.find(name);
    if (value == nullptr) {
        return missing_member(name);
    }
    return value;
}

Result<std::string> text_member(const SourceValue& object, std::string_view name) {
    GYRE_TRY(const SourceValue* value, member(object, name));
    if (const auto* text = value->as<std::string>()) {
        return *text;
    }
    return invalid_argument("'" + std::string(name) + "' is a " + std::string(value->kind_name()) +
                            ", expected text");
}

/// A parameter: XGBoost writes numbers as texts. `fallback` when it is missing.
Result<std::size_t> count_param(const SourceValue& params, std::string_view name, std::size_t fallback) {
    const SourceValue* value = params.find(name);
    if (value == nullptr) {
        return fallback;
    }
    std::optional<double> number;
    if (const auto* text = value->as<std::string>()) {
        number = parse_number(*text);
    } else if (const auto* plain = value->as<double>()) {
        number = *plain;
    }
    if (!number || !(*number >= 0.0) || *number > 4294967295.0 || *number != std::floor(*number)) {
        return invalid_argument("'" + std::string(name) + "' is no whole number");
    }
    return static_cast<std::size_t>(*number);
}

const SourceValue::Numbers& no_numbers() {
    static const SourceValue::Numbers none;
    return none;
}

/// A list of numbers; empty when the member is missing.
Result<const SourceValue::Numbers*> numbers_or_none(const SourceValue& object, std::string_view name) {
    const SourceValue* value = object.find(name);
    if (value == nullptr) {
        return &no_numbers();
    }
    if (const auto* numbers = value->as<SourceValue::Numbers>()) {
        return numbers;
    }
    return invalid_argument("'" + std::string(name) + "' is a " + std::string(value->kind_name()) +
                            ", expected a list of numbers");
}

Result<const SourceValue::Numbers*> numbers_of(const SourceValue& object, std::string_view name,
                                               std::size_t length) {
    GYRE_TRY(const SourceValue::Numbers* numbers, numbers_or_none(object, name));
    if (numbers->size() != length) {
        return invalid_argument("'" + std::string(name) + "' has " + std::to_string(numbers->size()) +
                                " values, expected " + std::to_string(length));
    }
    return numbers;
}

/// Whole numbers within [min, max] as T.
template <class T>
Result<std::vector<T>> whole_numbers(const SourceValue::Numbers& numbers, std::string_view name, double min,
                                     double max) {
    std::vector<T> out;
    out.reserve(numbers.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const double value = numbers[i];
        if (!(value >= min && value <= max) || value != std::floor(value)) {
            return invalid_argument("'" + std::string(name) + "'[" + std::to_string(i) + "] is out of range");
        }
        out.push_back(static_cast<T>(value));
    }
    return out;
}

std::vector<std::string> texts_or_none(const SourceValue& object, std::string_view name) {
    std::vector<std::string> out;
    const SourceValue* value = object.find(name);
    const auto* list = value == nullptr ? nullptr : value->as<SourceValue::List>();
    if (list != nullptr) {
        for (const SourceValue& item : *list) {
            const auto* text = item.as<std::string>();
            out.push_back(text == nullptr ? std::string() : *text);
        }
    }
    return out;
}

/// base_score: "5E-1" up to 2.x, "[5E-1]" or "[1E-1,2E-1]" in 3.x.
Result<std::vector<float>> parse_base_score(std::string_view text) {
    std::string_view inner = trim(text);
    if (inner.size() >= 2 && inner.front() == '[' && inner.back() == ']') {
        inner = inner.substr(1, inner.size() - 2);
    }
    std::vector<float> out;
    for (const std::string_view part : split(inner, ',')) {
        const std::string_view token = trim(part);
        float value = 0.0F;
        const auto [end, ec] = std::from_chars(token.data(), token.data() + token.size(), value);
        if (ec != std::errc() || end != token.data() + token.size() || !std::isfinite(value)) {
            return invalid_argument("base_score '" + std::string(text.substr(0, 64)) + "' is no number");
        }
        out.push_back(value);
    }
    return out;
}

Result<float> to_margin(float score, Link link) {
    if (link == Link::logistic) {
        if (!(score > 0.0F && score < 1.0F)) {
            return invalid_argument("base_score must be between 0 and 1 for a logistic objective, got " +
                                    std::to_string(score));
        }
        return -std::log(1.0F / score - 1.0F);
    }
    if (link == Link::exponent) {
        if (!(score > 0.0F)) {
            return invalid_argument("base_score must be above 0 for this objective, got " +
                                    std::to_string(score));
        }
        return std::log(score);
    }
    return score;
}

Result<void> read_categories(const SourceValue& source, TreeSpec& tree) {
    GYRE_TRY(const SourceValue::Numbers* nodes, numbers_or_none(source, "categories_nodes"));
    GYRE_TRY(const SourceValue::Numbers* begins, numbers_of(source, "categories_segments", nodes->size()));
    GYRE_TRY(const SourceValue::Numbers* sizes, numbers_of(source, "categories_sizes", nodes->size()));
    GYRE_TRY(const SourceValue::Numbers* all, numbers_or_none(source, "categories"));
    const auto top = static_cast<double>(all->size());
    const auto last_node = static_cast<double>(tree.left.size()) - 1.0;
    GYRE_TRY(const auto node, whole_numbers<std::uint32_t>(*nodes, "categories_nodes", 0.0, last_node));
    GYRE_TRY(const auto begin, whole_numbers<std::size_t>(*begins, "categories_segments", 0.0, top));
    GYRE_TRY(const auto size, whole_numbers<std::size_t>(*sizes, "categories_sizes", 0.0, top));
    GYRE_TRY(const auto codes, whole_numbers<std::uint32_t>(*all, "categories", 0.0,
                                                            static_cast<double>(kForestCategoryMax) - 1.0));
    std::size_t used = 0;
    for (std::size_t i = 0; i < node.size(); ++i) {
        used += size[i];
        if (begin[i] + size[i] > codes.size() || used > codes.size()) {
            return invalid_argument("'categories_segments'[" + std::to_string(i) + "] is out of range");
        }
        const auto first = codes.begin() + static_cast<std::ptrdiff_t>(begin[i]);
        tree.categories.push_back({node[i], {first, first + static_cast<std::ptrdiff_t>(size[i])}});
    }
    return {};
}

/// split_type 1 = by category; the nodes must be those that have a category list.
Result<void> check_split_types(const SourceValue& source, const TreeSpec& tree) {
    GYRE_TRY(const SourceValue::Numbers* types, numbers_or_none(source, "split_type"));
    if (types->empty()) {
        return {};  // before 1.3
    }
    if (types->size() != tree.left.size()) {
        return invalid_argument("'split_type' has " + std::to_string(types->size()) + " values, expected " +
                                std::to_string(tree.left.size()));
    }
    std::size_t by_category = 0;
    for (std::size_t i = 0; i < types->size(); ++i) {
        by_category += tree.left[i] != -1 && (*types)[i] != 0.0 ? 1U : 0U;
    }
    std::size_t lists = 0;
    for (const TreeSpec::CategorySplit& split : tree.categories) {
        lists += tree.left[split.node] != -1 && (*types)[split.node] != 0.0 ? 1U : 0U;
    }
    if (lists != by_category) {
        return invalid_argument("a node splits by category but has no list of categories");
    }
    return {};
}

Result<TreeSpec> read_tree(const SourceValue& source) {
    constexpr double kIntMax = 2147483647.0;
    if (const SourceValue* params = source.find("tree_param")) {
        GYRE_TRY(const std::size_t leaf_size, count_param(*params, "size_leaf_vector", 1));
        if (leaf_size > 1) {
            return unimplemented_error(
                "has vector leaves (multi_strategy=multi_output_tree), which are not supported");
        }
    }
    GYRE_TRY(const SourceValue::Numbers* left, numbers_or_none(source, "left_children"));
    const std::size_t nodes = left->size();
    GYRE_TRY(const SourceValue::Numbers* right, numbers_of(source, "right_children", nodes));
    GYRE_TRY(const SourceValue::Numbers* features, numbers_of(source, "split_indices", nodes));
    GYRE_TRY(const SourceValue::Numbers* conditions, numbers_of(source, "split_conditions", nodes));
    GYRE_TRY(const SourceValue::Numbers* defaults, numbers_of(source, "default_left", nodes));
    TreeSpec tree;
    GYRE_TRY(tree.left, whole_numbers<std::int32_t>(*left, "left_children", -1.0, kIntMax));
    GYRE_TRY(tree.right, whole_numbers<std::int32_t>(*right, "right_children", -1.0, kIntMax));
    GYRE_TRY(tree.feature, whole_numbers<std::uint32_t>(*features, "split_indices", 0.0, kIntMax));
    tree.value.reserve(nodes);
    tree.default_left.reserve(nodes);
    for (std::size_t i = 0; i < nodes; ++i) {
        tree.value.push_back(static_cast<float>((*conditions)[i]));
        tree.default_left.push_back((*defaults)[i] != 0.0 ? 1 : 0);
    }
    GYRE_TRY_VOID(read_categories(source, tree));
    GYRE_TRY_VOID(check_split_types(source, tree));
    return tree;
}

/// The parts of the document that matter.
struct Document {
    const SourceValue* learner = nullptr;
    const SourceValue* params = nullptr;
    const SourceValue* trees = nullptr;    // the gbtree's "model"
    const SourceValue* booster = nullptr;  // with dart's weights
    bool dart = false;
};

Result<Document> find_parts(const SourceValue& root) {
    Document out;
    GYRE_TRY(out.learner, member(root, "learner"));
    GYRE_TRY(out.params, member(*out.learner, "learner_model_param"));
    GYRE_TRY(out.booster, member(*out.learner, "gradient_booster"));
    GYRE_TRY(const std::string name, text_member(*out.booster, "name"));
    const SourceValue* gbtree = out.booster;
    if (name == "dart") {
        out.dart = true;
        GYRE_TRY(gbtree, member(*out.booster, "gbtree"));
    } else if (name != "gbtree") {
        return unimplemented_error("booster '" + name.substr(0, 64) +
                                   "' is not supported; expected gbtree or dart");
    }
    GYRE_TRY(out.trees, member(*gbtree, "model"));
    return out;
}

Result<void> read_trees(const Document& parts, ForestSpec& spec) {
    GYRE_TRY(const SourceValue* trees, member(*parts.trees, "trees"));
    const auto* list = trees->as<SourceValue::List>();
    const auto* empty = trees->as<SourceValue::Numbers>();
    if (list == nullptr && (empty == nullptr || !empty->empty())) {
        return invalid_argument("'trees' is a " + std::string(trees->kind_name()) +
                                ", expected a list of trees");
    }
    const std::size_t count = list == nullptr ? 0 : list->size();
    if (count > kForestTreesMax) {
        return resource_exhausted("a forest may have at most " + std::to_string(kForestTreesMax) + " trees");
    }
    GYRE_TRY(const SourceValue::Numbers* info, numbers_of(*parts.trees, "tree_info", count));
    GYRE_TRY(const auto outputs,
             whole_numbers<std::uint32_t>(*info, "tree_info", 0.0,
                                          static_cast<double>(spec.base_margin.size()) - 1.0));
    const SourceValue::Numbers* weights = &no_numbers();
    if (parts.dart) {
        GYRE_TRY(weights, numbers_of(*parts.booster, "weight_drop", count));
    }
    for (std::size_t i = 0; i < count; ++i) {
        auto tree = read_tree((*list)[i]);
        if (!tree) {
            return std::move(tree).error().context("tree " + std::to_string(i));
        }
        tree->output = outputs[i];
        tree->weight = parts.dart ? static_cast<float>((*weights)[i]) : 1.0F;
        spec.trees.push_back(*std::move(tree));
    }
    return {};
}

Result<const ObjectiveInfo*> find_objective(std::string_view name) {
    std::string known;
    for (const ObjectiveInfo& info : kObjectives) {
        if (info.name == name) {
            return &info;
        }
        known.append(known.empty() ? "" : ", ").append(info.name);
    }
    return unimplemented_error("objective '" + std::string(name.substr(0, 64)) +
                               "' is not supported; supported are " + known);
}

Result<void> read_base_margin(const Document& parts, const ObjectiveInfo& objective, ForestSpec& spec) {
    GYRE_TRY(const std::size_t classes, count_param(*parts.params, "num_class", 0));
    GYRE_TRY(const std::size_t targets, count_param(*parts.params, "num_target", 1));
    if (targets > 1) {
        return unimplemented_error("models with several targets are not supported (num_target is " +
                                   std::to_string(targets) + ")");
    }
    if (classes > kForestOutputsMax) {
        return resource_exhausted("a model may have at most " + std::to_string(kForestOutputsMax) +
                                  " classes");
    }
    if (objective.task == Task::multiclass ? classes < 2 : classes > 1) {
        return invalid_argument("num_class " + std::to_string(classes) + " does not fit objective '" +
                                std::string(objective.name) + "'");
    }
    const std::size_t outputs = std::max<std::size_t>(1, classes);
    GYRE_TRY(const std::string text, text_member(*parts.params, "base_score"));
    GYRE_TRY(std::vector<float> scores, parse_base_score(text));
    if (scores.size() == 1) {
        scores.assign(outputs, scores[0]);
    }
    if (scores.size() != outputs) {
        return invalid_argument("base_score has " + std::to_string(scores.size()) + " values, expected " +
                                std::to_string(outputs));
    }
    for (const float score : scores) {
        GYRE_TRY(const float margin, to_margin(score, objective.base_score));
        spec.base_margin.push_back(margin);
    }
    return {};
}

/// One dictionary: the texts concatenated as bytes in `values`, cut at `offsets`. Other value types give
/// none.
std::vector<std::string> read_dictionary(const SourceValue& encoded) {
    std::vector<std::string> out;
    const SourceValue* offsets = encoded.find("offsets");
    const SourceValue* values = encoded.find("values");
    const auto* cuts = offsets == nullptr ? nullptr : offsets->as<SourceValue::Numbers>();
    const auto* bytes = values == nullptr ? nullptr : values->as<SourceValue::Numbers>();
    if (cuts == nullptr || bytes == nullptr) {
        return out;
    }
    for (std::size_t i = 0; i + 1 < cuts->size(); ++i) {
        const double begin = (*cuts)[i];
        const double end = (*cuts)[i + 1];
        if (!(begin >= 0.0 && begin <= end && end <= static_cast<double>(bytes->size()))) {
            return {};
        }
        std::string text;
        for (auto at = static_cast<std::size_t>(begin); at < static_cast<std::size_t>(end); ++at) {
            const double byte = (*bytes)[at];
            if (!(byte >= -128.0 && byte <= 255.0)) {
                return {};
            }
            text.push_back(static_cast<char>(static_cast<int>(byte)));
        }
        out.push_back(std::move(text));
    }
    return out;
}

std::vector<std::vector<std::string>> read_dictionaries(const SourceValue& trees, std::size_t features) {
    const SourceValue* cats = trees.find("cats");
    const SourceValue* encoded = cats == nullptr ? nullptr : cats->find("enc");
    const auto* list = encoded == nullptr ? nullptr : encoded->as<SourceValue::List>();
    if (list == nullptr || list->size() != features) {
        return {};
    }
    std::vector<std::vector<std::string>> out;
    for (const SourceValue& item : *list) {
        out.push_back(read_dictionary(item));
    }
    return out;
}

std::string read_version(const SourceValue& root) {
    const SourceValue* version = root.find("version");
    const auto* parts = version == nullptr ? nullptr : version->as<SourceValue::Numbers>();
    std::string out;
    if (parts != nullptr && parts->size() == 3) {
        for (const double part : *parts) {
            out.append(out.empty() ? "" : ".")
                .append(std::to_string(static_cast<int>(std::clamp(part, 0.0, 1e6))));
        }
    }
    return out;
}

Result<XgboostModel> to_model(const SourceValue& root) {
    GYRE_TRY(const Document parts, find_parts(root));
    GYRE_TRY(const SourceValue* objective_source, member(*parts.learner, "objective"));
    GYRE_TRY(std::string objective_name, text_member(*objective_source, "name"));
    GYRE_TRY(const ObjectiveInfo* objective, find_objective(objective_name));
    ForestSpec spec;
    spec.link = objective->link;
    spec.task = objective->task;
    GYRE_TRY(spec.features, count_param(*parts.params, "num_feature", 0));
    GYRE_TRY_VOID(read_base_margin(parts, *objective, spec));
    GYRE_TRY_VOID(read_trees(parts, spec));
    GYRE_TRY(Forest forest, Forest::build(spec));
    XgboostModel out{.forest = std::move(forest),
                     .objective = std::move(objective_name),
                     .version = read_version(root),
                     .feature_names = texts_or_none(*parts.learner, "feature_names"),
                     .feature_types = texts_or_none(*parts.learner, "feature_types"),
                     .categories = read_dictionaries(*parts.trees, spec.features)};
    if (!out.feature_names.empty() && out.feature_names.size() != spec.features) {
        return invalid_argument("'feature_names' has " + std::to_string(out.feature_names.size()) +
                                " values, expected " + std::to_string(spec.features));
    }
    if (!out.feature_types.empty() && out.feature_types.size() != spec.features) {
        return invalid_argument("'feature_types' has " + std::to_string(out.feature_types.size()) +
                                " values, expected " + std::to_string(spec.features));
    }
    return out;
}

}  // namespace

Result<XgboostFormat> detect_xgboost_format(std::string_view bytes) {
    if (bytes.size() >= 2 && bytes[0] == '{') {
        // UBJSON goes on with the length of the first name (or '}' / '#'), JSON with white space or a quote.
        const char next = bytes[1];
        if (next == '"' || next == ' ' || next == '\n' || next == '\r' || next == '\t') {
            return XgboostFormat::json;
        }
        return XgboostFormat::ubj;
    }
    if (!bytes.empty() && (bytes[0] == ' ' || bytes[0] == '\n' || bytes[0] == '\r' || bytes[0] == '\t')) {
        return XgboostFormat::json;
    }
    return invalid_argument(
        "not an XGBoost JSON or UBJSON model; save it again with save_model(\"model.ubj\")");
}

Result<XgboostModel> load_xgboost(std::string_view bytes) {
    if (bytes.size() > kModelFileBytesMax) {
        return resource_exhausted("a model file may have at most " + human_bytes(kModelFileBytesMax) +
                                  ", got " + human_bytes(bytes.size()));
    }
    GYRE_TRY(const XgboostFormat format, detect_xgboost_format(bytes));
    GYRE_TRY(const SourceValue root,
             format == XgboostFormat::json ? read_source_json(bytes) : read_source_ubj(bytes));
    return to_model(root);
}

}  // namespace gyre::model
