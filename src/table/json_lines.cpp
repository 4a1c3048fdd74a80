#include <fstream>

#include "base/clock.h"
#include "base/text.h"
#include "table/limits.h"
#include "table/source_loader.h"

namespace gyre::table {
namespace {

bool fits(const Json& value, ColumnType type) {
    if (value.is_null()) {
        return true;
    }
    switch (type) {
        case ColumnType::boolean:
            return value.is_bool();
        case ColumnType::int64:
            return value.is_integer();
        case ColumnType::float64:
            return value.is_number();
        case ColumnType::text:
            return value.is_string();
        case ColumnType::timestamp:
            return value.is_string() && parse_rfc3339(value.as_string()).has_value();
    }
    return false;
}

struct Complaint {
    std::int64_t column = 1;
    std::string column_name;
    std::string reason;
};

/// What is wrong with a line; nothing when it is fine.
std::optional<Complaint> complaint_about(const std::string& line,
                                         const std::map<std::string, ColumnType>& types) {
    if (line.size() > kRowBytesMax) {
        return Complaint{
            .column = 1, .column_name = "", .reason = "the line is longer than " + human_bytes(kRowBytesMax)};
    }
    JsonFault fault;
    const Result<Json> row = parse_json(line, fault);
    if (!row) {
        return Complaint{.column = static_cast<std::int64_t>(fault.column),
                         .column_name = "",
                         .reason = "invalid JSON: " + fault.reason};
    }
    if (!row->is_object()) {
        return Complaint{.column = 1,
                         .column_name = "",
                         .reason = "expected a JSON object, got " + std::string(row->kind_name())};
    }
    for (const auto& [name, type] : types) {
        const Json& value = (*row)[name];
        if (!fits(value, type)) {
            return Complaint{.column = 1,
                             .column_name = name,
                             .reason = "expected " + std::string(name_of(type)) + ", got " +
                                       std::string(value.kind_name()) + " " + value.dump().substr(0, 60)};
        }
    }
    return std::nullopt;
}

/// std::getline with a bound: a longer line is cut, and counts as broken. False at the end.
bool read_line(std::ifstream& in, std::string& line) {
    line.clear();
    std::streambuf* bytes = in.rdbuf();
    for (int c = bytes->sbumpc(); c != std::char_traits<char>::eof(); c = bytes->sbumpc()) {
        if (c == '\n') {
            return true;
        }
        if (line.size() <= kRowBytesMax) {
            line.push_back(static_cast<char>(c));
        }
    }
    return !line.empty();
}

}  // namespace

Result<JsonLinesCheck> check_json_lines(const SourceSpec& spec, const std::string& path,
                                        const std::string& shown, const std::string& clean_path) {
    std::map<std::string, ColumnType> types;
    for (const auto& [name, type] : spec.types) {
        GYRE_TRY(types[name], parse_enum<ColumnType>(type));
    }
    std::ifstream in(path, std::ios::binary);
    std::ofstream clean;
    if (!clean_path.empty()) {
        clean.open(clean_path, std::ios::binary | std::ios::trunc);
    }
    JsonLinesCheck out;
    std::string line;
    for (std::int64_t number = 1; read_line(in, line); ++number) {
        if (trim(line).empty()) {
            continue;
        }
        std::optional<Complaint> complaint = complaint_about(line, types);
        if (!complaint) {
            ++out.rows;
            clean << line << '\n';
            continue;
        }
        if (++out.skipped > static_cast<std::int64_t>(kRejectedRowsMax)) {
            return resource_exhausted(
                "more than " + with_thousands(static_cast<std::int64_t>(kRejectedRowsMax)) + " broken rows");
        }
        if (out.rejected.size() < kRejectedRowsListed) {
            out.rejected.push_back({.file = shown,
                                    .line = number,
                                    .column = complaint->column,
                                    .column_name = complaint->column_name,
                                    .reason = complaint->reason});
        }
    }
    clean.close();
    if (!clean_path.empty() && clean.fail()) {
        return unavailable("cannot write '" + clean_path + "'");
    }
    return out;
}

}  // namespace gyre::table
