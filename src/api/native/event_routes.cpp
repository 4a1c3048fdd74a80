#include "api/native/event_routes.h"

#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "base/text.h"

namespace gyre::api {
namespace {

constexpr std::size_t kLiveClientsMax = 256;
constexpr std::size_t kLivePage = 200;

struct ReadIn {
    std::int64_t after = 0;
    std::optional<std::int64_t> before;
    std::int64_t limit = 100;
    std::string type;
    std::string subject;
    static constexpr auto fields() {
        return std::tuple{
            Field{"after", &ReadIn::after, "Position to go on from.", optional_field},
            Field{"before", &ReadIn::before,
                  "Position to go back from, newest first; 0 for the newest of all.", optional_field},
            Field{"limit", &ReadIn::limit, "Events at most, up to 1000.", optional_field},
            Field{"type", &ReadIn::type, "Exact type, or a prefix such as rollout.*", optional_field},
            Field{"subject", &ReadIn::subject, "Exact subject, such as endpoint/flights.", optional_field}};
    }
};

/// Feeds all live clients from one thread: after each commit everybody gets what is new to them. A client
/// that is too slow is dropped by its bounded queue and resumes at the last id that it saw.
class LiveFeed {
 public:
    explicit LiveFeed(events::EventStream& stream) : stream_(stream) {
        listener_ = stream_.listen([this] { wake(); });
        worker_ = std::thread([this] { work(); });
    }
    ~LiveFeed() {
        {
            const std::scoped_lock lock(mutex_);
            stopping_ = true;
        }
        moved_.notify_all();
        worker_.join();
    }
    LiveFeed(const LiveFeed&) = delete;
    LiveFeed& operator=(const LiveFeed&) = delete;

    Result<std::shared_ptr<http::EventStream>> join(std::int64_t after, events::EventFilter filter) {
        auto sink = std::make_shared<http::EventStream>();
        {
            const std::scoped_lock lock(mutex_);
            if (clients_.size() >= kLiveClientsMax) {
                return resource_exhausted("at most " + std::to_string(kLiveClientsMax) +
                                          " live event streams");
            }
            clients_.push_back({sink, after, std::move(filter)});
            dirty_ = true;
        }
        moved_.notify_all();
        return sink;
    }

 private:
    struct Client {
        std::shared_ptr<http::EventStream> sink;
        std::int64_t after = 0;
        events::EventFilter filter;
    };

    void wake() {
        {
            const std::scoped_lock lock(mutex_);
            dirty_ = true;
        }
        moved_.notify_all();
    }

    void work() {
        std::unique_lock lock(mutex_);
        for (;;) {
            moved_.wait(lock, [&] { return dirty_ || stopping_; });
            if (stopping_) {
                for (Client& client : clients_) {
                    client.sink->close();
                }
                return;
            }
            dirty_ = false;
            std::vector<Client> clients = std::move(clients_);
            clients_.clear();
            lock.unlock();
            for (Client& client : clients) {
                feed(client);
            }
            std::erase_if(clients, [](const Client& client) { return client.sink->closed(); });
            lock.lock();
            clients_.insert(clients_.end(), std::make_move_iterator(clients.begin()),
                            std::make_move_iterator(clients.end()));
        }
    }

    void feed(Client& client) {
        for (;;) {
            auto page = stream_.read(client.after, kLivePage, client.filter);
            if (!page || page->next == client.after) {
                return;
            }
            for (const events::Event& event : page->events) {
                if (!client.sink->send(std::to_string(event.position), event.type,
                                       events::to_json(event).dump())) {
                    return;
                }
            }
            client.after = page->next;
        }
    }

    events::EventStream& stream_;
    storage::Listener listener_;
    std::mutex mutex_;
    std::condition_variable moved_;
    std::vector<Client> clients_;  // guarded by mutex_, as what follows
    bool dirty_ = false;
    bool stopping_ = false;
    std::thread worker_;
};

Result<Json> read_page(events::EventStream& stream, const ReadIn& in) {
    if (in.limit < 1 || in.limit > static_cast<std::int64_t>(events::kEventPageMax)) {
        return invalid_argument("field 'limit': expected 1 to " + std::to_string(events::kEventPageMax) +
                                ", got " + std::to_string(in.limit));
    }
    if (in.before && in.after != 0) {
        return invalid_argument("'after' goes on and 'before' goes back: give one of them");
    }
    const auto limit = static_cast<std::size_t>(in.limit);
    const events::EventFilter filter{in.type, in.subject};
    GYRE_TRY(const events::EventPage page,
             in.before ? stream.read_back(*in.before, limit, filter) : stream.read(in.after, limit, filter));
    Json items = Json::array();
    for (const events::Event& event : page.events) {
        items.push_back(events::to_json(event));
    }
    return Json::object({{"events", std::move(items)}, {"next", page.next}});
}

/// Goes on after the last event that the client saw; a client that names none gets what happens from now on.
Result<void> open_live(events::EventStream& stream, LiveFeed& feed, Context& context) {
    GYRE_TRY(const events::Head head, stream.head());
    std::int64_t after = head.position;
    const std::string_view resumed = context.request.header("Last-Event-ID");
    const auto from = resumed.empty() ? context.query("after") : std::optional(std::string(resumed));
    if (from) {
        const auto position = parse_integer(*from);
        if (!position || *position < 0) {
            return invalid_argument("'after': expected a position, got '" + from->substr(0, 40) + "'");
        }
        after = *position;
    }
    GYRE_TRY(context.response.events,
             feed.join(after, {context.query("type").value_or(""), context.query("subject").value_or("")}));
    context.response.content_type = "text/event-stream";
    return {};
}

Json verification_json(const events::Verification& verification) {
    Json out = Json::object({{"ok", !verification.first_bad.has_value()}, {"checked", verification.checked}});
    if (verification.first_bad) {
        out.set("first_bad", *verification.first_bad);
        out.set("reason", verification.reason);
    }
    return out;
}

RouteDoc doc(std::string_view path, std::string_view id, std::string_view summary) {
    return {.method = http::Method::get,
            .path = path,
            .id = id,
            .summary = summary,
            .access = Access::read,
            .pool = PoolName::sql,
            .tag = "events"};
}

}  // namespace

void add_event_routes(RouteTable& table, events::EventStream& stream) {
    auto feed = std::make_shared<LiveFeed>(stream);
    table.typed<ReadIn, Json>(doc("/api/gyre/v1/events", "list_events",
                                  "Events after a position, oldest first; or before one, newest first."),
                              [&stream](Context&, const ReadIn& in) { return read_page(stream, in); });
    table.raw(doc("/api/gyre/v1/events/stream", "stream_events",
                  "Events as they happen (Server-Sent Events); after=N or Last-Event-ID goes on from there."),
              [feed, &stream](Context& context) { return open_live(stream, *feed, context); });
    table.typed<Empty, Json>(
        doc("/api/gyre/v1/events/verify", "verify_events", "Check every link of the hash chain."),
        [&stream](Context&, const Empty&) -> Result<Json> {
            GYRE_TRY(const events::Verification verification, stream.verify());
            return verification_json(verification);
        });
}

}  // namespace gyre::api
