#include "registry/registry.h"

#include <gtest/gtest.h>

#include "events/events.h"
#include "storage/testing.h"

namespace gyre::registry {
namespace {

class RegistryTest : public ::testing::Test {
 protected:
    RegistryTest() { EXPECT_TRUE(registry_.create_model(me_, "flights", "delays", {{"team", "ops"}})); }
    ModelVersion add(Change change = Change::data, std::vector<Tag> tags = {}) {
        return *registry_.create_version(me_, {.name = "flights",
                                               .source = "mlflow-artifacts:/0/m",
                                               .run_id = "r1",
                                               .tags = std::move(tags),
                                               .change = change});
    }
    std::string resolved(const std::string& ref) {
        auto parsed = parse_model_ref(ref);
        auto version = registry_.resolve(*parsed);
        return version ? std::to_string(version->version) : version.error().message();
    }
    ManualClock clock_{1'700'000'000'000'000};
    storage::TestDatabase database_{{.clock = &clock_}};
    Registry registry_{*database_};
    Principal me_ = local_principal();
};

TEST_F(RegistryTest, names_are_unique) {
    auto again = registry_.create_model(me_, "flights", "", {});
    EXPECT_EQ(again.error().message(), "Registered Model (name=flights) already exists.");
    EXPECT_EQ(again.error().code(), ErrorCode::already_exists);
    EXPECT_EQ(registry_.get_model("x").error().message(), "Registered Model with name=x not found");
    ASSERT_TRUE(registry_.create_model(me_, "other", "", {}));
    EXPECT_FALSE(registry_.rename_model(me_, "other", "flights"));
    EXPECT_EQ(registry_.rename_model(me_, "other", "new")->name, "new");
    EXPECT_FALSE(registry_.create_model(me_, "a/b", "", {}));
}

TEST_F(RegistryTest, version_numbers_are_never_used_again) {
    EXPECT_EQ(add().version, 1);
    EXPECT_EQ(add().version, 2);
    ASSERT_TRUE(registry_.delete_version(me_, "flights", 2));
    EXPECT_EQ(registry_.get_version("flights", 2).error().message(),
              "Model Version (name=flights, version=2) not found");
    EXPECT_EQ(add().version, 3);
}

TEST_F(RegistryTest, the_semantic_version_says_what_changed) {
    EXPECT_EQ(add(Change::hyperparameters).semantic_version.str(), "1.0.0");
    EXPECT_EQ(add(Change::hyperparameters).semantic_version.str(), "1.0.1");
    EXPECT_EQ(add(Change::data).semantic_version.str(), "1.1.0");
    EXPECT_EQ(add(Change::architecture).semantic_version.str(), "2.0.0");
    ASSERT_TRUE(registry_.delete_version(me_, "flights", 4));
    EXPECT_EQ(add(Change::data).semantic_version.str(), "2.1.0");
}

TEST_F(RegistryTest, a_reference_names_one_version) {
    add();
    add(Change::hyperparameters);
    ASSERT_TRUE(registry_.set_alias(me_, "flights", "champion", 1));
    EXPECT_EQ(resolved("flights"), "2");
    EXPECT_EQ(resolved("flights/1"), "1");
    EXPECT_EQ(resolved("models:/flights@champion"), "1");
    EXPECT_EQ(resolved("flights@v1.0.1"), "2");
    EXPECT_EQ(resolved("flights@v3.0.0"), "model 'flights' has no version 'flights@v3.0.0'");
    EXPECT_EQ(registry_.resolve(*parse_model_ref("flights@other")).error().code(), ErrorCode::not_found);
    EXPECT_EQ(registry_.resolve(*parse_model_ref("flights/1"))->storage_location, "mlflow-artifacts:/0/m");
}

TEST_F(RegistryTest, aliases_move_and_some_names_are_reserved) {
    add();
    add();
    ASSERT_TRUE(registry_.set_alias(me_, "flights", "champion", 1));
    ASSERT_TRUE(registry_.set_alias(me_, "flights", "champion", 2));
    EXPECT_EQ(registry_.get_version_by_alias("flights", "champion")->version, 2);
    EXPECT_EQ(registry_.get_model("flights")->aliases, (std::vector<Alias>{{"champion", 2}}));
    EXPECT_EQ(registry_.get_version_by_alias("flights", "latest")->version, 2);
    EXPECT_EQ(registry_.get_version_by_alias("flights", "none").error().message(),
              "Registered model alias none not found.");
    EXPECT_EQ(registry_.get_version_by_alias("flights", "none").error().code(), ErrorCode::invalid_argument);
    EXPECT_EQ(registry_.set_alias(me_, "flights", "Latest", 1).error().message(),
              "'latest' alias name (case insensitive) is reserved.");
    EXPECT_EQ(registry_.set_alias(me_, "flights", "v1", 1).error().message(),
              "Version alias name 'v1' is reserved.");
    EXPECT_FALSE(registry_.set_alias(me_, "flights", "a b", 1));
    EXPECT_FALSE(registry_.set_alias(me_, "flights", "x", 9));
    ASSERT_TRUE(registry_.delete_version(me_, "flights", 2));
    EXPECT_TRUE(registry_.get_model("flights")->aliases.empty());
    EXPECT_TRUE(registry_.delete_alias(me_, "flights", "missing"));
}

TEST_F(RegistryTest, stages_keep_one_active_version_when_asked) {
    add();
    add();
    EXPECT_EQ(registry_.transition_stage(me_, "flights", 1, "production", ArchiveOthers::no)->stage,
              "Production");
    ASSERT_TRUE(registry_.transition_stage(me_, "flights", 2, "Production", ArchiveOthers::yes));
    EXPECT_EQ(registry_.get_version("flights", 1)->stage, "Archived");
    EXPECT_EQ(registry_.latest_versions("flights", {"PRODUCTION"})->at(0).version, 2);
    EXPECT_EQ(registry_.latest_versions("flights", {})->size(), 2U);
    EXPECT_FALSE(registry_.transition_stage(me_, "flights", 1, "Gold", ArchiveOthers::no));
    EXPECT_FALSE(registry_.transition_stage(me_, "flights", 1, "None", ArchiveOthers::yes));
}

TEST_F(RegistryTest, models_are_searched_and_prompts_are_hidden) {
    ASSERT_TRUE(registry_.create_model(me_, "prompt", "", {{"mlflow.prompt.is_prompt", "true"}}));
    ASSERT_TRUE(registry_.create_model(me_, "Weather", "", {}));
    const auto names = [&](const std::string& filter, std::vector<std::string> order = {},
                           std::int64_t most = 100) {
        auto page =
            registry_.search_models({.filter = filter, .order_by = std::move(order), .results_max = most});
        if (!page) {
            return page.error().message();
        }
        std::string out;
        for (const RegisteredModel& model : page->items) {
            out += model.name + " ";
        }
        return out + page->next_page_token;
    };
    EXPECT_EQ(names(""), "Weather flights ");
    EXPECT_EQ(names("tags.`mlflow.prompt.is_prompt` != 'true'"), "Weather flights ");
    EXPECT_EQ(names("tags.`mlflow.prompt.is_prompt` = 'true'"), "prompt ");
    EXPECT_EQ(names("name ILIKE 'w%'"), "Weather ");
    EXPECT_EQ(names("tags.team = 'ops'"), "flights ");
    EXPECT_EQ(names("", {"name DESC"}, 1), "flights eyJvZmZzZXQiOjF9");
    EXPECT_NE(names("color = 'x'").find("Invalid attribute key 'color'"), std::string::npos);
    EXPECT_NE(names("", {}, 0).find("max_results"), std::string::npos);
}

TEST_F(RegistryTest, versions_are_searched) {
    add(Change::data, {{"gate", "pass"}});
    clock_.advance_us(1'000'000);
    add();
    const auto count = [&](const std::string& filter) {
        auto page = registry_.search_versions({.filter = filter});
        return page ? static_cast<int>(page->items.size()) : -1;
    };
    EXPECT_EQ(count("name = 'flights'"), 2);
    EXPECT_EQ(count("version_number > 1"), 1);
    EXPECT_EQ(count("run_id IN ('r1', 'r2') and tags.gate = 'pass'"), 1);
    EXPECT_EQ(count("run_id = 'other'"), 0);
    EXPECT_EQ(count("bad = 'x'"), -1);
    EXPECT_EQ(registry_.search_versions({})->items.at(0).version, 2);
}

TEST_F(RegistryTest, tags_and_descriptions_are_replaced_and_bounded) {
    add();
    ASSERT_TRUE(registry_.set_model_tag("flights", {"team", "new"}));
    EXPECT_EQ(registry_.get_model("flights")->tags, (std::vector<Tag>{{"team", "new"}}));
    ASSERT_TRUE(registry_.delete_model_tag("flights", "team"));
    ASSERT_TRUE(registry_.delete_model_tag("flights", "team"));
    ASSERT_TRUE(registry_.set_version_tag("flights", 1, {"a", "b"}));
    EXPECT_EQ(registry_.get_version("flights", 1)->tags, (std::vector<Tag>{{"a", "b"}}));
    ASSERT_TRUE(registry_.delete_version_tag("flights", 1, "a"));
    EXPECT_EQ(registry_.describe_version("flights", 1, "good")->description, "good");
    EXPECT_EQ(registry_.describe_model("flights", "better")->description, "better");
    EXPECT_FALSE(registry_.describe_model("flights", std::string(kDescriptionMax + 1, 'x')));
    EXPECT_FALSE(registry_.set_model_tag("flights", {std::string(kTagKeyMax + 1, 'x'), ""}));
    EXPECT_FALSE(registry_.set_model_tag("flights", {"a", std::string(kModelTagValueMax + 1, 'x')}));
    EXPECT_FALSE(registry_.create_version(me_, {.name = "flights", .source = ""}));
}

TEST_F(RegistryTest, lifecycle_changes_are_events) {
    add();
    ASSERT_TRUE(registry_.set_alias(me_, "flights", "champion", 1));
    ASSERT_TRUE(registry_.delete_model(me_, "flights"));
    events::EventStream stream(*database_);
    const auto page = stream.read(0, 100, {.type = "", .subject = "model/flights"});
    std::vector<std::string> types;
    for (const events::Event& event : page->events) {
        types.push_back(event.type);
    }
    EXPECT_EQ(types, (std::vector<std::string>{"model.registered", "model_version.created", "alias.set",
                                               "model.deleted"}));
    EXPECT_FALSE(registry_.get_version("flights", 1));
}

}  // namespace
}  // namespace gyre::registry
