#include "cli/demo/expectations.h"

#include <cmath>
#include <iterator>

#include "base/text.h"
#include "cli/demo/telling.h"

namespace gyre::cli::demo {
namespace {

/// AUC of the first model left alone, by month from February: measured outside Gyre with other software.
constexpr double kAloneAuc[] = {0.66, 0.68, 0.63, 0.73, 0.71, 0.70, 0.69, 0.70, 0.66, 0.67, 0.71};
constexpr std::int64_t kPredictionsMin = 300'000;
constexpr double kAucTolerance = 0.03;
constexpr double kMonthLossTolerance = 0.03;

void expect_year(const YearReport& report, std::vector<Expectation>& out) {
    double worst = 0.0;
    double worst_month = -1.0;
    for (std::size_t i = 0; i < report.months.size() && i < std::size(kAloneAuc); ++i) {
        const Month& month = report.months[i];
        worst = std::max(worst, std::abs(month.alone.auc.estimate - kAloneAuc[i]));
        if (i >= 2) {
            worst_month = std::max(worst_month, month.difference.estimate / month.alone.loss.estimate);
        }
    }
    out.push_back({"the model left alone has the AUC that others measured, within 0.03",
                   worst <= kAucTolerance, "largest gap " + short_number(worst)});
    out.push_back(
        {"the loop's Brier score is better from April on, with its interval", report.difference.high < 0.0,
         short_number(report.difference.estimate) + ", upper bound " + short_number(report.difference.high)});
    out.push_back({"no month from April on is worse by more than 3 %", worst_month <= kMonthLossTolerance,
                   "worst " + short_number(100.0 * worst_month) + " %"});
}

void expect_bad_models(const std::vector<BadModel>& bad, std::vector<Expectation>& out) {
    for (const BadModel& model : bad) {
        const bool back = model.state == "rolled_back";
        const bool unseen = model.policy != "sequential" || model.answered == 0;
        out.push_back({"the bad model is rolled back by policy " + model.policy, back && unseen,
                       model.state + " after " + with_thousands(model.answered) + " answers, " +
                           model.started.substr(0, 10) + " to " + model.ended.substr(0, 10)});
    }
}

}  // namespace

std::vector<Expectation> expectations_of(Story& story, const YearReport& report, bool whole_year,
                                         std::int64_t logged) {
    ReplayTotals& totals = story.totals();
    std::vector<Expectation> out;
    out.push_back({"every request was answered", totals.errors == 0 && totals.sent == totals.answered,
                   with_thousands(totals.answered) + " of " + with_thousands(totals.sent) +
                       (totals.first_error.empty() ? "" : "; first error: " + totals.first_error)});
    out.push_back({"every answer was logged and labelled",
                   logged == totals.answered && totals.labels == totals.answered,
                   with_thousands(logged) + " logged, " + with_thousands(totals.labels) + " labels"});
    if (!whole_year) {
        return out;
    }
    out.push_back(
        {"more than 300,000 predictions", totals.sent > kPredictionsMin, with_thousands(totals.sent)});
    expect_year(report, out);
    const auto& counts = story.happenings().by_type;
    const auto count = [&](const char* type) {
        const auto found = counts.find(type);
        return found == counts.end() ? 0 : found->second;
    };
    out.push_back({"2 to 10 promotions", count("rollout.promoted") >= 2 && count("rollout.promoted") <= 10,
                   std::to_string(count("rollout.promoted"))});
    int refused = story.gate_refusals();
    refused += count("rollout.rolled_back") - static_cast<int>(story.bad_models().size());
    out.push_back({"at least one candidate was refused", refused >= 1,
                   std::to_string(refused) + " by gate or rollout"});
    out.push_back({"drift was found", count("drift.detected") >= 1,
                   std::to_string(count("drift.detected")) + " times"});
    expect_bad_models(story.bad_models(), out);
    return out;
}

}  // namespace gyre::cli::demo
