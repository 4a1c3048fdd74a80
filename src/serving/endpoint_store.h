#pragma once
// EndpointStore: definitions of endpoints in the metadata database. Each change appends an Event.
// All functions run inside the caller's closure of Database::write or read.
#include <optional>
#include <string>
#include <vector>

#include "base/principal.h"
#include "serving/endpoint.h"
#include "storage/sql/database.h"

namespace gyre::serving {

struct StoredEndpoint {
    EndpointSpec spec;
    std::int64_t generation = 1;  // grows with each change
    std::int64_t created_at_us = 0;
    std::int64_t updated_at_us = 0;
    std::int64_t clock_us = 0;  // of a replay: what its owner told last; 0: nothing yet
};

/// Who changed what and why; goes into the Event.
struct Change {
    Principal principal;
    std::string reason;
    std::optional<std::int64_t> as_of_us = std::nullopt;
};

/// Errors: already_exists, invalid_argument (check), resource_exhausted (kEndpointsMax).
Result<StoredEndpoint> create_endpoint(storage::Transaction& tx, const EndpointSpec& spec,
                                       const Change& change);
/// Replaces the definition. Errors: not_found, invalid_argument.
Result<StoredEndpoint> update_endpoint(storage::Transaction& tx, const EndpointSpec& spec,
                                       const Change& change);
Result<void> remove_endpoint(storage::Transaction& tx, std::string_view name, const Change& change);
/// Keeps what a replay's clock stands at; no change of the definition, so no Event. Errors: not_found.
Result<void> store_clock(storage::Transaction& tx, const ProjectId& project, std::string_view name,
                         std::int64_t clock_us);
/// Errors: not_found.
Result<StoredEndpoint> get_endpoint(storage::Reader& reader, const ProjectId& project, std::string_view name);
/// By name.
Result<std::vector<StoredEndpoint>> list_endpoints(storage::Reader& reader, const ProjectId& project);

}  // namespace gyre::serving
