#include <limits>

#include <gtest/gtest.h>

#include "events/events.h"
#include "storage/testing.h"
#include "tracking/tracking.h"

namespace gyre::tracking {
namespace {

class LoggedModelsTest : public ::testing::Test {
 protected:
    LoggedModel create(std::string name, std::vector<KeyValue> params = {}) {
        clock_.advance_us(1'000'000);
        NewLoggedModel model;
        model.name = std::move(name);
        model.params = std::move(params);
        return *tracking_->create_logged_model(me_, model);
    }
    std::vector<std::string> names(const SearchLoggedModels& search) {
        std::vector<std::string> out;
        const auto page = tracking_->search_logged_models(search);
        for (const LoggedModel& model : page ? page->items : std::vector<LoggedModel>()) {
            out.push_back(model.name);
        }
        return out;
    }
    SearchLoggedModels search(std::string filter = "") {
        SearchLoggedModels out;
        out.experiment_ids = {0};
        out.filter = std::move(filter);
        return out;
    }
    void log(const std::string& run, const LoggedModel& model, double value, std::int64_t step = 0) {
        Metric metric;
        metric.key = "auc";
        metric.value = value;
        metric.step = step;
        metric.model_id = model.model_id;
        metric.dataset_name = "d";
        ASSERT_TRUE(tracking_->log_batch(run, {{metric}, {}, {}}));
    }
    ManualClock clock_{1'700'000'000'000'000};
    storage::TestDatabase database_{{.clock = &clock_}};
    std::unique_ptr<Tracking> tracking_ = *Tracking::open(*database_, "mlflow-artifacts:/");
    Principal me_ = local_principal();
};

using Names = std::vector<std::string>;

TEST_F(LoggedModelsTest, a_model_is_pending_until_it_is_finalized) {
    const LoggedModel model = create("tree", {{"depth", "6"}});
    EXPECT_TRUE(model.model_id.starts_with("m-"));
    EXPECT_EQ(model.model_id.size(), 34U);
    EXPECT_EQ(model.status, ModelStatus::pending);
    EXPECT_EQ(model.artifact_uri, "mlflow-artifacts:/0/models/" + model.model_id + "/artifacts");
    EXPECT_EQ(tracking_->finalize_logged_model(me_, model.model_id, ModelStatus::ready)->status,
              ModelStatus::ready);
    EXPECT_EQ(tracking_->get_logged_model(model.model_id)->params, (std::vector<KeyValue>{{"depth", "6"}}));
    events::EventStream stream(*database_);
    const auto page = stream.read(0, 10, {.type = "logged_model.*", .subject = ""});
    ASSERT_EQ(page->events.size(), 2U);
    EXPECT_EQ(page->events[1].type, "logged_model.finished");
}

TEST_F(LoggedModelsTest, a_deleted_model_is_not_found) {
    const LoggedModel model = create("tree");
    ASSERT_TRUE(tracking_->delete_logged_model(me_, model.model_id));
    EXPECT_EQ(tracking_->get_logged_model(model.model_id).error().code(), ErrorCode::not_found);
    EXPECT_EQ(tracking_->delete_logged_model(me_, model.model_id).error().code(), ErrorCode::not_found);
    EXPECT_TRUE(names(search()).empty());
}

TEST_F(LoggedModelsTest, params_do_not_change_and_tags_do) {
    const std::string id = create("tree", {{"p", "1"}}).model_id;
    EXPECT_TRUE(tracking_->log_model_params(id, {{"p", "1"}, {"q", "2"}}));
    EXPECT_EQ(tracking_->log_model_params(id, {{"r", "1"}, {"p", "3"}}).error().code(),
              ErrorCode::invalid_argument);
    EXPECT_EQ(tracking_->get_logged_model(id)->params.size(), 2U);  // the failed call left nothing
    ASSERT_TRUE(tracking_->set_model_tags(id, {{"t", "1"}}));
    ASSERT_TRUE(tracking_->set_model_tags(id, {{"t", "2"}}));
    EXPECT_EQ(tracking_->get_logged_model(id)->tags, (std::vector<KeyValue>{{"t", "2"}}));
    ASSERT_TRUE(tracking_->delete_model_tag(id, "t"));
    EXPECT_EQ(tracking_->delete_model_tag(id, "t").error().code(), ErrorCode::not_found);
}

TEST_F(LoggedModelsTest, bounds_and_names_are_checked) {
    NewLoggedModel model;
    for (const std::string& name :
         {std::string("a/b"), std::string("a:b"), std::string(kModelNameMax + 1, 'a')}) {
        model.name = name;
        EXPECT_EQ(tracking_->create_logged_model(me_, model).error().code(), ErrorCode::invalid_argument)
            << name;
    }
    model.name = "good";
    model.model_type.assign(kModelNameMax + 1, 't');
    EXPECT_FALSE(tracking_->create_logged_model(me_, model));
    model.model_type.clear();
    model.params.resize(kModelParamsMax + 1, {"k", "v"});
    EXPECT_FALSE(tracking_->create_logged_model(me_, model));
    SearchLoggedModels many = search();
    many.datasets.resize(kModelDatasetsMax + 1);
    EXPECT_FALSE(tracking_->search_logged_models(many));
}

TEST_F(LoggedModelsTest, metrics_of_a_run_are_kept_with_the_model_they_name) {
    const auto run = tracking_->create_run(me_, {});
    const LoggedModel model = create("tree");
    log(run->info.run_id, model, 0.5, 1);
    log(run->info.run_id, model, 0.7, 2);
    log(run->info.run_id, model, 0.7, 2);
    log(run->info.run_id, model, std::numeric_limits<double>::infinity(), 3);
    const auto loaded = tracking_->get_logged_model(model.model_id);
    ASSERT_EQ(loaded->metrics.size(), 1U);
    EXPECT_EQ(loaded->metrics[0].metric.value, std::numeric_limits<double>::max());
    EXPECT_EQ(loaded->metrics[0].run_id, run->info.run_id);
    Metric unknown;
    unknown.key = "auc";
    unknown.model_id = "m-none";
    EXPECT_EQ(tracking_->log_batch(run->info.run_id, {{unknown}, {}, {}}).error().code(),
              ErrorCode::not_found);
    EXPECT_EQ(tracking_->get_run(run->info.run_id)->metrics.size(), 1U);
}

TEST_F(LoggedModelsTest, search_filters_orders_and_pages) {
    const auto run = tracking_->create_run(me_, {});
    const LoggedModel a = create("a", {{"p", "1"}});
    const LoggedModel b = create("b", {{"p", "2"}});
    create("c");
    log(run->info.run_id, a, 0.9);
    log(run->info.run_id, b, 0.6);
    EXPECT_EQ(names(search()), (Names{"c", "b", "a"}));
    EXPECT_EQ(names(search("metrics.auc > 0.7")), (Names{"a"}));
    EXPECT_EQ(names(search("params.p = '2' AND name LIKE 'b%'")), (Names{"b"}));
    EXPECT_EQ(names(search("status = 'LOGGED_MODEL_PENDING' AND creation_timestamp > 0")),
              (Names{"c", "b", "a"}));
    SearchLoggedModels by_metric = search();
    by_metric.order_by = {{"metrics.auc", true, "d", ""}};
    EXPECT_EQ(names(by_metric), (Names{"b", "a", "c"}));  // those without the metric come last
    SearchLoggedModels other = search("metrics.auc > 0");
    other.datasets = {{"other", "", {}, {}, {}, {}}};
    EXPECT_TRUE(names(other).empty());
    SearchLoggedModels paged = search();
    paged.results_max = 2;
    const auto first = tracking_->search_logged_models(paged);
    ASSERT_FALSE(first->next_page_token.empty());
    paged.page_token = first->next_page_token;
    EXPECT_EQ(names(paged), (Names{"a"}));
    EXPECT_FALSE(tracking_->search_logged_models(search("metric.auc > 1")));
    EXPECT_FALSE(tracking_->search_logged_models(search("nothing = 'x'")));
}

TEST_F(LoggedModelsTest, the_history_of_models_fits_its_tag) {
    const auto run = tracking_->create_run(me_, {});
    const Json model = Json::object({{"run_id", "r"}, {"text", std::string(kTagValueMax / 3, 'x')}});
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(tracking_->record_model(run->info.run_id, model));
    }
    const auto loaded = tracking_->get_run(run->info.run_id);
    const auto tag = std::find_if(loaded->tags.begin(), loaded->tags.end(), [](const KeyValue& each) {
        return each.key == "mlflow.log-model.history";
    });
    ASSERT_NE(tag, loaded->tags.end());
    EXPECT_EQ(parse_json(tag->value)->items().size(), 2U);
    const Json huge = Json::object({{"text", std::string(kTagValueMax + 1, 'x')}});
    EXPECT_FALSE(tracking_->record_model(run->info.run_id, huge));
}

TEST_F(LoggedModelsTest, artifact_locations_are_of_known_schemes) {
    EXPECT_TRUE(
        tracking_->create_experiment(me_, {.name = "s", .artifact_location = "s3://b/x", .tags = {}}));
    for (const std::string_view location :
         {"/etc", "file:///etc", "x", "ftp://h/x", "mlflow-artifacts:/a/../.."}) {
        EXPECT_FALSE(tracking_->create_experiment(
            me_, {.name = "t", .artifact_location = std::string(location), .tags = {}}))
            << location;
    }
}

}  // namespace
}  // namespace gyre::tracking
