// Adapter: CLI11.
#include "cli/source_flags.h"

#include <cstdio>

#include <CLI/CLI.hpp>

#include "base/text.h"

namespace gyre::cli {
namespace {

constexpr std::size_t kShown = 5;

}  // namespace

void add_on_error_flag(CLI::App& command, table::OnError& on_error) {
    command
        .add_option_function<std::string>(
            "--on-error",
            [&on_error](const std::string& text) {
                const auto parsed = parse_enum<table::OnError>(text);
                if (!parsed) {
                    throw CLI::ValidationError("--on-error", parsed.error().message());
                }
                on_error = *parsed;
            },
            "What a broken row of a file does: fail, or skip it and say so.")
        ->default_str(std::string(name_of(on_error)));
}

void report_skipped(const table::SourceReport& report) {
    if (report.skipped == 0) {
        return;
    }
    std::fprintf(stderr, "%s of %s rows were left out as broken\n", with_thousands(report.skipped).c_str(),
                 with_thousands(report.skipped + report.rows).c_str());
    for (std::size_t i = 0; i < report.rejected.size() && i < kShown; ++i) {
        std::fprintf(stderr, "  %s\n", report.rejected[i].str().c_str());
    }
}

}  // namespace gyre::cli
