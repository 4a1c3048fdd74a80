#include "runtime/http/event_loop.h"

#include <algorithm>
#include <cerrno>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

#include "base/clock.h"
#include "base/log.h"

namespace gyre::http {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::int64_t kTimeoutMsMax = 60'000;

/// A coroutine that nobody awaits: it runs at once and frees itself at its end.
struct Detached {
    struct promise_type {
        [[nodiscard]] Detached get_return_object() const noexcept { return {}; }
        [[nodiscard]] std::suspend_never initial_suspend() const noexcept { return {}; }
        [[nodiscard]] std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() const noexcept { std::terminate(); }
    };
};

Detached run_detached(Task<void> task, std::size_t& running) {
    ++running;
    try {
        co_await task;
    } catch (const std::exception& failure) {
        log_error("connection_failed", {{"reason", failure.what()}});
    }
    --running;
}

}  // namespace

// --- the loop

EventLoop::EventLoop(Fd epoll, Fd wake)
    : epoll_(std::move(epoll)), wake_(std::move(wake)), now_ns_(system_clock().steady_ns()) {}

Result<std::unique_ptr<EventLoop>> EventLoop::create() {
    Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll.valid()) {
        return errno_error("epoll_create1", errno);
    }
    Fd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!wake.valid()) {
        return errno_error("eventfd", errno);
    }
    epoll_event event{};
    event.events = EPOLLIN;
    if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, wake.get(), &event) != 0) {
        return errno_error("epoll_ctl", errno);
    }
    return std::unique_ptr<EventLoop>(new EventLoop(std::move(epoll), std::move(wake)));
}

void EventLoop::run() {
    while (!stopping_ || tasks_ > 0) {
        dispatch_ready(timeout_ms());
        expire_timers();
        resume_all(later_, resuming_);
    }
}

int EventLoop::timeout_ms() const {
    if (!later_.empty()) {
        return 0;
    }
    if (timers_.empty()) {
        return -1;
    }
    const std::int64_t left_ms = (timers_.begin()->first - now_ns_ + kNsPerMs - 1) / kNsPerMs;
    return static_cast<int>(std::clamp<std::int64_t>(left_ms, 0, kTimeoutMsMax));
}

void EventLoop::dispatch_ready(int timeout_ms) {
    const int count = ::epoll_wait(epoll_.get(), ready_.data(), static_cast<int>(kEventsMax), timeout_ms);
    now_ns_ = system_clock().steady_ns();
    ready_end_ = count > 0 ? static_cast<std::size_t>(count) : 0;
    bool woken = false;
    for (ready_at_ = 0; ready_at_ < ready_end_;) {
        const epoll_event event = ready_[ready_at_++];
        auto* watched = static_cast<Watched*>(event.data.ptr);
        if (watched != nullptr) {
            watched->became_ready(event.events);
        } else {
            woken = woken || event.events != 0;
        }
    }
    ready_at_ = ready_end_ = 0;
    resume_all(soon_, resuming_);
    if (woken) {
        run_posted();
    }
}

void EventLoop::post(std::function<void()> job) {
    bool first = false;
    {
        const std::lock_guard lock(mutex_);
        first = posted_.empty();
        posted_.push_back(std::move(job));
    }
    if (first) {
        const std::uint64_t one = 1;
        [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
    }
}

void EventLoop::run_posted() {
    std::uint64_t ignored = 0;
    [[maybe_unused]] const ssize_t got = ::read(wake_.get(), &ignored, sizeof ignored);
    std::vector<std::function<void()>> jobs;
    {
        const std::lock_guard lock(mutex_);
        jobs.swap(posted_);
    }
    for (const std::function<void()>& job : jobs) {
        job();
    }
}

void EventLoop::stop() {
    post([this] { stopping_ = true; });
}

void EventLoop::spawn(Task<void> task) {
    run_detached(std::move(task), tasks_);
}

Result<void> EventLoop::watch(int fd, Watched& watched) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = &watched;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
        return errno_error("epoll_ctl", errno);
    }
    return {};
}

void EventLoop::forget(int fd, const Watched& watched) {
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
    for (std::size_t i = ready_at_; i < ready_end_; ++i) {
        if (ready_[i].data.ptr == &watched) {
            ready_[i] = {};
        }
    }
}

/// Those that come meanwhile stay in `waiting`.
void EventLoop::resume_all(std::vector<std::coroutine_handle<>>& waiting,
                           std::vector<std::coroutine_handle<>>& scratch) {
    scratch.swap(waiting);
    for (const std::coroutine_handle<> each : scratch) {
        each.resume();
    }
    scratch.clear();
}

// --- timers

void EventLoop::expire_timers() {
    while (!timers_.empty() && timers_.begin()->first <= now_ns_) {
        Timer& timer = *timers_.begin()->second;
        timer.expired_ = true;
        const std::coroutine_handle<> awaiter = timer.awaiter_;
        timer.disarm();
        awaiter.resume();
    }
}

void Timer::arm(std::int64_t ms, std::coroutine_handle<> awaiter) {
    expired_ = false;
    awaiter_ = awaiter;
    place_ = loop_.timers_.emplace(loop_.now_ns_ + ms * kNsPerMs, this);
}

void Timer::disarm() {
    if (awaiter_) {
        loop_.timers_.erase(place_);
        awaiter_ = {};
    }
}

void Timer::cancel() {
    if (awaiter_) {
        loop_.resume_later(awaiter_);
        disarm();
    }
}

// --- pools

bool OnPool::await_suspend(std::coroutine_handle<> awaiter) {
    // The coroutine goes on in a job of its own loop, hence after this function has returned.
    queued_ = pool_
                  .submit([this, awaiter] {
                      work_();
                      loop_.post([awaiter] { awaiter.resume(); });
                  })
                  .has_value();
    return queued_;
}

}  // namespace gyre::http
