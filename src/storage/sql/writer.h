#pragma once
// Writer: the thread that runs write closures and commits them in batches. Private to storage/sql.
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "storage/sql/connection.h"
#include "storage/sql/database.h"

namespace gyre::storage::detail {

/// Callbacks by channel. A callback runs with the mutex held, so ending a listener waits for it.
class Listeners {
 public:
    std::uint64_t add(std::string_view channel, std::function<void()> callback);
    void remove(std::uint64_t id);
    void call(const std::vector<std::string>& channels);

 private:
    struct Entry {
        std::string channel;
        std::function<void()> callback;
    };
    std::mutex mutex_;
    std::map<std::uint64_t, Entry> entries_;
    std::uint64_t next_ = 1;
};

class Writer {
 public:
    /// Runs the closure; true keeps what it did.
    using Body = std::function<bool(Transaction&)>;

    Writer(std::unique_ptr<Connection> connection, const DatabaseOptions& options, const Clock& clock,
           Listeners& listeners);
    /// Finishes what was accepted.
    ~Writer();

    Result<void> submit(const Body& body, Durability durability);
    [[nodiscard]] DatabaseStats stats() const;

 private:
    enum class State : std::uint8_t { queued, running, done };
    struct Job {
        const Body* body;
        Durability durability;
        State state = State::queued;
        Result<void> outcome;
        bool kept = false;
        std::condition_variable changed;
    };
    void loop();
    void run_batch(std::span<Job* const> batch, std::vector<std::string>& signals);
    Result<void> begin(std::span<Job* const> batch);
    void run_one(Job& job, Transaction& tx, std::vector<std::string>& signals);
    static void fail(std::span<Job* const> batch, const Error& error);
    void finish(std::span<Job* const> batch);

    std::unique_ptr<Connection> connection_;  // the writer thread's, once it runs; as the next
    Durability durability_ = Durability::power_failure;
    const DatabaseOptions options_;
    const Clock& clock_;
    Listeners& listeners_;

    mutable std::mutex mutex_;  // guards all below, and the state of every job
    std::condition_variable work_;
    std::deque<Job*> queue_;
    DatabaseStats stats_;
    bool stopping_ = false;
    std::thread thread_;  // last: it uses the rest
};

}  // namespace gyre::storage::detail
