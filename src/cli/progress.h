#pragma once
// Progress: a bar that redraws itself on a terminal, a plain line every few seconds in a pipe. To stderr, so
// that stdout stays the command's result. Not thread-safe.
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace gyre::cli {

enum class ProgressStyle : std::uint8_t { bar, lines, silent };
/// bar when stderr is a terminal.
ProgressStyle detect_progress_style();

class Progress {
 public:
    Progress(std::string label, ProgressStyle style, Clock& clock = system_clock(), std::FILE* out = stderr);
    /// Ends the bar's line.
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// `fraction` in [0, 1]; `note` is shown behind it.
    void update(double fraction, std::string_view note);
    void finish(std::string_view note);

    static constexpr std::int64_t kLineEveryNs = 5'000'000'000;
    static constexpr std::int64_t kDrawEveryNs = 100'000'000;
    /// "label [######----]  60 % note"
    static std::string draw(std::string_view label, double fraction, std::string_view note);

 private:
    void show(double fraction, std::string_view note);
    std::string label_;
    ProgressStyle style_;
    Clock& clock_;
    std::FILE* out_;
    std::int64_t shown_ns_ = -1;
    bool open_line_ = false;
};

}  // namespace gyre::cli
