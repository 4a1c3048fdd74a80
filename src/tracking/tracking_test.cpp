#include "tracking/tracking.h"

#include <limits>
#include <thread>

#include <gtest/gtest.h>

#include "events/events.h"
#include "storage/testing.h"

namespace gyre::tracking {
namespace {

class TrackingTest : public ::testing::Test {
 protected:
    tracking::Run start(std::vector<KeyValue> tags = {}) {
        return *tracking_->create_run(me_, {.experiment_id = 0,
                                            .user_id = "u",
                                            .run_name = "",
                                            .start_time_ms = 5,
                                            .tags = std::move(tags)});
    }
    std::vector<std::string> event_types() {
        events::EventStream stream(*database_);
        std::vector<std::string> out;
        const auto page = stream.read(0, 1000);
        for (const events::Event& event : page->events) {
            out.push_back(event.type);
        }
        return out;
    }
    ManualClock clock_{1'700'000'000'000'000};
    storage::TestDatabase database_{{.clock = &clock_}};
    std::unique_ptr<Tracking> tracking_ = *Tracking::open(*database_, "mlflow-artifacts:/");
    Principal me_ = local_principal();
};

TEST_F(TrackingTest, experiment_zero_exists_from_the_start_and_is_made_once) {
    auto zero = tracking_->get_experiment(0);
    EXPECT_EQ(zero->name, "Default");
    EXPECT_EQ(zero->artifact_location, "mlflow-artifacts:/0");
    ASSERT_TRUE(Tracking::open(*database_, "mlflow-artifacts:/"));
    EXPECT_EQ(event_types(), std::vector<std::string>{"experiment.created"});
}

TEST_F(TrackingTest, experiment_names_are_unique_even_when_deleted) {
    const auto id =
        tracking_->create_experiment(me_, {.name = "flights", .artifact_location = "", .tags = {{"a", "b"}}});
    ASSERT_TRUE(id);
    EXPECT_EQ(tracking_->get_experiment_by_name("flights")->artifact_location, "mlflow-artifacts:/1");
    EXPECT_EQ(tracking_->get_experiment(*id)->tags, (std::vector<KeyValue>{{"a", "b"}}));
    ASSERT_TRUE(tracking_->delete_experiment(me_, *id));
    auto again = tracking_->create_experiment(me_, {.name = "flights", .artifact_location = "", .tags = {}});
    EXPECT_EQ(again.error().code(), ErrorCode::already_exists);
    EXPECT_EQ(again.error().message(), "Experiment(name=flights) already exists.");
    EXPECT_EQ(tracking_->get_experiment(9).error().message(), "No Experiment with id=9 exists");
    EXPECT_EQ(tracking_->get_experiment_by_name("x").error().message(),
              "Could not find experiment with name 'x'");
}

TEST_F(TrackingTest, deleting_an_experiment_takes_its_runs_along_and_restoring_brings_them_back) {
    const tracking::Run run = start();
    ASSERT_TRUE(tracking_->delete_experiment(me_, 0));
    EXPECT_EQ(tracking_->get_run(run.info.run_id)->info.lifecycle_stage, LifecycleStage::deleted);
    EXPECT_EQ(tracking_->delete_experiment(me_, 0).error().code(), ErrorCode::not_found);
    EXPECT_EQ(tracking_->rename_experiment(me_, 0, "x").error().code(), ErrorCode::conflict);
    auto refused = tracking_->create_run(
        me_, {.experiment_id = 0, .user_id = "", .run_name = "", .start_time_ms = 0, .tags = {}});
    EXPECT_EQ(refused.error().message(),
              "The experiment 0 must be in the 'active' state. Current state is deleted.");
    ASSERT_TRUE(tracking_->restore_experiment(me_, 0));
    EXPECT_EQ(tracking_->get_run(run.info.run_id)->info.lifecycle_stage, LifecycleStage::active);
}

TEST_F(TrackingTest, a_run_has_a_name_whether_given_tagged_or_made_up) {
    const tracking::Run made = start();
    EXPECT_FALSE(made.info.run_name.empty());
    EXPECT_EQ(made.info.run_id.size(), 32U);
    EXPECT_EQ(made.info.artifact_uri, "mlflow-artifacts:/0/" + made.info.run_id + "/artifacts");
    EXPECT_EQ(tracking_->get_run(made.info.run_id)->tags,
              (std::vector<KeyValue>{{"mlflow.runName", made.info.run_name}}));
    EXPECT_EQ(start({{"mlflow.runName", "mine"}}).info.run_name, "mine");
    EXPECT_FALSE(tracking_->create_run(me_, {.experiment_id = 0,
                                             .user_id = "",
                                             .run_name = "a",
                                             .start_time_ms = 0,
                                             .tags = {{"mlflow.runName", "b"}}}));
    ASSERT_TRUE(tracking_->log_batch(made.info.run_id,
                                     {.metrics = {}, .params = {}, .tags = {{"mlflow.runName", "x"}}}));
    EXPECT_EQ(tracking_->get_run(made.info.run_id)->info.run_name, "x");
}

TEST_F(TrackingTest, params_do_not_change_but_may_be_sent_again) {
    const std::string id = start().info.run_id;
    ASSERT_TRUE(tracking_->log_batch(id, {.metrics = {}, .params = {{"lr", "0.1"}, {"n", "5"}}, .tags = {}}));
    ASSERT_TRUE(tracking_->log_batch(id, {.metrics = {}, .params = {{"lr", "0.1"}}, .tags = {}}));
    EXPECT_EQ(
        tracking_->log_batch(id, {.metrics = {}, .params = {{"lr", "9"}}, .tags = {}}).error().message(),
        "Changing param values is not allowed. Param with key='lr' was already logged with value='0.1' for "
        "run "
        "ID='" +
            id + "'. Attempted logging new value '9'.");
    EXPECT_EQ(
        tracking_->log_batch(id, {.metrics = {}, .params = {{"new", "1"}, {"n", "6"}}, .tags = {}})
            .error()
            .message(),
        "Changing param values is not allowed. Params were already logged='[{'key': 'n', 'old_value': '5', "
        "'new_value': '6'}]' for run ID='" +
            id + "'.");
    EXPECT_EQ(tracking_->get_run(id)->params, (std::vector<KeyValue>{{"lr", "0.1"}, {"n", "5"}}));
}

TEST_F(TrackingTest, finishing_a_run_is_an_event_and_logging_is_not) {
    const std::string id = start().info.run_id;
    ASSERT_TRUE(tracking_->log_batch(id, {.metrics = {{.key = "m", .value = 1}}, .params = {}, .tags = {}}));
    ASSERT_TRUE(
        tracking_->update_run(me_, id, {.status = RunStatus::finished, .end_time_ms = 9, .run_name = ""}));
    ASSERT_TRUE(
        tracking_->update_run(me_, id, {.status = RunStatus::finished, .end_time_ms = 9, .run_name = ""}));
    ASSERT_TRUE(tracking_->log_batch(id, {.metrics = {{.key = "m", .value = 2}}, .params = {}, .tags = {}}));
    EXPECT_EQ(event_types(), (std::vector<std::string>{"experiment.created", "run.created", "run.finished"}));
    EXPECT_EQ(tracking_->get_run(id)->info.end_time_ms, 9);
}

TEST_F(TrackingTest, a_deleted_run_is_read_but_not_written) {
    const std::string id = start().info.run_id;
    ASSERT_TRUE(tracking_->delete_run(me_, id));
    ASSERT_TRUE(tracking_->delete_run(me_, id));
    EXPECT_TRUE(tracking_->get_run(id));
    EXPECT_EQ(tracking_->log_batch(id, {.metrics = {}, .params = {}, .tags = {{"a", "b"}}}).error().message(),
              "The run " + id + " must be in the 'active' state. Current state is deleted.");
    ASSERT_TRUE(tracking_->restore_run(me_, id));
    EXPECT_TRUE(tracking_->log_batch(id, {.metrics = {}, .params = {}, .tags = {{"a", "b"}}}));
    ASSERT_TRUE(tracking_->delete_tag(id, "a"));
    EXPECT_EQ(tracking_->delete_tag(id, "a").error().message(), "No tag with name: a in run with id " + id);
    EXPECT_EQ(tracking_->get_run("none").error().message(), "Run with id=none not found");
}

TEST_F(TrackingTest, batches_over_the_bounds_are_refused_whole) {
    const std::string id = start().info.run_id;
    const Batch metrics{
        .metrics = std::vector<Metric>(kBatchMetricsMax + 1, {.key = "m"}), .params = {}, .tags = {}};
    EXPECT_EQ(
        tracking_->log_batch(id, metrics).error().message(),
        "A batch logging request can contain at most 1000 metrics. Got 1001 metrics. Please split up metrics "
        "across multiple requests and try again.");
    EXPECT_FALSE(tracking_->log_batch(
        id, {.metrics = {}, .params = {}, .tags = std::vector<KeyValue>(101, {"a", ""})}));
    EXPECT_EQ(tracking_->log_batch(id, {.metrics = {}, .params = {{"a", "1"}, {"a", "1"}}, .tags = {}})
                  .error()
                  .message(),
              "Duplicate parameter keys have been submitted: ['a']. Please ensure the request contains only "
              "one param "
              "value per param key.");
    for (const char* key : {"", "a?", "../a", "/a", "a//b", ".", "a/./b", "a\"b"}) {
        EXPECT_FALSE(tracking_->log_batch(id, {.metrics = {}, .params = {}, .tags = {{key, "x"}}})) << key;
    }
    EXPECT_FALSE(
        tracking_->log_batch(id, {.metrics = {{.key = "m", .timestamp_ms = -1}}, .params = {}, .tags = {}}));
    ASSERT_TRUE(tracking_->log_batch(
        id, {.metrics = {}, .params = {{"long", std::string(kParamValueMax + 1, 'x')}}, .tags = {}}));
    EXPECT_EQ(tracking_->get_run(id)->params.at(0).value.size(), kParamValueMax);
    EXPECT_TRUE(tracking_->get_run(id)->metrics.empty());
}

TEST_F(TrackingTest, inputs_and_outputs_are_kept_once) {
    const std::string id = start().info.run_id;
    const DatasetInput input{{"flights", "d1", "local", "file", "{}", "{}"},
                             {{"mlflow.data.context", "train"}}};
    for (int i = 0; i < 2; ++i) {
        ASSERT_TRUE(tracking_->log_inputs(id, {input}, {{"m-1", 0}}));
        ASSERT_TRUE(tracking_->log_outputs(id, {{"m-2", 7}}));
    }
    const tracking::Run run = *tracking_->get_run(id);
    ASSERT_EQ(run.dataset_inputs.size(), 1U);
    EXPECT_EQ(run.dataset_inputs[0].dataset.name, "flights");
    EXPECT_EQ(run.dataset_inputs[0].tags, input.tags);
    ASSERT_EQ(run.model_outputs.size(), 1U);
    EXPECT_EQ(run.model_outputs[0].step, 7);
    EXPECT_EQ(run.model_inputs.at(0).model_id, "m-1");
}

TEST_F(TrackingTest, experiments_are_searched_and_paged) {
    for (const char* name : {"flights-a", "flights-b", "Flights-c", "weather"}) {
        clock_.advance_us(1'000'000);
        ASSERT_TRUE(tracking_->create_experiment(
            me_, {.name = name, .artifact_location = "", .tags = {{"team", name}}}));
    }
    const auto names = [&](SearchExperiments search) {
        std::string out;
        auto page = tracking_->search_experiments(search);
        if (!page) {
            return page.error().message();
        }
        for (const Experiment& experiment : page->items) {
            out += experiment.name + " ";
        }
        return out + page->next_page_token;
    };
    EXPECT_EQ(names({.results_max = 5}), "weather Flights-c flights-b flights-a Default ");
    EXPECT_EQ(names({.filter = "name LIKE 'flights%'"}), "flights-b flights-a ");
    EXPECT_EQ(names({.filter = "name ILIKE 'flights%'", .order_by = {"name DESC"}}),
              "flights-b flights-a Flights-c ");
    EXPECT_EQ(names({.filter = "tags.team = 'weather'"}), "weather ");
    EXPECT_EQ(names({.results_max = 3}), "weather Flights-c flights-b eyJvZmZzZXQiOjN9");
    EXPECT_EQ(names({.results_max = 3, .page_token = "eyJvZmZzZXQiOjN9"}), "flights-a Default ");
    EXPECT_NE(names({.filter = "color = 'x'"}).find("Invalid attribute key 'color'"), std::string::npos);
    EXPECT_NE(names({.results_max = 0}).find("max_results"), std::string::npos);
}

}  // namespace
}  // namespace gyre::tracking
