#include "cli/demo/telling.h"

#include <array>
#include <cstdio>

#include "base/text.h"

namespace gyre::cli::demo {
namespace {

constexpr std::string_view kIndent = "            ";
constexpr std::size_t kNameWidth = 24;

std::string padded(std::string text, std::size_t width) {
    text.resize(std::max(width, text.size()), ' ');
    return text;
}

std::string interval(const Json& json) {
    std::string out = short_number(json.number_or("estimate", json.number_or("value", 0.0)));
    if (json["low"].is_number() && json["high"].is_number() && json["low"] != json["high"]) {
        out += " [" + short_number(json.number_or("low", 0.0)) + ", " +
               short_number(json.number_or("high", 0.0)) + "]";
    }
    return out;
}

std::string tell_drift(const Json& data) {
    std::string out = "drift found";
    for (const Json& column : data["columns"].items()) {
        out += "\n" + std::string(kIndent) + padded(column.string_or("metric", "?"), 14) +
               padded(column.string_or("statistic", ""), 16) + "effect " +
               padded(short_number(column.number_or("value", 0.0)), 8) + " beyond " +
               short_number(column.number_or("threshold", 0.0));
    }
    return out;
}

std::string tell_degraded(const Json& data) {
    return "alert: " + data.string_or("metric", "?") + " is " + interval(data) +
           ", worse than the champion's own baseline allows (" +
           short_number(data.number_or("threshold", 0.0)) + ")";
}

/// "flights/3 against flights/1".
std::string contest(const Json& data) {
    return data.string_or("candidate", "?") + " against " + data.string_or("champion", "?");
}

std::string tell_rollout(std::string_view type, const Json& data) {
    const bool exposing = data.string_or("state", "") == "exposing";
    const bool exposed = exposing || data.number_or("exposure", 0.0) > 0.0;
    if (type == "rollout.started") {
        return contest(data) + ": " +
               (exposed ? "answers " + short_number(100.0 * data.number_or("exposure", 0.0)) +
                              " % of the requests from the start"
                        : "scored beside it, nobody is exposed");
    }
    if (type == "rollout.verdict") {
        const bool refused = data["evidence"].string_or("verdict", "") == "fail";
        // While it is exposed only a refusal is news; each step is told when it is taken.
        return exposing && !refused ? std::string() : contest(data) + ": " + data.string_or("reason", "");
    }
    if (type == "rollout.step") {
        return data.string_or("candidate", "?") + " answers " +
               short_number(100.0 * data.number_or("exposure", 0.0)) + " % of the requests";
    }
    if (type == "rollout.promoted") {
        return data.string_or("candidate", "?") + " is promoted";
    }
    if (type == "rollout.rolled_back") {
        const bool told = data["evidence"].string_or("verdict", "") == "fail";  // by its verdict
        return data.string_or("candidate", "?") + " is rolled back after " +
               with_thousands(data.integer_or("exposed_predictions", 0)) + " answers to users" +
               (told ? std::string() : ": " + data.string_or("reason", ""));
    }
    if (type == "rollout.aborted") {
        return data.string_or("candidate", "?") + " is left behind: " + data.string_or("reason", "");
    }
    return {};
}

std::string tell_trigger(const Json& event) {
    const std::string by = event["data"].string_or("type", "hand");
    const std::string pipeline = event.string_or("subject", "");
    return pipeline.ends_with("-retrain") ? "retraining starts, by " + by : std::string();
}

std::string line_of(const Json& event) {
    const std::string type = event.string_or("type", "");
    const Json& data = event["data"];
    if (type == "drift.detected") {
        return tell_drift(data);
    }
    if (type == "performance.degraded") {
        return tell_degraded(data);
    }
    if (type == "pipeline.triggered") {
        return tell_trigger(event);
    }
    return type.starts_with("rollout.") ? tell_rollout(type, data) : std::string();
}

}  // namespace

std::string short_number(double value) {
    std::array<char, 32> buffer{};
    static_cast<void>(std::snprintf(buffer.data(), buffer.size(), "%.4g", value));
    return buffer.data();
}

std::string format_checks(const std::vector<DataCheck>& checks, std::int64_t all_rows) {
    std::string out;
    for (const DataCheck& check : checks) {
        const double share =
            all_rows == 0 ? 0.0 : 100.0 * static_cast<double>(check.rows) / static_cast<double>(all_rows);
        const std::string count = with_thousands(check.rows);
        out += "   " + padded(check.what, 34) +
               std::string(10 - std::min<std::size_t>(10, count.size()), ' ') + count + "  " +
               padded(short_number(share) + " %", 10) + check.note + "\n";
    }
    return out;
}

std::string format_metrics(const Json& metrics) {
    constexpr std::array<std::array<std::string_view, 2>, 7> kShown{{{"roc_auc", "ROC AUC"},
                                                                     {"brier", "Brier score"},
                                                                     {"log_loss", "log loss"},
                                                                     {"ece", "calibration error (ECE)"},
                                                                     {"rmse", "RMSE"},
                                                                     {"mae", "MAE"},
                                                                     {"r2", "R2"}}};
    std::string out;
    for (const auto& [key, title] : kShown) {
        const Json& metric = metrics[key];
        if (metric.is_object()) {
            out += "   " + padded(std::string(title), kNameWidth + 2) + interval(metric) + "\n";
        }
    }
    return out;
}

std::string tell(const Json& event) {
    std::string line = line_of(event);
    const std::string day = event.string_or("as_of", std::string(kIndent.substr(0, 10))).substr(0, 10);
    return line.empty() ? line : day + "  " + line;
}

}  // namespace gyre::cli::demo
