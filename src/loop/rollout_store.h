#pragma once
// Rows of the table rollouts. All functions run inside the caller's closure of Database::write or read.
#include "loop/rollout.h"
#include "storage/sql/database.h"

namespace gyre::loop {

Result<void> insert(storage::Transaction& tx, const Rollout& rollout);
Result<void> save(storage::Transaction& tx, const Rollout& rollout);
/// Errors: not_found.
Result<Rollout> find(storage::Reader& reader, const std::string& id);
/// Scheduled ones by their start, at most kRolloutsListMax.
Result<std::vector<Rollout>> find_scheduled(storage::Reader& reader, const std::string& endpoint);
Result<std::optional<Rollout>> find_open(storage::Reader& reader, const std::string& endpoint);
/// Newest first, at most kRolloutsListMax; all endpoints when `endpoint` is empty.
Result<std::vector<Rollout>> find_all(storage::Reader& reader, const std::string& endpoint);

}  // namespace gyre::loop
