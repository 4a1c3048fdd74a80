#include "runtime/child_process.h"

#include <cerrno>
#include <csignal>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/clock.h"

namespace gyre::runtime {
namespace {

ChildOptions shell(std::string script) {
    ChildOptions options;
    options.argv = {"/bin/sh", "-c", std::move(script)};
    return options;
}

bool has_children() {
    siginfo_t info{};
    return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

TEST(ChildProcess, gives_outputs_exit_code_and_environment) {
    ChildOptions options = shell("echo $GREETING; echo to-err >&2; pwd; exit 3");
    options.env = {{"GREETING", "hello there"}};
    options.directory = "/";
    const auto output = run_child(options, 10'000);
    ASSERT_TRUE(output);
    EXPECT_EQ(output->out, "hello there\n/\n");
    EXPECT_EQ(output->err, "to-err\n");
    EXPECT_EQ(output->exit.code, 3);
    EXPECT_FALSE(output->exit.ok());
    EXPECT_EQ(output->exit.describe(), "exit code 3");
    EXPECT_FALSE(output->timed_out);
}

TEST(ChildProcess, runs_on_what_is_left_in_its_own_group_without_our_descriptors_and_signal_mask) {
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &term, nullptr);
    ChildOptions options =
        shell("sleep 0.1; cut -d' ' -f5,41 /proc/$$/stat; echo $$; ls /proc/$$/fd | tr '\\n' ' '");
    options.priority = Priority::leftover;
    const auto output = run_child(options, 10'000);
    ChildOptions mask;  // no shell: it blocks signals itself while it waits
    mask.argv = {"grep", "SigBlk", "/proc/self/status"};
    const auto blocked = run_child(mask, 10'000);
    pthread_sigmask(SIG_UNBLOCK, &term, nullptr);
    ASSERT_TRUE(output);
    ASSERT_TRUE(blocked);
    const std::string group = output->out.substr(0, output->out.find(' '));
    const std::string policy = std::to_string(SCHED_IDLE);
    EXPECT_TRUE(output->out.starts_with(group + " " + policy + "\n" + group + "\n")) << output->out;
    EXPECT_NE(output->out.find("0 1 2 "), std::string::npos) << output->out;
    EXPECT_NE(blocked->out.find("0000000000000000"), std::string::npos) << blocked->out;
}

TEST(ChildProcess, a_missing_program_is_not_found) {
    ChildOptions options;
    options.argv = {"/no/such/program"};
    const auto child = ChildProcess::start(options);
    ASSERT_FALSE(child);
    EXPECT_EQ(child.error().code(), ErrorCode::not_found);
}

TEST(ChildProcess, bad_options_are_refused) {
    EXPECT_FALSE(ChildProcess::start({}));
    ChildOptions options = shell(std::string("a\0b", 3));
    EXPECT_FALSE(ChildProcess::start(options));
    options = shell("true");
    options.argv.resize(kChildArgumentsMax + 1, "x");
    EXPECT_FALSE(ChildProcess::start(options));
}

TEST(ChildProcess, waiting_has_a_deadline_and_stop_ends_one_that_ignores_sigterm) {
    auto child = ChildProcess::start(shell("trap '' TERM; while :; do sleep 0.05; done"));
    ASSERT_TRUE(child);
    EXPECT_FALSE(child->wait(100));
    const ChildExit exit = child->stop(100);
    EXPECT_EQ(exit.signal, SIGKILL);
    EXPECT_TRUE(child->wait(0));
}

TEST(ChildProcess, what_a_child_leaves_behind_in_its_group_is_ended_with_it) {
    ChildOptions options = shell("sleep 1000 & echo $!");
    const auto output = run_child(options, 5'000);
    ASSERT_TRUE(output);
    EXPECT_FALSE(output->timed_out);
    const int grandchild = std::atoi(output->out.c_str());
    ASSERT_GT(grandchild, 1);
    const std::int64_t until = system_clock().now_ms() + 5'000;
    while (::kill(grandchild, 0) == 0 && system_clock().now_ms() < until) {
        const std::string stat = read_file("/proc/" + std::to_string(grandchild) + "/stat").value_or("");
        if (stat.find(") Z ") != std::string::npos) {
            break;  // dead; whoever adopted it has not reaped it yet
        }
        ::usleep(1000);
    }
    EXPECT_LT(system_clock().now_ms(), until);
}

TEST(ChildProcess, the_destructor_leaves_neither_process_nor_zombie) {
    {
        auto child = ChildProcess::start(shell("sleep 1000"));
        ASSERT_TRUE(child);
        EXPECT_TRUE(has_children());
    }
    EXPECT_FALSE(has_children());
}

TEST(ChildProcess, both_outputs_go_to_one_file) {
    const std::string path = ::testing::TempDir() + "/child_output_" + std::to_string(::getpid());
    ChildOptions options = shell("echo one; echo two >&2; echo three");
    options.stdout_to = options.stderr_to = OutputTo::file;
    options.stdout_path = options.stderr_path = path;
    auto child = ChildProcess::start(options);
    ASSERT_TRUE(child);
    const auto exit = child->wait(10'000);
    ASSERT_TRUE(exit);
    EXPECT_TRUE(exit->ok());
    EXPECT_EQ(read_file(path).value_or(""), "one\ntwo\nthree\n");
}

TEST(ChildProcess, collected_output_is_bounded) {
    const auto output = run_child(shell("head -c 3000000 /dev/zero"), 20'000);
    ASSERT_TRUE(output);
    EXPECT_EQ(output->out.size(), kChildOutputMax);
    EXPECT_TRUE(output->exit.ok());
}

}  // namespace
}  // namespace gyre::runtime
