#pragma once
// Task<T>: a coroutine of one I/O loop. It starts when it is awaited and resumes its awaiter when it ends,
// without growing the stack. What it throws is thrown again where it is awaited. Not thread-safe: all of it
// runs on its loop's thread.
#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace gyre::http {

template <class T>
class Task;

/// What the promises of all tasks share.
class TaskPromiseBase {
 public:
    struct ResumeAwaiter {
        [[nodiscard]] bool await_ready() const noexcept { return false; }
        template <class Promise>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
            return ended.promise().awaiter_;
        }
        void await_resume() const noexcept {}
    };
    [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }
    [[nodiscard]] ResumeAwaiter final_suspend() const noexcept { return {}; }
    void unhandled_exception() noexcept { failure_ = std::current_exception(); }

    void set_awaiter(std::coroutine_handle<> awaiter) noexcept { awaiter_ = awaiter; }
    void rethrow() const {
        if (failure_) {
            std::rethrow_exception(failure_);
        }
    }

 private:
    std::coroutine_handle<> awaiter_ = std::noop_coroutine();
    std::exception_ptr failure_;
};

template <class T>
class TaskPromise final : public TaskPromiseBase {
 public:
    Task<T> get_return_object() noexcept;
    void return_value(T value) { value_ = std::move(value); }
    T take() {
        rethrow();
        return std::move(*value_);
    }

 private:
    std::optional<T> value_;
};

template <>
class TaskPromise<void> final : public TaskPromiseBase {
 public:
    Task<void> get_return_object() noexcept;
    void return_void() const noexcept {}
    void take() const { rethrow(); }
};

template <class T>
class [[nodiscard]] Task {
 public:
    using promise_type = TaskPromise<T>;
    using Handle = std::coroutine_handle<promise_type>;

    explicit Task(Handle handle) noexcept : handle_(handle) {}
    ~Task() {
        if (handle_) {
            handle_.destroy();
        }
    }
    Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
    Task& operator=(Task&&) = delete;

    [[nodiscard]] bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiter) const noexcept {
        handle_.promise().set_awaiter(awaiter);
        return handle_;
    }
    T await_resume() const { return handle_.promise().take(); }

 private:
    Handle handle_;
};

template <class T>
Task<T> TaskPromise<T>::get_return_object() noexcept {
    return Task<T>(Task<T>::Handle::from_promise(*this));
}

inline Task<void> TaskPromise<void>::get_return_object() noexcept {
    return Task<void>(Task<void>::Handle::from_promise(*this));
}

}  // namespace gyre::http
