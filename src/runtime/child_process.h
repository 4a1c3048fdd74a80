#pragma once
// ChildProcess: one program run beside the server, in a process group of its own, so that what it started
// is ended with it. Started by posix_spawn: safe in a process with threads. Leaves no zombie: the
// destructor ends and reaps the child. Linux only (pidfd). Not thread-safe, except terminate().
#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace gyre::runtime {

enum class OutputTo : std::uint8_t { inherit, discard, file, pipe };

enum class Priority : std::uint8_t {
    as_parent,
    /// What nobody else wants of a core (SCHED_IDLE, for its disk I/O too): a thread of another process that
    /// wakes up takes the core at once. Where the cores are full for good, such a child hardly moves.
    leftover,
};

struct ChildOptions {
    std::vector<std::string> argv;                         // argv[0] is looked up in PATH unless it has a '/'
    std::vector<std::pair<std::string, std::string>> env;  // set over the parent's environment
    std::vector<std::string> unset_env;
    std::string directory;  // "" keeps the parent's
    Priority priority = Priority::as_parent;
    OutputTo stdout_to = OutputTo::inherit;
    OutputTo stderr_to = OutputTo::inherit;
    std::string stdout_path;  // for OutputTo::file; truncated. Equal paths share one description.
    std::string stderr_path;
};

struct ChildExit {
    int code = 0;    // exit code, when it ended by itself
    int signal = 0;  // the signal that ended it, or 0
    std::int64_t cpu_ms = 0;
    std::int64_t rss_max_bytes = 0;
    [[nodiscard]] bool ok() const { return code == 0 && signal == 0; }
    /// "exit code 3", "signal 9 (Killed)"
    [[nodiscard]] std::string describe() const;
};

inline constexpr std::size_t kChildArgumentsMax = 4096;
inline constexpr std::int64_t kChildGraceMs = 5000;

class ChildProcess {
 public:
    /// Errors: invalid_argument (bad options), not_found (no such program), unavailable (no process, no
    /// file).
    static Result<ChildProcess> start(const ChildOptions& options);

    ChildProcess(ChildProcess&& other) noexcept;
    ChildProcess& operator=(ChildProcess&& other) noexcept;
    /// Ends the group (SIGKILL) if the child still runs, and reaps it.
    ~ChildProcess();

    [[nodiscard]] pid_t pid() const { return pid_; }
    /// The read end of a pipe asked for by OutputTo::pipe; -1 otherwise.
    [[nodiscard]] int stdout_fd() const { return stdout_.get(); }
    [[nodiscard]] int stderr_fd() const { return stderr_.get(); }

    /// How it ended; nothing if it still runs after `timeout_ms` (0 polls, negative waits without end).
    /// When it ends, what is left of its group is killed. May be called again after the end.
    std::optional<ChildExit> wait(std::int64_t timeout_ms);
    /// SIGTERM to the group, SIGKILL after `grace_ms`; waits for the end.
    ChildExit stop(std::int64_t grace_ms = kChildGraceMs);
    /// SIGTERM to the group; does not wait. May be called by another thread while one waits.
    void terminate() const;

 private:
    ChildProcess() = default;
    ChildExit reap();

    pid_t pid_ = -1;
    Fd pidfd_;
    Fd stdout_;
    Fd stderr_;
    std::optional<ChildExit> exit_;
};

struct ChildOutput {
    ChildExit exit;
    std::string out;  // both at most kChildOutputMax bytes; the rest is read and dropped
    std::string err;
    bool timed_out = false;
};
inline constexpr std::size_t kChildOutputMax = 1U << 20U;

/// Runs to the end and collects both outputs. On timeout the group is ended.
Result<ChildOutput> run_child(ChildOptions options, std::int64_t timeout_ms);

/// For a child of ours: asks the kernel to send SIGKILL when the thread that started it ends. Call first
/// thing in main.
void die_with_parent();
/// For a child of ours that has something to finish: sends itself SIGTERM, once, when the process `parent`,
/// which started it, has ended. False when it has ended already.
[[nodiscard]] bool stop_with_parent(pid_t parent);

}  // namespace gyre::runtime
