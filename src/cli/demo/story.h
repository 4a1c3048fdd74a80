#pragma once
// Story: the demo's acts. It talks to the server over HTTP as any client would; nothing is decided here.
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cli/demo/dataset.h"
#include "cli/demo/replay.h"
#include "cli/demo/report.h"
#include "cli/remote.h"

namespace gyre::cli::demo {

struct StoryOptions {
    bool schedule = true;    // retrain every four weeks
    bool bad_models = true;  // two attempts with a model trained on shuffled labels
    double days_per_second = 3.0;
    std::int64_t until_us = 0;   // 0: all of the data
    std::string window = "all";  // how far back retraining looks: a duration, or all
    bool quiet = false;
};

/// What happened, counted from the server's events.
struct Happenings {
    std::map<std::string, int> by_type;
    std::vector<Json> events;
    std::int64_t last_position = 0;
};

/// One rollout of the bad model.
struct BadModel {
    std::string policy;
    std::string model;
    std::string state;
    std::int64_t answered = 0;
    std::string started;
    std::string ended;
};

class Story {
 public:
    Story(const Dataset& dataset, Remote& remote, StoryOptions options);

    /// Trains the first model on the data's first month (or twelfth), registers and deploys it, sets monitors
    /// and pipelines.
    Result<void> begin(const std::string& scratch);
    /// Replays the rest.
    Result<void> replay();
    /// The report of the server, and whether everything held.
    Result<YearReport> report();

    [[nodiscard]] ReplayTotals& totals() { return replay_->totals(); }
    [[nodiscard]] const Happenings& happenings() const { return happenings_; }
    [[nodiscard]] const std::vector<BadModel>& bad_models() const { return bad_; }
    [[nodiscard]] int gate_refusals() const { return gate_refusals_; }
    [[nodiscard]] std::int64_t replay_from_us() const { return from_us_; }
    [[nodiscard]] std::int64_t replay_to_us() const { return to_us_; }

 private:
    Result<void> put_pipelines();
    Result<void> train_first(const std::string& scratch);
    Result<void> deploy();
    Result<void> watch();
    Result<Json> wait_for_run(const std::string& id);
    Result<void> on_tick(std::int64_t now_us);
    Result<void> start_bad_model(std::int64_t now_us, const std::string& policy);
    [[nodiscard]] bool ends_bad_model(const Json& event) const;
    void show(const Json& event);
    std::string reason_of_gate(const std::string& run_id);
    void say(const std::string& line) const;

    const Dataset& dataset_;
    Remote& remote_;
    StoryOptions options_;
    std::int64_t from_us_ = 0;
    std::int64_t to_us_ = 0;
    std::unique_ptr<Replay> replay_;
    Happenings happenings_;
    std::vector<std::string> bad_due_;  // policies, in order
    bool bad_is_judged_ = false;
    int gate_refusals_ = 0;
    std::vector<BadModel> bad_;
};

}  // namespace gyre::cli::demo
