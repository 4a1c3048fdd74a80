#pragma once
// What a move of a rollout changes beside its own row. Inside the caller's closure of Database::write.
#include "loop/rollout.h"
#include "serving/endpoint_store.h"

namespace gyre::loop {

/// Gives the endpoint the variants of where the rollout stands: the candidate with its share while it is
/// open, only the champion when it is over. `what` says in the endpoint's event what the rollout did.
Result<void> place(storage::Transaction& tx, const Rollout& rollout, std::string_view what,
                   const Principal& principal);
/// The rollout as it is now, with its evidence.
Result<void> append_event(storage::Transaction& tx, std::string_view type, const Rollout& rollout,
                          const Principal& principal, std::int64_t as_of_us);

}  // namespace gyre::loop
