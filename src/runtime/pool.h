#pragma once
// ThreadPool: a named pool with a bounded queue. Work that does not fit is refused at once, never queued
// without end; the caller answers 429. Thread-safe.
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"

namespace gyre::runtime {

inline constexpr std::size_t kPoolThreadsMax = 256;
inline constexpr std::size_t kPoolQueueMax = 1'000'000;

struct PoolOptions {
    std::string name;          // label of its metrics; snake_case
    std::size_t threads = 1;   // 1 to kPoolThreadsMax
    std::size_t queue = 1024;  // waiting tasks beyond those that run; 1 to kPoolQueueMax
};

/// Metrics: gyre_pool_queue_depth{pool}, gyre_pool_dropped_total{pool}, gyre_pool_wait_seconds{pool}.
class ThreadPool {
 public:
    using Task = std::function<void()>;

    ThreadPool(PoolOptions options, Metrics& metrics);
    /// Runs what is queued, then joins.
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    /// Queues `task`. A task that throws is logged and counted, and the thread goes on.
    /// Errors: resource_exhausted when the queue is full, unavailable after stop().
    Result<void> submit(Task task);
    /// Refuses new work, runs what is queued, joins. Idempotent; not to be called from a task.
    void stop();

    [[nodiscard]] const std::string& name() const { return options_.name; }
    [[nodiscard]] std::size_t depth() const;

 private:
    struct Waiting {
        Task task;
        std::int64_t queued_ns = 0;
    };
    void work();
    void run_one(const Waiting& waiting);

    PoolOptions options_;
    Gauge& depth_gauge_;
    Counter& dropped_;
    Counter& failed_;
    Histogram& wait_;
    mutable std::mutex mutex_;
    std::condition_variable ready_;
    std::deque<Waiting> queue_;  // guarded by mutex_
    bool stopping_ = false;      // guarded by mutex_
    std::vector<std::thread> threads_;
};

}  // namespace gyre::runtime
