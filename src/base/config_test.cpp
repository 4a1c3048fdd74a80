#include "base/config.h"

#include <cstdlib>
#include <thread>

#include <gtest/gtest.h>

#include "base/metrics.h"

namespace gyre {
namespace {

struct HttpConfig {
    std::string host = "127.0.0.1";
    std::int64_t http_port = 5000;
    double ratio = 0.5;
    bool gzip = true;
    static constexpr auto options() {
        return std::tuple{Option{"host", &HttpConfig::host, "Address to listen on."},
                          Option{"http_port", &HttpConfig::http_port, "Port.", 0, 65535},
                          Option{"ratio", &HttpConfig::ratio, "A share.", 0, 1},
                          Option{"gzip", &HttpConfig::gzip, "Compress answers."}};
    }
};

TEST(Config, flags_beat_the_environment_which_beats_the_file) {
    HttpConfig config;
    ConfigTable table;
    table.add("server", config);
    ASSERT_TRUE(table.load_text("server:\n  host: 0.0.0.0\n  http_port: 1\n  ratio: 0.25\n", "test.yaml"));
    ::setenv("GYRE_SERVER__HTTP_PORT", "2", 1);
    ASSERT_TRUE(table.load_environment());
    ::unsetenv("GYRE_SERVER__HTTP_PORT");
    EXPECT_EQ(config.http_port, 2);
    ASSERT_TRUE(table.set("server.http_port", "3", "--http-port"));
    EXPECT_EQ(config.http_port, 3);
    EXPECT_EQ(config.host, "0.0.0.0");
    EXPECT_EQ(config.ratio, 0.25);
}

TEST(Config, an_unknown_key_suggests_the_nearest) {
    HttpConfig config;
    ConfigTable table;
    table.add("server", config);
    const auto outcome = table.load_text("server:\n  htp_port: 1\n", "test.yaml");
    ASSERT_FALSE(outcome);
    EXPECT_NE(outcome.error().message().find("did you mean 'server.http_port'"), std::string::npos)
        << outcome.error().message();
    ::setenv("GYRE_SERVER__HOAST", "x", 1);
    EXPECT_FALSE(table.load_environment());
    ::unsetenv("GYRE_SERVER__HOAST");
}

TEST(Config, types_and_bounds_are_checked) {
    HttpConfig config;
    ConfigTable table;
    table.add("server", config);
    EXPECT_FALSE(table.load_text("server:\n  http_port: eighty\n", "t"));
    EXPECT_EQ(table.load_text("server:\n  http_port: 70000\n", "t").error().message(),
              "config key 'server.http_port' (t): expected a value from 0 to 65535, got 70000");
    EXPECT_FALSE(table.set("server.gzip", "maybe", "--gzip"));
    EXPECT_EQ(config.http_port, 5000);
}

TEST(Yaml, documents_become_json) {
    const auto json = parse_yaml("a: 1\nb: [x, 2.5, true, ~]\nc:\n  d: '1'\n");
    ASSERT_TRUE(json) << json.error().message();
    EXPECT_EQ(json->dump(), R"({"a":1,"b":["x",2.5,true,null],"c":{"d":"1"}})");
}

TEST(Yaml, hostile_documents_are_refused) {
    EXPECT_FALSE(parse_yaml("a: &x [1]\nb: *x\n"));
    EXPECT_FALSE(parse_yaml("a: 1\na: 2\n"));
    EXPECT_FALSE(parse_yaml(std::string(100'000, '[')));
    EXPECT_FALSE(parse_yaml("[" + std::string(100, '[') + std::string(100, ']') + "]"));
    EXPECT_FALSE(parse_yaml("a: [1\n"));
    EXPECT_NE(parse_yaml("a: 1\n b: 2\n").error().message().find("line 2"), std::string::npos);
}

TEST(Metrics, shards_add_up) {
    Metrics metrics;
    Counter& counter = metrics.counter("gyre_test_total", "Tests.", {"kind"}).with({"a"});
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int j = 0; j < 10'000; ++j) {
                counter.add();
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(counter.value(), 40'000U);
    EXPECT_NE(metrics.expose().find("gyre_test_total{kind=\"a\"} 40000"), std::string::npos)
        << metrics.expose();
}

TEST(Metrics, quantiles_are_within_a_bucket) {
    Histogram histogram;
    for (int i = 1; i <= 1000; ++i) {
        histogram.observe_ns(i * 1000);  // 1 us to 1 ms
    }
    EXPECT_NEAR(histogram.totals().quantile(0.5), 500e-6, 100e-6);
    EXPECT_NEAR(histogram.totals().quantile(0.99), 990e-6, 200e-6);
}

TEST(Metrics, a_family_is_bounded) {
    Metrics metrics;
    auto& family = metrics.counter("gyre_test_total", "Tests.", {"kind"});
    for (std::size_t i = 0; i < kSeriesPerFamilyMax + 10; ++i) {
        family.with({std::to_string(i)}).add();
    }
    EXPECT_EQ(family.with({"another"}).value(), 11U);
}

TEST(Yaml, tells_where_each_value_stands) {
    YamlMarks marks;
    const auto json = parse_yaml("name: a\nsteps:\n  - id: one\n    with: {x: [1, 2]}\n  - 7\n", marks);
    ASSERT_TRUE(json) << json.error().message();
    const auto at = [&](const char* path) {
        return std::to_string(marks.at(path).line) + ":" + std::to_string(marks.at(path).column);
    };
    EXPECT_EQ(at("name"), "1:1");
    EXPECT_EQ(at("steps[0].with.x"), "4:12");
    EXPECT_EQ(at("steps[0].with.x[1]"), "4:19");
    EXPECT_EQ(at("steps[1]"), "5:5");
}

}  // namespace
}  // namespace gyre
