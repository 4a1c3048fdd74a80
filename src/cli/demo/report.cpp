#include "cli/demo/report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>

namespace gyre::cli::demo {
namespace {

Interval read_interval(const Json& json) {
    return {json.number_or("estimate", std::nan("")), json.number_or("low", std::nan("")),
            json.number_or("high", std::nan(""))};
}

MonthScore read_score(const Json& json) {
    return {json.integer_or("n", 0), read_interval(json["auc"]), read_interval(json["loss"])};
}

// The formats are the constants of this file.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
std::string text(const char* format, double value) {
    if (std::isnan(value)) {
        return "-";
    }
    char buffer[64];
    static_cast<void>(std::snprintf(buffer, sizeof buffer, format, value));
    return buffer;
}

#pragma GCC diagnostic pop

/// "0.712 [0.704, 0.720]"
std::string text(const Interval& interval, const char* format) {
    if (std::isnan(interval.estimate)) {
        return "-";
    }
    return text(format, interval.estimate) + " [" + text(format, interval.low) + ", " +
           text(format, interval.high) + "]";
}

std::string padded(std::string value, std::size_t width) {
    if (value.size() < width) {
        value.insert(0, width - value.size(), ' ');
    }
    return value;
}

}  // namespace

Result<YearReport> read_report(const Json& json) {
    if (!json["months"].is_array()) {
        return internal_error("the server's report has no months");
    }
    YearReport report;
    for (const Json& item : json["months"].items()) {
        report.months.push_back({item.string_or("month", "?"), item.number_or("positive_share", std::nan("")),
                                 read_score(item["loop"]), read_score(item["alone"]),
                                 read_interval(item["difference"])});
    }
    report.difference = read_interval(json["difference"]);
    report.alone_loss = json.number_or("alone_loss", std::nan(""));
    return report;
}

std::string format_table(const YearReport& report, bool classification, const std::string& positive) {
    const char* const loss = classification ? "%.4f" : "%.6g";
    const char* const difference = classification ? "%+.5f" : "%+.6g";
    std::string out = "month        rows" +
                      (classification ? padded(positive, 11) + padded("AUC loop", 23) : "") +
                      (classification ? padded("AUC left alone", 23) : "") +
                      padded(classification ? "Brier loop" : "MSE loop", 13) + padded("left alone", 12) +
                      padded("difference (paired, 95 %)", 37) + "\n";
    for (const Month& month : report.months) {
        out += month.name + padded(std::to_string(month.loop.n), 10);
        if (classification) {
            out += padded(text("%.0f %%", 100.0 * month.positive_share), 11) +
                   padded(text(month.loop.auc, "%.3f"), 23) + padded(text(month.alone.auc, "%.3f"), 23);
        }
        out += padded(text(loss, month.loop.loss.estimate), 13) +
               padded(text(loss, month.alone.loss.estimate), 12) +
               padded(text(month.difference, difference), 37) + "\n";
    }
    if (std::isnan(report.difference.estimate)) {
        return out;
    }
    const double relative = 100.0 * report.difference.estimate / report.alone_loss;
    out += "from " + report.compared_from + " on: loop minus left alone " +
           text(report.difference, difference) + " (" + text("%+.1f", relative) + " % of the loss)\n";
    return out;
}

namespace {

constexpr double kWidth = 860;
constexpr double kPanel = 250;
constexpr double kLeft = 64;
constexpr double kRight = 24;

struct Panel {
    const YearReport& report;
    std::string title;
    std::function<const Interval&(const MonthScore&)> pick;
    double top = 0;
    double low = 0;
    double high = 1;
    const char* format = "%.3f";

    [[nodiscard]] double x(std::size_t month, double offset) const {
        const double step =
            (kWidth - kLeft - kRight) / static_cast<double>(std::max<std::size_t>(report.months.size(), 1));
        return kLeft + step * (static_cast<double>(month) + 0.5) + offset;
    }
    [[nodiscard]] double y(double value) const {
        return top + 34 + (kPanel - 70) * (1.0 - (value - low) / std::max(high - low, 1e-12));
    }
};

std::string number(double value) {
    return text("%.1f", value);
}

std::string label(double x, double y, const std::string& anchor, const std::string& content) {
    return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor + "\">" + content +
           "</text>\n";
}

void fit_range(Panel& panel) {
    panel.low = 1e300;
    panel.high = -1e300;
    for (const Month& month : panel.report.months) {
        for (const MonthScore* score : {&month.loop, &month.alone}) {
            const Interval& interval = panel.pick(*score);
            if (!std::isnan(interval.estimate)) {
                panel.low = std::min(panel.low, interval.low);
                panel.high = std::max(panel.high, interval.high);
            }
        }
    }
    const double pad = 0.08 * (panel.high - panel.low);
    panel.low = panel.low >= 0.0 ? std::max(0.0, panel.low - pad) : panel.low - pad;  // no loss is below 0
    panel.high += pad;
}

std::string draw_series(const Panel& panel, bool loop, const std::string& color, double offset) {
    std::string out;
    std::string line;
    for (std::size_t i = 0; i < panel.report.months.size(); ++i) {
        const Month& month = panel.report.months[i];
        const Interval& interval = panel.pick(loop ? month.loop : month.alone);
        if (std::isnan(interval.estimate)) {
            continue;
        }
        const double x = panel.x(i, offset);
        line += (line.empty() ? "M" : "L") + number(x) + " " + number(panel.y(interval.estimate));
        out += "<line x1=\"" + number(x) + "\" x2=\"" + number(x) + "\" y1=\"" +
               number(panel.y(interval.low)) + "\" y2=\"" + number(panel.y(interval.high)) + "\" stroke=\"" +
               color + "\" stroke-width=\"1.5\"/>\n";
        out += "<circle cx=\"" + number(x) + "\" cy=\"" + number(panel.y(interval.estimate)) +
               "\" r=\"3\" fill=\"" + color + "\"/>\n";
    }
    return "<path d=\"" + line + "\" fill=\"none\" stroke=\"" + color + "\" stroke-width=\"2\"/>\n" + out;
}

std::string draw_panel(Panel& panel) {
    fit_range(panel);
    std::string out = "<text class=\"title\" x=\"" + number(kLeft) + "\" y=\"" + number(panel.top + 20) +
                      "\">" + panel.title + "</text>\n";
    for (int i = 0; i <= 4; ++i) {
        const double value = panel.low + (panel.high - panel.low) * i / 4.0;
        out += "<line class=\"grid\" x1=\"" + number(kLeft) + "\" x2=\"" + number(kWidth - kRight) +
               "\" y1=\"" + number(panel.y(value)) + "\" y2=\"" + number(panel.y(value)) + "\"/>\n";
        out += label(kLeft - 8, panel.y(value) + 4, "end", text(panel.format, value));
    }
    for (std::size_t i = 0; i < panel.report.months.size(); ++i) {
        out += label(panel.x(i, 0), panel.top + kPanel - 14, "middle", panel.report.months[i].name);
    }
    return out + draw_series(panel, false, "#b45309", -4) + draw_series(panel, true, "#1d4ed8", 4);
}

}  // namespace

std::string draw_svg(const YearReport& report, bool classification) {
    const double height = kPanel * (classification ? 2 : 1) + 40;
    std::string out =
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(kWidth) + " " + number(height) +
        "\" font-family=\"system-ui, sans-serif\" font-size=\"12\" fill=\"#334155\">\n"
        "<style>.title{font-size:14px;font-weight:600;fill:#0f172a}.grid{stroke:#e2e8f0}</style>\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n";
    Panel loss{report,
               classification ? "Brier score by month (lower is better)"
                              : "Mean squared error by month (lower is better)",
               [](const MonthScore& score) -> const Interval& { return score.loss; },
               0,
               0,
               1,
               classification ? "%.3f" : "%.4g"};
    out += draw_panel(loss);
    if (classification) {
        Panel auc{report,
                  "ROC AUC by month (higher is better)",
                  [](const MonthScore& score) -> const Interval& { return score.auc; },
                  kPanel,
                  0,
                  1};
        out += draw_panel(auc);
    }
    out += "<circle cx=\"" + number(kLeft) + "\" cy=\"" + number(height - 20) +
           "\" r=\"4\" fill=\"#1d4ed8\"/>\n" + label(kLeft + 10, height - 16, "start", "the loop") +
           "<circle cx=\"" + number(kLeft + 100) + "\" cy=\"" + number(height - 20) +
           "\" r=\"4\" fill=\"#b45309\"/>\n" + label(kLeft + 110, height - 16, "start", "left alone") +
           "</svg>\n";
    return out;
}

std::string format_expectations(const std::vector<Expectation>& expectations) {
    std::string out;
    for (const Expectation& expectation : expectations) {
        out += std::string(expectation.held ? "  ok    " : "  FAIL  ") + expectation.what + ": " +
               expectation.seen + "\n";
    }
    return out;
}

bool all_held(const std::vector<Expectation>& expectations) {
    return std::all_of(expectations.begin(), expectations.end(), [](const Expectation& e) { return e.held; });
}

}  // namespace gyre::cli::demo
