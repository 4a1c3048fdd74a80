#include "runtime/child_process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <poll.h>
#include <sched.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "base/clock.h"

namespace gyre::runtime {
namespace {

constexpr int kLeastNice = 19;

/// posix_spawn's two option objects, freed on leaving.
struct SpawnSetup {
    posix_spawn_file_actions_t actions{};
    posix_spawnattr_t attributes{};
    SpawnSetup() {
        posix_spawn_file_actions_init(&actions);
        posix_spawnattr_init(&attributes);
    }
    ~SpawnSetup() {
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
    }
    SpawnSetup(const SpawnSetup&) = delete;
    SpawnSetup& operator=(const SpawnSetup&) = delete;
};

struct Pipe {
    Fd read;
    Fd write;
};

Result<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return errno_error("make a pipe", errno);
    }
    return Pipe{Fd(ends[0]), Fd(ends[1])};
}

Result<void> check(const ChildOptions& options) {
    if (options.argv.empty() || options.argv.front().empty()) {
        return invalid_argument("a child process needs a program");
    }
    if (options.argv.size() > kChildArgumentsMax) {
        return invalid_argument("a child process takes at most " + std::to_string(kChildArgumentsMax) +
                                " arguments");
    }
    const auto has_nul = [](const std::string& text) { return text.find('\0') != std::string::npos; };
    if (std::any_of(options.argv.begin(), options.argv.end(), has_nul)) {
        return invalid_argument("an argument of a child process holds a NUL byte");
    }
    return {};
}

std::vector<std::string> build_environment(const ChildOptions& options) {
    std::map<std::string, std::string> values;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string text(*entry);
        const std::size_t at = text.find('=');
        if (at != std::string::npos) {
            values[text.substr(0, at)] = text.substr(at + 1);
        }
    }
    for (const std::string& name : options.unset_env) {
        values.erase(name);
    }
    for (const auto& [name, value] : options.env) {
        values[name] = value;
    }
    std::vector<std::string> out;
    for (const auto& [name, value] : values) {
        out.push_back(name + "=" + value);
    }
    return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (std::string& text : texts) {
        out.push_back(text.data());
    }
    out.push_back(nullptr);
    return out;
}

/// Plans where descriptor `target` goes; a pipe's read end is put into `read_end`.
Result<Fd> redirect(SpawnSetup& setup, OutputTo where, const std::string& path, int target, Fd& read_end) {
    constexpr int kMode = 0644;
    switch (where) {
        case OutputTo::inherit:
            return Fd();
        case OutputTo::discard:
            posix_spawn_file_actions_addopen(&setup.actions, target, "/dev/null", O_WRONLY, 0);
            return Fd();
        case OutputTo::file: {
            Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_APPEND, kMode));
            if (!file.valid()) {
                return errno_error("open '" + path + "'", errno);
            }
            posix_spawn_file_actions_adddup2(&setup.actions, file.get(), target);
            return file;
        }
        case OutputTo::pipe: {
            GYRE_TRY(Pipe pipe, make_pipe());
            posix_spawn_file_actions_adddup2(&setup.actions, pipe.write.get(), target);
            read_end = std::move(pipe.read);
            return std::move(pipe.write);
        }
    }
    return Fd();
}

void set_attributes(SpawnSetup& setup) {
    sigset_t none;
    sigemptyset(&none);
    sigset_t defaults;
    sigemptyset(&defaults);
    for (const int signal : {SIGTERM, SIGINT, SIGPIPE, SIGHUP, SIGCHLD}) {
        sigaddset(&defaults, signal);
    }
    posix_spawnattr_setsigmask(&setup.attributes, &none);
    posix_spawnattr_setsigdefault(&setup.attributes, &defaults);
    posix_spawnattr_setpgroup(&setup.attributes, 0);
    posix_spawnattr_setflags(&setup.attributes,
                             POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

/// A child that has hardly begun has one thread; those that it starts inherit. Where the kernel (a sandbox)
/// refuses, the least weight that everybody may take is better than nothing.
void lower(pid_t child) {
    const sched_param none{};
    if (::sched_setscheduler(child, SCHED_IDLE, &none) != 0) {
        ::setpriority(PRIO_PROCESS, static_cast<id_t>(child), kLeastNice);
    }
}

std::int64_t milliseconds(const timeval& time) {
    return time.tv_sec * 1000 + time.tv_usec / 1000;
}

}  // namespace

std::string ChildExit::describe() const {
    if (signal != 0) {
        return "signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
    }
    return "exit code " + std::to_string(code);
}

Result<ChildProcess> ChildProcess::start(const ChildOptions& options) {
    GYRE_TRY_VOID(check(options));
    SpawnSetup setup;
    ChildProcess child;
    posix_spawn_file_actions_addopen(&setup.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    GYRE_TRY(const Fd out,
             redirect(setup, options.stdout_to, options.stdout_path, STDOUT_FILENO, child.stdout_));
    const bool shared = options.stdout_to == OutputTo::file && options.stderr_to == OutputTo::file &&
                        options.stdout_path == options.stderr_path;
    Fd err;
    if (shared) {
        posix_spawn_file_actions_adddup2(&setup.actions, out.get(), STDERR_FILENO);
    } else {
        GYRE_TRY(err, redirect(setup, options.stderr_to, options.stderr_path, STDERR_FILENO, child.stderr_));
    }
    if (!options.directory.empty()) {
        posix_spawn_file_actions_addchdir_np(&setup.actions, options.directory.c_str());
    }
    posix_spawn_file_actions_addclosefrom_np(&setup.actions, STDERR_FILENO + 1);
    set_attributes(setup);
    std::vector<std::string> argv = options.argv;
    std::vector<std::string> environment = build_environment(options);
    const int failure = ::posix_spawnp(&child.pid_, argv.front().c_str(), &setup.actions, &setup.attributes,
                                       pointers(argv).data(), pointers(environment).data());
    if (failure != 0) {
        child.pid_ = -1;
        const std::string what = "start '" + options.argv.front() + "'";
        return failure == ENOENT ? not_found(what + ": no such program or folder")
                                 : errno_error(what, failure);
    }
    if (options.priority == Priority::leftover) {
        lower(child.pid_);
    }
    // glibc 2.36 declares pidfd_open without extern "C".
    child.pidfd_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, child.pid_, 0)));
    if (!child.pidfd_.valid()) {
        return errno_error("watch the child process", errno);  // the destructor ends and reaps it
    }
    return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      stdout_(std::move(other.stdout_)),
      stderr_(std::move(other.stderr_)),
      exit_(std::exchange(other.exit_, std::nullopt)) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
    if (this != &other) {
        ChildProcess ended(std::move(*this));  // its destructor ends what this one held
        pid_ = std::exchange(other.pid_, -1);
        pidfd_ = std::move(other.pidfd_);
        stdout_ = std::move(other.stdout_);
        stderr_ = std::move(other.stderr_);
        exit_ = std::exchange(other.exit_, std::nullopt);
    }
    return *this;
}

ChildProcess::~ChildProcess() {
    if (pid_ > 0 && !exit_) {
        ::kill(-pid_, SIGKILL);
        reap();
    }
}

/// The leader is a zombie until waitpid, so its number and its group's cannot be taken by others before
/// the rest of the group is killed.
ChildExit ChildProcess::reap() {
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
    }
    ::kill(-pid_, SIGKILL);
    int status = 0;
    rusage usage{};
    while (::wait4(pid_, &status, 0, &usage) < 0 && errno == EINTR) {
    }
    ChildExit out;
    if (WIFSIGNALED(status)) {
        out.signal = WTERMSIG(status);
    } else {
        out.code = WEXITSTATUS(status);
    }
    out.cpu_ms = milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime);
    out.rss_max_bytes = std::int64_t{usage.ru_maxrss} * 1024;
    exit_ = out;
    return out;
}

std::optional<ChildExit> ChildProcess::wait(std::int64_t timeout_ms) {
    if (exit_) {
        return exit_;
    }
    const std::int64_t until_ns = system_clock().steady_ns() + timeout_ms * 1'000'000;
    for (;;) {
        std::int64_t left_ms = -1;
        if (timeout_ms >= 0) {
            left_ms =
                std::max<std::int64_t>(0, (until_ns - system_clock().steady_ns() + 999'999) / 1'000'000);
        }
        pollfd watched{pidfd_.get(), POLLIN, 0};
        const int ready =
            ::poll(&watched, 1, static_cast<int>(std::min<std::int64_t>(left_ms, 1'000'000'000)));
        if (ready > 0) {
            return reap();
        }
        if (ready == 0 && left_ms >= 0 && system_clock().steady_ns() >= until_ns) {
            return std::nullopt;
        }
    }
}

void ChildProcess::terminate() const {
    if (pid_ > 0 && !exit_) {
        ::kill(-pid_, SIGTERM);
    }
}

ChildExit ChildProcess::stop(std::int64_t grace_ms) {
    terminate();
    if (const auto ended = wait(grace_ms)) {
        return *ended;
    }
    ::kill(-pid_, SIGKILL);
    return reap();
}

namespace {

/// Reads what is there; false at the end of the stream.
bool drain(int fd, std::string& into) {
    std::array<char, 16384> chunk{};
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got > 0) {
        const std::size_t room = kChildOutputMax - into.size();
        into.append(chunk.data(), std::min(room, static_cast<std::size_t>(got)));
    }
    return got > 0 || (got < 0 && errno == EINTR);
}

/// Collects until both ends are closed or the time is over; false on timeout.
bool collect(ChildProcess& child, ChildOutput& output, std::int64_t until_ns) {
    constexpr std::int64_t kLookEveryMs = 100;
    std::array<pollfd, 2> ends{pollfd{child.stdout_fd(), POLLIN, 0}, pollfd{child.stderr_fd(), POLLIN, 0}};
    std::array<std::string*, 2> texts{&output.out, &output.err};
    while (ends[0].fd >= 0 || ends[1].fd >= 0) {
        const std::int64_t left_ms = (until_ns - system_clock().steady_ns()) / 1'000'000;
        if (left_ms <= 0) {
            return false;
        }
        if (::poll(ends.data(), ends.size(), static_cast<int>(std::min(left_ms, kLookEveryMs))) <= 0) {
            child.wait(0);  // its end kills the rest of the group, which may hold the pipes open
            continue;
        }
        for (std::size_t i = 0; i < ends.size(); ++i) {
            if (ends[i].fd >= 0 && ends[i].revents != 0 && !drain(ends[i].fd, *texts[i])) {
                ends[i].fd = -1;
            }
        }
    }
    return true;
}

}  // namespace

Result<ChildOutput> run_child(ChildOptions options, std::int64_t timeout_ms) {
    options.stdout_to = OutputTo::pipe;
    options.stderr_to = OutputTo::pipe;
    GYRE_TRY(ChildProcess child, ChildProcess::start(options));
    ChildOutput output;
    const std::int64_t until_ns = system_clock().steady_ns() + timeout_ms * 1'000'000;
    bool in_time = collect(child, output, until_ns);
    if (in_time) {
        const std::int64_t left_ms =
            std::max<std::int64_t>(0, (until_ns - system_clock().steady_ns()) / 1'000'000);
        const auto ended = child.wait(left_ms);
        in_time = ended.has_value();
    }
    output.timed_out = !in_time;
    output.exit = in_time ? *child.wait(0) : child.stop();
    return output;
}

void die_with_parent() {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/// Not by PR_SET_PDEATHSIG: that comes once for every thread of the parent that ends, and a second SIGTERM
/// cuts a shutdown short.
bool stop_with_parent(pid_t parent) {
    Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, parent, 0)));
    if (!pidfd.valid() || ::getppid() != parent) {
        return false;
    }
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);  // inherited by the thread, which must get none
    std::thread([watched = std::move(pidfd)] {
        pollfd ended{watched.get(), POLLIN, 0};
        while (::poll(&ended, 1, -1) <= 0) {
        }
        ::kill(::getpid(), SIGTERM);
    }).detach();
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return true;
}

}  // namespace gyre::runtime
