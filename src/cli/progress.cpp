#include "cli/progress.h"

#include <algorithm>
#include <cmath>
#include <unistd.h>

namespace gyre::cli {

ProgressStyle detect_progress_style() {
    return ::isatty(STDERR_FILENO) == 1 ? ProgressStyle::bar : ProgressStyle::lines;
}

Progress::Progress(std::string label, ProgressStyle style, Clock& clock, std::FILE* out)
    : label_(std::move(label)), style_(style), clock_(clock), out_(out) {}

Progress::~Progress() {
    if (open_line_) {
        std::fputs("\n", out_);
    }
}

std::string Progress::draw(std::string_view label, double fraction, std::string_view note) {
    constexpr int kWidth = 30;
    const double known = std::isfinite(fraction) ? std::clamp(fraction, 0.0, 1.0) : 0.0;
    const auto filled = static_cast<std::size_t>(std::lround(known * kWidth));
    const std::string percent = std::to_string(std::lround(known * 100));
    std::string out(label);
    out.append(" [").append(std::string(filled, '#')).append(std::string(kWidth - filled, '-')).append("] ");
    out.append(std::string(3 - std::min<std::size_t>(3, percent.size()), ' ')).append(percent).append(" %");
    if (!note.empty()) {
        out.append(" ").append(note);
    }
    return out;
}

void Progress::update(double fraction, std::string_view note) {
    const std::int64_t now = clock_.steady_ns();
    const std::int64_t pause = style_ == ProgressStyle::bar ? kDrawEveryNs : kLineEveryNs;
    const bool last_line = style_ == ProgressStyle::lines && fraction >= 1.0;  // finish() writes it
    if (last_line || (shown_ns_ >= 0 && now - shown_ns_ < pause)) {
        return;
    }
    shown_ns_ = now;
    show(fraction, note);
}

void Progress::show(double fraction, std::string_view note) {
    if (style_ == ProgressStyle::silent) {
        return;
    }
    const std::string line = draw(label_, fraction, note);
    if (style_ == ProgressStyle::bar) {
        std::fprintf(out_, "\r\x1b[K%s", line.c_str());
        std::fflush(out_);
        open_line_ = true;
    } else {
        std::fprintf(out_, "%s\n", line.c_str());
    }
}

void Progress::finish(std::string_view note) {
    show(1.0, note);
    if (open_line_) {
        std::fputs("\n", out_);
        open_line_ = false;
    }
}

}  // namespace gyre::cli
