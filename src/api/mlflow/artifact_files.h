#pragma once
// Artifacts as answers. What users uploaded is never shown as a page: it is sent as an attachment, with
// nosniff and a policy that runs nothing.
#include <string_view>

#include "api/route.h"
#include "storage/blob/blob_store.h"

namespace gyre::api::mlflow {

/// Streams the blob. Errors: not_found, invalid_argument (path).
Result<void> send_file(storage::BlobStore& artifacts, std::string_view path, Context& context);

/// [{path, is_dir, file_size}] of a folder, each path behind `prefix`; none for a file or a missing folder.
Result<Json> files_below(storage::BlobStore& artifacts, std::string_view folder, std::string_view prefix);

}  // namespace gyre::api::mlflow
