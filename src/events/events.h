#pragma once
// Events: the one durable, hash-chained stream of what changed: audit log, trigger of pipelines, feed of the
// UI.
//
// Position n's hash is SHA-256(kChainTag, hash of n-1, canonical JSON of the event), all as text; position 1
// follows 64 zeros. An event holds ids and digests, never request data, so erasing data breaks no chain.
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/principal.h"
#include "storage/sql/database.h"

namespace gyre::events {

inline constexpr std::string_view kChainTag = "gyre.event.v1";
inline constexpr std::string_view kChannel = "events";     // Database::listen: after each commit with events
inline constexpr std::size_t kEventDataBytesMax = 65'536;  // canonical JSON
inline constexpr std::size_t kEventNameBytesMax = 512;     // type, subject, principal
inline constexpr std::size_t kEventPageMax = 1000;
inline constexpr std::size_t kSubscriptionsMax = 1024;

struct NewEvent {
    std::string type;     // "rollout.promoted": lower case, digits, '_' and one or more dots
    std::string subject;  // "endpoint/flights"
    Principal principal;
    std::optional<std::int64_t> as_of_us = std::nullopt;  // event time that a decision took effect at
    Json data = Json::object();
};

struct Event {
    std::int64_t position = 0;  // from 1, without gaps
    std::int64_t time_us = 0;
    std::string project;
    std::string type;
    std::string subject;
    std::string principal;
    std::optional<std::int64_t> as_of_us;
    Json data;
    std::string previous_hash;
    std::string hash;
};

/// The native API's form (README of the API): times as RFC 3339.
Json to_json(const Event& event);

/// Appends to the chain; call it last in the transaction. Errors: invalid_argument over the bounds above.
Result<Event> append(storage::Transaction& tx, const NewEvent& event);

struct Head {
    std::int64_t position = 0;
    std::string hash;
};

struct EventFilter {
    std::string type;     // exact, or a prefix ending in ".*": "rollout.*"; empty for all
    std::string subject;  // exact; empty for all
};

struct EventPage {
    std::vector<Event> events;
    std::int64_t next = 0;  // pass as `after` (read_back: as `before`) to go on
};

struct Verification {
    std::int64_t checked = 0;
    std::optional<std::int64_t> first_bad;  // position
    std::string reason;
};

class EventStream;

/// A reader's place in the stream. Nothing is queued: it reads from the database, so a slow one costs
/// nothing. One thread at a time, except cancel().
class Subscription {
 public:
    ~Subscription();
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;

    /// The next events, at once when there are any; else after the next commit, or none after `wait`. It may
    /// return none sooner (a commit of events that the filter leaves out).
    Result<std::vector<Event>> next(std::chrono::milliseconds wait, std::size_t limit = 100);
    /// The place to resume from.
    [[nodiscard]] std::int64_t position() const { return after_; }
    /// Makes a waiting next() return; thread-safe.
    void cancel();

 private:
    friend class EventStream;
    Subscription(EventStream& stream, std::int64_t after, EventFilter filter);

    EventStream& stream_;
    std::int64_t after_;
    EventFilter filter_;
    bool cancelled_ = false;  // guarded by the stream's mutex
};

/// Reads the stream. Thread-safe. Outlives its subscriptions.
class EventStream {
 public:
    explicit EventStream(storage::Database& database);

    /// Events after position `after`; `next` moves over what the filter left out. limit 1..kEventPageMax.
    Result<EventPage> read(std::int64_t after, std::size_t limit, const EventFilter& filter = {});
    /// The newest events before position `before` (0: of all), newest first. `next` is 0 when none is left.
    Result<EventPage> read_back(std::int64_t before, std::size_t limit, const EventFilter& filter = {});
    Result<Head> head();
    /// Checks every link of the chain and the head.
    Result<Verification> verify();
    /// Errors: resource_exhausted beyond kSubscriptionsMax.
    Result<std::unique_ptr<Subscription>> subscribe(std::int64_t after, EventFilter filter = {});
    /// Called on the writer thread after each commit with events: post to your own loop, then read().
    [[nodiscard]] storage::Listener listen(std::function<void()> callback);

 private:
    friend class Subscription;
    void wake();

    storage::Database& database_;
    std::mutex mutex_;
    std::condition_variable moved_;
    std::uint64_t generation_ = 0;   // guarded by mutex_
    std::size_t subscriptions_ = 0;  // guarded by mutex_
    storage::Listener listener_;
};

}  // namespace gyre::events
