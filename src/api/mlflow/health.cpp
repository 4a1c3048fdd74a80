#include "api/mlflow/parts.h"

namespace gyre::api::mlflow {
namespace {

RawHandler text_answer(std::string_view text) {
    return [text = std::string(text)](Context& context) -> Result<void> {
        context.response.set(200, "text/plain; charset=utf-8", text);
        return {};
    };
}

}  // namespace

void add_health_routes(RouteTable& table) {
    table.raw({.method = http::Method::get,
               .path = "/health",
               .id = "mlflow_health",
               .summary = "OK while the server answers.",
               .access = Access::open,
               .pool = PoolName::inline_io,
               .tag = "mlflow"},
              text_answer("OK"));
    table.raw({.method = http::Method::get,
               .path = "/version",
               .id = "mlflow_version",
               .summary = "The version of MLflow whose protocol is served.",
               .access = Access::open,
               .pool = PoolName::inline_io,
               .tag = "mlflow"},
              text_answer(kVersion));
    for (const auto& [path, id] :
         {std::pair{"/api/3.0/mlflow/server-info", "mlflow_server_info"},
          std::pair{"/ajax-api/3.0/mlflow/server-info", "mlflow_ajax_server_info"}}) {
        table.raw({.method = http::Method::get,
                   .path = path,
                   .id = id,
                   .summary = "What the server has of MLflow's optional parts.",
                   .access = Access::open,
                   .pool = PoolName::inline_io,
                   .tag = "mlflow",
                   .errors = &errors()},
                  [](Context& context) -> Result<void> {
                      context.response.set(200, "application/json",
                                           R"({"store_type":"SqlStore","workspaces_enabled":false})");
                      return {};
                  });
    }
}

}  // namespace gyre::api::mlflow
