#include "runtime/shutdown.h"

#include <csignal>
#include <pthread.h>
#include <thread>
#include <unistd.h>

#include "base/error_code.h"

namespace gyre::runtime {
namespace {

sigset_t stop_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    return set;
}

int wait_for_one() {
    const sigset_t set = stop_signals();
    int signal = 0;
    while (sigwait(&set, &signal) != 0) {
    }
    return signal;
}

}  // namespace

ShutdownSignal::ShutdownSignal() {
    const sigset_t set = stop_signals();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
}

std::string_view ShutdownSignal::wait() {
    const int signal = wait_for_one();
    std::thread([] {
        wait_for_one();
        _exit(kExitInterrupted);
    }).detach();
    return signal == SIGTERM ? "SIGTERM" : "SIGINT";
}

}  // namespace gyre::runtime
