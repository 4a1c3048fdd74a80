#include "serving/shadow_queue.h"

namespace gyre::serving {

ShadowQueue::ShadowQueue(std::function<void(ShadowJob&)> score, std::size_t rows_max)
    : score_(std::move(score)), rows_max_(rows_max), worker_([this] { run(); }) {}

ShadowQueue::~ShadowQueue() {
    stop();
}

bool ShadowQueue::push(ShadowJob job) {
    const std::size_t rows = job.request_ids.size();
    {
        const std::scoped_lock lock(mutex_);
        if (stopping_ || rows_ + rows > rows_max_) {
            return false;
        }
        rows_ += rows;
        ++pushed_;
        jobs_.push_back(std::move(job));
    }
    moved_.notify_all();
    return true;
}

void ShadowQueue::drain() {
    std::unique_lock lock(mutex_);
    const std::uint64_t wanted = pushed_;
    moved_.wait(lock, [&] { return done_ >= wanted || stopping_; });
}

std::size_t ShadowQueue::queued_rows() const {
    const std::scoped_lock lock(mutex_);
    return rows_;
}

void ShadowQueue::stop() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    moved_.notify_all();
    if (worker_.joinable()) {
        worker_.join();
    }
}

void ShadowQueue::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        moved_.wait(lock, [&] { return stopping_ || !jobs_.empty(); });
        if (jobs_.empty()) {
            return;  // stopping, and everything accepted has been scored
        }
        ShadowJob job = std::move(jobs_.front());
        jobs_.pop_front();
        lock.unlock();
        score_(job);
        const std::size_t rows = job.request_ids.size();
        job = {};
        lock.lock();
        rows_ -= rows;
        ++done_;
        moved_.notify_all();
    }
}

}  // namespace gyre::serving
