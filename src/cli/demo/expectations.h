#pragma once
// What has to hold at the end of a demo.
#include "cli/demo/report.h"
#include "cli/demo/story.h"

namespace gyre::cli::demo {

/// `logged` is how many predictions the server's log holds. A replay of less than the unaltered year of
/// flights is judged by what holds for any table: every request answered, logged and labelled.
std::vector<Expectation> expectations_of(Story& story, const YearReport& report, bool whole_year,
                                         std::int64_t logged);

}  // namespace gyre::cli::demo
