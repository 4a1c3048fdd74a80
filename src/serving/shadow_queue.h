#pragma once
// ShadowQueue: rows that variants score after the answer has gone out. Bounded; when it is full the rows are
// shed and counted, the answer never waits. One worker thread. Thread-safe.
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "serving/limits.h"
#include "serving/routing.h"
#include "serving/row_buffer.h"

namespace gyre::serving {

struct ShadowJob {
    std::shared_ptr<const RoutedEndpoint> endpoint;
    std::vector<std::size_t> variants;  // indices of endpoint->variants to score
    RowBuffer rows;
    std::vector<std::string> request_ids;   // one a row
    std::vector<std::int64_t> event_times;  // one a row, Unix us
};

class ShadowQueue {
 public:
    /// `score` runs on the worker thread for every job.
    explicit ShadowQueue(std::function<void(ShadowJob&)> score, std::size_t rows_max = kShadowQueueRowsMax);
    ~ShadowQueue();
    ShadowQueue(const ShadowQueue&) = delete;
    ShadowQueue& operator=(const ShadowQueue&) = delete;

    /// False when there was no room; the job is gone.
    bool push(ShadowJob job);
    /// Returns when everything pushed before the call has been scored.
    void drain();
    [[nodiscard]] std::size_t queued_rows() const;
    void stop();

 private:
    void run();

    const std::function<void(ShadowJob&)> score_;
    const std::size_t rows_max_;
    mutable std::mutex mutex_;
    std::condition_variable moved_;
    std::deque<ShadowJob> jobs_;  // guarded by mutex_, as what follows
    std::size_t rows_ = 0;
    std::uint64_t pushed_ = 0;
    std::uint64_t done_ = 0;
    bool stopping_ = false;
    std::thread worker_;  // last: starts when everything else is there
};

}  // namespace gyre::serving
