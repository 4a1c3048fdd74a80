// Adapter: what a job throws is caught here, at the thread's root.
#include "runtime/timers.h"

#include <algorithm>
#include <chrono>
#include <exception>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"

namespace gyre::runtime {
namespace {

void run_guarded(const std::string& name, const std::function<void()>& job) {
    try {
        job();
    } catch (const std::exception& failure) {
        log_error("timer_job_failed", {{"job", name}, {"reason", failure.what()}});
    }
}

}  // namespace

Timers::Timers() : thread_([this] { work(); }) {}

Timers::~Timers() {
    stop();
}

Timers::JobId Timers::every(std::string_view name, std::int64_t period_ms, std::function<void()> job) {
    GYRE_CHECK(period_ms >= 1, "a timer's period is at least 1 ms");
    const std::int64_t period_ns = period_ms * 1'000'000;
    const std::scoped_lock lock(mutex_);
    GYRE_CHECK(jobs_.size() < kTimerJobsMax, "no more than kTimerJobsMax periodic jobs");
    const JobId id = next_id_++;
    jobs_.push_back(
        {id, std::string(name), period_ns, system_clock().steady_ns() + period_ns, std::move(job)});
    changed_.notify_all();
    return id;
}

void Timers::cancel(JobId id) {
    std::unique_lock lock(mutex_);
    std::erase_if(jobs_, [id](const Job& job) { return job.id == id; });
    if (std::this_thread::get_id() != thread_.get_id()) {
        changed_.wait(lock, [this, id] { return running_ != id; });
    }
}

void Timers::stop() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
        changed_.notify_all();
    }
    if (thread_.joinable()) {
        thread_.join();
    }
}

void Timers::run_due(std::unique_lock<std::mutex>& lock, std::size_t index) {
    Job& job = jobs_[index];
    job.due_ns = system_clock().steady_ns() + job.period_ns;
    running_ = job.id;
    const std::string name = job.name;
    const std::function<void()> run = job.run;  // the vector may change meanwhile
    lock.unlock();
    run_guarded(name, run);
    lock.lock();
    running_ = 0;
    changed_.notify_all();
}

void Timers::work() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        const auto next = std::min_element(jobs_.begin(), jobs_.end(),
                                           [](const Job& a, const Job& b) { return a.due_ns < b.due_ns; });
        if (next == jobs_.end()) {
            changed_.wait(lock);
            continue;
        }
        const std::int64_t wait_ns = next->due_ns - system_clock().steady_ns();
        if (wait_ns > 0) {
            changed_.wait_for(lock, std::chrono::nanoseconds(wait_ns));
            continue;
        }
        run_due(lock, static_cast<std::size_t>(next - jobs_.begin()));
    }
}

}  // namespace gyre::runtime
