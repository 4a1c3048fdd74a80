#include "model/package.h"

#include <filesystem>

#include "base/config.h"
#include "base/file.h"
#include "base/id.h"
#include "base/text.h"

namespace gyre::model {
namespace {

namespace fs = std::filesystem;

/// The release of MLflow whose files these are.
constexpr std::string_view kMlflowVersion = "3.17.2";
constexpr std::uint64_t kMlmodelBytesMax = kConfigBytesMax;

Error unimplemented_error(std::string message) {
    return {ErrorCode::unimplemented, std::move(message)};
}

/// The path of `name` inside the package; `name` must be one path component that stays inside.
Result<std::string> inside(const std::string& folder, const std::string& name) {
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos ||
        name.find('\0') != std::string::npos) {
        return invalid_argument("file name '" + name.substr(0, 64) + "' may not leave the package");
    }
    std::error_code ec;
    const fs::path root = fs::canonical(folder, ec);
    if (ec) {
        return not_found("package folder '" + folder + "' does not exist");
    }
    const fs::path file = fs::canonical(root / name, ec);
    if (ec) {
        return not_found("the package has no file '" + name + "'");
    }
    if (file.parent_path() != root) {
        return invalid_argument("file '" + name + "' is a link that leaves the package");
    }
    return file.string();
}

Result<ColumnType> column_type_of(const std::string& mlflow_type, std::string_view column) {
    if (mlflow_type == "double" || mlflow_type == "float") {
        return ColumnType::number;
    }
    if (mlflow_type == "integer" || mlflow_type == "long") {
        return ColumnType::integer;
    }
    if (mlflow_type == "boolean") {
        return ColumnType::boolean;
    }
    if (mlflow_type == "string") {
        return ColumnType::text;
    }
    return unimplemented_error("column '" + std::string(column) + "' has type '" + mlflow_type.substr(0, 64) +
                               "', expected double, float, integer, long, boolean or string");
}

std::string_view mlflow_type_of(ColumnType type) {
    switch (type) {
        case ColumnType::number:
            return "double";
        case ColumnType::integer:
            return "long";
        case ColumnType::boolean:
            return "boolean";
        case ColumnType::text:
            return "string";
    }
    return "?";
}

/// MLmodel's signature.inputs: JSON in a text. A tensor signature gives no columns.
Result<std::vector<ColumnSpec>> read_signature(const Json& mlmodel) {
    std::vector<ColumnSpec> out;
    const Json& inputs = mlmodel["signature"]["inputs"];
    if (!inputs.is_string()) {
        return out;
    }
    GYRE_TRY(const Json columns, parse_json(inputs.as_string()));
    if (!columns.is_array()) {
        return invalid_argument("signature.inputs is a " + std::string(columns.kind_name()) +
                                ", expected an array");
    }
    for (const Json& column : columns.items()) {
        if (column.string_or("type", "") == "tensor" || column.find("name") == nullptr) {
            return std::vector<ColumnSpec>();
        }
        ColumnSpec spec{.name = column.string_or("name", ""),
                        .type = ColumnType::number,
                        .optional = !column.bool_or("required", true)};
        GYRE_TRY(spec.type, column_type_of(column.string_or("type", ""), spec.name));
        out.push_back(std::move(spec));
    }
    return out;
}

Result<void> read_pipeline(const std::string& path, PackageInfo& info) {
    GYRE_TRY(const std::string text, read_file(path, kPackageTextBytesMax));
    GYRE_TRY(const Json json, parse_json(text));
    GYRE_TRY(info.pipeline, from_json<PipelineSpec>(json));
    if (info.pipeline.format != kPipelineFormat) {
        return unimplemented_error("format " + std::to_string(info.pipeline.format) +
                                   " is newer than this program; " + "expected " +
                                   std::to_string(kPipelineFormat));
    }
    GYRE_TRY_VOID(parse_enum<Task>(info.pipeline.task));
    info.has_pipeline = true;
    return {};
}

OutputSpec output_of(const Forest& forest) {
    return {.name = "prediction", .width = static_cast<std::int64_t>(forest.output_count())};
}

std::string feature_name(const XgboostModel& model, std::size_t i) {
    return model.feature_names.empty() ? "f" + std::to_string(i) : model.feature_names[i];
}

/// The type of a feature that no signature describes.
ColumnType guess_type(const XgboostModel& model, std::size_t i) {
    const std::string type = model.feature_types.empty() ? "float" : model.feature_types[i];
    if (type == "c" && !model.categories.empty() && !model.categories[i].empty()) {
        return ColumnType::text;
    }
    return type == "int" ? ColumnType::integer : type == "i" ? ColumnType::boolean : ColumnType::number;
}

/// The signature's columns in the order of the booster's features.
Result<std::vector<ColumnSpec>> order_columns(const PackageInfo& info, const XgboostModel& model) {
    const std::size_t features = model.forest.feature_count();
    if (info.signature.size() != features) {
        return invalid_argument("the signature has " + std::to_string(info.signature.size()) +
                                " columns, the booster " + std::to_string(features) + " features");
    }
    if (model.feature_names.empty()) {
        return info.signature;
    }
    std::vector<ColumnSpec> out;
    const Signature lookup{.columns = info.signature, .outputs = {}, .layout = InputLayout::columns};
    for (const std::string& name : model.feature_names) {
        const std::size_t at = lookup.index_of(name);
        if (at == features) {
            return invalid_argument("the signature has no column for the booster's feature '" + name + "'");
        }
        out.push_back(info.signature[at]);
    }
    return out;
}

/// An encoder for a model without pipeline.json: texts use the dictionary that the booster itself keeps.
Result<Encoder> encoder_for(std::vector<ColumnSpec> columns, const XgboostModel& model) {
    std::vector<EncoderSpec> specs;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        EncoderSpec spec{.column = columns[i].name, .kind = EncoderKind::number, .categories = {}};
        if (columns[i].type == ColumnType::text) {
            if (model.categories.empty() || model.categories[i].empty()) {
                return invalid_argument(
                    "column '" + columns[i].name + "' is text, but the booster keeps no " +
                    "dictionary for it (XGBoost 3.1 and later do); register a package that has " +
                    std::string(kPipelineFile));
            }
            spec.kind = EncoderKind::category;
            spec.categories = model.categories[i];
        }
        specs.push_back(std::move(spec));
    }
    return Encoder::create(std::move(columns), std::move(specs));
}

Result<std::shared_ptr<const Predictor>> without_pipeline(const PackageInfo* info, XgboostModel model) {
    const std::size_t features = model.forest.feature_count();
    Signature signature;
    signature.outputs = {output_of(model.forest)};
    if (info != nullptr && !info->signature.empty()) {
        GYRE_TRY(signature.columns, order_columns(*info, model));
    } else {
        const bool named = info != nullptr && !model.feature_names.empty();
        signature.layout = named ? InputLayout::columns : InputLayout::tensor;
        for (std::size_t i = 0; i < features; ++i) {
            signature.columns.push_back({.name = feature_name(model, i),
                                         .type = named ? guess_type(model, i) : ColumnType::number,
                                         .optional = false});
        }
    }
    GYRE_TRY(Encoder encoder, encoder_for(signature.columns, model));
    return Predictor::create({.signature = std::move(signature),
                              .encoder = std::move(encoder),
                              .forest = std::move(model.forest),
                              .classes = {}});
}

Result<std::shared_ptr<const Predictor>> with_pipeline(const PipelineSpec& pipeline, XgboostModel model) {
    if (pipeline.task != name_of(model.forest.task())) {
        return invalid_argument("pipeline.json says task '" + pipeline.task + "', the booster's objective '" +
                                model.objective + "' is " + std::string(name_of(model.forest.task())));
    }
    GYRE_TRY(Encoder encoder, Encoder::create(pipeline.columns, pipeline.encoders));
    Signature signature{
        .columns = pipeline.columns, .outputs = pipeline.outputs, .layout = InputLayout::columns};
    return Predictor::create({.signature = std::move(signature),
                              .encoder = std::move(encoder),
                              .forest = std::move(model.forest),
                              .classes = pipeline.classes});
}

Result<XgboostModel> load_booster(const std::string& path) {
    GYRE_TRY(const std::string bytes, read_file(path, kModelFileBytesMax));
    return load_xgboost(bytes);
}

/// A YAML single-quoted scalar on one line (YAML 1.2, 7.3.2); texts here hold no line breaks.
std::string yaml_text(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        out.append(c == '\'' ? "''" : c == '\n' || c == '\r' ? " " : std::string(1, c));
    }
    return out + "'";
}

std::string signature_inputs(const Encoder& encoder) {
    Json inputs = Json::array();
    for (const ColumnSpec& column : encoder.columns()) {
        inputs.push_back(Json::object(
            {{"type", mlflow_type_of(column.type)}, {"name", column.name}, {"required", !column.optional}}));
    }
    return inputs.dump();
}

std::string signature_outputs(std::int64_t width) {
    Json output = Json::object({{"type", "float"}, {"required", true}});
    if (width > 1) {
        Json shape = Json::array();
        shape.push_back(-1);
        shape.push_back(width);
        output = Json::object(
            {{"type", "tensor"},
             {"tensor-spec", Json::object({{"dtype", "float32"}, {"shape", std::move(shape)}})}});
    }
    Json outputs = Json::array();
    outputs.push_back(std::move(output));
    return outputs.dump();
}

/// Json.dump() escapes no line break into a raw one, so every value is one line of YAML.
std::string mlmodel_text(const PackageDraft& draft, const PipelineSpec& pipeline, std::string_view version,
                         const Clock& clock) {
    const bool ubj = pipeline.model_file.ends_with(".ubj");
    std::string created = format_rfc3339(clock.now_us());
    created.pop_back();
    created[created.find('T')] = ' ';
    std::string out = "flavors:\n  gyre:\n    pipeline: " + std::string(kPipelineFile) +
                      "\n    data: " + pipeline.model_file +
                      "\n    format: " + std::to_string(kPipelineFormat) +
                      "\n  python_function:\n    data: .\n    env:\n      conda: conda.yaml\n"
                      "      virtualenv: python_env.yaml\n    loader_module: gyre_sdk.pyfunc\n"
                      "    python_version: 3.11.0\n"
                      "  xgboost:\n    code: null\n    data: " +
                      pipeline.model_file +
                      "\n    model_class: xgboost.core.Booster\n    model_format: " + (ubj ? "ubj" : "json") +
                      "\n    xgb_version: " + yaml_text(version) +
                      "\nis_signature_from_type_hint: false\nmlflow_version: " + std::string(kMlflowVersion) +
                      "\nmodel_size_bytes: " + std::to_string(draft.booster.size()) +
                      "\nmodel_uuid: " + yaml_text(make_hex_id()) + "\n";
    if (!draft.run_id.empty()) {
        out += "run_id: " + yaml_text(draft.run_id) + "\n";
    }
    if (!draft.input_example.is_null()) {
        out +=
            "saved_input_example_info:\n  artifact_path: input_example.json\n  pandas_orient: split\n"
            "  serving_input_path: serving_input_example.json\n  type: dataframe\n";
    }
    out += "signature:\n  inputs: " + yaml_text(signature_inputs(draft.encoder)) +
           "\n  outputs: " + yaml_text(signature_outputs(pipeline.outputs[0].width)) +
           "\n  params: null\ntype_hint_from_example: false\nutc_time_created: " + yaml_text(created) + "\n";
    return out;
}

Result<void> write_environment(const std::string& folder, std::string_view version) {
    const std::string pins[] = {"mlflow==" + std::string(kMlflowVersion), "xgboost==" + std::string(version),
                                "numpy", "pandas"};
    std::string requirements = "# The python_function flavor also needs gyre_sdk, which Gyre ships.\n";
    std::string conda = "channels:\n- conda-forge\ndependencies:\n- python=3.11\n- pip\n- pip:\n";
    for (const std::string& pin : pins) {
        requirements += pin + "\n";
        conda += "  - " + pin + "\n";
    }
    conda += "name: mlflow-env\n";
    GYRE_TRY_VOID(write_file_atomic(folder + "/requirements.txt", requirements));
    GYRE_TRY_VOID(write_file_atomic(folder + "/conda.yaml", conda));
    return write_file_atomic(folder + "/python_env.yaml",
                             "python: 3.11\nbuild_dependencies:\n- pip\n- setuptools\n- wheel\n"
                             "dependencies:\n- -r requirements.txt\n");
}

Result<PipelineSpec> pipeline_of(const PackageDraft& draft, const XgboostModel& model) {
    if (!model.feature_names.empty()) {
        for (std::size_t i = 0; i < std::min(model.feature_names.size(), draft.encoder.column_count()); ++i) {
            if (model.feature_names[i] != draft.encoder.columns()[i].name) {
                return invalid_argument("feature " + std::to_string(i) + " of the booster is '" +
                                        model.feature_names[i] + "', the column is '" +
                                        draft.encoder.columns()[i].name + "'");
            }
        }
    }
    GYRE_TRY(const XgboostFormat format, detect_xgboost_format(draft.booster));
    PipelineSpec pipeline;
    pipeline.task = std::string(name_of(model.forest.task()));
    pipeline.columns = draft.encoder.columns();
    pipeline.encoders = draft.encoder.specs();
    pipeline.outputs = {output_of(model.forest)};
    pipeline.classes = draft.classes;
    pipeline.model_file = format == XgboostFormat::ubj ? "model.ubj" : "model.json";
    return pipeline;
}

}  // namespace

Result<PackageInfo> read_package(const std::string& folder) {
    PackageInfo info;
    GYRE_TRY(const std::string mlmodel_path, inside(folder, std::string(kMlmodelFile)));
    GYRE_TRY(const std::string text, read_file(mlmodel_path, kMlmodelBytesMax));
    auto yaml = parse_yaml(text);
    if (!yaml) {
        return std::move(yaml).error().context("MLmodel");
    }
    info.mlmodel = *std::move(yaml);
    const Json& flavors = info.mlmodel["flavors"];
    if (!flavors.is_object()) {
        return invalid_argument("MLmodel: 'flavors' is missing");
    }
    for (const JsonMember& flavor : flavors.members()) {
        info.flavors.push_back(flavor.key);
    }
    const Json* xgboost = flavors.find("xgboost");
    if (xgboost == nullptr) {
        return unimplemented_error("the package has the flavors " + join(info.flavors, ", ") +
                                   "; expected gyre or xgboost");
    }
    info.model_class = xgboost->string_or("model_class", "");
    info.xgboost_version = xgboost->string_or("xgb_version", "");
    std::string data = xgboost->string_or("data", "");
    if (flavors.find("gyre") != nullptr) {
        GYRE_TRY(const std::string path,
                 inside(folder, flavors["gyre"].string_or("pipeline", kPipelineFile)));
        if (auto read = read_pipeline(path, info); !read) {
            return std::move(read).error().context("pipeline.json");
        }
        data = info.pipeline.model_file;
    }
    GYRE_TRY(info.model_path, inside(folder, data));
    auto signature = read_signature(info.mlmodel);
    if (!signature) {
        return std::move(signature).error().context("MLmodel");
    }
    info.signature = *std::move(signature);
    return info;
}

Result<void> write_package(const std::string& folder, const PackageDraft& draft, const Clock& clock) {
    GYRE_TRY(XgboostModel model, load_xgboost(draft.booster));
    GYRE_TRY(const PipelineSpec pipeline, pipeline_of(draft, model));
    const std::string version = draft.xgboost_version.empty() ? model.version : draft.xgboost_version;
    GYRE_TRY_VOID(with_pipeline(pipeline, std::move(model)));
    GYRE_TRY_VOID(make_directories(folder));
    GYRE_TRY_VOID(write_file_atomic(folder + "/" + pipeline.model_file, draft.booster));
    GYRE_TRY_VOID(
        write_file_atomic(folder + "/" + std::string(kPipelineFile), to_json(pipeline).pretty() + "\n"));
    GYRE_TRY_VOID(write_environment(folder, version));
    if (!draft.input_example.is_null()) {
        GYRE_TRY_VOID(write_file_atomic(folder + "/input_example.json", draft.input_example.dump()));
        GYRE_TRY_VOID(write_file_atomic(folder + "/serving_input_example.json",
                                        Json::object({{"dataframe_split", draft.input_example}}).pretty()));
    }
    return write_file_atomic(folder + "/" + std::string(kMlmodelFile),
                             mlmodel_text(draft, pipeline, version, clock));
}

Result<std::shared_ptr<const Predictor>> Predictor::open(const std::string& path) {
    std::error_code ec;
    if (!fs::exists(path, ec)) {
        return not_found("model '" + path + "' does not exist");
    }
    if (!fs::is_directory(path, ec)) {
        GYRE_TRY(XgboostModel model, load_booster(path));
        return without_pipeline(nullptr, std::move(model));
    }
    GYRE_TRY(const PackageInfo info, read_package(path));
    GYRE_TRY(XgboostModel model, load_booster(info.model_path));
    return info.has_pipeline ? with_pipeline(info.pipeline, std::move(model))
                             : without_pipeline(&info, std::move(model));
}

}  // namespace gyre::model
