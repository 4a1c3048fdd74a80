#pragma once
// Bounds of the model module. Model files are untrusted input: each bound is an error, never a crash.
#include <cstddef>
#include <cstdint>

namespace gyre::model {

inline constexpr std::uint64_t kModelFileBytesMax = 256ULL << 20U;
inline constexpr std::size_t kForestNodesMax = 1U << 25U;
inline constexpr std::size_t kForestTreesMax = 200'000;
inline constexpr std::size_t kForestDepthMax = 1024;
inline constexpr std::size_t kForestFeaturesMax = 1U << 20U;
inline constexpr std::size_t kForestOutputsMax = 4096;
/// Up to here a row without category splits is walked in the quicker of two ways.
inline constexpr std::size_t kForestWideFeaturesMax = 512;
/// Such a forest is laid out as complete trees if none is deeper than this, and if they have at most so many
/// leaves for each node that the model has.
inline constexpr std::size_t kForestLevelsMax = 12;
inline constexpr std::size_t kForestLevelsLeavesMax = 2;
/// The same where thresholds are bytes, and nodes so much smaller.
inline constexpr std::size_t kForestRankedLeavesMax = 4;
/// XGBoost's own bound: category codes are stored as float32 and stay exact.
inline constexpr std::size_t kForestCategoryMax = 1U << 24U;
/// 32-bit words of all category sets of a forest (64 MiB).
inline constexpr std::size_t kForestCategoryWordsMax = 1U << 24U;

inline constexpr std::size_t kSourceDepthMax = 32;             // nesting of a model document
inline constexpr std::size_t kSourceValuesMax = 4'000'000;     // objects, lists, texts and their members
inline constexpr std::size_t kSourceNumbersMax = 128'000'000;  // numbers in lists (1 GiB as doubles)

inline constexpr std::size_t kColumnsMax = 10'000;
inline constexpr std::size_t kCategoriesPerColumnMax = 100'000;
inline constexpr std::size_t kCategoryBytesMax = 1024;

inline constexpr std::uint64_t kPackageTextBytesMax = 64ULL
                                                      << 20U;  // pipeline.json; MLmodel has the YAML bound

}  // namespace gyre::model
