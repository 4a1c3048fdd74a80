#include <algorithm>

#include "base/clock.h"
#include "base/digest.h"
#include "events/chain.h"

namespace gyre::events {

namespace {

Result<void> check_text(std::string_view what, std::string_view text) {
    if (text.empty() || text.size() > kEventNameBytesMax) {
        return invalid_argument("an event's " + std::string(what) + " must have 1 to " +
                                std::to_string(kEventNameBytesMax) + " bytes");
    }
    return {};
}

Result<void> check_type(std::string_view type) {
    const auto good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
    };
    GYRE_TRY_VOID(check_text("type", type));
    if (!std::all_of(type.begin(), type.end(), good) || type.find('.') == std::string_view::npos) {
        return invalid_argument("event type '" + std::string(type) + "' is not like 'run.created'");
    }
    return {};
}

}  // namespace

std::string hash_of(const Event& event) {
    const Json body = Json::object({{"as_of_us", event.as_of_us ? Json(*event.as_of_us) : Json()},
                                    {"data", event.data},
                                    {"position", event.position},
                                    {"principal", event.principal},
                                    {"project", event.project},
                                    {"subject", event.subject},
                                    {"time_us", event.time_us},
                                    {"type", event.type}});
    std::string text(kChainTag);
    text.append("\n").append(event.previous_hash).append("\n").append(body.canonical());
    return sha256_hex(text);
}

Result<Head> read_head(storage::Reader& reader) {
    GYRE_TRY(storage::Statement row, reader.query("SELECT position, hash FROM event_head WHERE id = 1"));
    GYRE_TRY(const bool found, row.step());
    if (!found) {
        return data_loss("the event chain has no head");
    }
    return Head{row.integer(0), row.string(1)};
}

Result<Event> append(storage::Transaction& tx, const NewEvent& event) {
    GYRE_TRY_VOID(check_type(event.type));
    GYRE_TRY_VOID(check_text("subject", event.subject));
    GYRE_TRY_VOID(check_text("principal", event.principal.name));
    const std::string data = event.data.canonical();
    if (data.size() > kEventDataBytesMax) {
        return invalid_argument("an event's data has " + std::to_string(data.size()) + " bytes; at most " +
                                std::to_string(kEventDataBytesMax) + " are allowed");
    }
    GYRE_TRY(Head head, read_head(tx));
    // The text is what is hashed and kept, so that reading it back gives the same hash.
    GYRE_TRY(Json kept, parse_json(data));
    Event out{head.position + 1,
              tx.now_us(),
              event.principal.project.str(),
              event.type,
              event.subject,
              event.principal.name,
              event.as_of_us,
              std::move(kept),
              std::move(head.hash),
              ""};
    out.hash = hash_of(out);
    GYRE_TRY_VOID(
        tx.run("INSERT INTO events (position, project, time_us, type, subject, principal, as_of_us, data, "
               "previous_hash, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
               out.position, out.project, out.time_us, out.type, out.subject, out.principal, out.as_of_us,
               data, out.previous_hash, out.hash));
    GYRE_TRY_VOID(
        tx.run("UPDATE event_head SET position = ?, hash = ? WHERE id = 1", out.position, out.hash));
    tx.signal(kChannel);
    return out;
}

Json to_json(const Event& event) {
    return Json::object({{"position", event.position},
                         {"time", format_rfc3339(event.time_us)},
                         {"type", event.type},
                         {"subject", event.subject},
                         {"principal", event.principal},
                         {"as_of", event.as_of_us ? Json(format_rfc3339(*event.as_of_us)) : Json()},
                         {"data", event.data},
                         {"hash", event.hash},
                         {"previous_hash", event.previous_hash}});
}

}  // namespace gyre::events
