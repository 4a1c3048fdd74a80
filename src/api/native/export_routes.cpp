#include <cerrno>
#include <unistd.h>

#include "api/native/loop_routes.h"

namespace gyre::api {
namespace {

/// A file that has no name any more, sent in pieces.
class FileSource final : public http::BodySource {
 public:
    explicit FileSource(Fd file) : file_(std::move(file)) {}
    Result<std::size_t> read(std::span<char> out) override {
        for (;;) {
            const ssize_t got = ::read(file_.get(), out.data(), out.size());
            if (got >= 0) {
                return static_cast<std::size_t>(got);
            }
            if (errno != EINTR) {
                return errno_error("read the exported file", errno);
            }
        }
    }

 private:
    Fd file_;
};

/// The time of a query parameter, or `otherwise`.
Result<std::int64_t> time_of(const Context& context, std::string_view name, std::int64_t otherwise) {
    const auto text = context.query(name);
    if (!text || text->empty()) {
        return otherwise;
    }
    auto time = parse_rfc3339(*text);
    if (!time) {
        return std::move(time).error().context(name);
    }
    return time;
}

Result<loop::PredictionQuery> query_of(const Context& context) {
    loop::PredictionQuery query;
    query.endpoint = context.param("name");
    GYRE_TRY(query.from_us, time_of(context, "from", query.from_us));
    GYRE_TRY(query.to_us, time_of(context, "to", query.to_us));
    GYRE_TRY(query.as_of_us, time_of(context, "as_of", query.as_of_us));
    const std::string format = context.query("format").value_or("parquet");
    auto known = parse_enum<loop::ExportFormat>(format);
    if (!known) {
        return std::move(known).error().context("format");
    }
    query.format = *known;
    return query;
}

}  // namespace

void add_export_routes(RouteTable& table, loop::PredictionExport& exports, serving::Serving& serving) {
    const RouteDoc doc{.method = http::Method::get,
                       .path = "/api/gyre/v1/endpoints/{name}/predictions",
                       .id = "export_predictions",
                       .summary =
                           "The prediction log with its labels as one Parquet or CSV file; query: from, to, "
                           "as_of (times), format.",
                       .access = Access::read,
                       .pool = PoolName::work,
                       .tag = "monitoring"};
    table.raw(doc, [&exports, &serving](Context& context) -> Result<void> {
        GYRE_TRY(const loop::PredictionQuery query, query_of(context));
        GYRE_TRY(const serving::StoredEndpoint stored, serving.get(query.endpoint));
        GYRE_TRY(loop::ExportedFile made, exports.run(query));
        http::Response& response = context.response;
        response.status = 200;
        response.content_type =
            query.format == loop::ExportFormat::csv ? "text/csv" : "application/vnd.apache.parquet";
        response.add_header("Content-Disposition", "attachment; filename=\"predictions." +
                                                       std::string(gyre::name_of(query.format)) + "\"");
        response.add_header("Gyre-Rows", std::to_string(made.rows));
        response.source_bytes = made.bytes;
        response.source = std::make_unique<FileSource>(std::move(made.file));
        return {};
    });
}

}  // namespace gyre::api
