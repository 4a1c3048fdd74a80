#include "serving/endpoint_store.h"

#include "base/digest.h"
#include "events/events.h"

namespace gyre::serving {
namespace {

constexpr std::string_view kSelect =
    "SELECT spec, generation, created_at_us, updated_at_us, coalesce(clock_us, 0) FROM endpoints "
    "WHERE project = ?";

Result<StoredEndpoint> read_row(storage::Statement& row) {
    GYRE_TRY(const Json document, parse_json(row.text(0)));
    auto spec = from_json<EndpointSpec>(document);
    if (!spec) {
        return data_loss("a stored endpoint cannot be read: " + spec.error().message());
    }
    return StoredEndpoint{*std::move(spec), row.integer(1), row.integer(2), row.integer(3), row.integer(4)};
}

Result<void> append_event(storage::Transaction& tx, std::string_view type, const EndpointSpec& spec,
                          const Change& change, const std::string& before) {
    Json data = Json::object({{"before", before}, {"after", sha256_hex(to_json(spec).canonical())}});
    Json variants = Json::array();
    for (const Variant& variant : spec.variants) {
        variants.push_back(Json::object({{"name", variant.name},
                                         {"model", variant.ref()},
                                         {"role", name_of(variant.role)},
                                         {"weight", variant.weight}}));
    }
    data.set("variants", std::move(variants));
    if (!change.reason.empty()) {
        data.set("reason", change.reason);
    }
    events::NewEvent event{std::string(type), "endpoint/" + spec.name, change.principal, change.as_of_us,
                           std::move(data)};
    GYRE_TRY(const events::Event appended, events::append(tx, event));
    static_cast<void>(appended);
    return {};
}

}  // namespace

Result<StoredEndpoint> get_endpoint(storage::Reader& reader, const ProjectId& project,
                                    std::string_view name) {
    GYRE_TRY(storage::Statement row,
             reader.query(std::string(kSelect) + " AND name = ?", project.str(), name));
    GYRE_TRY(const bool found, row.step());
    if (!found) {
        return not_found("no endpoint named '" + std::string(name) + "'; gyre deploy makes one");
    }
    return read_row(row);
}

Result<std::vector<StoredEndpoint>> list_endpoints(storage::Reader& reader, const ProjectId& project) {
    GYRE_TRY(storage::Statement rows, reader.query(std::string(kSelect) + " ORDER BY name", project.str()));
    std::vector<StoredEndpoint> endpoints;
    for (;;) {
        GYRE_TRY(const bool more, rows.step());
        if (!more) {
            return endpoints;
        }
        GYRE_TRY(StoredEndpoint endpoint, read_row(rows));
        endpoints.push_back(std::move(endpoint));
    }
}

Result<StoredEndpoint> create_endpoint(storage::Transaction& tx, const EndpointSpec& spec,
                                       const Change& change) {
    GYRE_TRY_VOID(check(spec));
    {
        GYRE_TRY(storage::Statement count, tx.query("SELECT count(*) FROM endpoints WHERE project = ?",
                                                    change.principal.project.str()));
        GYRE_TRY(const bool more, count.step());
        if (more && count.integer(0) >= static_cast<std::int64_t>(kEndpointsMax)) {
            return resource_exhausted("at most " + std::to_string(kEndpointsMax) +
                                      " endpoints; remove one first");
        }
    }
    StoredEndpoint stored{spec, 1, tx.now_us(), tx.now_us()};
    auto inserted = tx.run(
        "INSERT INTO endpoints (project, name, spec, generation, created_at_us, updated_at_us) VALUES (?, ?, "
        "?, 1, ?, ?)",
        change.principal.project.str(), spec.name, to_json(spec).dump(), stored.created_at_us,
        stored.updated_at_us);
    if (!inserted) {
        if (inserted.error().code() == ErrorCode::already_exists) {
            return already_exists("an endpoint named '" + spec.name +
                                  "' exists already; gyre rollout changes its model");
        }
        return std::move(inserted).error();
    }
    GYRE_TRY_VOID(append_event(tx, "endpoint.created", spec, change, ""));
    return stored;
}

Result<StoredEndpoint> update_endpoint(storage::Transaction& tx, const EndpointSpec& spec,
                                       const Change& change) {
    GYRE_TRY_VOID(check(spec));
    GYRE_TRY(StoredEndpoint stored, get_endpoint(tx, change.principal.project, spec.name));
    const std::string before = sha256_hex(to_json(stored.spec).canonical());
    stored.spec = spec;
    stored.generation += 1;
    stored.updated_at_us = tx.now_us();
    GYRE_TRY_VOID(tx.run(
        "UPDATE endpoints SET spec = ?, generation = ?, updated_at_us = ? WHERE project = ? AND name = ?",
        to_json(spec).dump(), stored.generation, stored.updated_at_us, change.principal.project.str(),
        spec.name));
    GYRE_TRY_VOID(append_event(tx, "endpoint.updated", spec, change, before));
    return stored;
}

Result<void> store_clock(storage::Transaction& tx, const ProjectId& project, std::string_view name,
                         std::int64_t clock_us) {
    GYRE_TRY_VOID(tx.run("UPDATE endpoints SET clock_us = ? WHERE project = ? AND name = ?", clock_us,
                         project.str(), name));
    return tx.changes() == 1
               ? Result<void>()
               : not_found("no endpoint named '" + std::string(name) + "'; gyre deploy makes one");
}

Result<void> remove_endpoint(storage::Transaction& tx, std::string_view name, const Change& change) {
    GYRE_TRY(const StoredEndpoint stored, get_endpoint(tx, change.principal.project, name));
    GYRE_TRY_VOID(
        tx.run("DELETE FROM endpoints WHERE project = ? AND name = ?", change.principal.project.str(), name));
    EndpointSpec gone = stored.spec;
    gone.variants.clear();
    return append_event(tx, "endpoint.removed", gone, change, sha256_hex(to_json(stored.spec).canonical()));
}

}  // namespace gyre::serving
