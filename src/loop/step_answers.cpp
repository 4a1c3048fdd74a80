#include "loop/step_answers.h"

namespace gyre::loop {

Json StepAnswers::to_json() const {
    return Json::object({{"until_us", until_us},
                         {"candidate_latency_ms", candidate_latency_ms.to_json()},
                         {"champion_latency_ms", champion_latency_ms.to_json()},
                         {"candidate_score", candidate_score.to_json()},
                         {"champion_score", champion_score.to_json()}});
}

Result<StepAnswers> StepAnswers::parse(const Json& json) {
    StepAnswers answers;
    if (json.is_null()) {
        return answers;
    }
    answers.until_us = json.integer_or("until_us", 0);
    GYRE_TRY(answers.candidate_latency_ms, stats::Profile::from_json(json["candidate_latency_ms"]));
    GYRE_TRY(answers.champion_latency_ms, stats::Profile::from_json(json["champion_latency_ms"]));
    GYRE_TRY(answers.candidate_score, stats::Profile::from_json(json["candidate_score"]));
    GYRE_TRY(answers.champion_score, stats::Profile::from_json(json["champion_score"]));
    return answers;
}

}  // namespace gyre::loop
