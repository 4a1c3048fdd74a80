#pragma once
// Timers: periodic jobs, all on one thread; a job that takes long delays the others, so long work goes to
// a pool. Liveness only: what decides by data time uses watermarks, not this.
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace gyre::runtime {

inline constexpr std::size_t kTimerJobsMax = 256;

/// Thread-safe.
class Timers {
 public:
    Timers();
    /// Waits for the running job, then joins.
    ~Timers();
    Timers(const Timers&) = delete;
    Timers& operator=(const Timers&) = delete;

    using JobId = std::uint64_t;
    /// Runs `job` every `period_ms` (at least 1), first after one period. A late job is not repeated to catch
    /// up. An exception is logged and the job goes on.
    JobId every(std::string_view name, std::int64_t period_ms, std::function<void()> job);
    /// After return the job does not run any more (unless called from the job itself).
    void cancel(JobId id);
    void stop();

 private:
    struct Job {
        JobId id = 0;
        std::string name;
        std::int64_t period_ns = 0;
        std::int64_t due_ns = 0;
        std::function<void()> run;
    };
    void work();
    void run_due(std::unique_lock<std::mutex>& lock, std::size_t index);

    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Job> jobs_;  // guarded by mutex_
    JobId next_id_ = 1;      // guarded by mutex_
    JobId running_ = 0;      // guarded by mutex_; 0 = none
    bool stopping_ = false;  // guarded by mutex_
    std::thread thread_;
};

}  // namespace gyre::runtime
