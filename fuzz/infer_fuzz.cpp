// Bodies of predictions, OIP and native, against three signatures: whatever comes, it is read or refused;
// what is read has the rows that it says, can be used as a batch, and what is written about it is JSON.
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "api/native/predict_codec.h"
#include "api/oip/infer_codec.h"
#include "base/json.h"
#include "runtime/http/limits.h"
#include "serving/limits.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using gyre::model::ColumnType;
using gyre::model::InputLayout;
using gyre::model::Signature;

constexpr float kAnswers[] = {0.25F, -1e30F, NAN, INFINITY};

std::vector<Signature> make_signatures() {
    Signature tensor{{}, {{"prediction", 1}}, InputLayout::tensor};
    for (const char* name : {"f0", "f1", "f2"}) {
        tensor.columns.push_back({name, ColumnType::number, false});
    }
    Signature mixed{{{"carrier", ColumnType::text, false},
                     {"distance", ColumnType::number, false},
                     {"late", ColumnType::boolean, true},
                     {"month", ColumnType::integer, true}},
                    {{"prediction", 1}},
                    InputLayout::columns};
    const Signature text{{{"a", ColumnType::text, true}}, {{"prediction", 1}}, InputLayout::columns};
    return {tensor, mixed, text};
}

bool same(double a, double b) {
    return a == b || (std::isnan(a) && std::isnan(b));
}

/// Touches every value that the reader says is there, and copies it.
void use(const Signature& signature, const gyre::serving::RowBuffer& rows) {
    if (rows.rows() == 0 || rows.rows() > gyre::serving::kRowsPerRequestMax ||
        rows.column_count() != signature.columns.size()) {
        std::abort();
    }
    const gyre::serving::RowBuffer copy = rows.owned_copy();
    for (std::size_t column = 0; column < rows.column_count(); ++column) {
        for (std::size_t row = 0; row < rows.rows(); ++row) {
            if (rows.is_text(column) ? rows.text(column, row).text != copy.text(column, row).text
                                     : !same(rows.number(column, row), copy.number(column, row))) {
                std::abort();
            }
        }
    }
}

void expect_json(const std::string& text) {
    if (!gyre::parse_json(text)) {
        std::abort();
    }
}

void try_oip(std::string_view body, const Signature& signature, gyre::serving::RowBuffer& rows) {
    gyre::api::oip::InferRequest request;
    if (!gyre::api::oip::read_infer(body, signature, rows, request)) {
        return;
    }
    use(signature, rows);
    std::string out;
    gyre::api::oip::write_infer({"model", "1", request.id, "prediction", 2, kAnswers}, out);
    expect_json(out);
}

void try_native(std::string_view body, const Signature& signature, gyre::serving::RowBuffer& rows) {
    gyre::api::native::PredictRequest request;
    if (!gyre::api::native::read_predict(body, signature, rows, request)) {
        return;
    }
    use(signature, rows);
    if (!request.request_ids.empty() && request.request_ids.size() != rows.rows()) {
        std::abort();
    }
    const std::vector<std::string_view> ids(request.request_ids.begin(), request.request_ids.end());
    if (!ids.empty()) {
        const std::vector<float> values(ids.size(), 0.5F);
        std::string out;
        gyre::api::native::write_predict({values, ids, "model", "1", "champion"}, out);
        expect_json(out);
    }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::vector<Signature> signatures = make_signatures();
    // The reader may look at the padding; the string's own end bounds it for the sanitizer.
    std::string padded(reinterpret_cast<const char*>(data), size);
    padded.append(gyre::http::kBodyPadding, '\0');
    const std::string_view body = std::string_view(padded).substr(0, size);
    gyre::serving::RowBuffer rows;
    for (const Signature& signature : signatures) {
        try_oip(body, signature, rows);
        try_native(body, signature, rows);
    }
    return 0;
}
