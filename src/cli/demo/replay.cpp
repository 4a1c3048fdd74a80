#include "cli/demo/replay.h"

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <mutex>
#include <numeric>
#include <thread>

#include "base/clock.h"
#include "base/json.h"

namespace gyre::cli::demo {
namespace {

constexpr std::size_t kLabelsPerRequest = 500;
constexpr std::int64_t kClockTimeoutMs = 300'000;  // a retraining may have to end first

std::string endpoint_url(const ReplayOptions& options, std::string_view verb) {
    return options.url + "/api/gyre/v1/endpoints/" + options.endpoint + "/" + std::string(verb);
}

}  // namespace

double ReplayTotals::latency_ms(double q) {
    if (latencies_us.empty()) {
        return 0.0;
    }
    const auto at = static_cast<std::ptrdiff_t>(q * static_cast<double>(latencies_us.size() - 1));
    std::nth_element(latencies_us.begin(), latencies_us.begin() + at, latencies_us.end());
    return static_cast<double>(latencies_us[static_cast<std::size_t>(at)]) / 1000.0;
}

/// One connection on a thread of its own: takes a slice of each tick's rows.
struct Replay::Worker {
    explicit Worker(const Replay& replay) : replay_(replay), thread_([this] { work(); }) {}
    ~Worker() {
        {
            const std::scoped_lock lock(mutex_);
            stopping_ = true;
        }
        moved_.notify_all();
        thread_.join();
    }

    void give(std::size_t first, std::size_t last, std::size_t step) {
        {
            const std::scoped_lock lock(mutex_);
            first_ = first;
            last_ = last;
            step_ = step;
            busy_ = true;
        }
        moved_.notify_all();
    }
    void wait() {
        std::unique_lock lock(mutex_);
        moved_.wait(lock, [&] { return !busy_; });
    }

    std::int64_t answered = 0;
    std::int64_t errors = 0;
    std::string first_error;
    std::vector<std::uint32_t> latencies_us;

 private:
    void work() {
        std::unique_lock lock(mutex_);
        for (;;) {
            moved_.wait(lock, [&] { return stopping_ || busy_; });
            if (stopping_) {
                return;
            }
            lock.unlock();
            for (std::size_t row = first_; row < last_; row += step_) {
                send(row);
            }
            lock.lock();
            busy_ = false;
            moved_.notify_all();
        }
    }

    void send(std::size_t row) {
        runtime::HttpRequest request;
        request.method = "POST";
        request.url = endpoint_url(replay_.options_, "predict");
        request.headers = {{"Content-Type", "application/json"}};
        append_predict_body(replay_.dataset_, row, request.body);
        const std::int64_t from_ns = system_clock().steady_ns();
        const auto reply = client_.send(request);
        latencies_us.push_back(static_cast<std::uint32_t>((system_clock().steady_ns() - from_ns) / 1000));
        if (reply && reply->status == 200) {
            ++answered;
            return;
        }
        ++errors;
        if (first_error.empty()) {
            first_error = reply ? std::to_string(reply->status) + " " + reply->body : reply.error().message();
        }
    }

    const Replay& replay_;
    runtime::HttpClient client_;
    std::mutex mutex_;
    std::condition_variable moved_;
    std::size_t first_ = 0;  // guarded by mutex_, as what follows
    std::size_t last_ = 0;
    std::size_t step_ = 1;
    bool busy_ = false;
    bool stopping_ = false;
    std::thread thread_;
};

Replay::Replay(const Dataset& dataset, ReplayOptions options)
    : dataset_(dataset), options_(std::move(options)) {
    by_label_time_.resize(dataset.rows());
    std::iota(by_label_time_.begin(), by_label_time_.end(), std::size_t{0});
    std::sort(by_label_time_.begin(), by_label_time_.end(), [&](std::size_t a, std::size_t b) {
        return std::pair(dataset.label_us[a], a) < std::pair(dataset.label_us[b], b);
    });
    next_row_ = static_cast<std::size_t>(
        std::lower_bound(dataset.event_us.begin(), dataset.event_us.end(), options_.from_us) -
        dataset.event_us.begin());
    // Outcomes of rows before the replay are the first model's training data.
    const auto end_row = static_cast<std::size_t>(
        std::lower_bound(dataset.event_us.begin(), dataset.event_us.end(), options_.to_us) -
        dataset.event_us.begin());
    std::erase_if(by_label_time_, [&](std::size_t row) { return row < next_row_ || row >= end_row; });
    for (std::size_t i = 0; i < options_.connections; ++i) {
        workers_.push_back(std::make_unique<Worker>(*this));
    }
}

Replay::~Replay() = default;

Result<void> Replay::run(const OnTick& on_tick) {
    started_ns_ = system_clock().steady_ns();
    for (std::int64_t now_us = options_.from_us; now_us < options_.to_us; now_us += options_.tick_us) {
        const std::int64_t end_us = std::min(now_us + options_.tick_us, options_.to_us);
        GYRE_TRY_VOID(tick(now_us, end_us));
        GYRE_TRY_VOID(on_tick(end_us));
        keep_pace(end_us);
    }
    return {};
}

Result<void> Replay::finish(const OnTick& on_tick) {
    std::int64_t now_us = options_.to_us;
    while (next_label_ < by_label_time_.size()) {
        now_us += kUsPerDay;
        GYRE_TRY_VOID(send_labels(now_us));
        GYRE_TRY_VOID(move_clock(now_us));
        GYRE_TRY_VOID(on_tick(now_us));
    }
    for (const auto& worker : workers_) {
        totals_.answered += worker->answered;
        totals_.errors += worker->errors;
        if (totals_.first_error.empty()) {
            totals_.first_error = worker->first_error;
        }
        totals_.latencies_us.insert(totals_.latencies_us.end(), worker->latencies_us.begin(),
                                    worker->latencies_us.end());
    }
    return {};
}

Result<void> Replay::tick(std::int64_t /*now_us*/, std::int64_t end_us) {
    const auto last = static_cast<std::size_t>(
        std::lower_bound(dataset_.event_us.begin(), dataset_.event_us.end(), end_us) -
        dataset_.event_us.begin());
    send_predictions(next_row_, last);
    next_row_ = last;
    GYRE_TRY_VOID(send_labels(end_us));
    return move_clock(end_us);
}

void Replay::send_predictions(std::size_t first, std::size_t last) {
    totals_.sent += static_cast<std::int64_t>(last - first);
    for (std::size_t i = 0; i < workers_.size(); ++i) {
        workers_[i]->give(first + i, last, workers_.size());
    }
    for (const auto& worker : workers_) {
        worker->wait();
    }
}

Result<void> Replay::send_labels(std::int64_t before_us) {
    const auto due = [&] {
        return next_label_ < by_label_time_.size() &&
               dataset_.label_us[by_label_time_[next_label_]] < before_us;
    };
    while (due()) {
        std::string body = R"({"endpoint":)";
        append_json_string(body, options_.endpoint);
        body += R"(,"labels":[)";
        for (std::size_t n = 0; n < kLabelsPerRequest && due(); ++n, ++next_label_) {
            const std::size_t row = by_label_time_[next_label_];
            body += n > 0 ? "," : "";
            body += R"({"request_id":)";
            append_json_string(body, dataset_.ids[row]);
            body += R"(,"value":)";
            append_json_number(body, dataset_.labels[row]);
            body += R"(,"time":")" + format_rfc3339(dataset_.label_us[row]) + "\"}";
            ++totals_.labels;
        }
        body += "]}";
        runtime::HttpRequest request;
        request.method = "POST";
        request.url = options_.url + "/api/gyre/v1/labels";
        request.headers = {{"Content-Type", "application/json"}};
        request.body = std::move(body);
        GYRE_TRY(const runtime::HttpReply reply, client_.send(request));
        if (reply.status != 200) {
            return unavailable("labels were refused: " + std::to_string(reply.status) + " " + reply.body);
        }
    }
    return {};
}

Result<void> Replay::move_clock(std::int64_t now_us) {
    const std::int64_t from_ns = system_clock().steady_ns();
    runtime::HttpRequest request;
    request.method = "POST";
    request.url = endpoint_url(options_, "clock");
    request.headers = {{"Content-Type", "application/json"}};
    request.body = R"({"now":")" + format_rfc3339(now_us) + "\"}";
    request.timeout_ms = kClockTimeoutMs;
    GYRE_TRY(const runtime::HttpReply reply, client_.send(request));
    totals_.clock_s += static_cast<double>(system_clock().steady_ns() - from_ns) * 1e-9;
    if (reply.status != 200) {
        return unavailable("the endpoint's clock was not moved to " + format_rfc3339(now_us) + ": " +
                           std::to_string(reply.status) + " " + reply.body);
    }
    return {};
}

void Replay::keep_pace(std::int64_t now_us) {
    if (options_.days_per_second <= 0.0) {
        return;
    }
    const double days = static_cast<double>(now_us - options_.from_us) / static_cast<double>(kUsPerDay);
    const double due_s = days / options_.days_per_second;
    const double spent_s = static_cast<double>(system_clock().steady_ns() - started_ns_) * 1e-9;
    if (due_s > spent_s) {
        std::mutex mutex;
        std::unique_lock lock(mutex);
        std::condition_variable().wait_for(lock, std::chrono::duration<double>(due_s - spent_s),
                                           [] { return false; });
    }
}

}  // namespace gyre::cli::demo
