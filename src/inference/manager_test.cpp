#include "inference/manager.h"

#include <atomic>
#include <filesystem>
#include <latch>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "inference/testing.h"

namespace gyre::inference {
namespace {

using testing::HasSubstr;

/// Says 1.5.
const std::string kModel = one_leaf_model("reg:squarederror");
constexpr std::int64_t kPatienceMs = 30'000;

ModelKey key_of(std::int64_t version) {
    return {.source = ModelSource::repository, .name = "flights", .version = version};
}

class ManagerTest : public testing::Test {
 protected:
    ManagerTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "gyre_manager_XXXXXX").string();
        folder_ = mkdtemp(pattern.data());
        EXPECT_TRUE(write_file_atomic(folder_ + "/model.json", kModel));
    }
    ~ManagerTest() override {
        std::error_code ec;
        std::filesystem::remove_all(folder_, ec);
    }

    ManagerOptions options() {
        return {.resolve = [this](const ModelKey& key) -> Result<std::string> {
                    ++resolved_;
                    if (blocked_) {
                        gate_.wait();
                    }
                    return folder_ + (key.version == 13 ? "/gone.json" : "/model.json");
                },
                .warm_up_rows = 64,
                .on_change = {}};
    }

    std::string folder_;
    std::atomic<int> resolved_ = 0;
    std::atomic<bool> blocked_ = false;
    std::latch gate_{1};
    Metrics metrics_;
};

TEST_F(ManagerTest, LoadsWhatIsDesiredAndUnloadsWhatIsLeftOut) {
    Manager manager(options(), metrics_, system_clock());
    EXPECT_EQ(manager.acquire(key_of(1)).error().code(), ErrorCode::not_found);
    ASSERT_TRUE(manager.set_desired({key_of(1), key_of(2)}));
    ASSERT_TRUE(manager.wait_ready(key_of(1), kPatienceMs));
    const auto handle = manager.wait_ready(key_of(2), kPatienceMs);
    ASSERT_TRUE(handle);
    const float row = 0.0F;
    float out = 0.0F;
    ASSERT_TRUE((*handle)->predict_encoded({&row, 1}, 1, {&out, 1}));
    EXPECT_EQ(out, 1.5F);
    EXPECT_THAT(metrics_.expose(), HasSubstr("gyre_inference_loaded_models 2"));
    EXPECT_THAT(metrics_.expose(), HasSubstr("gyre_inference_load_seconds_count 2"));
    ASSERT_TRUE(manager.set_desired({key_of(2)}));
    EXPECT_EQ(manager.acquire(key_of(1)).error().code(), ErrorCode::not_found);
    EXPECT_TRUE(manager.acquire(key_of(2)));
    EXPECT_THAT(metrics_.expose(), HasSubstr("gyre_inference_loaded_models 1"));
}

TEST_F(ManagerTest, LoadsOnceHoweverOftenTheSameIsDesired) {
    Manager manager(options(), metrics_, system_clock());
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(manager.set_desired({key_of(1)}));
    }
    ASSERT_TRUE(manager.wait_ready(key_of(1), kPatienceMs));
    ASSERT_TRUE(manager.set_desired({key_of(1)}));
    EXPECT_EQ(resolved_, 1);
}

TEST_F(ManagerTest, DrainsAModelUntilItsLastHandleDies) {
    Manager manager(options(), metrics_, system_clock());
    ASSERT_TRUE(manager.set_desired({key_of(1)}));
    {
        const auto handle = manager.wait_ready(key_of(1), kPatienceMs);
        ASSERT_TRUE(handle);
        ASSERT_TRUE(manager.set_desired({}));
        manager.release_on_this_thread();
        ASSERT_EQ(manager.list().size(), 1U);
        EXPECT_EQ(manager.list()[0].state, ModelState::draining);
        EXPECT_EQ((*handle)->feature_count(), 1U) << "a handle keeps the model usable";
    }
    EXPECT_TRUE(manager.list().empty());
}

TEST_F(ManagerTest, ReportsAFailureAndLoadsAgainOnRetry) {
    Manager manager(options(), metrics_, system_clock());
    ASSERT_TRUE(manager.set_desired({key_of(13)}));
    const auto failed = manager.wait_ready(key_of(13), kPatienceMs);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code(), ErrorCode::unavailable);
    EXPECT_THAT(failed.error().message(), HasSubstr("does not exist"));
    EXPECT_EQ(manager.find(key_of(13))->state, ModelState::failed);
    EXPECT_THAT(metrics_.expose(), HasSubstr("gyre_inference_load_failures_total 1"));
    ASSERT_TRUE(manager.set_desired({key_of(13)}));
    EXPECT_EQ(manager.find(key_of(13))->state, ModelState::failed) << "not tried again by itself";
    ASSERT_TRUE(write_file_atomic(folder_ + "/gone.json", kModel));
    ASSERT_TRUE(manager.retry(key_of(13)));
    EXPECT_TRUE(manager.wait_ready(key_of(13), kPatienceMs));
    EXPECT_EQ(manager.retry(key_of(4)).error().code(), ErrorCode::not_found);
}

TEST_F(ManagerTest, NeverWaitsForALoadAndForgetsOneThatIsNoLongerWanted) {
    blocked_ = true;
    Manager manager(options(), metrics_, system_clock());
    ASSERT_TRUE(manager.set_desired({key_of(1)}));
    EXPECT_THAT(manager.acquire(key_of(1)).error().message(), HasSubstr("loading"));
    EXPECT_EQ(manager.wait_ready(key_of(1), 1).error().code(), ErrorCode::deadline_exceeded);
    ASSERT_TRUE(manager.set_desired({key_of(2)}));
    gate_.count_down();
    ASSERT_TRUE(manager.wait_ready(key_of(2), kPatienceMs));
    EXPECT_EQ(manager.acquire(key_of(1)).error().code(), ErrorCode::not_found);
    EXPECT_EQ(manager.list().size(), 1U);
}

TEST_F(ManagerTest, TellsEveryChangeOfState) {
    std::mutex mutex;
    std::vector<ModelState> states;
    ManagerOptions given = options();
    given.on_change = [&](const ModelStatus& status) {
        const std::scoped_lock lock(mutex);
        states.push_back(status.state);
    };
    Manager manager(std::move(given), metrics_, system_clock());
    ASSERT_TRUE(manager.set_desired({key_of(1)}));
    ASSERT_TRUE(manager.wait_ready(key_of(1), kPatienceMs));
    ASSERT_TRUE(manager.set_desired({}));
    manager.stop();
    EXPECT_THAT(states,
                testing::UnorderedElementsAre(ModelState::loading, ModelState::ready, ModelState::draining));
}

TEST_F(ManagerTest, RefusesMoreModelsThanItsBoundAndWorkAfterStop) {
    Manager manager(options(), metrics_, system_clock());
    std::set<ModelKey> many;
    for (std::size_t i = 0; i <= kModelsMax; ++i) {
        many.insert(key_of(static_cast<std::int64_t>(i) + 1));
    }
    EXPECT_EQ(manager.set_desired(many).error().code(), ErrorCode::resource_exhausted);
    manager.stop();
    manager.stop();
    EXPECT_EQ(manager.set_desired({key_of(1)}).error().code(), ErrorCode::unavailable);
    EXPECT_FALSE(manager.acquire(key_of(1)));
}

TEST_F(ManagerTest, ServesReadersWhileModelsComeAndGo) {
    Manager manager(options(), metrics_, system_clock());
    std::atomic<bool> done = false;
    std::atomic<int> wrong = 0;
    std::vector<std::thread> readers;
    for (int i = 0; i < 3; ++i) {
        readers.emplace_back([&] {
            while (!done) {
                for (std::int64_t version = 1; version <= 3; ++version) {
                    const auto handle = manager.acquire(key_of(version));
                    const float row = 1.0F;
                    float out = 1.5F;
                    if (handle && (!(*handle)->predict_encoded({&row, 1}, 1, {&out, 1}) || out != 1.5F ||
                                   handle->key() != key_of(version))) {
                        ++wrong;
                    }
                }
            }
        });
    }
    for (int round = 0; round < 30; ++round) {
        ASSERT_TRUE(manager.set_desired({key_of(1 + round % 3), key_of(1 + (round + 1) % 3)}));
        ASSERT_TRUE(manager.wait_ready(key_of(1 + round % 3), kPatienceMs));
    }
    done = true;
    for (std::thread& reader : readers) {
        reader.join();
    }
    EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace gyre::inference
