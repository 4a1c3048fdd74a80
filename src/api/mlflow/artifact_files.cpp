#include "api/mlflow/artifact_files.h"

#include <array>

#include "base/text.h"

namespace gyre::api::mlflow {
namespace {

struct MediaType {
    std::string_view suffix;
    std::string_view type;
};
// Text is sent as text/plain whatever it is, so that no browser runs it.
constexpr std::array<MediaType, 20> kMediaTypes{
    {{".txt", "text/plain"},        {".log", "text/plain"},     {".md", "text/plain"},
     {".html", "text/plain"},       {".htm", "text/plain"},     {".js", "text/plain"},
     {".css", "text/plain"},        {".xml", "text/plain"},     {".yaml", "text/plain"},
     {".yml", "text/plain"},        {".py", "text/plain"},      {".csv", "text/csv"},
     {".tsv", "text/plain"},        {".cfg", "text/plain"},     {"MLmodel", "text/plain"},
     {".json", "application/json"}, {".png", "image/png"},      {".jpg", "image/jpeg"},
     {".gif", "image/gif"},         {".pdf", "application/pdf"}}};

std::string_view media_type_of(std::string_view name) {
    for (const MediaType& known : kMediaTypes) {
        if (name.ends_with(known.suffix)) {
            return known.type;
        }
    }
    return "application/octet-stream";
}

class BlobSource final : public http::BodySource {
 public:
    explicit BlobSource(storage::BlobReader reader) : reader_(std::move(reader)) {}
    Result<std::size_t> read(std::span<char> out) override { return reader_.read(out); }

 private:
    storage::BlobReader reader_;
};

}  // namespace

Result<void> send_file(storage::BlobStore& artifacts, std::string_view path, Context& context) {
    GYRE_TRY(storage::BlobReader reader, artifacts.reader(path));
    const std::string_view name = path.substr(path.rfind('/') + 1);
    http::Response& response = context.response;
    response.status = 200;
    response.content_type = media_type_of(name);
    response.add_header("Content-Disposition", "attachment; filename*=UTF-8''" + percent_encode(name));
    response.add_header("Content-Security-Policy", "sandbox; default-src 'none'");
    response.source_bytes = reader.range_bytes();
    response.source = std::make_unique<BlobSource>(std::move(reader));
    return {};
}

Result<Json> files_below(storage::BlobStore& artifacts, std::string_view folder, std::string_view prefix) {
    Json files = Json::array();
    auto entries = artifacts.list(folder);
    if (!entries) {
        return entries.error().code() == ErrorCode::not_found ? Result<Json>(std::move(files))
                                                              : entries.error();
    }
    for (const storage::BlobInfo& entry : *entries) {
        if (folder.empty() && entry.name.starts_with(".gyre")) {
            continue;
        }
        Json file =
            Json::object({{"path", prefix.empty() ? entry.name : std::string(prefix) + "/" + entry.name},
                          {"is_dir", entry.is_folder}});
        if (!entry.is_folder) {
            file.set("file_size", entry.size_bytes);
        }
        files.push_back(std::move(file));
    }
    return files;
}

}  // namespace gyre::api::mlflow
