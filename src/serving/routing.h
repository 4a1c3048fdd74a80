#pragma once
// Routing: the immutable picture of all endpoints that the data plane reads. Built by the reconciler,
// published through a Snapshot, read without a lock.
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/metrics.h"
#include "inference/manager.h"
#include "serving/endpoint.h"
#include "serving/stages.h"

namespace gyre::serving {

/// Counters of one variant; they outlive every picture that shows it.
struct VariantMetrics {
    Counter* requests = nullptr;
    Counter* rows = nullptr;
    Counter* errors = nullptr;
    Counter* shadow_dropped = nullptr;
    Histogram* seconds = nullptr;
    StageHistograms stages{};
};

struct RoutedVariant {
    Variant spec;
    inference::ModelHandle model;  // empty while it is not ready
    std::uint16_t log_id = 0;
    VariantMetrics metrics;
    std::string version_text;  // "7", as the protocols print it
};

/// Lives as long as a table that names it. Who needs it beyond a request asks it for a pointer: reading the
/// table once more may free the one that the request rests on.
struct RoutedEndpoint : std::enable_shared_from_this<RoutedEndpoint> {
    EndpointSpec spec;
    std::uint16_t log_id = 0;
    std::int64_t generation = 0;
    std::vector<RoutedVariant> variants;   // champion first, then candidate, then shadows
    std::vector<std::size_t> answering;    // indices of variants with a weight
    std::vector<double> cumulative;        // parallel to answering; the last is 1
    std::vector<std::size_t> shadowing;    // indices scored after the answer: shadows, candidates
    std::size_t sticky_column = SIZE_MAX;  // SIZE_MAX: by request id
    std::shared_ptr<std::atomic<std::int64_t>> clock_us;  // of a replay; shared by all pictures

    [[nodiscard]] bool ready() const;
    [[nodiscard]] const model::Signature* signature() const;
    /// The variant that answers `key`.
    [[nodiscard]] const RoutedVariant& choose(std::string_view key) const;
    /// The loaded variant with this version of the champion's model, for /versions/N; nullptr when there is
    /// none.
    [[nodiscard]] const RoutedVariant* pinned(std::int64_t version) const;
};

struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

struct RoutingTable {
    std::unordered_map<std::string, std::shared_ptr<const RoutedEndpoint>, TextHash, std::equal_to<>>
        endpoints;
    /// Errors: not_found naming the endpoint and the nearest one there is.
    [[nodiscard]] Result<std::shared_ptr<const RoutedEndpoint>> find(std::string_view name) const;
    /// The same without counting a reference; the pointer lives as long as the table.
    [[nodiscard]] const RoutedEndpoint* peek(std::string_view name) const;
    [[nodiscard]] Error unknown(std::string_view name) const;
};

}  // namespace gyre::serving
