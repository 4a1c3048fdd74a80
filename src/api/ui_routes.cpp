#include "api/ui_routes.h"

#include "ui_bundle/ui_bundle.h"

namespace gyre::api {
namespace {

constexpr std::string_view kContentPolicy =
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// The bundle holds gzip members only; every browser asks for them.
void answer_file(Context& context, const ui_bundle::UiFile& file) {
    context.response.content_type = file.content_type;
    context.response.body.assign(reinterpret_cast<const char*>(file.gzip.data()), file.gzip.size());
    context.response.encoded = true;
    context.response.add_header("Content-Encoding", "gzip");
    context.response.add_header("Cache-Control",
                                file.immutable ? "public, max-age=31536000, immutable" : "no-cache");
    context.response.add_header("Content-Security-Policy", kContentPolicy);
}

}  // namespace

void add_ui_routes(RouteTable& table) {
    for (const ui_bundle::UiFile& file : ui_bundle::ui_files()) {
        const bool index = file.name == "index.html";
        const std::string path = index ? "/" : "/" + std::string(file.name);
        std::string id = "ui_";
        for (const char c : file.name) {
            id += (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
                      ? c
                      : (c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : '_');
        }
        RouteDoc doc{.method = http::Method::get,
                     .path = path,
                     .id = id,
                     .summary = "A file of the web UI.",
                     .access = Access::open,
                     .pool = PoolName::inline_io,
                     .tag = "ui"};
        table.raw(doc, [&file](Context& context) -> Result<void> {
            answer_file(context, file);
            return {};
        });
    }
}

}  // namespace gyre::api
