#pragma once
// Bounds of training and evaluation.
#include <cstddef>
#include <cstdint>

namespace gyre::training {

inline constexpr std::size_t kFeaturesMax = 2000;
inline constexpr std::uint64_t kTrainingRowsMax = 20'000'000;
inline constexpr std::int64_t kTreesMax = 10'000;
inline constexpr std::int64_t kDepthMax = 20;
inline constexpr std::int64_t kThreadsMax = 256;
/// Fewer rows than this are no training set.
inline constexpr std::size_t kTrainingRowsMin = 10;
/// Values of a slicing column that get metrics of their own, the most frequent first.
inline constexpr std::size_t kSlicesMax = 50;
inline constexpr std::size_t kSliceColumnsMax = 10;
/// Rows of a slice below which it is left out.
inline constexpr std::int64_t kSliceRowsMin = 50;
/// Lines of a step's progress file; later ones replace nothing and are dropped.
inline constexpr std::int64_t kProgressLinesMax = 20'000;
inline constexpr std::size_t kPredictBlockRows = 8192;

}  // namespace gyre::training
