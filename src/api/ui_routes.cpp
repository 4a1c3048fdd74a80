#include "api/ui_routes.h"

#include "runtime/http/gzip.h"
#include "ui_bundle/ui_bundle.h"

namespace gyre::api {
namespace {

constexpr std::string_view kContentPolicy =
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

constexpr std::size_t kFileBytesMax = 64U << 20U;

/// The bundle holds gzip members only, which every browser asks for; others (curl) get the plain bytes.
Result<void> answer_file(Context& context, const ui_bundle::UiFile& file) {
    const std::string_view packed(reinterpret_cast<const char*>(file.gzip.data()), file.gzip.size());
    context.response.content_type = file.content_type;
    context.response.add_header("Vary", "Accept-Encoding");
    if (context.request.facts.accepts_gzip) {
        context.response.body.assign(packed);
        context.response.encoded = true;
        context.response.add_header("Content-Encoding", "gzip");
    } else {
        GYRE_TRY(context.response.body, http::gunzip(packed, kFileBytesMax));
    }
    context.response.add_header("Cache-Control",
                                file.immutable ? "public, max-age=31536000, immutable" : "no-cache");
    context.response.add_header("Content-Security-Policy", kContentPolicy);
    return {};
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
        table.raw(doc, [&file](Context& context) { return answer_file(context, file); });
    }
}

}  // namespace gyre::api
