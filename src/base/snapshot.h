#pragma once
// Snapshot<T>: a published immutable value. One writer at a time; readers take no lock while nothing changes.
//
// Each reading thread keeps its own shared_ptr and compares one atomic number; only when the number has moved
// does it take the writer's mutex. (libstdc++ 12's atomic<shared_ptr> takes a lock on every load.)
// An idle thread keeps the last value that it saw alive; call release_on_this_thread from its timer so that
// what was replaced can be freed.
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace gyre {

template <class T>
class Snapshot {
 public:
    explicit Snapshot(std::shared_ptr<const T> initial) : value_(std::move(initial)), key_(next_key()) {}
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;
    ~Snapshot() { slots().erase(key_); }

    /// Makes `value` what later reads see. Thread-safe.
    void publish(std::shared_ptr<const T> value) {
        std::shared_ptr<const T> old;  // freed outside the lock
        {
            const std::scoped_lock lock(mutex_);
            old = std::exchange(value_, std::move(value));
            generation_.fetch_add(1, std::memory_order_release);
        }
    }

    /// The current value, for this thread's use until its next call. Never null if none was published null.
    const std::shared_ptr<const T>& read() const {
        Slot& slot = slots()[key_];
        const std::uint64_t now = generation_.load(std::memory_order_acquire);
        if (slot.generation != now) [[unlikely]] {
            const std::scoped_lock lock(mutex_);
            slot.value = value_;
            slot.generation = generation_.load(std::memory_order_relaxed);
        }
        return slot.value;
    }

    /// A copy that the caller may keep and hand to other threads.
    std::shared_ptr<const T> copy() const {
        const std::scoped_lock lock(mutex_);
        return value_;
    }

    /// Brings this thread's copy up to date, dropping what it held before.
    void release_on_this_thread() const { static_cast<void>(read()); }

 private:
    struct Slot {
        std::uint64_t generation = 0;
        std::shared_ptr<const T> value;
    };
    static std::unordered_map<std::uint64_t, Slot>& slots() {
        thread_local std::unordered_map<std::uint64_t, Slot> mine;
        return mine;
    }
    static std::uint64_t next_key() {
        static std::atomic<std::uint64_t> next{1};
        return next.fetch_add(1);
    }

    mutable std::mutex mutex_;
    std::shared_ptr<const T> value_;            // guarded by mutex_
    std::atomic<std::uint64_t> generation_{1};  // written under mutex_
    const std::uint64_t key_;
};

}  // namespace gyre
