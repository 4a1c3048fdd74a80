#include <limits>

#include <gtest/gtest.h>

#include "storage/testing.h"
#include "tracking/tracking.h"

namespace gyre::tracking {
namespace {

class RunSearchTest : public ::testing::Test {
 protected:
    RunSearchTest() {
        add("a", {{"loss", 0.5}}, {{"lr", "0.1"}}, {{"team", "Red"}});
        add("b", {{"loss", 0.2}}, {{"lr", "0.2"}}, {{"team", "redder"}});
        add("c", {{"loss", std::numeric_limits<double>::quiet_NaN()}}, {}, {});
        add("d", {}, {{"lr", "0.1"}}, {{"a b", "x%y"}});
    }
    void add(const std::string& name, const std::vector<std::pair<std::string, double>>& metrics,
             std::vector<KeyValue> params, std::vector<KeyValue> tags) {
        const tracking::Run run = *tracking_->create_run(
            local_principal(),
            {.experiment_id = 0, .user_id = "u", .run_name = name, .start_time_ms = ++time_, .tags = {}});
        ids_[name] = run.info.run_id;
        Batch batch{.metrics = {}, .params = std::move(params), .tags = std::move(tags)};
        for (const auto& [key, value] : metrics) {
            batch.metrics.push_back({.key = key, .value = value});
        }
        ASSERT_TRUE(tracking_->log_batch(run.info.run_id, batch));
    }
    std::string find(const std::string& filter, std::vector<std::string> order = {}) {
        auto page =
            tracking_->search_runs({.experiment_ids = {0}, .filter = filter, .order_by = std::move(order)});
        if (!page) {
            return page.error().message();
        }
        std::string out;
        for (const tracking::Run& run : page->items) {
            out += run.info.run_name;
        }
        return out;
    }
    storage::TestDatabase database_;
    std::unique_ptr<Tracking> tracking_ = *Tracking::open(*database_, "mlflow-artifacts:/");
    std::map<std::string, std::string> ids_;
    std::int64_t time_ = 0;
};

TEST_F(RunSearchTest, each_kind_of_clause_selects) {
    EXPECT_EQ(find(""), "dcba");
    EXPECT_EQ(find("metrics.loss < 0.3"), "b");
    EXPECT_EQ(find("metrics.loss != 0.5"), "cb");
    EXPECT_EQ(find("metrics.loss >= -1"), "ba");
    EXPECT_EQ(find("params.lr = '0.1'"), "da");
    EXPECT_EQ(find("params.lr != '0.1'"), "b");
    EXPECT_EQ(find("params.lr IS NULL"), "c");
    EXPECT_EQ(find("tags.team IS NOT NULL"), "ba");
    EXPECT_EQ(find("tags.team LIKE 'red%'"), "b");
    EXPECT_EQ(find("tags.team ILIKE 'red%'"), "ba");
    EXPECT_EQ(find("tags.`a b` LIKE 'x_y'"), "d");
    EXPECT_EQ(find("run_name = 'c'"), "c");
    EXPECT_EQ(find("attributes.\"Run name\" LIKE '_' and attributes.start_time > 2"), "dc");
    EXPECT_EQ(find("run_id IN ('" + ids_["a"] + "', '" + ids_["d"] + "')"), "da");
    EXPECT_EQ(find("run_id NOT IN ('" + ids_["a"] + "')"), "dcb");
    EXPECT_EQ(find("status = 'RUNNING' AND metrics.loss > 0.3 AND params.lr = '0.1'"), "a");
    EXPECT_EQ(find("end_time > 0"), "");
}

TEST_F(RunSearchTest, the_order_puts_nan_after_numbers_and_missing_last) {
    EXPECT_EQ(find("", {"metrics.loss"}), "bacd");
    EXPECT_EQ(find("", {"metrics.loss DESC"}), "abcd");
    EXPECT_EQ(find("", {"params.lr DESC", "start_time ASC"}), "badc");
    EXPECT_EQ(find("", {"tags.team ASC"}), "abdc");
    EXPECT_EQ(find("", {"run_name ASC"}), "abcd");
}

TEST_F(RunSearchTest, datasets_select_by_name_digest_and_context) {
    const DatasetInput input{{"flights", "d1", "local", "f", "", ""}, {{"mlflow.data.context", "train"}}};
    ASSERT_TRUE(tracking_->log_inputs(ids_["b"], {input}, {}));
    EXPECT_EQ(find("dataset.name = 'flights'"), "b");
    EXPECT_EQ(find("datasets.digest IN ('d1', 'd2') AND dataset.context LIKE 'tr%'"), "b");
    EXPECT_EQ(find("dataset.context = 'test'"), "");
}

// Origin of the messages: specification of the wire, as MLflow 3.6 gives them.
TEST_F(RunSearchTest, errors_are_mlflows) {
    EXPECT_EQ(
        find("m.x = 1"),
        "Invalid entity type 'm'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']");
    EXPECT_EQ(find("foo = 'x'").substr(0, 54), "Invalid attribute key 'foo' specified. Valid keys are ");
    EXPECT_EQ(find("metrics.loss = 'x'"), "Expected numeric value type for metric. Found 'x'");
    EXPECT_EQ(find("params.lr = 1"),
              "Expected a quoted string value for parameter (e.g. 'my-value'). Got value 1");
    EXPECT_EQ(find("status IN ('RUNNING')"),
              "Only the 'run_id' attribute supports comparison with a list of quoted string values.");
    EXPECT_EQ(find("", {"metrics.x y"}), "Invalid order_by clause 'metrics.x y'. Could not be parsed.");
    EXPECT_NE(find("", {"metrics.x", "metrics.x DESC"}).find("duplicate"), std::string::npos);
}

TEST_F(RunSearchTest, pages_follow_each_other_and_views_choose_the_stage) {
    SearchRuns search{.experiment_ids = {0},
                      .filter = "",
                      .order_by = {},
                      .view = ViewType::active_only,
                      .results_max = 3,
                      .page_token = ""};
    auto first = tracking_->search_runs(search);
    ASSERT_EQ(first->items.size(), 3U);
    search.page_token = first->next_page_token;
    auto second = tracking_->search_runs(search);
    ASSERT_EQ(second->items.size(), 1U);
    EXPECT_EQ(second->items[0].info.run_name, "a");
    EXPECT_EQ(second->next_page_token, "");
    ASSERT_TRUE(tracking_->delete_run(local_principal(), ids_["a"]));
    EXPECT_EQ(find(""), "dcb");
    search = {.experiment_ids = {0}, .view = ViewType::deleted_only};
    EXPECT_EQ(tracking_->search_runs(search)->items.size(), 1U);
    search.experiment_ids = {};
    EXPECT_TRUE(tracking_->search_runs(search)->items.empty());
}

}  // namespace
}  // namespace gyre::tracking
