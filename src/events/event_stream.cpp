#include <algorithm>
#include <limits>

#include "events/chain.h"

namespace gyre::events {

using storage::Reader;
using storage::Statement;

namespace {

constexpr std::string_view kSelect =
    "SELECT position, time_us, project, type, subject, principal, as_of_us, data, previous_hash, hash FROM "
    "events";

Result<Event> event_of(const Statement& row) {
    GYRE_TRY(Json data, parse_json(row.text(7)));
    return Event{row.integer(0), row.integer(1),          row.string(2),   row.string(3), row.string(4),
                 row.string(5),  row.optional_integer(6), std::move(data), row.string(8), row.string(9)};
}

enum class Order : std::uint8_t { oldest_first, newest_first };

/// Events on one side of `position`.
Result<Statement> query_page(Reader& reader, Order order, std::int64_t position, std::size_t limit,
                             const EventFilter& filter) {
    const bool back = order == Order::newest_first;
    std::string sql = std::string(kSelect) + (back ? " WHERE position < ?" : " WHERE position > ?");
    std::string type = filter.type;
    const bool prefix = type.ends_with(".*");
    if (prefix) {
        type.pop_back();
        sql += " AND type >= ? AND type < ?";
    } else if (!type.empty()) {
        sql += " AND type = ?";
    }
    sql += filter.subject.empty() ? "" : " AND subject = ?";
    sql += back ? " ORDER BY position DESC LIMIT ?" : " ORDER BY position LIMIT ?";
    GYRE_TRY(Statement rows, reader.prepare(sql));
    rows.bind(position);
    if (!type.empty()) {
        rows.bind(type);
    }
    if (prefix) {
        type.back() = '.' + 1;  // the first text after all that start with the prefix
        rows.bind(type);
    }
    if (!filter.subject.empty()) {
        rows.bind(filter.subject);
    }
    rows.bind(limit);
    return rows;
}

Result<std::vector<Event>> collect(Statement rows) {
    std::vector<Event> events;
    for (;;) {
        GYRE_TRY(const bool more, rows.step());
        if (!more) {
            return events;
        }
        GYRE_TRY(Event event, event_of(rows));
        events.push_back(std::move(event));
    }
}

Result<EventPage> read_page(Reader& reader, std::int64_t after, std::size_t limit,
                            const EventFilter& filter) {
    EventPage page;
    GYRE_TRY(const Head head, read_head(reader));
    GYRE_TRY(Statement rows, query_page(reader, Order::oldest_first, after, limit, filter));
    GYRE_TRY(page.events, collect(std::move(rows)));
    page.next = page.events.size() == limit ? page.events.back().position : std::max(after, head.position);
    return page;
}

Result<EventPage> read_page_back(Reader& reader, std::int64_t before, std::size_t limit,
                                 const EventFilter& filter) {
    constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();
    EventPage page;
    GYRE_TRY(Statement rows,
             query_page(reader, Order::newest_first, before == 0 ? kAll : before, limit, filter));
    GYRE_TRY(page.events, collect(std::move(rows)));
    page.next = page.events.size() == limit ? page.events.back().position : 0;
    return page;
}

Result<void> check_page(std::int64_t position, std::size_t limit) {
    if (limit == 0 || limit > kEventPageMax) {
        return invalid_argument("limit must be 1 to " + std::to_string(kEventPageMax));
    }
    return position < 0 ? invalid_argument("a position is not negative") : Result<void>();
}

/// Why `event` does not follow `previous`; "" when it does.
std::string break_between(const Head& previous, const Event& event) {
    if (event.position != previous.position + 1) {
        return "position " + std::to_string(previous.position + 1) + " is missing";
    }
    if (event.previous_hash != previous.hash) {
        return "it does not name the hash of the event before it";
    }
    return event.hash == hash_of(event) ? "" : "its content does not have its hash";
}

Result<Verification> verify_chain(Reader& reader) {
    Verification out;
    Head last{0, std::string(kGenesisHash)};
    GYRE_TRY(Statement rows, reader.query(std::string(kSelect) + " ORDER BY position"));
    for (;;) {
        GYRE_TRY(const bool more, rows.step());
        if (!more) {
            break;
        }
        auto event = event_of(rows);
        out.reason = event ? break_between(last, *event) : "its data is not JSON";
        if (!out.reason.empty()) {
            out.first_bad = last.position + 1;
            return out;
        }
        last = {event->position, event->hash};
        ++out.checked;
    }
    GYRE_TRY(const Head head, read_head(reader));
    if (head.position != last.position || head.hash != last.hash) {
        out.first_bad = last.position + 1;
        out.reason = "the chain ends before its head";
    }
    return out;
}

}  // namespace

EventStream::EventStream(storage::Database& database)
    : database_(database), listener_(database.listen(kChannel, [this] { wake(); })) {}

void EventStream::wake() {
    {
        const std::scoped_lock lock(mutex_);
        ++generation_;
    }
    moved_.notify_all();
}

Result<EventPage> EventStream::read(std::int64_t after, std::size_t limit, const EventFilter& filter) {
    GYRE_TRY_VOID(check_page(after, limit));
    return database_.read([&](Reader& reader) { return read_page(reader, after, limit, filter); });
}

Result<EventPage> EventStream::read_back(std::int64_t before, std::size_t limit, const EventFilter& filter) {
    GYRE_TRY_VOID(check_page(before, limit));
    return database_.read([&](Reader& reader) { return read_page_back(reader, before, limit, filter); });
}

Result<Head> EventStream::head() {
    return database_.read(read_head);
}

Result<Verification> EventStream::verify() {
    return database_.read(verify_chain);
}

storage::Listener EventStream::listen(std::function<void()> callback) {
    return database_.listen(kChannel, std::move(callback));
}

Result<std::unique_ptr<Subscription>> EventStream::subscribe(std::int64_t after, EventFilter filter) {
    const std::scoped_lock lock(mutex_);
    if (subscriptions_ >= kSubscriptionsMax) {
        return resource_exhausted("at most " + std::to_string(kSubscriptionsMax) + " subscribers at a time");
    }
    ++subscriptions_;
    return std::unique_ptr<Subscription>(
        new Subscription(*this, after, std::move(filter)));  // NOLINT: private constructor
}

Subscription::Subscription(EventStream& stream, std::int64_t after, EventFilter filter)
    : stream_(stream), after_(after), filter_(std::move(filter)) {}

Subscription::~Subscription() {
    const std::scoped_lock lock(stream_.mutex_);
    --stream_.subscriptions_;
}

void Subscription::cancel() {
    {
        const std::scoped_lock lock(stream_.mutex_);
        cancelled_ = true;
    }
    stream_.moved_.notify_all();
}

Result<std::vector<Event>> Subscription::next(std::chrono::milliseconds wait, std::size_t limit) {
    std::uint64_t seen = 0;
    {
        const std::scoped_lock lock(stream_.mutex_);
        seen = stream_.generation_;
    }
    GYRE_TRY(EventPage page, stream_.read(after_, limit, filter_));
    after_ = page.next;
    if (!page.events.empty()) {
        return std::move(page.events);
    }
    {
        std::unique_lock lock(stream_.mutex_);
        const auto ready = [&] { return cancelled_ || stream_.generation_ != seen; };
        if (!stream_.moved_.wait_for(lock, wait, ready) || cancelled_) {
            return std::move(page.events);
        }
    }
    GYRE_TRY(EventPage later, stream_.read(after_, limit, filter_));
    after_ = later.next;
    return std::move(later.events);
}

}  // namespace gyre::events
