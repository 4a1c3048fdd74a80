#include "api/oip/routes.h"

#include "api/oip/infer_codec.h"
#include "api/predict.h"
#include "base/no_space.h"
#include "base/text.h"

namespace gyre::api {
namespace {

constexpr std::size_t kInferBodyBytesMax = 64U << 20U;
constexpr std::string_view kPlatform = "xgboost_forest";
constexpr std::string_view kBinaryHeader = "Inference-Header-Content-Length";

std::string_view datatype_of(model::ColumnType type) {
    switch (type) {
        case model::ColumnType::number:
            return "FP64";
        case model::ColumnType::integer:
            return "INT64";
        case model::ColumnType::boolean:
            return "BOOL";
        case model::ColumnType::text:
            return "BYTES";
    }
    return "FP64";
}

Json tensor(std::string_view name, std::string_view datatype, const std::vector<std::int64_t>& shape) {
    Json dims = Json::array();
    for (const std::int64_t dim : shape) {
        dims.push_back(dim);
    }
    return Json::object({{"name", name}, {"datatype", datatype}, {"shape", std::move(dims)}});
}

Json inputs_of(const model::Signature& signature) {
    Json inputs = Json::array();
    if (signature.layout == model::InputLayout::tensor) {
        inputs.push_back(tensor(model::kTensorInputName, "FP32",
                                {-1, static_cast<std::int64_t>(signature.columns.size())}));
        return inputs;
    }
    for (const model::ColumnSpec& column : signature.columns) {
        inputs.push_back(tensor(column.name, datatype_of(column.type), {-1}));
    }
    return inputs;
}

Json metadata_of(const serving::RoutedEndpoint& endpoint, const model::Signature& signature) {
    Json versions = Json::array();
    for (const serving::RoutedVariant& variant : endpoint.variants) {
        versions.push_back(variant.version_text);
    }
    Json outputs = Json::array();
    for (const model::OutputSpec& output : signature.outputs) {
        outputs.push_back(tensor(output.name, "FP32", {-1, output.width}));
    }
    return Json::object({{"name", endpoint.spec.name},
                         {"versions", std::move(versions)},
                         {"platform", kPlatform},
                         {"inputs", inputs_of(signature)},
                         {"outputs", std::move(outputs)}});
}

class OipHandlers {
 public:
    OipHandlers(serving::Serving& serving, std::string_view version) : serving_(serving), version_(version) {}

    Result<void> infer(Context& context) {
        if (!context.request.header(kBinaryHeader).empty()) {
            return invalid_argument(
                "binary tensors are not spoken here, JSON ones are: with Triton's client give "
                "binary_data=False "
                "to set_data_from_numpy() and to InferRequestedOutput()");
        }
        serving::StageTimer stages(serving_.clock(), context.request.started_ns);
        GYRE_TRY(const PredictTarget target,
                 find_target(serving_, context.param("name"), context.param("version")));
        thread_local serving::RowBuffer rows;
        thread_local oip::InferRequest request;
        const model::Signature& signature = target.model().signature();
        GYRE_TRY_VOID(oip::read_infer(context.request.body, signature, rows, request));
        const auto texts = std::move(request.texts_owner);  // a large parser goes with this request
        stages.end(serving::Stage::parse);
        PredictInput input;
        input.stages = &stages;
        input.event_time_us = request.event_time_us;
        // One row without ids of its own is known by the request's id.
        if (!request.request_ids.empty()) {
            input.request_ids = &request.request_ids;
        } else if (rows.rows() == 1 && !request.id.empty() &&
                   request.id.size() <= serving::kRequestIdBytesMax) {
            input.single_id = request.id;
        }
        GYRE_TRY(const PredictOutput output, run_predict(serving_, target, rows, input, context));
        context.response.content_type = "application/json";
        oip::write_infer({target.endpoint->spec.name, output.variant->version_text, request.id,
                          oip::output_name(signature), rows.rows(), output.values},
                         context.response.body);
        stages.end(serving::Stage::write);
        stages.record(output.variant->metrics.stages);
        return {};
    }

    Result<Json> metadata(Context& context) {
        GYRE_TRY(const PredictTarget target,
                 find_target(serving_, context.param("name"), context.param("version")));
        return metadata_of(*target.endpoint, target.model().signature());
    }

    Result<Json> model_ready(Context& context) {
        GYRE_TRY(const PredictTarget target,
                 find_target(serving_, context.param("name"), context.param("version")));
        return Json::object({{"name", target.endpoint->spec.name}, {"ready", true}});
    }

    Result<Json> server_ready(Context& context) {
        const bool ready = serving_.settled();
        context.response.status = ready ? 200 : 503;
        return Json::object({{"ready", ready}});
    }

    [[nodiscard]] Json server_metadata() const {
        Json extensions = Json::array();
        extensions.push_back("model_repository");
        return Json::object({{"name", "gyre"}, {"version", version_}, {"extensions", std::move(extensions)}});
    }

    Json repository_index() {
        Json index = Json::array();
        for (const auto& [name, endpoint] : serving_.table().endpoints) {
            for (const serving::RoutedVariant& variant : endpoint->variants) {
                index.push_back(Json::object({{"name", name},
                                              {"version", variant.version_text},
                                              {"state", variant.model ? "READY" : "LOADING"},
                                              {"reason", ""}}));
            }
        }
        return index;
    }

 private:
    serving::Serving& serving_;
    std::string version_;
};

void write_oip_error(const Error& error, int /*status*/, std::string_view /*request_id*/, std::string& body) {
    body += R"({"error":)";
    append_json_string(body, error.message());
    body += '}';
}

int oip_status(const Error& error) {
    return http_status_of(error);
}

RouteDoc doc(http::Method method, std::string_view path, std::string_view id, std::string_view summary,
             Access access) {
    return {.method = method,
            .path = path,
            .id = id,
            .summary = summary,
            .access = access,
            .pool = PoolName::inline_io,
            .body_bytes_max = kInferBodyBytesMax,
            .tag = "oip",
            .errors = &oip_errors()};
}

}  // namespace

const ErrorDialect& oip_errors() {
    static constexpr ErrorDialect dialect{"oip", "application/json", oip_status, write_oip_error};
    return dialect;
}

void add_oip_routes(RouteTable& table, serving::Serving& serving, std::string_view server_version) {
    auto handlers = std::make_shared<OipHandlers>(serving, server_version);
    table.dialect_under("/v2", oip_errors());
    table.raw(doc(http::Method::post, "/v2/models/{name}/infer", "oip_infer", "Predict.", Access::write),
              [handlers](Context& context) { return handlers->infer(context); });
    table.raw(doc(http::Method::post, "/v2/models/{name}/versions/{version}/infer", "oip_infer_version",
                  "Predict with one loaded version.", Access::write),
              [handlers](Context& context) { return handlers->infer(context); });

    struct Name {
        std::string name;
        static constexpr auto fields() { return std::tuple{Field{"name", &Name::name, "Endpoint."}}; }
    };
    struct NameVersion {
        std::string name;
        std::string version;
        static constexpr auto fields() {
            return std::tuple{Field{"name", &NameVersion::name, "Endpoint."},
                              Field{"version", &NameVersion::version, "Loaded version."}};
        }
    };
    const auto get = [](std::string_view path, std::string_view id, std::string_view summary) {
        return doc(http::Method::get, path, id, summary, Access::read);
    };
    table.typed<Empty, Json>(
        get("/v2", "oip_server", "About the server."),
        [handlers](Context&, const Empty&) -> Result<Json> { return handlers->server_metadata(); });
    table.typed<Empty, Json>(
        get("/v2/health/live", "oip_live", "Whether the server runs."),
        [](Context&, const Empty&) -> Result<Json> { return Json::object({{"live", true}}); });
    table.typed<Empty, Json>(
        get("/v2/health/ready", "oip_ready", "Whether every endpoint is served."),
        [handlers](Context& context, const Empty&) { return handlers->server_ready(context); });
    table.typed<Name, Json>(
        get("/v2/models/{name}", "oip_model", "Inputs and outputs of an endpoint."),
        [handlers](Context& context, const Name&) { return handlers->metadata(context); });
    table.typed<NameVersion, Json>(
        get("/v2/models/{name}/versions/{version}", "oip_model_version",
            "Inputs and outputs of a loaded version."),
        [handlers](Context& context, const NameVersion&) { return handlers->metadata(context); });
    table.typed<Name, Json>(
        get("/v2/models/{name}/ready", "oip_model_ready", "Whether an endpoint is served."),
        [handlers](Context& context, const Name&) { return handlers->model_ready(context); });
    table.typed<NameVersion, Json>(
        get("/v2/models/{name}/versions/{version}/ready", "oip_model_version_ready",
            "Whether a version is loaded."),
        [handlers](Context& context, const NameVersion&) { return handlers->model_ready(context); });
    table.raw(doc(http::Method::post, "/v2/repository/index", "oip_repository_index", "What is served.",
                  Access::read),
              [handlers](Context& context) -> Result<void> {
                  context.response.content_type = "application/json";
                  context.response.body = handlers->repository_index().dump();
                  return {};
              });
}

}  // namespace gyre::api
