#include "table/batch.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"

namespace gyre::table {
namespace {

void put_u64(std::string& out, std::uint64_t value) {
    static_assert(std::endian::native == std::endian::little, "digests are of little-endian numbers");
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_text(std::string& out, std::string_view text) {
    put_u64(out, text.size());
    out.append(text);
}

void put_value(std::string& out, const Column& column, std::size_t row) {
    if (!column.valid(row)) {
        out.push_back('\0');
        return;
    }
    out.push_back('\1');
    switch (column.type()) {
        case ColumnType::boolean:
            out.push_back(column.booleans()[row] != 0 ? '\1' : '\0');
            break;
        case ColumnType::int64:
        case ColumnType::timestamp:
            put_u64(out, static_cast<std::uint64_t>(column.int64s()[row]));
            break;
        case ColumnType::float64: {
            const double value = column.float64s()[row];
            const double one_nan = std::isnan(value) ? std::numeric_limits<double>::quiet_NaN() : value;
            put_u64(out, std::bit_cast<std::uint64_t>(one_nan));
            break;
        }
        case ColumnType::text:
            put_text(out, column.text(row));
            break;
    }
}

/// Whether the engine made the names up: "column0", "column00".
bool is_unnamed(const std::vector<ColumnSchema>& columns) {
    constexpr std::string_view kMadeUp = "column0";
    return !columns.empty() && columns.front().name.starts_with(kMadeUp) &&
           columns.front().name.find_first_not_of('0', kMadeUp.size()) == std::string::npos;
}

}  // namespace

std::optional<std::size_t> Schema::find(std::string_view name) const {
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (columns[i].name == name) {
            return i;
        }
    }
    return std::nullopt;
}

Result<const ColumnSchema*> Schema::get(std::string_view name) const {
    constexpr std::size_t kShown = 20;
    if (const std::optional<std::size_t> index = find(name)) {
        return &columns[*index];
    }
    std::vector<std::string_view> known;
    std::string shown;
    for (const ColumnSchema& column : columns) {
        if (known.size() < kShown) {
            shown.append(known.empty() ? "" : ", ").append(column.name);
        }
        known.push_back(column.name);
    }
    return not_found("the table has no column '" + std::string(name) + "'" + suggestion(name, known) +
                     "; it has " + shown + (known.size() > kShown ? ", ..." : "") +
                     (is_unnamed(columns) ? " (a CSV without a header: name its columns)" : ""));
}

Column::Column(ColumnType type) : type_(type) {
    switch (type) {
        case ColumnType::boolean:
            values_.emplace<0>();
            break;
        case ColumnType::int64:
        case ColumnType::timestamp:
            values_.emplace<1>();
            break;
        case ColumnType::float64:
            values_.emplace<2>();
            break;
        case ColumnType::text:
            values_.emplace<3>();
            break;
    }
}

std::size_t Column::null_count() const {
    return static_cast<std::size_t>(std::count(valid_.begin(), valid_.end(), std::uint8_t{0}));
}

std::uint64_t Column::bytes() const {
    const std::uint64_t fixed = type_ == ColumnType::boolean ? 1 : 8;
    const std::uint64_t text = type_ == ColumnType::text ? std::get<3>(values_).bytes.size() : 0;
    return rows() * (fixed + 1) + text;
}

std::span<const std::uint8_t> Column::booleans() const {
    GYRE_CHECK(values_.index() == 0, "a column that is not boolean was read as one");
    return std::get<0>(values_);
}

std::span<const std::int64_t> Column::int64s() const {
    GYRE_CHECK(values_.index() == 1, "a column that is neither int64 nor timestamp was read as one");
    return std::get<1>(values_);
}

std::span<const double> Column::float64s() const {
    GYRE_CHECK(values_.index() == 2, "a column that is not float64 was read as one");
    return std::get<2>(values_);
}

std::string_view Column::text(std::size_t row) const {
    GYRE_CHECK(values_.index() == 3, "a column that is not text was read as one");
    const Texts& texts = std::get<3>(values_);
    const std::uint64_t begin = row == 0 ? 0 : texts.ends[row - 1];
    return std::string_view(texts.bytes).substr(begin, texts.ends[row] - begin);
}

double Column::number(std::size_t row) const {
    if (!valid(row)) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    switch (type_) {
        case ColumnType::boolean:
            return booleans()[row] != 0 ? 1.0 : 0.0;
        case ColumnType::int64:
        case ColumnType::timestamp:
            return static_cast<double>(int64s()[row]);
        case ColumnType::float64:
            return float64s()[row];
        case ColumnType::text:
            break;
    }
    GYRE_CHECK(false, "a text column was read as numbers");
    return 0.0;
}

Json Column::json(std::size_t row) const {
    if (!valid(row)) {
        return {};
    }
    switch (type_) {
        case ColumnType::boolean:
            return booleans()[row] != 0;
        case ColumnType::int64:
            return int64s()[row];
        case ColumnType::float64:
            return float64s()[row];
        case ColumnType::text:
            return text(row);
        case ColumnType::timestamp:
            return format_rfc3339(int64s()[row]);
    }
    return {};
}

std::string Column::display(std::size_t row) const {
    const Json value = json(row);
    if (value.is_null()) {
        return {};
    }
    return value.is_string() ? value.as_string() : value.dump();
}

void Column::append_null() {
    valid_.push_back(0);
    switch (values_.index()) {
        case 0:
            std::get<0>(values_).push_back(0);
            break;
        case 1:
            std::get<1>(values_).push_back(0);
            break;
        case 2:
            std::get<2>(values_).push_back(0.0);
            break;
        default:
            std::get<3>(values_).ends.push_back(std::get<3>(values_).bytes.size());
            break;
    }
}

void Column::append_boolean(bool value) {
    std::get<0>(values_).push_back(value ? 1 : 0);
    valid_.push_back(1);
}

void Column::append_int64(std::int64_t value) {
    std::get<1>(values_).push_back(value);
    valid_.push_back(1);
}

void Column::append_float64(double value) {
    std::get<2>(values_).push_back(value);
    valid_.push_back(1);
}

void Column::append_text(std::string_view value) {
    Texts& texts = std::get<3>(values_);
    texts.bytes.append(value);
    texts.ends.push_back(texts.bytes.size());
    valid_.push_back(1);
}

void Column::append(const Column& other) {
    GYRE_CHECK(type_ == other.type_, "columns of two types were joined");
    valid_.insert(valid_.end(), other.valid_.begin(), other.valid_.end());
    if (type_ == ColumnType::text) {
        Texts& mine = std::get<3>(values_);
        const Texts& theirs = std::get<3>(other.values_);
        const std::uint64_t offset = mine.bytes.size();
        mine.bytes.append(theirs.bytes);
        for (const std::uint64_t end : theirs.ends) {
            mine.ends.push_back(offset + end);
        }
        return;
    }
    const auto join = [&]<std::size_t kIndex>(std::integral_constant<std::size_t, kIndex>) {
        auto& mine = std::get<kIndex>(values_);
        const auto& theirs = std::get<kIndex>(other.values_);
        mine.insert(mine.end(), theirs.begin(), theirs.end());
    };
    switch (values_.index()) {
        case 0:
            join(std::integral_constant<std::size_t, 0>{});
            break;
        case 1:
            join(std::integral_constant<std::size_t, 1>{});
            break;
        default:
            join(std::integral_constant<std::size_t, 2>{});
            break;
    }
}

Column Column::take(std::span<const std::size_t> rows) const {
    Column out(type_);
    out.reserve(rows.size());
    for (const std::size_t row : rows) {
        out.valid_.push_back(valid_[row]);
    }
    if (type_ == ColumnType::text) {
        Texts& taken = std::get<3>(out.values_);
        for (const std::size_t row : rows) {
            taken.bytes.append(text(row));
            taken.ends.push_back(taken.bytes.size());
        }
        return out;
    }
    const auto pick = [&]<std::size_t kIndex>(std::integral_constant<std::size_t, kIndex>) {
        const auto& values = std::get<kIndex>(values_);
        auto& taken = std::get<kIndex>(out.values_);
        for (const std::size_t row : rows) {
            taken.push_back(values[row]);
        }
    };
    switch (values_.index()) {
        case 0:
            pick(std::integral_constant<std::size_t, 0>{});
            break;
        case 1:
            pick(std::integral_constant<std::size_t, 1>{});
            break;
        default:
            pick(std::integral_constant<std::size_t, 2>{});
            break;
    }
    return out;
}

void Column::reserve(std::size_t rows) {
    valid_.reserve(rows);
    switch (values_.index()) {
        case 0:
            std::get<0>(values_).reserve(rows);
            break;
        case 1:
            std::get<1>(values_).reserve(rows);
            break;
        case 2:
            std::get<2>(values_).reserve(rows);
            break;
        default:
            std::get<3>(values_).ends.reserve(rows);
            break;
    }
}

Batch Batch::empty(Schema schema) {
    Batch out;
    for (const ColumnSchema& column : schema.columns) {
        out.columns.emplace_back(column.type);
    }
    out.schema = std::move(schema);
    return out;
}

const Column* Batch::find(std::string_view name) const {
    const std::optional<std::size_t> index = schema.find(name);
    return index ? &columns[*index] : nullptr;
}

Result<const Column*> Batch::get(std::string_view name) const {
    if (const Column* column = find(name)) {
        return column;
    }
    return schema.get(name).error();
}

std::uint64_t Batch::bytes() const {
    std::uint64_t sum = 0;
    for (const Column& column : columns) {
        sum += column.bytes();
    }
    return sum;
}

void Batch::append(const Batch& other) {
    GYRE_CHECK(schema == other.schema, "batches of two schemas were joined");
    for (std::size_t i = 0; i < columns.size(); ++i) {
        columns[i].append(other.columns[i]);
    }
}

Batch Batch::take(std::span<const std::size_t> rows) const {
    Batch out;
    out.schema = schema;
    for (const Column& column : columns) {
        out.columns.push_back(column.take(rows));
    }
    return out;
}

Json Batch::row_json(std::size_t row) const {
    Json out = Json::object();
    for (std::size_t i = 0; i < columns.size(); ++i) {
        out.members().push_back({schema.columns[i].name, columns[i].json(row)});
    }
    return out;
}

std::string digest_of(const Batch& batch) {
    constexpr std::size_t kFlushBytes = 1U << 16U;
    Sha256 sha;
    std::string buffer;
    put_u64(buffer, batch.rows());
    for (std::size_t i = 0; i < batch.columns.size(); ++i) {
        const Column& column = batch.columns[i];
        put_text(buffer, batch.schema.columns[i].name);
        put_text(buffer, name_of(column.type()));
        for (std::size_t row = 0; row < column.rows(); ++row) {
            put_value(buffer, column, row);
            if (buffer.size() >= kFlushBytes) {
                sha.update(buffer);
                buffer.clear();
            }
        }
    }
    sha.update(buffer);
    return sha.finish();
}

}  // namespace gyre::table
