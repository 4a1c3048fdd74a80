#include "api/predict.h"

#include "base/text.h"

namespace gyre::api {

const model::Predictor& PredictTarget::model() const {
    return pinned != nullptr ? pinned->model.predictor() : endpoint->variants.front().model.predictor();
}

Result<PredictTarget> find_target(serving::Serving& serving, std::string_view name,
                                  std::string_view version) {
    const serving::RoutingTable& table = serving.table();
    PredictTarget target{table.peek(name), nullptr};
    if (target.endpoint == nullptr) {
        return table.unknown(name);
    }
    if (!version.empty()) {
        const auto number = parse_integer(version);
        target.pinned = number ? target.endpoint->pinned(*number) : nullptr;
        if (target.pinned == nullptr) {
            std::string loaded;
            for (const serving::RoutedVariant& variant : target.endpoint->variants) {
                loaded.append(loaded.empty() ? "" : ", ").append(variant.version_text);
            }
            return not_found("endpoint '" + std::string(name) + "' has no loaded version '" +
                             std::string(version.substr(0, 40)) + "'; loaded: " + loaded);
        }
    }
    const bool ready =
        target.pinned != nullptr
            ? static_cast<bool>(target.pinned->model)
            : target.endpoint->ready() && static_cast<bool>(target.endpoint->variants.front().model);
    if (!ready) {
        return unavailable("endpoint '" + std::string(name) + "' is not ready; GET /api/gyre/v1/endpoints/" +
                           std::string(name) + " says why");
    }
    return target;
}

namespace {

/// What run_predict needs a request, kept per thread so that the hot path allocates nothing.
struct Scratch {
    std::vector<float> values;
    std::vector<std::string_view> ids;
    std::vector<std::string> made_ids;
    std::vector<std::int64_t> times;
};

/// A row without an id of its own gets one; the only row of a request has the id that the answer's
/// X-Request-Id tells, unless the client chose that, as it may be one of a whole trace.
void name_rows(Scratch& scratch, std::size_t rows, const PredictInput& input, const Clock& clock,
               const Context& context) {
    scratch.ids.resize(rows);
    if (input.request_ids != nullptr) {
        scratch.ids.assign(input.request_ids->begin(), input.request_ids->end());
        return;
    }
    if (rows == 1 && !input.single_id.empty()) {
        scratch.ids[0] = input.single_id;
        return;
    }
    if (rows == 1 && context.request.header("X-Request-Id").empty()) {
        scratch.ids[0] = context.request_id;
        return;
    }
    scratch.made_ids.resize(rows);
    for (std::size_t row = 0; row < rows; ++row) {
        make_uuid7(clock, scratch.made_ids[row]);
        scratch.ids[row] = scratch.made_ids[row];
    }
}

}  // namespace

Result<PredictOutput> run_predict(serving::Serving& serving, const PredictTarget& target,
                                  const serving::RowBuffer& rows, const PredictInput& input,
                                  const Context& context) {
    thread_local Scratch scratch;
    const std::size_t count = rows.rows();
    if (input.request_ids != nullptr && input.request_ids->size() != count) {
        return invalid_argument("expected one request id a row (" + std::to_string(count) + "), got " +
                                std::to_string(input.request_ids->size()));
    }
    name_rows(scratch, count, input, serving.clock(), context);
    const std::int64_t arrival_us = serving.clock().now_us();
    scratch.times.resize(count);
    for (std::size_t row = 0; row < count; ++row) {
        const auto stated =
            input.event_times_us.empty() ? input.event_time_us : std::optional(input.event_times_us[row]);
        GYRE_TRY(scratch.times[row], serving.event_time_of(*target.endpoint, stated, arrival_us));
    }
    std::string_view key = scratch.ids.front();
    std::string number;
    const std::size_t sticky = target.endpoint->sticky_column;
    if (sticky < rows.column_count()) {
        if (rows.is_text(sticky)) {
            key = rows.text(sticky, 0).text;
        } else {
            append_json_number(number, rows.number(sticky, 0));
            key = number;
        }
    }
    const serving::RoutedVariant& variant =
        target.pinned != nullptr ? *target.pinned : target.endpoint->choose(key);
    const serving::RequestMeta meta{scratch.ids, scratch.times, arrival_us, context.request.started_ns,
                                    input.stages};
    GYRE_TRY_VOID(serving.predict(*target.endpoint, variant, rows, meta, scratch.values));
    return PredictOutput{scratch.values, scratch.ids, &variant};
}

}  // namespace gyre::api
