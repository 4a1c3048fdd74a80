#pragma once
// What a prediction is, as it is logged: the words that the log, the index and the windows share.
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fields.h"

namespace gyre::monitoring {

enum class InputKind : std::uint8_t { number, text };
constexpr auto enum_names(InputKind) {
    return std::array{EnumName{InputKind::number, "number"}, EnumName{InputKind::text, "text"}};
}

enum class Task : std::uint8_t { classification, regression };
constexpr auto enum_names(Task) {
    return std::array{EnumName{Task::classification, "classification"},
                      EnumName{Task::regression, "regression"}};
}

struct InputColumn {
    std::string name;
    InputKind kind = InputKind::number;
    bool operator==(const InputColumn&) const = default;
    static constexpr auto fields() {
        return std::tuple{Field{"name", &InputColumn::name, "Name of the raw input."},
                          Field{"kind", &InputColumn::kind, "number or text."}};
    }
};

/// What an endpoint's rows hold. The score that labels are compared with is outputs[score_output].
struct EndpointSchema {
    std::string name;
    std::vector<InputColumn> columns;
    std::vector<std::string> outputs;
    std::int64_t score_output = 0;
    Task task = Task::classification;
    bool operator==(const EndpointSchema&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            Field{"name", &EndpointSchema::name, "The endpoint."},
            Field{"columns", &EndpointSchema::columns, "Raw inputs, in order."},
            Field{"outputs", &EndpointSchema::outputs, "Names of the model's outputs."},
            Field{"score_output", &EndpointSchema::score_output, "Index of the output that is judged.",
                  optional_field},
            Field{"task", &EndpointSchema::task, "classification or regression.", optional_field}};
    }
};

struct VariantInfo {
    std::string endpoint;
    std::string model;  // "flights/1"
    std::string role;   // "champion", "candidate", "shadow" when it was registered
    bool operator==(const VariantInfo&) const = default;
    static constexpr auto fields() {
        return std::tuple{Field{"endpoint", &VariantInfo::endpoint, "The endpoint."},
                          Field{"model", &VariantInfo::model, "The model version that answers."},
                          Field{"role", &VariantInfo::role, "Its role at registration."}};
    }
};

/// Small numbers that stand for a schema and a variant while this process runs.
using EndpointId = std::uint16_t;
using VariantId = std::uint16_t;

enum class RowKind : std::uint8_t {
    answered,  // what the user got; carries the raw inputs
    shadow,    // scored off the request path; carries no inputs
};

struct TextValue {
    std::string_view text = {};
    bool missing = false;
};

/// One scored row. Views belong to the caller (append) or to the reader until its next row.
struct PredictionRecord {
    std::string_view request_id = {};  // at most kRequestIdBytesMax
    EndpointId endpoint = 0;
    VariantId variant = 0;
    RowKind kind = RowKind::answered;
    std::int64_t event_time_us = 0;
    std::int64_t arrival_us = 0;
    std::int64_t latency_ns = 0;
    std::span<const float> outputs = {};
    std::span<const double> numbers = {};   // the number columns in the schema's order; NaN is missing
    std::span<const TextValue> texts = {};  // the text columns in the schema's order
};

/// A row as readers see it, with its names.
struct LoggedRow {
    const EndpointSchema& schema;
    const VariantInfo& variant;
    const PredictionRecord& record;
};

inline constexpr std::int64_t kNoTime = std::numeric_limits<std::int64_t>::min();
inline constexpr std::int64_t kTimeMax = std::numeric_limits<std::int64_t>::max();

}  // namespace gyre::monitoring
