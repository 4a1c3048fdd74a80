#include "cli/interrupt.h"

#include <pthread.h>
#include <unistd.h>

#include "base/error_code.h"

namespace gyre::cli {

InterruptWatch::InterruptWatch() {
    sigemptyset(&watched_);
    sigaddset(&watched_, SIGINT);
    sigaddset(&watched_, SIGTERM);
    sigaddset(&watched_, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &watched_, &before_);
}

InterruptWatch::~InterruptWatch() {
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

bool InterruptWatch::wait(std::int64_t timeout_ms) const {
    timespec pause{};
    pause.tv_sec = timeout_ms / 1000;
    pause.tv_nsec = timeout_ms % 1000 * 1'000'000;
    return sigtimedwait(&watched_, nullptr, &pause) > 0;
}

InterruptAction::InterruptAction() {
    constexpr std::int64_t kLookEveryMs = 50;
    thread_ = std::thread([this] {
        while (!stopping_) {
            if (watch_.wait(kLookEveryMs)) {
                take_signal();
            }
        }
    });
}

InterruptAction::~InterruptAction() {
    stopping_ = true;
    thread_.join();
}

void InterruptAction::set(std::function<void()> action) {
    const std::scoped_lock lock(mutex_);
    action_ = std::move(action);
}

void InterruptAction::take_signal() {
    const std::scoped_lock lock(mutex_);
    if (interrupted_.exchange(true) || !action_) {
        ::_exit(kExitInterrupted);
    }
    action_();
}

}  // namespace gyre::cli
