#pragma once
// The bodies of POST /v2/models/M/infer (Open Inference Protocol, JSON tensors): text to rows and back.
//
// A request is read where it lies, in one forward pass, straight into a RowBuffer: no document is built.
// Values: numbers, booleans (BOOL), strings (BYTES); null is a missing value. `data` may be flat or nested.
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

namespace gyre::api::oip {

struct InferRequest {
    std::string id;
    std::optional<std::int64_t> event_time_us;  // parameters.event_time, for endpoints that count event times
    std::vector<std::string> request_ids;       // parameters.request_ids, one a row; may be empty
    std::shared_ptr<const void> texts_owner;    // keeps the texts of a large body
};

/// Reads `body` (64 readable bytes must follow it) into `rows` and `request`. Texts in `rows` live until the
/// next call on this thread, those of a body above serving::kParserKeptBodyBytes as long as
/// `request.texts_owner`. Errors: invalid_argument naming the tensor, the place in its data, what was
/// expected and what came; so are an output that the model does not have, and more rows than
/// serving::kRowsPerRequestMax, as trying again does not help.
Result<void> read_infer(std::string_view body, const model::Signature& signature, serving::RowBuffer& rows,
                        InferRequest& request);

/// The name under which the answer gives the values; models have one output.
std::string_view output_name(const model::Signature& signature);

struct InferAnswer {
    std::string_view model_name;
    std::string_view model_version;
    std::string_view id;  // echoed when not empty
    std::string_view output_name;
    std::size_t rows = 0;
    std::span<const float> values;  // [rows, width]
};

/// Appends the JSON answer to `out`.
void write_infer(const InferAnswer& answer, std::string& out);

}  // namespace gyre::api::oip
