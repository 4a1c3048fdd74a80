#pragma once
// Reads testdata/oracle.json (written by tests/oracles/make_stats_oracle.py; library versions inside).
#include <vector>

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"

namespace gyre::stats {

inline Json load_oracle() {
    auto text = read_file(std::string(GYRE_STATS_TESTDATA) + "/oracle.json");
    EXPECT_TRUE(text) << "src/stats/testdata/oracle.json is missing";
    auto json = parse_json(text ? *text : "{}");
    EXPECT_TRUE(json);
    return json ? *std::move(json) : Json::object();
}

inline std::vector<double> numbers(const Json& array) {
    std::vector<double> out;
    for (const Json& item : array.items()) {
        out.push_back(item.as_number());
    }
    return out;
}

/// Relative closeness with a floor, so that p-values of 1e-30 are compared too.
inline void expect_close(double got, double wanted, double relative, const std::string& what) {
    EXPECT_NEAR(got, wanted, relative * std::abs(wanted) + 1e-300) << what;
}

}  // namespace gyre::stats
