#pragma once
// What the prediction routes of every protocol share: from a name to a variant, from rows to values.
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/route_table.h"
#include "serving/serving.h"

namespace gyre::api {

/// An endpoint, and the pinned version when the caller named one. Lives as long as the request.
struct PredictTarget {
    const serving::RoutedEndpoint* endpoint = nullptr;
    const serving::RoutedVariant* pinned = nullptr;
    /// The model whose signature the request is read by.
    [[nodiscard]] const model::Predictor& model() const;
};

/// `version` may be empty. Errors: not_found, unavailable (not ready yet, with the reason).
Result<PredictTarget> find_target(serving::Serving& serving, std::string_view name, std::string_view version);

struct PredictInput {
    const std::vector<std::string>* request_ids = nullptr;  // one a row, or null
    std::string_view single_id;                             // of the only row, or ""
    std::optional<std::int64_t> event_time_us;              // of all rows
    std::span<const std::int64_t> event_times_us;           // one a row, or empty
    serving::StageTimer* stages = nullptr;                  // may be null
};

struct PredictOutput {
    std::span<const float> values;                  // [rows, width]
    std::span<const std::string_view> request_ids;  // one a row
    const serving::RoutedVariant* variant = nullptr;
};

/// Chooses the variant, scores, logs. The spans live until the next call on this thread.
Result<PredictOutput> run_predict(serving::Serving& serving, const PredictTarget& target,
                                  const serving::RowBuffer& rows, const PredictInput& input,
                                  const Context& context);

}  // namespace gyre::api
