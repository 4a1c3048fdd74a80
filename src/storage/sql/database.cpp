// Adapter: the reader's closure boundary; a closure that throws becomes an Error here.
#include "storage/sql/database.h"

#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>

#include "base/log.h"
#include "storage/sql/connection.h"
#include "storage/sql/writer.h"

namespace gyre::storage {

namespace {

/// Read-only connections, lent one closure at a time.
class ReaderPool {
 public:
    explicit ReaderPool(std::int64_t wait_max_ms) : wait_max_ms_(wait_max_ms) {}

    void add(std::unique_ptr<detail::Connection> connection) {
        const std::scoped_lock lock(mutex_);
        idle_.push_back(std::move(connection));
    }

    Result<std::unique_ptr<detail::Connection>> take() {
        std::unique_lock lock(mutex_);
        const bool free =
            returned_.wait_for(lock, std::chrono::milliseconds(wait_max_ms_), [&] { return !idle_.empty(); });
        if (!free) {
            return resource_exhausted("all database readers are busy; try again later");
        }
        auto connection = std::move(idle_.back());
        idle_.pop_back();
        return connection;
    }

    void give_back(std::unique_ptr<detail::Connection> connection) {
        add(std::move(connection));
        returned_.notify_one();
    }

 private:
    const std::int64_t wait_max_ms_;
    std::mutex mutex_;
    std::condition_variable returned_;
    std::vector<std::unique_ptr<detail::Connection>> idle_;
};

}  // namespace

struct Database::Impl {
    explicit Impl(const DatabaseOptions& options) : readers(options.read_wait_max_ms) {}

    detail::Listeners listeners;
    ReaderPool readers;
    std::unique_ptr<detail::Writer> writer;  // last: it stops first
};

Database::Database(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::open(const std::string& path,
                                                 std::span<const Migration> migrations,
                                                 const DatabaseOptions& options) {
    const Clock& clock = options.clock == nullptr ? system_clock() : *options.clock;
    GYRE_TRY(auto connection, detail::Connection::open(path, detail::Access::read_write, options.pages_max));
    if (auto migrated = detail::migrate(*connection, migrations, clock.now_us()); !migrated) {
        return std::move(migrated).error().context("database '" + path + "'");
    }
    auto impl = std::make_unique<Impl>(options);
    for (std::size_t i = 0; i < options.readers; ++i) {
        GYRE_TRY(auto reader, detail::Connection::open(path, detail::Access::read_only, 0));
        impl->readers.add(std::move(reader));
    }
    impl->writer = std::make_unique<detail::Writer>(std::move(connection), options, clock, impl->listeners);
    return std::unique_ptr<Database>(new Database(std::move(impl)));  // NOLINT: private constructor
}

Result<void> Database::run_write(const WriteBody& body, Durability durability) {
    return impl_->writer->submit([&](Transaction& tx) { return body(tx) == Keep::yes; }, durability);
}

Result<void> Database::run_read(const std::function<void(Reader&)>& body) {
    GYRE_TRY(auto connection, impl_->readers.take());
    Result<void> done = connection->run("BEGIN");
    if (done) {
        try {
            Reader reader(*connection);
            body(reader);
        } catch (const std::exception& e) {
            log_error("database_closure_threw", {{"error", e.what()}});
            done = internal_error("a read failed by an exception");
        }
        static_cast<void>(connection->run("ROLLBACK"));  // ends the snapshot; nothing was written
    }
    impl_->readers.give_back(std::move(connection));
    return done;
}

Listener Database::listen(std::string_view channel, std::function<void()> callback) {
    const std::uint64_t id = impl_->listeners.add(channel, std::move(callback));
    return Listener([listeners = &impl_->listeners, id] { listeners->remove(id); });
}

DatabaseStats Database::stats() const {
    return impl_->writer->stats();
}

Result<std::string> Database::schema() {
    return read(
        [&](Reader& reader) -> Result<std::string> { return detail::dump_schema(reader.connection_); });
}

}  // namespace gyre::storage
