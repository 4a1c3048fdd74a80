#include "api/native/loop_routes.h"
#include "base/no_space.h"

namespace gyre::api {
namespace {

constexpr std::size_t kDatasetBytesMax = 4ULL << 30U;

/// A body that goes to a blob piece by piece; nothing is visible until all of it is there.
class DatasetSink final : public http::BodySink {
 public:
    explicit DatasetSink(storage::BlobWriter writer) : writer_(std::move(writer)) {}
    Result<void> write(std::string_view piece) override { return writer_.write(piece); }
    void finish(http::Response& response) override {
        if (auto done = writer_.commit(); !done) {
            write_error(native_errors(), done.error(), http_status_of(done.error()), "", response);
            return;
        }
        response.set(201, "application/json", Json::object({{"bytes", Json(writer_.size_bytes())}}).dump());
    }

 private:
    storage::BlobWriter writer_;
};

}  // namespace

void add_dataset_routes(RouteTable& table, storage::BlobStore& datasets) {
    RouteDoc put{.method = http::Method::put,
                 .path = "/api/gyre/v1/datasets/{name}",
                 .id = "put_dataset",
                 .summary = "Upload a table (CSV, Parquet, JSON lines); pipelines read it as dataset://NAME.",
                 .access = Access::write,
                 .pool = PoolName::files,
                 .body_bytes_max = kDatasetBytesMax,
                 .success = 201,
                 .tag = "datasets"};
    table.stream(put, [&datasets](Context& context) -> Result<std::unique_ptr<http::BodySink>> {
        GYRE_TRY(storage::BlobWriter writer, datasets.writer(context.param("name")));
        return std::unique_ptr<http::BodySink>(new DatasetSink(std::move(writer)));
    });
    RouteDoc get{.method = http::Method::get,
                 .path = "/api/gyre/v1/datasets",
                 .id = "list_datasets",
                 .summary = "Uploaded tables.",
                 .access = Access::read,
                 .pool = PoolName::files,
                 .tag = "datasets"};
    table.typed<Empty, Json>(get, [&datasets](Context&, const Empty&) -> Result<Json> {
        GYRE_TRY(const std::vector<storage::BlobInfo> found, datasets.list(""));
        Json items = Json::array();
        for (const storage::BlobInfo& info : found) {
            items.push_back(Json::object({{"name", info.name}, {"bytes", Json(info.size_bytes)}}));
        }
        return Json::object({{"datasets", std::move(items)}});
    });
}

}  // namespace gyre::api
