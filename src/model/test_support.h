#pragma once
// For the tests of this module: fixtures of testdata/, a UBJSON writer, temporary folders.
#include <bit>
#include <filesystem>
#include <limits>
#include <string>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"

namespace gyre::model {

/// A model, rows and XGBoost's own predictions; written by tests/oracles/make_forest_fixtures.py.
struct Fixture {
    std::string origin;
    std::string text;  // the model as XGBoost wrote it
    Json model;  // the same as a document; NaN, which JSON lacks, is 0 (XGBoost puts it where no one looks)
    std::vector<float> rows;
    std::vector<float> expected;
    std::size_t n = 0;
};

inline std::vector<float> flatten(const Json& matrix) {
    std::vector<float> out;
    for (const Json& row : matrix.items()) {
        for (const Json& cell : row.items()) {
            out.push_back(cell.is_null() ? std::numeric_limits<float>::quiet_NaN()
                                         : static_cast<float>(cell.as_number()));
        }
    }
    return out;
}

inline Fixture load_fixture(const std::string& name) {
    const auto text = read_file(std::string(GYRE_TESTDATA) + "/" + name + ".json");
    EXPECT_TRUE(text) << name;
    const auto json = parse_json(*text);
    EXPECT_TRUE(json) << name;
    const std::string model = json->string_or("model", "");
    std::string plain = model;
    for (std::size_t at = plain.find("NaN"); at != std::string::npos; at = plain.find("NaN")) {
        plain.replace(at, 3, "0.0");
    }
    const auto document = parse_json(plain);
    EXPECT_TRUE(document) << name;
    return {.origin = json->string_or("origin", ""),
            .text = model,
            .model = *document,
            .rows = flatten((*json)["rows"]),
            .expected = flatten((*json)["expected"]),
            .n = (*json)["rows"].items().size()};
}

inline void put_big_endian(std::string& out, std::uint64_t value, int bytes) {
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
        out.push_back(static_cast<char>((value >> static_cast<unsigned>(shift)) & 0xFFU));
    }
}

/// UBJSON as XGBoost writes it: lengths as int64, lists of numbers packed as float32 or int32.
inline void append_ubj(std::string& out, const Json& json) {
    const auto put_text = [&out](const std::string& text) {
        out += 'L';
        put_big_endian(out, text.size(), 8);
        out += text;
    };
    if (json.is_object()) {
        out += '{';
        for (const JsonMember& member : json.members()) {
            put_text(member.key);
            append_ubj(out, member.value);
        }
        out += '}';
    } else if (json.is_array() && !json.items().empty() && json.items()[0].is_number()) {
        bool whole = true;
        for (const Json& item : json.items()) {
            whole = whole && item.is_integer();
        }
        out += whole ? "[$l#L" : "[$d#L";
        put_big_endian(out, json.items().size(), 8);
        for (const Json& item : json.items()) {
            put_big_endian(out,
                           whole ? static_cast<std::uint64_t>(item.as_integer())
                                 : std::bit_cast<std::uint32_t>(static_cast<float>(item.as_number())),
                           4);
        }
    } else if (json.is_array()) {
        out += "[#L";
        put_big_endian(out, json.items().size(), 8);
        for (const Json& item : json.items()) {
            append_ubj(out, item);
        }
    } else if (json.is_string()) {
        out += 'S';
        put_text(json.as_string());
    } else if (json.is_number()) {
        out += 'd';
        put_big_endian(out, std::bit_cast<std::uint32_t>(static_cast<float>(json.as_number())), 4);
    } else {
        out += 'Z';
    }
}

inline std::string to_ubj(const Json& json) {
    std::string out;
    append_ubj(out, json);
    return out;
}

/// A folder that goes away with the object.
class TempFolder {
 public:
    TempFolder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "gyre_model_XXXXXX").string();
        path_ = mkdtemp(pattern.data());
    }
    ~TempFolder() {
        std::error_code ec;
        std::filesystem::remove_all(path_, ec);
    }
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;
    [[nodiscard]] const std::string& path() const { return path_; }

 private:
    std::string path_;
};

}  // namespace gyre::model
