// Adapter: the writer's thread root; a closure that throws becomes an Error here.
#include "storage/sql/writer.h"

#include <algorithm>
#include <chrono>
#include <exception>

#include "base/log.h"

namespace gyre::storage::detail {

std::uint64_t Listeners::add(std::string_view channel, std::function<void()> callback) {
    const std::scoped_lock lock(mutex_);
    entries_.emplace(next_, Entry{std::string(channel), std::move(callback)});
    return next_++;
}

void Listeners::remove(std::uint64_t id) {
    const std::scoped_lock lock(mutex_);
    entries_.erase(id);
}

void Listeners::call(const std::vector<std::string>& channels) {
    if (channels.empty()) {
        return;
    }
    const std::set<std::string_view> once(channels.begin(), channels.end());
    const std::scoped_lock lock(mutex_);
    for (const auto& [id, entry] : entries_) {
        if (once.contains(entry.channel)) {
            entry.callback();
        }
    }
}

Writer::Writer(std::unique_ptr<Connection> connection, const DatabaseOptions& options, const Clock& clock,
               Listeners& listeners)
    : connection_(std::move(connection)),
      options_(options),
      clock_(clock),
      listeners_(listeners),
      thread_([this] { loop(); }) {}

Writer::~Writer() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    work_.notify_all();
    thread_.join();
}

DatabaseStats Writer::stats() const {
    const std::scoped_lock lock(mutex_);
    DatabaseStats stats = stats_;
    stats.queued = queue_.size();
    return stats;
}

Result<void> Writer::submit(const Body& body, Durability durability) {
    GYRE_CHECK(std::this_thread::get_id() != thread_.get_id(), "write() inside a write closure");
    Job job{.body = &body, .durability = durability, .outcome = {}, .changed = {}};
    std::unique_lock lock(mutex_);
    if (stopping_) {
        return unavailable("the database is closing");
    }
    if (queue_.size() >= options_.write_queue_max) {
        ++stats_.refused;
        return resource_exhausted("too many writes wait for the database; try again later");
    }
    queue_.push_back(&job);
    work_.notify_one();
    const bool started = job.changed.wait_for(lock, std::chrono::milliseconds(options_.write_wait_max_ms),
                                              [&] { return job.state != State::queued; });
    if (!started) {
        std::erase(queue_, &job);
        ++stats_.refused;
        return resource_exhausted("the database did not get to this write in time; try again later");
    }
    job.changed.wait(lock, [&] { return job.state == State::done; });
    return std::move(job.outcome);
}

void Writer::loop() {
    std::vector<Job*> batch;
    std::vector<std::string> signals;
    std::unique_lock lock(mutex_);
    for (;;) {
        work_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
        if (queue_.empty()) {
            return;
        }
        batch.clear();
        while (!queue_.empty() && batch.size() < options_.write_batch_max) {
            batch.push_back(queue_.front());
            batch.back()->state = State::running;
            queue_.pop_front();
        }
        lock.unlock();
        signals.clear();
        run_batch(batch, signals);
        listeners_.call(signals);
        lock.lock();
        finish(batch);
    }
}

void Writer::finish(std::span<Job* const> batch) {
    for (Job* job : batch) {
        ++(job->kept ? stats_.writes : stats_.undone);
        stats_.commits += job == batch.front() ? 1U : 0U;
        job->state = State::done;
        job->changed.notify_all();  // under the mutex: the job lives on its caller's stack
    }
}

void Writer::fail(std::span<Job* const> batch, const Error& error) {
    for (Job* job : batch) {
        job->kept = false;
        job->outcome = error;
    }
}

/// Starts a transaction that is as durable as the strictest of its jobs. The log is written in order: syncing
/// it for one commit makes all before it durable.
Result<void> Writer::begin(std::span<Job* const> batch) {
    const bool any_strict = std::ranges::any_of(
        batch, [](const Job* job) { return job->durability == Durability::power_failure; });
    const Durability wanted = any_strict ? Durability::power_failure : Durability::kill;
    if (wanted != durability_) {
        GYRE_TRY_VOID(
            connection_->execute(any_strict ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL"));
        durability_ = wanted;
    }
    return connection_->run("BEGIN IMMEDIATE");
}

void Writer::run_batch(std::span<Job* const> batch, std::vector<std::string>& signals) {
    if (auto begun = begin(batch); !begun) {
        fail(batch, begun.error());
        return;
    }
    Transaction tx(*connection_, clock_.now_us(), signals);
    for (Job* job : batch) {
        run_one(*job, tx, signals);
        if (connection_->idle()) {  // the engine undid everything: a full disk, a failed read
            signals.clear();
            const Error& error = connection_->last_error;
            log_error("database_batch_undone", {{"error", error.message()}});
            fail(batch, error);
            return;
        }
    }
    if (auto committed = connection_->run("COMMIT"); !committed) {
        log_error("database_commit_failed", {{"error", committed.error().message()}});
        static_cast<void>(connection_->run("ROLLBACK"));
        signals.clear();
        fail(batch, committed.error());
    }
}

void Writer::run_one(Job& job, Transaction& tx, std::vector<std::string>& signals) {
    if (auto saved = connection_->run("SAVEPOINT closure"); !saved) {
        job.outcome = saved.error();
        return;
    }
    const std::size_t signals_before = signals.size();
    try {
        job.kept = (*job.body)(tx);
    } catch (const std::exception& e) {
        log_error("database_closure_threw", {{"error", e.what()}});
        job.outcome = internal_error("a write failed by an exception");
    }
    if (connection_->idle()) {
        return;
    }
    Result<void> ended;
    if (!job.kept) {
        signals.resize(signals_before);
        ended = connection_->run("ROLLBACK TO closure");
    }
    if (ended) {
        ended = connection_->run("RELEASE closure");
    }
    if (!ended) {
        job.kept = false;
        job.outcome = ended.error();
    }
}

}  // namespace gyre::storage::detail
