#include "loop/rollout_store.h"

#include "base/id.h"
#include "loop/limits.h"

namespace gyre::loop {
namespace {

Result<Rollout> read_document(std::string_view text) {
    GYRE_TRY(const Json json, parse_json(text));
    auto rollout = from_json<Rollout>(json);
    if (!rollout) {
        return data_loss("a stored rollout cannot be read: " + rollout.error().message());
    }
    return rollout;
}

/// The column is_open: at most one row of an endpoint has 1.
std::int64_t open_mark(const Rollout& rollout) {
    if (rollout.state == RolloutState::scheduled) {
        return 2;
    }
    return is_over(rollout.state) ? 0 : 1;
}

Result<std::vector<Rollout>> read_all(storage::Statement& rows) {
    std::vector<Rollout> rollouts;
    for (;;) {
        GYRE_TRY(const bool more, rows.step());
        if (!more) {
            return rollouts;
        }
        GYRE_TRY(Rollout rollout, read_document(rows.text(0)));
        rollouts.push_back(std::move(rollout));
    }
}

}  // namespace

Result<void> insert(storage::Transaction& tx, const Rollout& rollout) {
    return tx.run(
        "INSERT INTO rollouts (project, id, endpoint, is_open, document, created_at_us) VALUES (?, ?, ?, ?, "
        "?, ?)",
        default_project().str(), rollout.id, rollout.endpoint, open_mark(rollout),
        gyre::to_json(rollout).dump(), tx.now_us());
}

Result<void> save(storage::Transaction& tx, const Rollout& rollout) {
    return tx.run("UPDATE rollouts SET is_open = ?, document = ? WHERE project = ? AND id = ?",
                  open_mark(rollout), gyre::to_json(rollout).dump(), default_project().str(), rollout.id);
}

Result<Rollout> find(storage::Reader& reader, const std::string& id) {
    GYRE_TRY(storage::Statement row,
             reader.query("SELECT document FROM rollouts WHERE project = ? AND id = ?",
                          default_project().str(), id));
    GYRE_TRY(const bool found, row.step());
    if (!found) {
        return not_found("no rollout '" + id + "'; gyre rollout list shows them");
    }
    return read_document(row.text(0));
}

Result<std::optional<Rollout>> find_open(storage::Reader& reader, const std::string& endpoint) {
    GYRE_TRY(storage::Statement row,
             reader.query("SELECT document FROM rollouts WHERE project = ? AND endpoint = ? AND is_open = 1",
                          default_project().str(), endpoint));
    GYRE_TRY(const bool found, row.step());
    if (!found) {
        return std::optional<Rollout>();
    }
    GYRE_TRY(Rollout rollout, read_document(row.text(0)));
    return std::optional<Rollout>(std::move(rollout));
}

Result<std::vector<Rollout>> find_all(storage::Reader& reader, const std::string& endpoint) {
    GYRE_TRY(storage::Statement rows,
             reader.query("SELECT document FROM rollouts WHERE project = ? AND (? = '' OR endpoint = ?) "
                          "ORDER BY created_at_us DESC, id DESC LIMIT ?",
                          default_project().str(), endpoint, endpoint,
                          static_cast<std::int64_t>(kRolloutsListMax)));
    return read_all(rows);
}

Result<std::vector<Rollout>> find_scheduled(storage::Reader& reader, const std::string& endpoint) {
    GYRE_TRY(storage::Statement rows,
             reader.query("SELECT document FROM rollouts WHERE project = ? AND endpoint = ? AND is_open = 2 "
                          "ORDER BY created_at_us, id LIMIT ?",
                          default_project().str(), endpoint, static_cast<std::int64_t>(kRolloutsListMax)));
    return read_all(rows);
}

}  // namespace gyre::loop
