// The artifact proxy: files by their path below the artifact root.
#include <algorithm>
#include <array>

#include "api/mlflow/artifact_files.h"
#include "api/mlflow/messages.h"
#include "api/mlflow/parts.h"
#include "base/text.h"

namespace gyre::api::mlflow {
namespace {

using http::Method;
using storage::BlobStore;

constexpr std::string_view kApi = "mlflow-artifacts";
constexpr std::size_t kArtifactBytesMax = 64ULL << 30U;  // streamed to the disk

/// Writes a request's body to a blob; nothing is visible unless all of it came.
class BlobSink final : public http::BodySink {
 public:
    explicit BlobSink(storage::BlobWriter writer) : writer_(std::move(writer)) {}
    Result<void> write(std::string_view piece) override { return writer_.write(piece); }
    void finish(http::Response& response) override {
        const auto committed = writer_.commit();
        if (committed) {
            response.set(200, "application/json", "{}");
        } else {
            write_error(errors(), committed.error(), errors().status_of(committed.error()), "", response);
        }
    }

 private:
    storage::BlobWriter writer_;
};

/// Entries of a folder by their own names; none for a file or a missing folder, which clients rely on.
Result<void> list(BlobStore& artifacts, Context& context) {
    std::string path = context.query("path").value_or("");
    path.erase(0, std::min(path.find_first_not_of('/'), path.size()));
    while (path.ends_with('/')) {
        path.pop_back();
    }
    GYRE_TRY(const Json files, files_below(artifacts, path, ""));
    Json out = Json::object();
    if (!files.items().empty()) {
        out.set("files", files);
    }
    context.response.set(200, "application/json", out.dump());
    return {};
}

Result<void> refuse_multipart(Context& /*context*/) {
    return Error(ErrorCode::unimplemented,
                 "Multipart upload is not supported for the current artifact repository");
}

}  // namespace

void add_artifact_routes(Routes& routes, BlobStore& artifacts) {
    const auto get = [&artifacts](Context& context) {
        return send_file(artifacts, context.param("path"), context);
    };
    routes.raw(
        {Method::get, "/artifacts", "list_artifact_files", "List a folder of artifacts.", Access::read}, kApi,
        PoolName::files, [&artifacts](Context& context) { return list(artifacts, context); });
    routes.raw(
        {Method::get, "/artifacts/{path...}", "download_artifact", "An artifact's bytes.", Access::read},
        kApi, PoolName::files, get);
    routes.stream({Method::put, "/artifacts/{path...}", "upload_artifact", "Store an artifact.",
                   Access::write, kArtifactBytesMax},
                  kApi, [&artifacts](Context& context) -> Result<std::unique_ptr<http::BodySink>> {
                      GYRE_TRY(storage::BlobWriter writer, artifacts.writer(context.param("path")));
                      return std::unique_ptr<http::BodySink>(std::make_unique<BlobSink>(std::move(writer)));
                  });
    routes.raw({Method::del, "/artifacts/{path...}", "delete_artifact", "Delete an artifact or a folder.",
                Access::write},
               kApi, PoolName::files, [&artifacts](Context& context) -> Result<void> {
                   GYRE_TRY_VOID(artifacts.remove(context.param("path")));
                   context.response.set(200, "application/json", "{}");
                   return {};
               });
    routes.raw({Method::post, "/mpu/create/{path...}", "create_multipart_upload",
                "Answers that it is not supported.", Access::write},
               kApi, PoolName::inline_io, refuse_multipart);
    routes.raw({Method::post, "/mpu/complete/{path...}", "complete_multipart_upload",
                "Answers that it is not supported.", Access::write},
               kApi, PoolName::inline_io, refuse_multipart);
    routes.raw({Method::post, "/mpu/abort/{path...}", "abort_multipart_upload",
                "Answers that it is not supported.", Access::write},
               kApi, PoolName::inline_io, refuse_multipart);
}

}  // namespace gyre::api::mlflow
