#pragma once
// The bounds of tracking. Those of MLflow's clients are MLflow's own numbers.
#include <cstddef>
#include <cstdint>

namespace gyre::tracking {

inline constexpr std::size_t kExperimentNameMax = 500;
inline constexpr std::size_t kArtifactLocationMax = 2048;
inline constexpr std::size_t kKeyMax = 250;
inline constexpr std::size_t kParamValueMax = 6000;  // longer ones are cut
inline constexpr std::size_t kTagValueMax = 8000;    // longer ones are cut
inline constexpr std::size_t kBatchMetricsMax = 1000;
inline constexpr std::size_t kBatchParamsMax = 100;
inline constexpr std::size_t kBatchTagsMax = 100;
inline constexpr std::size_t kBatchTotalMax = 1000;
inline constexpr std::size_t kDatasetNameMax = 500;
inline constexpr std::size_t kDatasetDigestMax = 36;
inline constexpr std::size_t kDatasetSourceMax = 65'535;
inline constexpr std::size_t kDatasetSchemaMax = 1'048'575;
inline constexpr std::size_t kDatasetProfileMax = 16'777'215;
inline constexpr std::size_t kInputsPerCallMax = 1000;
inline constexpr std::size_t kModelNameMax = 500;
inline constexpr std::size_t kModelParamsMax = 1000;       // in one call
inline constexpr std::size_t kModelDatasetsMax = 100;      // of one search for logged models
inline constexpr std::size_t kDatasetExperimentsMax = 20;  // of one search for datasets
inline constexpr std::int64_t kDatasetSummariesMax = 1000;
inline constexpr std::int64_t kSearchResultsMax = 50'000;
inline constexpr std::size_t kSearchExperimentsMax = 10'000;  // experiment ids in one search
inline constexpr std::int64_t kHistoryPageMax = 25'000;
inline constexpr std::size_t kBlockPoints = 128;  // metric points in one stored block
inline constexpr std::size_t kTailPoints = 32;    // newest points of a series that fill no block yet

}  // namespace gyre::tracking
