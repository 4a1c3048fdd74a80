#pragma once
// The bodies of POST /api/gyre/v1/endpoints/{name}/predict: rows as objects, by column name.
//   {"rows":[{"carrier":"UA","distance":1400}], "request_ids":["a"], "event_time":"2013-02-01T10:00:00Z"}
// Read in one forward pass straight into a RowBuffer; no document is built.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/signature.h"
#include "serving/row_buffer.h"

namespace gyre::api::native {

struct PredictRequest {
    std::vector<std::string> request_ids;       // one a row, or none: the server makes them
    std::optional<std::int64_t> event_time_us;  // of all rows
    std::vector<std::int64_t> event_times_us;   // one a row, or none
    std::shared_ptr<const void> texts_owner;    // keeps the texts of a large body
};

/// Reads `body` (64 readable bytes must follow it). Every column of the signature must be named in every row
/// (null for an unknown value) unless it is optional; a column that the model lacks is an error. Texts in
/// `rows` live until the next call on this thread, those of a body above serving::kParserKeptBodyBytes as
/// long as `request.texts_owner`. Errors: invalid_argument naming row and column, also for more rows than
/// serving::kRowsPerRequestMax, as trying again does not help.
Result<void> read_predict(std::string_view body, const model::Signature& signature, serving::RowBuffer& rows,
                          PredictRequest& request);

struct PredictAnswer {
    std::span<const float> values;  // [rows, width]
    std::span<const std::string_view> request_ids;
    std::string_view model;
    std::string_view version;
    std::string_view variant;
};

/// Appends the JSON answer; a row's prediction is a number, or a list when the model has several outputs.
void write_predict(const PredictAnswer& answer, std::string& out);

}  // namespace gyre::api::native
