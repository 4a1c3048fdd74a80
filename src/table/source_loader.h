#pragma once
// How each format becomes a table or view of the engine. Internal to the module.
#include <string>
#include <vector>

#include "table/engine.h"
#include "table/source.h"

namespace gyre::table {

struct LoadContext {
    Engine* engine = nullptr;
    std::string temp_directory;             // for unpacked members and cleaned copies; "" refuses them
    std::vector<std::string> files_in_use;  // out: files that views go on reading
    std::int64_t next_id = 0;               // for names of scratch tables and files
};

/// Checks everything about a spec that needs no file.
Result<void> check_source(const SourceSpec& spec);
/// Creates the table or view `spec.name`. A source with `sql` is the Session's business.
Result<SourceReport> load_source(const SourceSpec& spec, LoadContext& context);

struct JsonLinesCheck {
    std::int64_t rows = 0;
    std::int64_t skipped = 0;
    std::vector<RejectedRow> rejected;
};
/// Reads a JSON lines file line by line: each is one object whose declared columns have the declared types.
/// With on_error=skip the good lines are copied to `clean_path` when some line is broken.
Result<JsonLinesCheck> check_json_lines(const SourceSpec& spec, const std::string& path,
                                        const std::string& shown, const std::string& clean_path);

}  // namespace gyre::table
