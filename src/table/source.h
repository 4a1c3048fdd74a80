#pragma once
// SourceSpec: where a table's rows come from. Written in pipelines and step specs as JSON.
#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/fields.h"

namespace gyre::table {

enum class SourceFormat : std::uint8_t { automatic, csv, parquet, jsonl };
constexpr auto enum_names(SourceFormat) {
    return std::array{EnumName{SourceFormat::automatic, "auto"}, EnumName{SourceFormat::csv, "csv"},
                      EnumName{SourceFormat::parquet, "parquet"}, EnumName{SourceFormat::jsonl, "jsonl"}};
}

enum class OnError : std::uint8_t { fail, skip };
constexpr auto enum_names(OnError) {
    return std::array{EnumName{OnError::fail, "fail"}, EnumName{OnError::skip, "skip"}};
}

struct SourceSpec {
    std::string name{};
    std::string path{};
    std::vector<std::string> paths{};
    std::string sql{};
    SourceFormat format = SourceFormat::automatic;
    std::string member{};
    std::optional<bool> header{};
    std::vector<std::string> columns{};
    std::map<std::string, std::string> types{};
    std::vector<std::string> null_tokens{""};
    std::string delimiter{};
    std::int64_t skip_lines = 0;
    OnError on_error = OnError::fail;

    static constexpr auto fields() {
        using S = SourceSpec;
        return std::tuple{
            Field{"name", &S::name, "Name that SQL uses."},
            Field{"path", &S::path, "A file, or ARCHIVE.zip!MEMBER. One of path, paths and sql is given.",
                  optional_field},
            Field{"paths", &S::paths, "Several files of one format; columns are matched by name.",
                  optional_field},
            Field{"sql", &S::sql, "A SELECT over the sources before this one.", optional_field},
            Field{"format", &S::format,
                  "auto goes by the file's name: .csv .tsv .parquet .jsonl .ndjson, .zip of one "
                  "of these.",
                  optional_field},
            Field{"member", &S::member, "The file inside a .zip; may be left out when it has one.",
                  optional_field},
            Field{"header", &S::header, "Whether a CSV's first line names the columns; left out: detected.",
                  optional_field},
            Field{"columns", &S::columns, "Names of the columns of a CSV without a header.", optional_field},
            Field{"types", &S::types,
                  "Types that are declared instead of detected: boolean, int64, float64, text, "
                  "timestamp.",
                  optional_field},
            Field{"null_tokens", &S::null_tokens, "Texts of a CSV that mean null.", optional_field},
            Field{"delimiter", &S::delimiter, "Separator of a CSV, 1 to 4 bytes; left out: detected.",
                  optional_field},
            Field{"skip_lines", &S::skip_lines, "Lines of a CSV before the header or the first row.",
                  optional_field},
            Field{"on_error", &S::on_error, "What a broken row does: fail or skip.", optional_field},
        };
    }
};

/// A row that could not be read.
struct RejectedRow {
    std::string file{};
    std::int64_t line = 0;    // 1-based, of the file
    std::int64_t column = 0;  // 1-based: of the columns of a CSV, of the bytes of a JSON line
    std::string column_name{};
    std::string reason{};
    [[nodiscard]] std::string str() const;
    static constexpr auto fields() {
        using R = RejectedRow;
        return std::tuple{Field{"file", &R::file, "File, with the member of an archive."},
                          Field{"line", &R::line, "Line, from 1."},
                          Field{"column", &R::column, "Column, from 1."},
                          Field{"column_name", &R::column_name, "Name of the column, where known."},
                          Field{"reason", &R::reason, "What was wrong."}};
    }
};

struct SourceReport {
    std::string name{};
    std::int64_t rows = 0;
    std::int64_t skipped = 0;
    std::vector<RejectedRow> rejected{};  // the first kRejectedRowsListed
    static constexpr auto fields() {
        using R = SourceReport;
        return std::tuple{Field{"name", &R::name, "Name of the source."},
                          Field{"rows", &R::rows, "Rows read."},
                          Field{"skipped", &R::skipped, "Broken rows left out."},
                          Field{"rejected", &R::rejected, "The first of them."}};
    }
};

}  // namespace gyre::table
