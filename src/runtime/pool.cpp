// Adapter: a task may call libraries that throw; what escapes is caught here, at the thread's root.
#include "runtime/pool.h"

#include <exception>

#include "base/clock.h"
#include "base/log.h"

namespace gyre::runtime {

ThreadPool::ThreadPool(PoolOptions options, Metrics& metrics)
    : options_(std::move(options)),
      depth_gauge_(metrics.gauge("gyre_pool_queue_depth", "Tasks that wait for a thread.", {"pool"})
                       .with({options_.name})),
      dropped_(
          metrics.counter("gyre_pool_dropped_total", "Tasks refused because the queue was full.", {"pool"})
              .with({options_.name})),
      failed_(metrics.counter("gyre_pool_failed_total", "Tasks that ended with an exception.", {"pool"})
                  .with({options_.name})),
      wait_(metrics.histogram("gyre_pool_wait_seconds", "Time a task waited for a thread.", {"pool"})
                .with({options_.name})) {
    GYRE_CHECK(options_.threads >= 1 && options_.threads <= kPoolThreadsMax, "pool threads within bounds");
    GYRE_CHECK(options_.queue >= 1 && options_.queue <= kPoolQueueMax, "pool queue within bounds");
    threads_.reserve(options_.threads);
    for (std::size_t i = 0; i < options_.threads; ++i) {
        threads_.emplace_back([this] { work(); });
    }
}

ThreadPool::~ThreadPool() {
    stop();
}

Result<void> ThreadPool::submit(Task task) {
    {
        const std::scoped_lock lock(mutex_);
        if (stopping_) {
            return unavailable("pool '" + options_.name + "' is stopping");
        }
        if (queue_.size() >= options_.queue) {
            dropped_.add();
            return resource_exhausted("pool '" + options_.name + "' is full (" +
                                      std::to_string(options_.queue) + " tasks wait); try again later");
        }
        queue_.push_back({std::move(task), system_clock().steady_ns()});
        depth_gauge_.set(static_cast<double>(queue_.size()));
    }
    ready_.notify_one();
    return {};
}

void ThreadPool::stop() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    ready_.notify_all();
    for (std::thread& thread : threads_) {
        if (thread.joinable()) {
            thread.join();
        }
    }
}

std::size_t ThreadPool::depth() const {
    const std::scoped_lock lock(mutex_);
    return queue_.size();
}

void ThreadPool::work() {
    for (;;) {
        Waiting next;
        {
            std::unique_lock lock(mutex_);
            ready_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
            if (queue_.empty()) {
                return;
            }
            next = std::move(queue_.front());
            queue_.pop_front();
            depth_gauge_.set(static_cast<double>(queue_.size()));
        }
        run_one(next);
    }
}

void ThreadPool::run_one(const Waiting& waiting) {
    wait_.observe_ns(system_clock().steady_ns() - waiting.queued_ns);
    try {
        waiting.task();
    } catch (const std::exception& failure) {
        failed_.add();
        log_error("task_failed", {{"pool", options_.name}, {"reason", failure.what()}});
    } catch (...) {
        failed_.add();
        log_error("task_failed", {{"pool", options_.name}, {"reason", "unknown exception"}});
    }
}

}  // namespace gyre::runtime
