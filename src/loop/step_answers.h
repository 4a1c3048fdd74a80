#pragma once
// StepAnswers: what both arms' answers looked like since a rollout's present step began. In bounded memory,
// kept with the rollout so that a restart resumes.
#include "stats/profile.h"

namespace gyre::loop {

struct StepAnswers {
    std::int64_t until_us = 0;  // event time up to which rows are in
    stats::Profile candidate_latency_ms;
    stats::Profile champion_latency_ms;
    stats::Profile candidate_score;
    stats::Profile champion_score;

    [[nodiscard]] Json to_json() const;
    /// null is a step without answers. Errors: invalid_argument (a broken document).
    static Result<StepAnswers> parse(const Json& json);
};

}  // namespace gyre::loop
