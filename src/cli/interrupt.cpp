#include "cli/interrupt.h"

#include <pthread.h>

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

}  // namespace gyre::cli
