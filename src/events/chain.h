#pragma once
// The chain's arithmetic. Private to events.
#include "events/events.h"

namespace gyre::events {

inline constexpr std::string_view kGenesisHash =
    "0000000000000000000000000000000000000000000000000000000000000000";

/// The hash that `event` must have, from its own fields and `previous_hash`.
std::string hash_of(const Event& event);
/// Position and hash of the last event.
Result<Head> read_head(storage::Reader& reader);

}  // namespace gyre::events
