#pragma once
// EventLoop: one thread's loop over epoll, for the server's sockets. Readiness is edge-triggered and kept by
// each socket, so that a request costs one read and one write and nothing else: a loop that tries a read
// before it knows of any bytes, as Asio 1.81 does, pays a third system call for nine requests of ten.
//
// A turn: the sockets that became ready are read, then their coroutines go on, then what was posted and the
// timers that are due, and at its end what waits for turn_end(), which is where answers are written. Each
// kind of work done together is quicker than one request after the other: the code of each is in the cache,
// and a client that is woken by an answer does not take the processor from the requests behind it. All of it
// runs on the loop's thread; only post() and stop() may be called from others.
#include <array>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <sys/epoll.h>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "runtime/http/task.h"
#include "runtime/pool.h"

namespace gyre::http {

class Timer;

/// An owner of a descriptor that the loop watches.
class Watched {
 public:
    /// Bits of EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR.
    virtual void became_ready(std::uint32_t events) = 0;

 protected:
    ~Watched() = default;
};

class EventLoop {
 public:
    /// Errors: unavailable (no descriptors left).
    static Result<std::unique_ptr<EventLoop>> create();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    /// Runs until stop() was called and every spawned task has ended.
    void run();
    /// Any thread.
    void stop();
    /// Any thread. Runs `job` in the next turn; never refuses: who posts is bounded by connections and pools.
    void post(std::function<void()> job);

    /// Starts `task` at once; what it throws is logged.
    void spawn(Task<void> task);
    /// Reports both directions, edge-triggered, until forget(). Errors: unavailable.
    Result<void> watch(int fd, Watched& watched);
    /// To be called before the descriptor is closed; events of this turn are dropped too.
    void forget(int fd, const Watched& watched);
    /// Resumes in the end of this turn, or in the next one if this one is ending.
    void resume_later(std::coroutine_handle<> waiting) { later_.push_back(waiting); }

    /// Resumes once every socket that became ready in this turn was looked at.
    void resume_soon(std::coroutine_handle<> waiting) { soon_.push_back(waiting); }

    class TurnEnd;
    /// Awaits the end of the turn: what is written there goes out together, and no connection keeps the
    /// others waiting.
    TurnEnd turn_end();
    /// Monotonic time at the start of this turn.
    [[nodiscard]] std::int64_t now_ns() const { return now_ns_; }

 private:
    friend class Timer;
    static constexpr std::size_t kEventsMax = 256;  // in one turn

    EventLoop(Fd epoll, Fd wake);
    [[nodiscard]] int timeout_ms() const;
    void dispatch_ready(int timeout_ms);
    void run_posted();
    void expire_timers();
    static void resume_all(std::vector<std::coroutine_handle<>>& waiting,
                           std::vector<std::coroutine_handle<>>& scratch);

    Fd epoll_;
    Fd wake_;  // an eventfd
    std::array<epoll_event, kEventsMax> ready_{};
    std::size_t ready_at_ = 0;  // events of this turn from here on are not dispatched yet
    std::size_t ready_end_ = 0;
    std::vector<std::coroutine_handle<>> soon_;
    std::vector<std::coroutine_handle<>> later_;
    std::vector<std::coroutine_handle<>> resuming_;  // kept for its memory
    std::multimap<std::int64_t, Timer*> timers_;     // by due time
    std::int64_t now_ns_ = 0;
    std::size_t tasks_ = 0;
    bool stopping_ = false;

    std::mutex mutex_;
    std::vector<std::function<void()>> posted_;  // guarded by mutex_
};

class EventLoop::TurnEnd {
 public:
    explicit TurnEnd(EventLoop& loop) : loop_(loop) {}
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> awaiter) const { loop_.resume_later(awaiter); }
    void await_resume() const noexcept {}

 private:
    EventLoop& loop_;
};

inline EventLoop::TurnEnd EventLoop::turn_end() {
    return TurnEnd(*this);
}

/// One wait at a time.
class Timer {
 public:
    explicit Timer(EventLoop& loop) : loop_(loop) {}
    /// Whoever waits is not resumed.
    ~Timer() { disarm(); }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    class Wait;
    /// Awaits `ms` milliseconds; false when cancel() came first.
    Wait wait(std::int64_t ms);
    void cancel();

 private:
    friend class EventLoop;
    void arm(std::int64_t ms, std::coroutine_handle<> awaiter);
    void disarm();

    EventLoop& loop_;
    std::coroutine_handle<> awaiter_;
    std::multimap<std::int64_t, Timer*>::iterator place_;
    bool expired_ = false;
};

class Timer::Wait {
 public:
    Wait(Timer& timer, std::int64_t ms) : timer_(timer), ms_(ms) {}
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> awaiter) const { timer_.arm(ms_, awaiter); }
    bool await_resume() const noexcept { return timer_.expired_; }

 private:
    Timer& timer_;
    std::int64_t ms_;
};

inline Timer::Wait Timer::wait(std::int64_t ms) {
    return {*this, ms};
}

/// Awaits `work` on `pool`, then goes on on the loop; false, and `work` did not run, when the pool is full.
class OnPool {
 public:
    /// `work` must outlive the wait and must not throw.
    OnPool(EventLoop& loop, runtime::ThreadPool& pool, const std::function<void()>& work)
        : loop_(loop), pool_(pool), work_(work) {}
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> awaiter);
    [[nodiscard]] bool await_resume() const noexcept { return queued_; }

 private:
    EventLoop& loop_;
    runtime::ThreadPool& pool_;
    const std::function<void()>& work_;
    bool queued_ = false;
};

}  // namespace gyre::http
