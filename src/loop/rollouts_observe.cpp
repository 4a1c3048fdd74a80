#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "loop/rollout_policy.h"
#include "loop/rollouts.h"
#include "loop/step_answers.h"

namespace gyre::loop {
namespace {

using evidence::Arm;

/// The candidate's share of traffic by event time.
class ExposureHistory {
 public:
    explicit ExposureHistory(const Rollout& rollout) : moments_(rollout.history) {}

    [[nodiscard]] double at(std::int64_t event_time_us) const {
        const auto later = std::find_if(moments_.begin(), moments_.end(), [&](const RolloutMoment& moment) {
            return moment.served_from_us > event_time_us;
        });
        return later == moments_.begin() ? 0.0 : std::prev(later)->exposure;
    }

 private:
    const std::vector<RolloutMoment>& moments_;
};

}  // namespace

double Rollouts::loss_of(const Rollout& rollout, serving::Task task, double score, double label) const {
    const double error = score - label;
    if (task == serving::Task::classification) {
        return std::clamp(error * error, 0.0, 1.0);
    }
    const double scaled = error / rollout.options.loss_scale;
    return std::clamp(scaled * scaled, 0.0, 1.0);
}

Rollouts::Counted Rollouts::next_rows(Rollout& rollout, std::int64_t now_us) {
    const std::int64_t period = std::max<std::int64_t>(rollout.options.period.us, 1);
    Counted counted{std::max(rollout.counted_until_us, rollout.started_us),
                    (now_us - rollout.options.label_lateness.us) / period * period};
    counted.until_us = std::max(counted.until_us, counted.from_us);
    rollout.counted_until_us = counted.until_us;
    return counted;
}

Result<void> Rollouts::observe_pairs(Rollout& rollout, RolloutMachine& machine, std::int64_t now_us) {
    GYRE_TRY(const serving::StoredEndpoint stored, serving_.get(rollout.endpoint));
    const Counted span = next_rows(rollout, now_us);
    const auto scored = [&](const std::string& model) {
        return scores_.scored_rows({rollout.endpoint, model, span.from_us, span.until_us, now_us});
    };
    const auto champion = scored(rollout.champion);
    std::map<monitoring::RequestKey, double> champion_scores;
    for (const monitoring::ScoredRow& row : champion) {
        champion_scores.emplace(row.key, static_cast<double>(row.score));
    }
    for (const monitoring::ScoredRow& row : scored(rollout.candidate)) {
        const auto other = champion_scores.find(row.key);
        if (!row.label || other == champion_scores.end()) {
            continue;
        }
        GYRE_TRY_VOID(machine.observe_pair(
            loss_of(rollout, stored.spec.task, static_cast<double>(row.score), *row.label),
            loss_of(rollout, stored.spec.task, other->second, *row.label)));
    }
    return {};
}

Result<void> Rollouts::observe_arms(Rollout& rollout, RolloutMachine& machine, std::int64_t now_us) {
    GYRE_TRY(const serving::StoredEndpoint stored, serving_.get(rollout.endpoint));
    const Counted span = next_rows(rollout, now_us);
    struct Seen {
        std::int64_t time_us;
        monitoring::RequestKey key;
        Arm arm;
        evidence::ScoredOutcome outcome;
    };
    const ExposureHistory exposures(rollout);
    std::vector<Seen> seen;
    for (const auto& [arm, model] :
         {std::pair(Arm::candidate, rollout.candidate), std::pair(Arm::champion, rollout.champion)}) {
        for (const monitoring::ScoredRow& row :
             scores_.scored_rows({rollout.endpoint, model, span.from_us, span.until_us, now_us})) {
            if (row.answered && row.label) {
                const auto score = static_cast<double>(row.score);
                const double loss = loss_of(rollout, stored.spec.task, score, *row.label);
                seen.push_back({row.event_time_us, row.key, arm, {score, *row.label, loss}});
            }
        }
    }
    std::sort(seen.begin(), seen.end(), [](const Seen& a, const Seen& b) {
        return std::tie(a.time_us, a.key) < std::tie(b.time_us, b.key);
    });
    for (const Seen& row : seen) {
        GYRE_TRY_VOID(machine.observe_arm({row.arm, exposures.at(row.time_us), row.outcome}));
    }
    return {};
}

RolloutTraffic Rollouts::traffic_of(const Rollout& rollout) const {
    RolloutTraffic traffic;
    const std::int64_t from_us = rollout.started_us / kUsPerHour * kUsPerHour;
    for (const monitoring::TrafficPoint& point : scores_.traffic(rollout.endpoint, kUsPerHour, from_us)) {
        const bool of_candidate = point.model == rollout.candidate;
        if (!of_candidate && point.model != rollout.champion) {
            continue;
        }
        evidence::ArmCounts& arm = of_candidate ? traffic.candidate : traffic.champion;
        arm.requests += point.predictions + point.errors;
        arm.errors += point.errors;
    }
    return traffic;
}

void Rollouts::observe_requests(Rollout& rollout, RolloutMachine& machine) const {
    const RolloutTraffic now = traffic_of(rollout);
    const RolloutTraffic before = std::exchange(rollout.traffic, now);
    const auto since = [](const evidence::ArmCounts& later, const evidence::ArmCounts& earlier) {
        return evidence::ArmCounts{later.requests - earlier.requests, later.errors - earlier.errors};
    };
    const evidence::ArmCounts candidate = since(now.candidate, before.candidate);
    rollout.exposed_predictions += std::max<std::int64_t>(candidate.requests - candidate.errors, 0);
    machine.observe_requests(Arm::candidate, candidate);
    machine.observe_requests(Arm::champion, since(now.champion, before.champion));
}

Result<void> Rollouts::observe_answers(Rollout& rollout, StepAnswers& answers, std::int64_t now_us) {
    if (rollout.state != RolloutState::exposing || rollout.history.empty()) {
        return {};
    }
    const std::int64_t from_us = std::max(answers.until_us, rollout.history.back().served_from_us);
    for (const auto& [model, latencies, scores] :
         {std::tuple(&rollout.candidate, &answers.candidate_latency_ms, &answers.candidate_score),
          std::tuple(&rollout.champion, &answers.champion_latency_ms, &answers.champion_score)}) {
        for (const monitoring::ScoredRow& row :
             scores_.scored_rows({rollout.endpoint, *model, from_us, now_us, now_us})) {
            if (row.answered) {
                latencies->add(static_cast<double>(row.latency_ns) * 1e-6);
                scores->add(static_cast<double>(row.score));
            }
        }
    }
    answers.until_us = std::max(from_us, now_us);
    return {};
}

Result<void> Rollouts::observe(Rollout& rollout, RolloutMachine& machine, std::int64_t now_us) {
    observe_requests(rollout, machine);
    return machine.is_paired() ? observe_pairs(rollout, machine, now_us)
                               : observe_arms(rollout, machine, now_us);
}

}  // namespace gyre::loop
